package agentlens_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// Whatever is tracked is refused with an error, or becomes a valid event whose
// spans can be exported and begin with the session's identity.
func FuzzTrack(f *testing.F) {
	f.Add("llm_call", "gpt-4o", "because", int64(10), 12.5, int64(1_700_000_000), 0.5, []byte(`{"a":1}`))
	f.Add("tool_call", "\xff", "\x00", int64(-1), math.Copysign(0, -1), int64(-5), 2.0, []byte("\xff"))
	f.Add("", "", "", int64(0), 1e300, int64(1)<<40, -1.0, []byte(nil))
	f.Fuzz(func(t *testing.T, typ, name, reasoning string, tokens int64, ms float64, unix int64, confidence float64, data []byte) {
		r := newRecorded(t, nil)
		ctx, s, err := r.StartSession(t.Context(), name, agentlens.WithMetadata(map[string]any{name: reasoning, reasoning: data}))
		require.NoError(t, err)
		e, err := s.Track(ctx, agentlens.EventType(typ),
			agentlens.WithModel(name), agentlens.WithProvider(reasoning), agentlens.WithTokensIn(tokens), agentlens.WithDurationMS(ms),
			agentlens.WithTimestamp(time.Unix(unix, 0)), agentlens.WithReasoning(reasoning),
			agentlens.WithDecision(agentlens.DecisionTrace{Confidence: analysis.Some(confidence), Alternatives: []string{name}}),
			agentlens.WithTool(name, json.RawMessage(data), reasoning), agentlens.WithInput(string(data)),
			agentlens.WithError(errors.New(name)))
		if err != nil {
			require.Zero(t, e)
		} else {
			require.NoError(t, e.Validate())
			require.True(t, json.Valid(e.Input))
			require.Equal(t, int64(1), s.Summary().Events)
		}
		require.NoError(t, s.End(ctx))
		for _, span := range r.recorder.Ended() {
			require.True(t, utf8.ValidString(span.Name()))
			require.True(t, utf8.ValidString(span.Status().Description))
			require.False(t, span.EndTime().Before(span.StartTime()))
			require.GreaterOrEqual(t, span.StartTime().UnixNano(), int64(0))
			require.GreaterOrEqual(t, len(span.Attributes()), 3)
			require.Equal(t, attribute.String("session.id", s.ID()), span.Attributes()[0])
			for _, kv := range span.Attributes() {
				require.True(t, utf8.ValidString(string(kv.Key)))
				require.True(t, utf8.ValidString(kv.Value.String()))
			}
		}
	})
}

// A session that a sampler leaves out, or that a provider does nothing with,
// costs nobody an error and can be explained.
func TestNotRecorded(t *testing.T) {
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	col := newCollector(t, nil)
	unsampled, _ := newExporting(t, col.url)
	inert, err := agentlens.NewTracker(t.Context(), agentlens.WithTracerProvider(noop.NewTracerProvider()))
	require.NoError(t, err)
	for _, tracker := range []*agentlens.Tracker{unsampled, inert} {
		ctx, s, err := tracker.StartSession(t.Context(), "agent")
		require.NoError(t, err)
		first, err := s.TrackTool(ctx, "tool", nil, nil, agentlens.WithReasoning("r"))
		require.NoError(t, err)
		next, err := s.Track(ctx, agentlens.EventGeneric)
		require.NoError(t, err)
		assert.NotEqual(t, first.ID, next.ID)
		assert.Regexp(t, "^[0-9a-f]{16}$", first.ID)
		text, err := s.Explain(ctx)
		require.NoError(t, err)
		assert.Contains(t, text, "tool: tool")
		require.NoError(t, s.End(ctx))
	}
	assert.Zero(t, col.requestCount())
}
