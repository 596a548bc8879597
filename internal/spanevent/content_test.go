package spanevent

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// secretSpan has content in the keys of every dialect, on the span and on its
// events, flattened and structured, beside facts that must stay.
func secretSpan() ptrace.Span {
	span := ptrace.NewSpan()
	attrs := span.Attributes()
	for _, key := range []string{
		"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result",
		"gen_ai.tool.definitions", "gen_ai.prompt", "gen_ai.completion", "gen_ai.prompt.0.content", "gen_ai.completion.0.tool_calls.0.arguments",
		"agentlens.event.input", "agentlens.event.output", "agentlens.decision.reasoning", "agentlens.tool.call.arguments",
		"llm.input_messages.0.message.content", "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", "input.value",
		"output.value", "tool.parameters", "llm.invocation_parameters", "retrieval.documents.0.document.content", "llm.prompts.0.content",
		"traceloop.entity.input", "traceloop.entity.output", "ai.prompt", "ai.prompt.messages", "ai.response.text", "ai.response.toolCalls",
		"ai.toolCall.args", "ai.toolCall.result", "langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input",
		"gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response",
		"mastra.model_step.input", "mastra.agent_run.output", "genkit:input", "genkit:output", "pydantic_ai.all_messages", "tool_arguments",
		"tool_response", "final_result", "agent.messages", "llm.messages", "lmnr.span.input", "lmnr.span.output", "gen_ai.content.prompt",
		"agentops.entity.input", "mlflow.spanInputs", "mcp.request.argument", "mcp.response.value", "system_prompt", "user_prompt",
		"new_context", "tool_input", "function_args", "arguments", "prompt", "input", "output",
	} {
		attrs.PutStr(key, "the secret")
	}
	attrs.PutEmptyMap("gen_ai.input.messages").PutEmptySlice("parts").AppendEmpty().SetStr("the secret")
	attrs.PutStr("gen_ai.request.model", "gpt-4o-mini")
	attrs.PutInt("gen_ai.usage.input_tokens", 120)
	attrs.PutStr("session.id", "sess-42")
	for _, name := range []string{"gen_ai.user.message", "gen_ai.choice", "gen_ai.content.prompt", "gen_ai.client.inference.operation.details"} {
		event := span.Events().AppendEmpty()
		event.SetName(name)
		if strings.HasSuffix(name, "details") {
			event.Attributes().PutStr("gen_ai.input.messages", "the secret")
		} else {
			event.Attributes().PutStr("content", "the secret")
			event.Attributes().PutStr("role", "user")
		}
	}
	return span
}

func render(t *testing.T, span ptrace.Span) string {
	t.Helper()
	td := ptrace.NewTraces()
	span.CopyTo(td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	out, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	return string(out)
}

func policy(t *testing.T, c ContentConfig) *ContentPolicy {
	t.Helper()
	p, err := NewContentPolicy(&c)
	require.NoError(t, err)
	return p
}

func TestContentModes(t *testing.T) {
	for _, c := range []struct {
		config ContentConfig
		gone   string
		want   string
	}{
		{ContentConfig{Mode: "drop"}, "secret", ""},
		{ContentConfig{Mode: "hash"}, "secret", "sha256:"},
		{ContentConfig{Mode: "truncate(4)"}, "secret", "the …"},
		{ContentConfig{Redact: []Redaction{{Pattern: "s[e]cret"}}}, "secret", "the [REDACTED]"},
		{ContentConfig{Mode: "truncate( 7 )", Redact: []Redaction{{Pattern: "(the) secret", Replacement: "$1 X"}}}, "secret", "the X"},
	} {
		span := secretSpan()
		policy(t, c.config).Apply(span, true)
		out := render(t, span)
		assert.NotContains(t, out, c.gone, "%+v", c.config)
		assert.Contains(t, out, c.want, "%+v", c.config)
		for _, fact := range []string{"gpt-4o-mini", `"intValue":"120"`, "sess-42", `"role"`} {
			assert.Contains(t, out, fact, "%+v", c.config)
		}
	}
}

func TestContentKept(t *testing.T) {
	span, want := secretSpan(), render(t, secretSpan())
	policy(t, ContentConfig{Mode: "keep"}).Apply(span, true)
	assert.Equal(t, want, render(t, span))
}

// Words that any convention may use are content on GenAI spans only; keys of a
// dialect are content anywhere.
func TestContentOnOtherSpans(t *testing.T) {
	span := ptrace.NewSpan()
	span.Attributes().PutStr("input", "a file")
	span.Attributes().PutStr("db.query.text", "SELECT 1")
	span.Attributes().PutStr("gen_ai.prompt", "the secret")
	policy(t, ContentConfig{Mode: "drop"}).Apply(span, false)
	assert.Equal(t, map[string]any{"input": "a file", "db.query.text": "SELECT 1"}, span.Attributes().AsRaw())
}

// What cannot be redacted is dropped: bytes, nesting without end, map keys and
// numbers that match, a replacement that matches again.
func TestRedactionFailsClosed(t *testing.T) {
	for name, c := range map[string]struct {
		pattern Redaction
		put     func(attrs ptrace.Span)
	}{
		"bytes":   {Redaction{Pattern: "x"}, func(s ptrace.Span) { s.Attributes().PutEmptyBytes("input.value").FromRaw([]byte("secret")) }},
		"map key": {Redaction{Pattern: "secret"}, func(s ptrace.Span) { s.Attributes().PutEmptyMap("input.value").PutBool("secret", true) }},
		"number":  {Redaction{Pattern: `\d{9}`}, func(s ptrace.Span) { s.Attributes().PutEmptySlice("input.value").AppendEmpty().SetInt(123456789) }},
		"deep": {Redaction{Pattern: "x"}, func(s ptrace.Span) {
			m := s.Attributes().PutEmptyMap("input.value")
			for range maxContentDepth + 2 {
				m = m.PutEmptyMap("m")
			}
		}},
		"quotes itself": {Redaction{Pattern: "a.*", Replacement: "<$0>"}, func(s ptrace.Span) { s.Attributes().PutStr("input.value", "a secret") }},
	} {
		span := ptrace.NewSpan()
		c.put(span)
		policy(t, ContentConfig{Redact: []Redaction{c.pattern}}).Apply(span, true)
		assert.Zero(t, span.Attributes().Len(), name)
	}
}

// Error messages quote prompts.
func TestRedactsErrors(t *testing.T) {
	span := ptrace.NewSpan()
	span.Attributes().PutStr("gen_ai.operation.name", "chat")
	span.Status().SetMessage("bad prompt: secret")
	event := span.Events().AppendEmpty()
	event.SetName("exception")
	event.Attributes().PutStr("exception.message", "bad prompt: secret")
	policy(t, ContentConfig{Redact: []Redaction{{Pattern: "secret"}}}).Apply(span, true)
	assert.NotContains(t, render(t, span), "secret")
}

func TestContentConfig(t *testing.T) {
	type config struct {
		Content ContentConfig `mapstructure:"content"`
	}
	var scalar, object config
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"content": "truncate(200)"}).Unmarshal(&scalar))
	assert.Equal(t, ContentConfig{Mode: "truncate(200)"}, scalar.Content)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"content": map[string]any{
		"mode": "hash", "redact": []any{map[string]any{"pattern": `\d{3}-\d{2}-\d{4}`}},
	}}).Unmarshal(&object))
	assert.Equal(t, ContentConfig{Mode: "hash", Redact: []Redaction{{Pattern: `\d{3}-\d{2}-\d{4}`}}}, object.Content)

	for mode, ok := range map[string]bool{
		"": true, "keep": true, "hash": true, "drop": true, "truncate(1)": true,
		"truncate": false, "truncate(0)": false, "truncate(x)": false, "truncate(5": false, "hash(3)": false, "remove": false,
	} {
		err := (&ContentConfig{Mode: mode}).Validate()
		if ok {
			assert.NoError(t, err, mode)
			continue
		}
		var field *analysis.FieldError
		require.ErrorAs(t, err, &field, mode)
		assert.Equal(t, "mode", field.Field)
	}
	assert.ErrorContains(t, (&ContentConfig{Redact: []Redaction{{Pattern: "("}}}).Validate(), "redact::0::pattern")
	assert.ErrorContains(t, (&ContentConfig{Redact: []Redaction{{}}}).Validate(), "redact::0::pattern")
}
