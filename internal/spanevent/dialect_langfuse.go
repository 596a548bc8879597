package spanevent

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// langfuse is what Langfuse's SDKs write. Token counts and costs are JSON.
var langfuse = dialect{
	name:   "langfuse",
	scopes: []string{"langfuse*", "@langfuse/*"},
	keys: []binding{
		{key: "langfuse.observation.type", field: fieldKind},
		// Some versions of the Python SDK call everything a span.
		{key: "langfuse.observation.model.name", field: fieldRequestModel, rank: rankForeign, implies: kindLLM},
		{key: "langfuse.observation.input", field: fieldInput, rank: rankOld},
		{key: "langfuse.observation.output", field: fieldOutput, rank: rankOld},
		{key: "langfuse.observation.usage_details", expand: langfuseUsage, implies: kindLLM},
		{key: "langfuse.observation.cost_details", expand: langfuseCost},
		{key: "langfuse.observation.level", expand: outcome},
		{key: "langfuse.observation.status_message", field: fieldErrorMessage},
		{key: "langfuse.session.id", field: fieldSession, rank: rankForeign},
		{key: "langfuse.trace.metadata.langfuse_session_id", field: fieldConversation, rank: rankForeign},
		{key: "langfuse.observation.metadata.langfuse_session_id", field: fieldConversation, rank: rankForeign},
	},
	kinds: map[string]kind{
		"generation": kindLLM, "embedding": kindEmbeddings, "retriever": kindRetrieval, "tool": kindTool,
		"agent": kindWrapper, "chain": kindWrapper, "guardrail": kindWrapper, "evaluator": kindWrapper,
		"event": kindNone,
	},
	content: []string{
		"langfuse.trace.input", "langfuse.trace.output", "langfuse.observation.metadata*", "langfuse.trace.metadata*",
	},
	finish: func(f *facts, span ptrace.Span, r *Reading) {
		if r.Role == RoleEvent && r.Event.Error == nil && f.failed {
			r.Event.Error = &analysis.Failure{Type: finishError, Message: f.str(fieldErrorMessage)}
		}
		labelAgentSpan("agent")(f, span, r)
	},
}

// langfuseUsage reads usage_details. Under Langfuse's own names the buckets are
// disjoint; under those of a provider the parts are within the whole. The
// total, where there is one, tells.
func langfuseUsage(f *facts, v pcommon.Value) {
	m := object(v)
	if m == nil {
		return
	}
	in, inKnown := firstCount(m, "input", "input_tokens", "prompt_tokens", "promptTokens")
	out, outKnown := firstCount(m, "output", "output_tokens", "completion_tokens", "completionTokens")
	_, providerNames := firstCount(m, "prompt_tokens", "promptTokens", "completion_tokens", "completionTokens")
	read, readKnown := firstCount(m, "input_cached_tokens", "input_cache_read", "cache_read_input_tokens", "input_cached", "cache_read")
	write, writeKnown := firstCount(m, "input_cache_creation", "cache_creation_input_tokens", "input_cache_write", "cache_write")
	reasoning, reasoningKnown := firstCount(m, "output_reasoning_tokens", "output_reasoning", "reasoning_tokens", "reasoning")
	for _, details := range []string{"prompt_tokens_details", "input_tokens_details", "input_token_details"} {
		if nested, ok := m[details].(map[string]any); ok && !readKnown {
			read, readKnown = firstCount(nested, "cached_tokens", "cache_read")
		}
	}
	for _, details := range []string{"completion_tokens_details", "output_tokens_details", "output_token_details"} {
		if nested, ok := m[details].(map[string]any); ok && !reasoningKnown {
			reasoning, reasoningKnown = firstCount(nested, "reasoning_tokens", "reasoning")
		}
	}
	disjoint := !providerNames
	if total, ok := firstCount(m, "total", "total_tokens", "totalTokens"); ok && total == plus(in, out) {
		disjoint = false
	}
	if disjoint {
		in, out = plus(in, otherBuckets(m, "input_")), plus(out, otherBuckets(m, "output_"))
		for _, key := range []string{"cache_read_input_tokens", "cache_creation_input_tokens"} {
			if n, ok := count(m, key); ok {
				in = plus(in, n)
			}
		}
	}
	set := func(to field, n int64, known bool) {
		if known {
			f.set(to, rankForeign, pcommon.NewValueInt(n))
		}
	}
	set(fieldTokensIn, in, inKnown)
	set(fieldTokensOut, out, outKnown)
	set(fieldCacheRead, read, readKnown)
	set(fieldCacheWrite, write, writeKnown)
	set(fieldReasoningTokens, reasoning, reasoningKnown)
}

// otherBuckets sums the buckets beside the main one of a side.
func otherBuckets(m map[string]any, prefix string) (sum int64) {
	for key := range m {
		if !strings.HasPrefix(key, prefix) || key == prefix+"tokens" {
			continue
		}
		if n, ok := count(m, key); ok {
			sum = plus(sum, n)
		}
	}
	return sum
}

func firstCount(m map[string]any, keys ...string) (int64, bool) {
	for _, key := range keys {
		if n, ok := count(m, key); ok {
			return n, true
		}
	}
	return 0, false
}

func langfuseCost(f *facts, v pcommon.Value) {
	f.setAmount(fieldCost, rankForeign, object(v), "total")
}
