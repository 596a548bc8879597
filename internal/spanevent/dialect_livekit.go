package spanevent

import "go.opentelemetry.io/collector/pdata/pcommon"

// liveKit is LiveKit's voice agents. Its speech models stand beside the calls
// of language models, under the same keys, and are not read. A request has a
// span of its own for each attempt.
var liveKit = dialect{
	name:   "livekit",
	scopes: []string{"livekit-agents*"},
	keys: []binding{
		{key: "lk.agent_name", field: fieldAgent, rank: rankForeign},
		{key: "lk.function_tool.id", field: fieldToolID, rank: rankForeign},
		{key: "lk.function_tool.name", field: fieldToolName, rank: rankForeign},
		{key: "lk.function_tool.arguments", field: fieldToolArguments, rank: rankForeign},
		{key: "lk.function_tool.output", field: fieldToolResult, rank: rankForeign},
		{key: "lk.function_tool.is_error", expand: func(f *facts, v pcommon.Value) {
			f.failed = f.failed || v.Type() == pcommon.ValueTypeBool && v.Bool()
		}},
		{key: "lk.chat_ctx", field: fieldInput, rank: rankLast},
		{key: "lk.response.text", field: fieldOutput, rank: rankLast},
	},
	names: map[string]kind{
		"llm_request": kindLLM, "function_tool": kindTool, "llm_request_run": kindNone,
		"agent_session": kindWrapper, "agent_turn": kindWrapper, "user_turn": kindWrapper, "llm_node": kindWrapper,
		"tts_node": kindNone, "tts_request": kindNone, "tts_request_run": kindNone, "stt_node": kindNone,
		"user_speaking": kindNone, "agent_speaking": kindNone, "eou_detection": kindNone,
	},
	content: []string{
		"lk.user_input", "lk.user_transcript", "lk.input_text", "lk.instructions", "lk.response.function_calls", "lk.function_tools",
	},
}
