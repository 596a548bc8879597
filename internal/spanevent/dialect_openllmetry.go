package spanevent

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// openLLMetry is Traceloop's convention, old and new, in its Python, JS and Go
// flavours.
var openLLMetry = dialect{
	name:   "openllmetry",
	scopes: []string{"@traceloop/*", "traceloop*", "opentelemetry.instrumentation.langchain", "go-openllmetry*"},
	keys: []binding{
		{key: "traceloop.span.kind", field: fieldKind, rank: rankForeign},
		{key: "llm.request.type", expand: openLLMetryRequest},
		{key: "gen_ai.request.type", expand: openLLMetryRequest},
		{key: "traceloop.entity.name", field: fieldEntity},
		{key: "traceloop.workflow.name", field: fieldAgentLabel},
		{key: "traceloop.entity.input", field: fieldInput, rank: rankOld},
		{key: "traceloop.entity.output", field: fieldOutput, rank: rankOld},
		{key: "traceloop.association.properties.session_id", field: fieldConversation, rank: rankForeign},
		{key: "traceloop.association.properties.conversation_id", field: fieldConversation, rank: rankForeign + 1},
		{key: "traceloop.association.properties.thread_id", field: fieldConversation, rank: rankForeign + 2},
		{key: "traceloop.association.properties.chat_id", field: fieldConversation, rank: rankForeign + 3},
		{key: "llm.vendor", field: fieldProvider, rank: rankOld},
		{key: "llm.request.model", field: fieldRequestModel, rank: rankOld},
		{key: "llm.response.model", field: fieldResponseModel, rank: rankOld},
		{key: "llm.usage.prompt_tokens", field: fieldTokensIn, rank: rankOld + 1},
		{key: "llm.usage.completion_tokens", field: fieldTokensOut, rank: rankOld + 1},
		{key: "llm.usage.total_tokens", field: fieldTokensTotal, rank: rankOld + 1},
		{key: "llm.usage.reasoning_tokens", field: fieldReasoningTokens, rank: rankOld + 1},
		{key: "llm.usage.cache_read_input_tokens", field: fieldCacheRead, rank: rankOld + 1},
		{key: "llm.usage.cache_creation_input_tokens", field: fieldCacheWrite, rank: rankOld + 1},
		{key: "llm.response.finish_reason", field: fieldFinishReasons, rank: rankOld + 1},
		{key: "llm.response.stop_reason", field: fieldFinishReasons, rank: rankOld + 2},
		{key: "llm.response.id", field: fieldResponseID, rank: rankOld},
	},
	kinds: map[string]kind{
		"workflow": kindWrapper, "task": kindWrapper, "agent": kindWrapper, "tool": kindTool,
		"chat": kindLLM, "completion": kindLLM, "embedding": kindEmbeddings, "retriever": kindRetrieval, "rerank": kindWrapper,
	},
	flatInput:  []string{"llm.prompts."},
	flatOutput: []string{"llm.completions."},
	content: []string{
		"gen_ai.prompt.*", "gen_ai.completion.*", "llm.prompts.*", "llm.completions.*", "llm.request.functions.*",
		"gen_ai.task.input", "gen_ai.task.output", "traceloop.prompt.template_variables.*",
	},
	finish: finishOpenLLMetry,
}

// openLLMetryAnthropicJS hands on Anthropic's input tokens as they are, without
// the cached ones; Traceloop's Python package adds them up.
var openLLMetryAnthropicJS = dialect{
	name:      "openllmetry",
	scopes:    []string{"@traceloop/instrumentation-anthropic"},
	exclusive: true,
}

// openLLMetryRequest reads the type of a request. It says more than the kind of
// the span, which for some frameworks is a task whatever the task is.
func openLLMetryRequest(f *facts, v pcommon.Value) {
	switch v.AsString() {
	case "chat", "completion", "embedding", "rerank":
		f.set(fieldKind, rankCurrent, v)
	}
}

func finishOpenLLMetry(f *facts, _ ptrace.Span, r *Reading) {
	entity := f.str(fieldEntity)
	if entity == "" {
		return
	}
	switch {
	case r.Event.ToolCall != nil && !f.has(fieldToolName):
		r.Event.ToolCall.Name = strings.TrimSuffix(entity, ".tool")
	case f.str(fieldKind) == "agent" && r.AgentName == "":
		r.AgentName = entity
	}
}
