package agentlensprocessor

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Whenever metrics are collected, after Shutdown too, the counters say what they
// would say had each request told its own: of more agents than there are labels,
// and of more costs in a request than it sums up at once.
func TestCountersAreNeverLate(t *testing.T) {
	lazy, tellings, evicted := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		asked, askedTel := newMeasured(t, complianceOnly)
		told, toldTel := newMeasured(t, complianceOnly)
		told.now = asked.now
		require.NoError(t, asked.registerGauges())
		n := 0
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"feed", "feed", "collect", "wait", "shutdown"}).Draw(rt, "step") {
			case "feed":
				td := ptrace.NewTraces()
				scope := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
				scope.Scope().SetName(semconv.ScopeName)
				from := rapid.IntRange(0, 200).Draw(rt, "session")
				to := from + rapid.SampledFrom([]int{150, 1, 3}).Draw(rt, "sessions")
				for session := from; session < to; session++ {
					n++
					span := scope.Spans().AppendEmpty()
					soakSpan(span, session, n, false)
					attrs := span.Attributes()
					attrs.PutStr(semconv.GenAIAgentName, fmt.Sprint("agent-", session))
					attrs.PutStr(semconv.GenAIRequestModel, rapid.SampledFrom([]string{"gpt-4o", "gpt-4o-mini", "gpt-4.1", "no such model"}).Draw(rt, "model"))
					if rapid.Bool().Draw(rt, "again") {
						span.CopyTo(scope.Spans().AppendEmpty())
					}
					if rapid.Bool().Draw(rt, "ends") {
						n++
						soakRoot(scope.Spans().AppendEmpty(), session, n)
					}
				}
				other := ptrace.NewTraces()
				td.CopyTo(other)
				asked.feed(t, td)
				told.feed(t, other)
				if len(asked.sums.tally.dialects) > 0 {
					lazy++
				}
			case "wait":
				asked.clock.pass(time.Duration(rapid.IntRange(0, 2).Draw(rt, "seconds")) * time.Second)
			case "shutdown":
				require.NoError(t, asked.shutdown(context.Background()))
			case "collect":
				tellings++
				requireSameCounters(t, toldTel, askedTel)
			}
		}
		require.NoError(t, asked.shutdown(context.Background()))
		requireSameCounters(t, toldTel, askedTel)
		evicted += requireCountersOfSpans(t, toldTel, told.sink)
	})
	require.Positive(t, evicted)
	require.Positive(t, lazy, "requests that told nothing")
	require.Positive(t, tellings)
}

func complianceOnly(cfg *Config) {
	fourEngines(cfg)
	cfg.Drift.Enabled, cfg.Forecast.Enabled, cfg.Alerts.Enabled = false, false, false
	cfg.MaxSessions = 20
}

func requireSameCounters(t *testing.T, want, got *componenttest.Telemetry) {
	t.Helper()
	a, b := counters(t, want), counters(t, got)
	require.Len(t, b, len(a))
	for name, value := range a {
		require.Contains(t, b, name)
		require.InDelta(t, value, b[name], 1e-9, name)
	}
}

// requireCountersOfSpans holds the counters against what came out, and returns
// how many sessions were evicted: those are reported on as timed out.
func requireCountersOfSpans(t *testing.T, tel *componenttest.Telemetry, sink *consumertest.TracesSink) (evicted int) {
	t.Helper()
	seen := map[pcommon.SpanID]bool{}
	var cost float64
	var again, unpriced int
	for _, td := range sink.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				if status, ok := span.Attributes().Get(semconv.SessionStatus); ok {
					if status.Str() == string(analysis.StatusTimeout) {
						evicted++
					}
					continue
				}
				amount, priced := span.Attributes().Get(semconv.CostAmount)
				switch {
				case seen[span.SpanID()]:
					again++
				case priced:
					cost += amount.Double()
				default:
					unpriced++
				}
				seen[span.SpanID()] = true
			}
		}
	}
	got := map[string]float64{}
	for name, value := range counters(t, tel) {
		name, _, _ = strings.Cut(name, "[")
		got[strings.TrimPrefix(name, "processor_agentlens_")] += value
	}
	require.InDelta(t, cost, got["cost"], 1e-9)
	require.EqualValues(t, again, got["spans_duplicate"])
	require.EqualValues(t, unpriced, got["unpriced_calls"])
	require.EqualValues(t, evicted, got["sessions_evicted"])
	return evicted
}

// counters returns what the counters say by their names and labels.
func counters(t *testing.T, tel *componenttest.Telemetry) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, name := range declaredMetrics(t) {
		m, err := tel.GetMetric("otelcol_" + name)
		if err != nil {
			continue // nothing was counted
		}
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				out[name+fmt.Sprint(p.Attributes.ToSlice())] = float64(p.Value)
			}
		case metricdata.Sum[float64]:
			for _, p := range data.DataPoints {
				out[name+fmt.Sprint(p.Attributes.ToSlice())] = p.Value
			}
		}
	}
	return out
}
