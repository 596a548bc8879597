package spanevent

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func normalized(t *testing.T, c spanCase) (span ptrace.Span, before, after told) {
	t.Helper()
	scope := pcommon.NewInstrumentationScope()
	scope.SetName(c.scope)
	span = c.span(t)
	r := ForScope(scope).Read(span)
	Normalize(span, &r)
	c.attrs = span.Attributes().AsRaw()
	before = c.read(t)
	// A reader that knows only the convention must read the same.
	keep := attrs{}
	for key, v := range c.attrs {
		if b := keys.find(key); b != nil && b.dialect&genAI.bit != 0 && b.rank <= rankForeign || key == "error.type" {
			keep[key] = v
		}
	}
	plain := spanCase{name: c.name, attrs: keep}
	return span, before, plain.read(t)
}

// What the convention alone tells of a normalized span is what the dialect told.
func TestNormalizeTellsTheSame(t *testing.T) {
	for name, c := range map[string]spanCase{
		"Vercel":      {scope: "ai", attrs: attrs{"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "openai.chat", "ai.model.id": "gpt-4o", "ai.response.model": "gpt-4o-1", "ai.response.id": "r1", "ai.usage.promptTokens": 120, "ai.usage.completionTokens": 18, "ai.usage.cachedInputTokens": 64, "ai.telemetry.metadata.sessionId": "s"}},
		"Claude Code": {scope: "com.anthropic.claude_code.tracing", attrs: attrs{"span.type": "llm_request", "model": "claude", "gen_ai.system": "anthropic", "input_tokens": 24, "output_tokens": 18, "cache_read_tokens": 64, "cache_creation_tokens": 32, "session.id": "s"}},
		"Langfuse":    {scope: "langfuse-sdk", attrs: attrs{"langfuse.observation.type": "generation", "langfuse.observation.model.name": "m", "langfuse.observation.usage_details": `{"input":56,"output":13,"total":138,"input_cached_tokens":64,"output_reasoning_tokens":5}`, "session.id": "s"}},
		"a tool":      {name: "t", attrs: attrs{"openinference.span.kind": "TOOL", "input.value": `{"q":1}`, "output.value": "r"}, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, before, after := normalized(t, c)
			before.dialect, after.dialect, before.label = "", "", ""
			assert.Equal(t, before, after)
		})
	}
}

// Present values stay, and wrappers are given no usage: it would count twice.
func TestNormalizeAddsOnlyWhatIsAbsent(t *testing.T) {
	span, _, _ := normalized(t, spanCase{attrs: attrs{
		"gen_ai.operation.name": "completion", "gen_ai.provider.name": "azure", "gen_ai.usage.input_tokens": 24,
		"gen_ai.usage.cache_read_input_tokens": 64, "gen_ai.usage.cache_creation.input_tokens": 32, "gen_ai.response.finish_reason": "stop",
	}})
	got := span.Attributes().AsRaw()
	assert.Equal(t, "completion", got["gen_ai.operation.name"])
	assert.Equal(t, "azure", got["gen_ai.provider.name"])
	assert.Equal(t, int64(24), got["gen_ai.usage.input_tokens"], "as received")
	assert.Equal(t, int64(32), got["gen_ai.usage.cache_write.input_tokens"], "the new spelling")
	assert.Equal(t, []any{"stop"}, got["gen_ai.response.finish_reasons"])

	span, _, _ = normalized(t, spanCase{scope: "ai", attrs: attrs{"ai.operationId": "ai.streamText", "ai.usage.inputTokens": 330, "ai.telemetry.metadata.sessionId": "s"}})
	assert.NotContains(t, span.Attributes().AsRaw(), "gen_ai.usage.input_tokens")
	assert.Equal(t, "s", span.Attributes().AsRaw()["gen_ai.conversation.id"])
}

func TestMessages(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"text":                 {`{"input":"hi"}`, `[{"role":"user","parts":[{"type":"text","content":"hi"}]}]`},
		"OpenAI":               {`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"t","arguments":"{\"q\":1}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}]}`, `[{"role":"system","parts":[{"type":"text","content":"s"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"t","arguments":{"q":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":"r"}]}]`},
		"Anthropic":            {`{"input":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"tool_result","tool_use_id":"c","content":"r"}]},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"t","input":{"q":1}}]}]}`, `[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"tool_call_response","id":"c","response":"r"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"t","arguments":{"q":1}}]}]`},
		"Google":               {`{"contents":[{"role":"user","parts":[{"text":"hi"},{"functionCall":{"id":"c","name":"t","args":{"q":1}}}]}]}`, `[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"tool_call","id":"c","name":"t","arguments":{"q":1}}]}]`},
		"OpenInference":        {`{"input":[{"message":{"role":"user","content":"hi"}},{"message":{"role":"assistant","tool_calls":[{"tool_call":{"id":"c","function":{"name":"t","arguments":"{}"}}}]}}]}`, `[{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"t","arguments":{}}]}]`},
		"the convention's own": {`{"input":[{"role":"user","parts":[{"type":"text","content":"hi"}]}]}`, `[{"role":"user","parts":[{"type":"text","content":"hi"}]}]`},
		"anything else":        {`{"x":1}`, `[{"role":"user","parts":[{"type":"text","content":"{\"x\":1}"}]}]`},
	} {
		require.JSONEq(t, c.want, string(messagesOf([]byte(c.content), "input", "user")), name)
	}
	assert.Nil(t, messagesOf(nil, "input", "user"))
}
