package spanevent

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Agent frameworks that write the GenAI convention with a few words of their
// own.

// strands puts the name of the service, or its own, where the provider
// belongs, and the running total of the agent onto every invoke_agent.
var strands = dialect{
	name:   "strands",
	scopes: []string{"strands*"},
	keys: []binding{
		{key: "event_loop.cycle_id", implies: kindWrapper},
		{key: "agent_loop.cycle_id", implies: kindWrapper},
		{key: "gen_ai.event.start_time"},
		{key: "gen_ai.agent.tools"},
	},
	content:    []string{"system_prompt"},
	cumulative: true,
	asProvider: true,
	finish: func(f *facts, _ ptrace.Span, r *Reading) {
		if _, known := providers[f.str(fieldProvider)]; !known {
			r.Event.Provider = ""
		}
	},
}

// googleADK names its spans where others have an operation.
var googleADK = dialect{
	name:   "google_adk",
	scopes: []string{"gcp.vertex.agent*"},
	keys: []binding{
		{key: "gcp.vertex.agent.session_id", field: fieldConversation, rank: rankForeign},
		{key: "gcp.vertex.agent.tool_call_args", field: fieldToolArguments, rank: rankForeign},
		{key: "gcp.vertex.agent.tool_response", field: fieldToolResult, rank: rankForeign},
		{key: "gcp.vertex.agent.llm_request", field: fieldInput, rank: rankOld},
		{key: "gcp.vertex.agent.llm_response", field: fieldOutput, rank: rankOld},
		{key: "gcp.vertex.agent.invocation_id"},
		{key: "gcp.vertex.agent.event_id"},
		{key: "gen_ai.usage.experimental.reasoning_tokens", field: fieldReasoningTokens, rank: rankForeign},
		{key: "gen_ai.usage.experimental.cached_tokens", field: fieldCacheRead, rank: rankForeign},
	},
	names: map[string]kind{
		"call_llm": kindLLM, "invocation": kindWrapper, "agent_run": kindWrapper, "send_data": kindNone,
		// A repetition of parallel tool calls, for display.
		"execute_tool (merged tools)": kindNone, "execute_tool (merged)": kindNone,
	},
	// A tool that failed has no attributes.
	prefixes: map[string]kind{"execute_tool ": kindTool, "invoke_agent ": kindWrapper},
	content:  []string{"gcp.vertex.agent.data"},
	finish: func(f *facts, span ptrace.Span, r *Reading) {
		// Where it tells thoughts by this key, its output is the answer alone.
		// What is more than the output has been added to it.
		_, apart := span.Attributes().Get("gen_ai.usage.experimental.reasoning_tokens")
		if e := &r.Event; apart && e.TokensOut.OK && e.TokensOut == f.integer(fieldTokensOut) {
			e.TokensOut.V = plus(e.TokensOut.V, e.ReasoningTokens.Or(0))
		}
		// It writes "{}" for content that is not captured, and on tools for
		// content that they do not have.
		if string(r.Event.Input) == "{}" {
			r.Event.Input = nil
		}
		if string(r.Event.Output) == "{}" {
			r.Event.Output = nil
		}
	},
}

// mastra wraps a call in a generation, a step and chunks, and tells of its
// failure by a finish reason.
var mastra = dialect{
	name:   "mastra",
	scopes: []string{"@mastra/*", "mastra*"},
	keys: []binding{
		{key: "mastra.span.type", field: fieldKind},
		{key: "mastra.metadata.sessionId", field: fieldConversation, rank: rankForeign},
		{key: "mastra.metadata.threadId", field: fieldConversation, rank: rankForeign + 1},
		{key: "mastra.metadata.toolName"},
	},
	kinds: map[string]kind{
		"model_inference": kindLLM, "llm_generation": kindLLM, "tool_call": kindTool, "mcp_tool_call": kindTool, "client_tool_call": kindTool,
		"agent_run": kindWrapper, "model_generation": kindWrapper, "model_step": kindWrapper, "llm_step": kindWrapper,
		"model_chunk": kindNone, "llm_chunk": kindNone,
	},
	content: []string{
		"mastra.agent_run.input", "mastra.agent_run.output", "mastra.model_generation.*", "mastra.model_step.*",
		"mastra.model_chunk.*", "mastra.workflow_run.*", "mastra.workflow_step.*", "mastra.tool_call.*", "mastra.processor_run.*",
	},
}

// pydanticAI is Pydantic AI in instrumentation versions 1 to 6. Its agent runs
// carry sums under keys of their own.
var pydanticAI = dialect{
	name:   "pydantic_ai",
	scopes: []string{"pydantic-ai", "pydantic_ai*"},
	keys: []binding{
		{key: "gen_ai.aggregated_usage.input_tokens", field: fieldTokensIn, rank: rankLast},
		{key: "gen_ai.aggregated_usage.output_tokens", field: fieldTokensOut, rank: rankLast},
		{key: "gen_ai.aggregated_usage.cache_read.input_tokens", field: fieldCacheRead, rank: rankLast},
		{key: "gen_ai.aggregated_usage.cache_creation.input_tokens", field: fieldCacheWrite, rank: rankLast},
		{key: "gen_ai.usage.details.cache_read_tokens", field: fieldCacheRead, rank: rankOld + 1},
		{key: "gen_ai.usage.details.cache_read_input_tokens", field: fieldCacheRead, rank: rankOld + 2},
		{key: "gen_ai.usage.details.cached_tokens", field: fieldCacheRead, rank: rankOld + 3},
		{key: "gen_ai.usage.details.cache_write_tokens", field: fieldCacheWrite, rank: rankOld + 1},
		{key: "gen_ai.usage.details.cache_creation_input_tokens", field: fieldCacheWrite, rank: rankOld + 2},
		{key: "gen_ai.usage.details.reasoning_tokens", field: fieldReasoningTokens, rank: rankOld + 1},
		{key: "gen_ai.usage.details.thoughts_tokens", field: fieldReasoningTokens, rank: rankOld + 2},
		{key: "operation.cost", field: fieldCost, rank: rankForeign},
		{key: "pydantic_ai.all_messages", implies: kindWrapper},
		{key: "all_messages_events", implies: kindWrapper},
		{key: "final_result"},
	},
	ownKeys: []binding{
		{key: "agent_name", field: fieldAgent, rank: rankOld},
		{key: "model_name", field: fieldRequestModel, rank: rankLast},
		{key: "tool_arguments", field: fieldToolArguments, rank: rankOld},
		{key: "tool_response", field: fieldToolResult, rank: rankOld},
		{key: "events", field: fieldInput, rank: rankLast},
	},
	names: map[string]kind{"agent run": kindWrapper, "running tools": kindWrapper, "running tool": kindTool},
	// An agent's run names the model of its calls, not always an operation.
	prefixes: map[string]kind{"invoke_agent": kindWrapper, "execute_tool ": kindTool},
	content: []string{
		"tool_arguments", "tool_response", "final_result", "pydantic_ai.all_messages", "all_messages_events", "events", "model_request_parameters",
	},
}

// logfire adds spans for spans that have not ended, and logs in the shape of
// spans, such as one at the end of a stream.
var logfire = dialect{
	name: "logfire",
	keys: []binding{
		{key: "logfire.span_type", expand: func(f *facts, v pcommon.Value) {
			if v.Type() == pcommon.ValueTypeStr && (v.Str() == "pending_span" || v.Str() == "log") {
				f.ignored = true
			}
		}},
		{key: "gen_ai.usage.raw", expand: func(f *facts, v pcommon.Value) { providerUsage(f, object(v)) }},
	},
	content: []string{"request_data", "response_data", "logfire.msg"},
}

// logfireClients is Logfire's instrumentation of OpenAI's and Anthropic's client
// libraries. Old versions tell a call by the name of its span and the JSON of
// what went over the wire.
var logfireClients = dialect{
	name:   "logfire",
	scopes: []string{"logfire.openai", "logfire.anthropic"},
	ownKeys: []binding{
		{key: "request_data", field: fieldInput, rank: rankLast, expand: func(f *facts, v pcommon.Value) {
			f.set(fieldInput, rankLast, v)
			if model, ok := object(v)["model"].(string); ok {
				f.set(fieldRequestModel, rankLast, pcommon.NewValueStr(model))
			}
		}},
		{key: "response_data", field: fieldOutput, rank: rankLast, expand: func(f *facts, v pcommon.Value) {
			f.set(fieldOutput, rankLast, v)
			if usage, ok := object(v)["usage"].(map[string]any); ok {
				providerUsage(f, usage)
			}
		}},
	},
	prefixes: map[string]kind{
		"Chat Completion with ": kindLLM, "Completion with ": kindLLM, "Responses API with ": kindLLM, "Message with ": kindLLM,
		"Embedding Creation with ": kindEmbeddings,
	},
}

// logfireAgents is Logfire's instrumentation of OpenAI's Agents SDK. Its spans
// have templates for names and the SDK's own words for attributes.
var logfireAgents = dialect{
	name:   "logfire",
	scopes: []string{"logfire.openai_agents"},
	ownKeys: []binding{
		{key: "name", field: fieldEntity},
		{key: "response_id", field: fieldResponseID, rank: rankForeign},
		{key: "input", field: fieldInput, rank: rankLast},
		{key: "raw_input", field: fieldInput, rank: rankOld},
		{key: "output", field: fieldOutput, rank: rankLast},
		{key: "group_id", field: fieldGroup},
	},
	names: map[string]kind{
		"Function: {name}": kindTool, "Agent run: {name!r}": kindWrapper, "OpenAI Agents trace: {name}": kindWrapper,
	},
	finish: func(f *facts, span ptrace.Span, r *Reading) {
		switch {
		case r.Event.ToolCall != nil && !f.has(fieldToolName):
			r.Event.ToolCall.Name = f.str(fieldEntity)
		case strings.HasPrefix(span.Name(), "Agent run: ") && r.AgentName == "":
			r.AgentName = f.str(fieldEntity)
		}
		// The values are JSON, so that none is null.
		if group := f.str(fieldGroup); r.SessionID == "" && group != "null" {
			r.SessionID = strings.Trim(group, `"`)
			r.Event.SessionID = r.Key()
		}
	},
}

// agentFramework is Microsoft's Agent Framework and Semantic Kernel.
var agentFramework = dialect{
	name:   "agent_framework",
	scopes: []string{"agent_framework*", "Experimental.Microsoft.Agents.AI*", "Microsoft.Agents.AI*", "Microsoft.SemanticKernel*", "Experimental.Microsoft.Extensions.AI*"},
	keys: []binding{
		{key: "executor.id", implies: kindWrapper},
		{key: "sk.available_functions"},
		{key: "gen_ai.response.prompt_tokens", field: fieldTokensIn, rank: rankLast},
		{key: "gen_ai.response.completion_tokens", field: fieldTokensOut, rank: rankLast},
	},
	names: map[string]kind{
		"workflow.run": kindWrapper, "workflow.build": kindWrapper, "executor.process": kindWrapper,
		"edge_group.process": kindWrapper, "message.send": kindWrapper,
	},
	content: []string{"gen_ai.agent.invocation_input", "gen_ai.agent.invocation_output"},
}

// springAI observes its own layers beside the calls of models.
var springAI = dialect{
	name:   "spring_ai",
	scopes: []string{"org.springframework*"},
	keys: []binding{
		{key: "spring.ai.kind", field: fieldKind},
		{key: "spring.ai.tool.definition.name", field: fieldToolName, rank: rankForeign},
		{key: "spring.ai.tool.call.arguments", field: fieldToolArguments, rank: rankForeign},
		{key: "spring.ai.tool.call.result", field: fieldToolResult, rank: rankForeign},
		{key: "spring.ai.chat.client.conversation.id", field: fieldConversation, rank: rankForeign},
	},
	kinds: map[string]kind{
		"tool_call": kindTool, "chat_client": kindWrapper, "advisor": kindWrapper, "vector_store": kindRetrieval,
	},
}
