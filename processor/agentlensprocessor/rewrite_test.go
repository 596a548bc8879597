package agentlensprocessor

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
)

// processed returns a batch as it leaves a processor with the configuration.
func processed(t *testing.T, config map[string]any, td ptrace.Traces) ptrace.Traces {
	t.Helper()
	cfg := createDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(config).Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	next := &consumertest.TracesSink{}
	p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	require.NoError(t, p.ConsumeTraces(t.Context(), td))
	require.Len(t, next.AllTraces(), 1)
	return next.AllTraces()[0]
}

func genkitCall(t *testing.T) ptrace.Traces {
	t.Helper()
	raw, err := os.ReadFile("testdata/genkit.json")
	require.NoError(t, err)
	td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(raw)
	require.NoError(t, err)
	return td
}

func onlySpan(td ptrace.Traces) ptrace.Span {
	return td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
}

func TestNormalizeWritesCurrentKeys(t *testing.T) {
	span := onlySpan(processed(t, map[string]any{"normalize": true}, genkitCall(t)))
	got := span.Attributes().AsRaw()
	for key, want := range map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.system": "openai",
		"gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.id": "chatcmpl-1",
		"gen_ai.usage.input_tokens": int64(120), "gen_ai.usage.output_tokens": int64(18),
		"gen_ai.usage.cache_read.input_tokens": int64(64), "gen_ai.usage.reasoning.output_tokens": int64(5),
		"genkit:metadata:subtype": "model",
	} {
		assert.Equal(t, want, got[key], key)
	}
	assert.Contains(t, got, "genkit:output", "the original stays")
}

// A library that hides its token counts in the output must not lose them when
// the output is dropped: the exporter reads the span again.
func TestContentDropKeepsFigures(t *testing.T) {
	span := onlySpan(processed(t, map[string]any{"content": "drop"}, genkitCall(t)))
	for key := range span.Attributes().All() {
		assert.NotContains(t, []string{"genkit:input", "genkit:output", "gen_ai.input.messages", "gen_ai.output.messages"}, key)
	}
	r := spanevent.Scope{}.Read(span)
	assert.Equal(t, int64(120), r.Event.TokensIn.V)
	assert.Equal(t, int64(18), r.Event.TokensOut.V)
	assert.Equal(t, "gpt-4o-mini", r.Event.Model)
	assert.Nil(t, r.Event.Input)
}

func TestContentConfigErrorsNameThePath(t *testing.T) {
	cfg := createDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"content": "shred"}).Unmarshal(cfg))
	assert.ErrorContains(t, confmap.Validate(cfg), "content: mode is \"shred\"")
}
