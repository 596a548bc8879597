package spanevent

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// langSmith is LangSmith's OpenTelemetry mode. What it calls a trace session is
// a project. A failed run has status OK and an exception event.
var langSmith = dialect{
	name:   "langsmith",
	scopes: []string{"langsmith*"},
	keys: []binding{
		{key: "langsmith.span.kind", field: fieldKind},
		{key: "langsmith.metadata.session_id", field: fieldConversation, rank: rankForeign},
		{key: "langsmith.metadata.thread_id", field: fieldConversation, rank: rankForeign + 1},
		{key: "langsmith.metadata.conversation_id", field: fieldConversation, rank: rankForeign + 2},
		{key: "langsmith.metadata.ls_provider", field: fieldProvider, rank: rankLast},
		{key: "langsmith.metadata.ls_model_name", field: fieldRequestModel, rank: rankLast},
		{key: "langsmith.usage_metadata", expand: langSmithUsage},
		{key: "gen_ai.usage.input_token_details", expand: langSmithInput},
		{key: "gen_ai.usage.output_token_details", expand: langSmithOutput},
		{key: "langsmith.metadata.stop_reason", field: fieldFinishReasons, rank: rankLast},
		{key: "langsmith.trace.name"},
		{key: "langsmith.trace.session_name"},
	},
	kinds: map[string]kind{
		"llm": kindLLM, "tool": kindTool, "retriever": kindRetrieval, "embedding": kindEmbeddings,
		"chain": kindWrapper, "prompt": kindWrapper, "parser": kindWrapper,
	},
	content:        []string{"langsmith.metadata.usage_metadata"},
	exceptionFails: true,
	finish: func(f *facts, span ptrace.Span, r *Reading) {
		if r.Event.ToolCall != nil && !f.has(fieldToolName) {
			if name, ok := span.Attributes().Get("langsmith.trace.name"); ok {
				r.Event.ToolCall.Name = name.AsString()
			}
		}
	},
}

func langSmithUsage(f *facts, v pcommon.Value) {
	m := object(v)
	f.setCount(fieldTokensIn, rankForeign, m, "input_tokens")
	f.setCount(fieldTokensOut, rankForeign, m, "output_tokens")
	f.setAmount(fieldCost, rankOld, m, "total_cost")
	if d, ok := m["input_token_details"].(map[string]any); ok {
		f.setCount(fieldCacheRead, rankForeign, d, "cache_read")
		f.setCount(fieldCacheWrite, rankForeign, d, "cache_creation")
	}
	if d, ok := m["output_token_details"].(map[string]any); ok {
		f.setCount(fieldReasoningTokens, rankForeign, d, "reasoning")
	}
}

func langSmithInput(f *facts, v pcommon.Value) {
	m := object(v)
	f.setCount(fieldCacheRead, rankForeign, m, "cache_read")
	f.setCount(fieldCacheWrite, rankForeign, m, "cache_creation")
}

func langSmithOutput(f *facts, v pcommon.Value) {
	f.setCount(fieldReasoningTokens, rankForeign, object(v), "reasoning")
}
