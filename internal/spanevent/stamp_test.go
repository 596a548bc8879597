package spanevent

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// What stands on a span stays, but for the session: that is for the processor
// to say.
func TestStampKeepsWhatIsThere(t *testing.T) {
	r := Reading{Role: RoleEvent, SessionID: "s", AgentName: "a", Event: analysis.Event{Type: analysis.EventLLMCall}}
	for name, c := range map[string]struct{ before, after map[string]any }{
		"nothing":      {nil, map[string]any{semconv.AgentLensSessionID: "s", semconv.AgentLensAgentName: "a", semconv.EventType: "llm_call"}},
		"the same":     {map[string]any{semconv.AgentLensSessionID: "s"}, map[string]any{semconv.AgentLensSessionID: "s", semconv.AgentLensAgentName: "a", semconv.EventType: "llm_call"}},
		"others":       {map[string]any{semconv.AgentLensSessionID: "x", semconv.AgentLensAgentName: "y", semconv.EventType: "z"}, map[string]any{semconv.AgentLensSessionID: "s", semconv.AgentLensAgentName: "y", semconv.EventType: "z"}},
		"another type": {map[string]any{semconv.AgentLensSessionID: int64(1), semconv.EventType: ""}, map[string]any{semconv.AgentLensSessionID: "s", semconv.AgentLensAgentName: "a", semconv.EventType: ""}},
	} {
		t.Run(name, func(t *testing.T) {
			span := ptrace.NewSpan()
			require.NoError(t, span.Attributes().FromRaw(c.before))
			Stamp(span, &r)
			require.Equal(t, c.after, span.Attributes().AsRaw())
		})
	}
}

// The list of attributes grows once, however many are put: besides that each
// value is an allocation.
func TestStampAllocations(t *testing.T) {
	const runs = 100
	r := Reading{Role: RoleEvent, SessionID: "s", AgentName: "a", Event: analysis.Event{Type: analysis.EventLLMCall, CostUSD: analysis.Some(0.5)}}
	spans := ptrace.NewSpanSlice()
	for range runs + 1 {
		span := spans.AppendEmpty()
		span.Attributes().PutStr(semconv.GenAIOperationName, semconv.OperationChat)
	}
	i := 0
	require.LessOrEqual(t, testing.AllocsPerRun(runs, func() {
		span := spans.At(i)
		i++
		Stamp(span, &r)
		StampCost(span, 0.5, semconv.CostSourceLocal, "2026-11")
	}), 1.0+stampKeys+costKeys)
}
