package spanevent

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// What stands on a span stays, but for the session: that is for the processor
// to say.
func TestStampKeepsWhatIsThere(t *testing.T) {
	chat := map[string]any{semconv.GenAIOperationName: semconv.OperationChat}
	for name, c := range map[string]struct{ before, after map[string]any }{
		"nothing":      {map[string]any{}, map[string]any{semconv.AgentLensSessionID: "s", semconv.AgentLensAgentName: "a", semconv.EventType: "llm_call"}},
		"the same":     {map[string]any{semconv.AgentLensSessionID: "s"}, map[string]any{semconv.AgentLensSessionID: "s", semconv.AgentLensAgentName: "a", semconv.EventType: "llm_call"}},
		"others":       {map[string]any{semconv.AgentLensSessionID: "x", semconv.AgentLensAgentName: "y", semconv.EventType: "z"}, map[string]any{semconv.AgentLensSessionID: "s", semconv.AgentLensAgentName: "y", semconv.EventType: "z"}},
		"another type": {map[string]any{semconv.AgentLensSessionID: int64(1), semconv.EventType: ""}, map[string]any{semconv.AgentLensSessionID: "s", semconv.AgentLensAgentName: "a", semconv.EventType: ""}},
	} {
		t.Run(name, func(t *testing.T) {
			span := ptrace.NewSpan()
			maps.Copy(c.before, chat)
			require.NoError(t, span.Attributes().FromRaw(c.before))
			r := ForScope(pcommon.NewInstrumentationScope()).Read(span)
			require.Equal(t, RoleEvent, r.Role)
			r.SessionID, r.AgentName = "s", "a"
			Stamp(span, &r)
			maps.Copy(c.after, chat)
			require.Equal(t, c.after, span.Attributes().AsRaw())
		})
	}
}

// The list of attributes grows once, however many are put, and not for a type that
// the span brought: besides that each value is an allocation.
func TestStampAllocations(t *testing.T) {
	const runs = 100
	untold := Reading{Role: RoleEvent, SessionID: "s", AgentName: "a", Event: analysis.Event{Type: analysis.EventLLMCall, CostUSD: analysis.Some(0.5)}}
	told := untold
	told.told = 1 << fieldEventType
	for name, c := range map[string]struct {
		r      *Reading
		before []string
		want   float64
	}{
		"a foreign span":         {&untold, []string{"a"}, 1 + stampKeys + costKeys},
		"the SDK's":              {&told, []string{semconv.EventType}, 1 + stampKeys - 1 + costKeys},
		"the SDK's, with room":   {&told, []string{semconv.EventType, "a"}, stampKeys - 1 + costKeys},
		"a foreign one, without": {&untold, []string{"a", "b"}, 1 + stampKeys + costKeys},
	} {
		t.Run(name, func(t *testing.T) {
			spans := ptrace.NewSpanSlice()
			for range runs + 1 {
				attrs := spans.AppendEmpty().Attributes()
				if len(c.before) > 1 {
					attrs.EnsureCapacity(len(c.before) + stampKeys - 1 + costKeys)
				}
				for _, key := range c.before {
					attrs.PutStr(key, "llm_call")
				}
			}
			i := 0
			require.Equal(t, c.want, testing.AllocsPerRun(runs, func() {
				span := spans.At(i)
				i++
				Stamp(span, c.r)
				StampCost(span, 0.5, semconv.CostSourceLocal, "2026-11")
			}))
		})
	}
}

// A part that says which events told its call before reads back whole, and as a
// part; an event says which it replaces.
func TestStampedCopiesReadBack(t *testing.T) {
	foreign := ForScope(pcommon.NewInstrumentationScope())
	span := ptrace.NewSpan()
	require.NoError(t, span.Attributes().FromRaw(map[string]any{
		semconv.GenAIOperationName: semconv.OperationChat, semconv.GenAIRequestModel: "gpt-4o", semconv.GenAIUsageInputTokens: 10,
		semconv.GenAIInputMessages: `["why"]`,
	}))
	want := foreign.Read(span)
	part := want
	part.Role = RolePart
	Stamp(span, &part)
	require.Zero(t, foreign.Read(span).Event.TokensIn, "a part alone tells nothing")

	StampPartOf(span, &part, []string{"aa", "bb"})
	StampEventCost(span, 0.5)
	got := foreign.Read(span)
	require.Equal(t, RolePart, got.Role)
	require.Equal(t, []string{"aa", "bb"}, got.PartOf)
	require.Equal(t, analysis.Some(0.5), got.Event.CostUSD)
	want.Event.CostUSD = got.Event.CostUSD
	require.Equal(t, want.Event, got.Event)

	own := pcommon.NewInstrumentationScope()
	own.SetName(semconv.ScopeName)
	span = ptrace.NewSpan()
	span.Attributes().PutStr(semconv.EventType, "llm_call")
	StampReplaces(span, []string{"cc"})
	got = ForScope(own).Read(span)
	require.Equal(t, RoleEvent, got.Role)
	require.Equal(t, []string{"cc"}, got.Replaces)
	require.Empty(t, got.PartOf)

	// What is no event does not become one.
	span = ptrace.NewSpan()
	require.NoError(t, span.Attributes().FromRaw(map[string]any{semconv.EventType: semconv.EventTypePart, "x": 1}))
	StampPartOf(span, &Reading{}, []string{"aa"})
	got = foreign.Read(span)
	require.Equal(t, RolePart, got.Role)
	require.Empty(t, got.PartOf)
}

// Figures that stand within content outlive it.
func TestStampPartOfKeepsFiguresOfContent(t *testing.T) {
	e := analysis.Event{Model: "m", TokensIn: analysis.Some[int64](10), TokensOut: analysis.Some[int64](0)}
	for inContent, want := range map[bool]map[string]any{
		false: {semconv.EventPartOf: []any{"aa"}},
		true:  {semconv.EventPartOf: []any{"aa"}, semconv.EventModel: "m", semconv.EventTokensInput: int64(10), semconv.EventTokensOutput: int64(0)},
	} {
		span := ptrace.NewSpan()
		StampPartOf(span, &Reading{Event: e, FiguresInContent: inContent}, []string{"aa"})
		require.Equal(t, want, span.Attributes().AsRaw())
	}
}
