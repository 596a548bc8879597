package agentlensprocessor

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Whatever OTLP brings, the processor does not panic, drops no span, and lets
// spans that are not GenAI leave as they came.
func FuzzProcess(f *testing.F) {
	marshal := &ptrace.ProtoMarshaler{}
	spans := captures(f)
	for i := 0; i+5 <= len(spans); i += 5 {
		b, err := marshal.MarshalTraces(join(spans[i : i+5]))
		require.NoError(f, err)
		f.Add(b)
	}
	// One processor for all: state left by one input must not break on the next.
	h := newHarness(f, allEngines)
	f.Fuzz(func(t *testing.T, b []byte) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b)
		if err != nil {
			return
		}
		before := others(td)
		count := td.SpanCount()
		out, err := h.process(t.Context(), td)
		require.NoError(t, err)
		require.GreaterOrEqual(t, out.SpanCount(), count)
		after := others(out)
		for i := range before {
			require.Equal(t, before[i], after[i])
		}
	})
}

// others returns the spans that are not GenAI, each as its bytes.
func others(td ptrace.Traces) [][]byte {
	var out [][]byte
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			scope := spanevent.ForScope(ss.Scope())
			for _, span := range ss.Spans().All() {
				if scope.Read(span).Role != spanevent.RoleNone {
					continue
				}
				one := ptrace.NewTraces()
				span.CopyTo(one.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
				b, _ := (&ptrace.ProtoMarshaler{}).MarshalTraces(one)
				out = append(out, b)
			}
		}
	}
	return out
}
