package agentlens_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// Whatever is said of a live span, its event is valid, and its spans can be
// exported: one string that is not UTF-8 would cost a whole export.
func FuzzLive(f *testing.F) {
	f.Add("gpt-4o", "because", int64(10), 0.5, true)
	f.Add("\xff", "\x00\xfe", int64(-1), -2.0, false)
	f.Add("", "", int64(0), 0.0, false)
	f.Fuzz(func(t *testing.T, name, text string, tokens int64, confidence float64, redact bool) {
		opts := []agentlens.Option{loggingTo(&syncBuffer{})}
		if redact {
			opts = append(opts, agentlens.WithRedactor(agentlens.RedactSecrets,
				func(c agentlens.Content) (string, error) { return c.Text + "\xff", nil }))
		}
		r := newRecorded(t, nil, opts...)
		ctx, s, err := r.StartSession(t.Context(), name)
		require.NoError(t, err)
		for _, start := range []func() *agentlens.Span{
			func() *agentlens.Span {
				_, sp := s.StartLLM(ctx, text, name, agentlens.WithOperation(text))
				return sp
			},
			func() *agentlens.Span { _, sp := s.StartTool(ctx, name, agentlens.WithToolCallID(text)); return sp },
			func() *agentlens.Span { _, sp := s.StartDecision(ctx, agentlens.WithReasoning(text)); return sp },
			func() *agentlens.Span { _, sp := s.StartStep(ctx, name); return sp },
			func() *agentlens.Span {
				_, sp := s.StartAgent(ctx, name, agentlens.WithAttributes(attribute.String(text, name), attribute.StringSlice("x", []string{text})))
				return sp
			},
		} {
			sp := start()
			sp.SetInput(map[string]any{name: text})
			sp.SetOutput([]byte(text))
			sp.SetInputMessages(agentlens.TextMessage(name, text))
			sp.SetOutputMessages(agentlens.Message{Parts: []agentlens.Part{agentlens.ToolRequest(name, text, text)}})
			sp.SetSystemInstructions(agentlens.Text(text))
			sp.SetResponse(name, text)
			sp.SetFinishReasons(text)
			sp.SetTokens(tokens, tokens)
			sp.SetCacheTokens(tokens, tokens)
			sp.SetReasoning(text)
			sp.SetAlternatives(text, name)
			sp.SetConfidence(confidence)
			sp.SetAttributes(attribute.String(name, text))
			sp.SetError(errors.New(text))
			sp.End()
		}
		for _, e := range s.Snapshot().Events {
			require.NoError(t, e.Validate())
		}
		require.NoError(t, s.End(ctx))
		for _, span := range r.recorder.Ended() {
			require.True(t, utf8.ValidString(span.Name()))
			require.True(t, utf8.ValidString(span.Status().Description))
			require.Equal(t, attribute.String("session.id", s.ID()), span.Attributes()[0])
			for _, kv := range span.Attributes() {
				require.True(t, utf8.ValidString(string(kv.Key)), "%q", kv.Key)
				require.True(t, utf8.ValidString(kv.Value.String()), "%s", kv.Key)
				for _, item := range kv.Value.AsStringSlice() {
					require.True(t, utf8.ValidString(item), "%s", kv.Key)
				}
			}
		}
	})
}
