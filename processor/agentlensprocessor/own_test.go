package agentlensprocessor

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// tracked is the SDK's span of the call that chat("", 1, 1) tells too, around it.
func tracked(usage bool) ptrace.Traces {
	td, span := ownSpan("llm_call", 20)
	span.SetName("chat gpt-4o")
	attrs := span.Attributes()
	attrs.PutStr(semconv.GenAIOperationName, semconv.OperationChat)
	attrs.PutStr(semconv.GenAIRequestModel, "gpt-4o")
	attrs.PutStr(semconv.EventOutput, `{"secret":"123-45-6789"}`)
	if usage {
		attrs.PutInt(semconv.GenAIUsageInputTokens, 1000)
		attrs.PutInt(semconv.GenAIUsageOutputTokens, 100)
	}
	return td
}

func ownSpan(eventType string, id byte) (ptrace.Traces, ptrace.Span) {
	td := ptrace.NewTraces()
	scope := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	scope.Scope().SetName(semconv.ScopeName)
	span := scope.Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{1})
	span.SetSpanID(pcommon.SpanID{id})
	span.SetParentSpanID(pcommon.SpanID{99})
	at := time.Date(2026, 3, 1, 11, 0, 1, 0, time.UTC)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(-time.Millisecond)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Second + time.Millisecond)))
	span.Attributes().PutStr(semconv.SessionID, "s")
	span.Attributes().PutStr(semconv.EventType, eventType)
	return td, span
}

// instrumented is the span of the call as another library tells it.
func instrumented() ptrace.Traces {
	td, span := chat("", 1, 1)
	span.SetParentSpanID(pcommon.SpanID{20})
	span.Attributes().PutStr(semconv.GenAIProviderName, "openai")
	span.Attributes().PutStr(semconv.GenAIInputMessages, `["hi"]`)
	return td
}

// rootOf is the SDK's root, which tells the tokens of what was tracked.
func rootOf(in, out int64) ptrace.Traces {
	td, span := ownSpan(semconv.EventTypeSession, 99)
	span.SetParentSpanID(pcommon.SpanID{})
	span.Attributes().PutInt(semconv.SessionTokensInput, in)
	span.Attributes().PutInt(semconv.SessionTokensOutput, out)
	return td
}

// read is what the exporter reads off spans that came out.
func read(batches ...ptrace.Traces) (events []spanevent.Reading, root spanevent.SessionFacts) {
	for _, one := range single(batches...) {
		ss := one.td.ResourceSpans().At(0).ScopeSpans().At(0)
		switch r := spanevent.ForScope(ss.Scope()).Read(ss.Spans().At(0)); r.Role {
		case spanevent.RoleEvent:
			events = append(events, r)
		case spanevent.RoleSession:
			root = r.Session
		}
	}
	return events, root
}

// spent is what the forecast has been told of.
func spent(t *testing.T, h *harness) (usd float64, calls int64) {
	sum, err := h.engines.forecast.total.history.Summary()
	require.NoError(t, err)
	return sum.TotalCost, h.engines.forecast.total.history.Records()
}

// costOfCall is that of 1000 tokens in and 100 out.
const costOfCall = 1000*2.5e-6 + 100*10e-6

// A call that the SDK tells beside another library is one event in a batch: the
// SDK's, which knows all that either span does.
func TestOwnSpanIsTheEventOfItsBatch(t *testing.T) {
	for name, spans := range map[string][]ptrace.Traces{
		"the foreign span first": {instrumented(), tracked(false), rootOf(0, 0)},
		"the own span first":     {tracked(false), instrumented(), rootOf(0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, allEngines)
			out := h.feed(t, join(single(spans...)))
			events, root := read(out)
			require.Len(t, events, 1)
			e := &events[0].Event
			assert.Equal(t, pcommon.SpanID{20}, events[0].SpanID)
			assert.Equal(t, int64(1000), e.TokensIn.Or(-1))
			assert.Equal(t, int64(100), e.TokensOut.Or(-1))
			assert.InDelta(t, costOfCall, e.CostUSD.Or(-1), 1e-12)
			assert.JSONEq(t, `{"input":["hi"]}`, string(e.Input), "what only the copy captured")
			assert.JSONEq(t, `{"secret":"123-45-6789"}`, string(e.Output))
			assert.Equal(t, int64(1000), root.TokensIn.Or(-1), "the session's sum holds what the SDK did not know")
			assert.Equal(t, int64(100), root.TokensOut.Or(-1))
			assert.Equal(t, []int{0, 1, 0}, alertsBySpan(out), "the pattern is in what was tracked")
			usd, calls := spent(t, h)
			assert.InDelta(t, costOfCall, usd, 1e-12)
			assert.Equal(t, int64(1), calls)
		})
	}
}

// alertsBySpan counts the alerts on the foreign span, the own one and the root.
func alertsBySpan(out ptrace.Traces) []int {
	counts := make([]int, 3)
	for _, one := range single(out) {
		span := one.td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		at := map[pcommon.SpanID]int{{1, 1}: 0, {20}: 1, {99}: 2}[span.SpanID()]
		for _, event := range span.Events().All() {
			if event.Name() == semconv.EventAlertFired {
				counts[at]++
			}
		}
	}
	return counts
}

// In two batches the first span has gone on as the event. What the SDK tells
// goes on whole all the same, and the second span says of which the first was;
// neither the session nor an engine counts the call again, and it costs once,
// whichever span knows the cost.
func TestOwnAndForeignInTwoBatches(t *testing.T) {
	for name, c := range map[string]struct {
		spans  []ptrace.Traces
		events int
		// priced says which of the spans carries the cost.
		priced int
		// mark is what the second says of the first.
		mark map[string]any
	}{
		"the foreign span first": {
			[]ptrace.Traces{instrumented(), tracked(true)},
			2, 0,
			map[string]any{semconv.EventReplaces: []any{"0101000000000000"}, semconv.EventCost: costOfCall},
		},
		"the foreign span first, without usage in the own": {
			[]ptrace.Traces{instrumented(), tracked(false)}, 2, 0, map[string]any{semconv.EventReplaces: []any{"0101000000000000"}},
		},
		"the own span first": {
			[]ptrace.Traces{tracked(true), instrumented()},
			1, 0,
			map[string]any{semconv.EventPartOf: []any{"1400000000000000"}, semconv.EventCost: costOfCall},
		},
		"the own span first, without usage": {
			[]ptrace.Traces{tracked(false), instrumented()}, 1, 1, map[string]any{semconv.EventPartOf: []any{"1400000000000000"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, allEngines)
			again := join(single(c.spans[1]))
			var outs []ptrace.Traces
			for _, td := range append(c.spans, rootOf(1000, 100)) {
				outs = append(outs, h.feed(t, td))
			}
			events, root := read(outs...)
			assert.Len(t, events, c.events)
			assert.Equal(t, int64(1000), root.TokensIn.Or(-1))
			var own bool
			for i := range events {
				if events[i].Own {
					own = true
					assert.JSONEq(t, `{"secret":"123-45-6789"}`, string(events[i].Event.Output))
				}
			}
			assert.True(t, own, "what was tracked goes on")
			assert.Empty(t, marks(outs[0]))
			assert.Equal(t, c.mark, marks(outs[1]))
			assert.Equal(t, c.mark, marks(h.feed(t, again)), "and when it comes again")
			for i, out := range outs[:2] {
				_, ok := single(out)[0].td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().Get(semconv.CostAmount)
				assert.Equal(t, i == c.priced, ok, "the cost on span %d", i)
			}
			usd, calls := spent(t, h)
			assert.InDelta(t, costOfCall, usd, 1e-12)
			assert.Equal(t, int64(1), calls)
		})
	}
}

// marks are what stands on the first span of a batch about others of its call.
func marks(td ptrace.Traces) map[string]any {
	attrs := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().AsRaw()
	maps.DeleteFunc(attrs, func(key string, _ any) bool {
		return key != semconv.EventReplaces && key != semconv.EventPartOf && key != semconv.EventCost
	})
	return attrs
}

// Where all spans of a call come in one batch nothing is to be said of others,
// but that one of them went on as an event before.
func TestNoMarkWithinABatch(t *testing.T) {
	for name, spans := range map[string][]ptrace.Traces{
		"the foreign span first": {instrumented(), tracked(true)},
		"the own span first":     {tracked(true), instrumented()},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, allEngines)
			for _, one := range single(h.feed(t, join(single(spans...)))) {
				assert.Empty(t, marks(one.td))
			}
		})
	}
	h := newHarness(t, allEngines)
	h.feed(t, instrumented())
	both := single(h.feed(t, join(single(instrumented(), tracked(true)))))
	assert.Empty(t, marks(both[0].td))
	assert.Equal(t, []any{"0101000000000000"}, marks(both[1].td)[semconv.EventReplaces], "what came before comes again")
}
