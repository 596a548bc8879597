package agentlensprocessor

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.yaml.in/yaml/v3"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Every metric that metadata.yaml declares is there when there is something to
// count, has the labels it should, never a session's id, and counts what stands
// on the spans.
func TestMetricsSayWhatTheSpansSay(t *testing.T) {
	h, tel := newMeasured(t, wideWindows)
	h.started(t, nil)
	sdk, tracked := recordSessions(t, 100)
	h.feed(t, join(sdk))
	h.feed(t, join(captures(t))) // later than the sessions of the SDK, and not in order
	h.feed(t, join(sdk[:5]))     // copies
	lateEvent, _ := chat("late", 7, 1)
	h.feed(t, lateEvent)
	h.clock.pass(h.cfg.IdleTimeout)
	h.sweep(t.Context())
	require.NoError(t, h.state.save(t.Context()))

	labelsOf := map[string][]string{
		"alerts_fired": {"rule", "severity"}, "alerts_late_events": nil, "budget_limit": {"budget"}, "budget_projected": {"budget"},
		"budget_spent": {"budget"}, "compliance_results": {"policy", "rule", "verdict"}, "cost": {"agent", "model"}, "drift_score": {"agent"},
		"forecast_daily_cost": {"agent"}, "forecast_total_daily_cost": nil, "sessions_completed": {"status"}, "sessions_open": nil,
		"sessions_retained": nil, "snapshot_age": nil, "snapshot_size": nil, "spans": {"dialect"}, "spans_duplicate": nil, "unpriced_calls": nil,
	}
	elsewhere := []string{"engine_errors", "sessions_evicted", "snapshot_refused"} // not in a run without trouble
	for _, name := range declaredMetrics(t) {
		name = strings.TrimPrefix(name, "processor_agentlens_")
		m, err := tel.GetMetric("otelcol_processor_agentlens_" + name)
		if slices.Contains(elsewhere, name) {
			assert.Error(t, err, name)
			continue
		}
		if !assert.NoError(t, err) {
			continue
		}
		want, known := labelsOf[name]
		require.True(t, known, name)
		for _, set := range labelSets(m) {
			var keys []string
			for _, kv := range set.ToSlice() {
				keys = append(keys, string(kv.Key))
				assert.NotContains(t, tracked, kv.Value.AsString(), name)
			}
			assert.Equal(t, want, keys, name)
		}
	}

	all := strings.Join(findingsOf(h.sink), "\n")
	// The fired alerts of the first five spans stand on their copies too.
	again := newHarness(t, wideWindows)
	again.feed(t, join(copies(sdk[:5])))
	repeated := strings.Count(strings.Join(findingsOf(again.sink), "\n"), semconv.EventAlertFired+"@")
	assert.EqualValues(t, strings.Count(all, semconv.EventAlertFired+"@")-repeated, total[int64](t, tel, "otelcol_processor_agentlens_alerts_fired"))
	assert.EqualValues(t, 5, total[int64](t, tel, "otelcol_processor_agentlens_spans_duplicate"))
	spans, err := tel.GetMetric("otelcol_processor_agentlens_spans")
	require.NoError(t, err)
	own := 0
	for _, p := range spans.Data.(metricdata.Sum[int64]).DataPoints {
		if dialect, _ := p.Attributes.Value("dialect"); dialect.AsString() == "agentlens" {
			own += int(p.Value)
		}
	}
	assert.Equal(t, len(sdk)+5, own)
	assert.Len(t, lastVerdicts(findingsOf(h.sink)), int(total[int64](t, tel, "otelcol_processor_agentlens_sessions_completed")))
	assert.Positive(t, total[int64](t, tel, "otelcol_processor_agentlens_alerts_late_events"))
}

// The results of the rules are counted by the policy, the rule and what it said,
// of sessions that a root ends as of those that are idle, each time a verdict is
// given: in the first batch six end, two of them failed; a late span changes the
// verdict on one.
func TestComplianceResultsAreCountedByRule(t *testing.T) {
	h, tel := newMeasured(t, func(cfg *Config) {
		cfg.Compliance.Policies = []PolicyConfig{
			{Name: "few", Match: MatchConfig{Agents: []string{"agent-1"}}, Rules: []compliance.Rule{
				{Kind: compliance.MaxEvents, Limit: limit(1)}, {Kind: compliance.RequiredTools, Tools: []string{"search"}},
			}},
			{Name: "all", Rules: []compliance.Rule{
				{Kind: compliance.MaxErrorRate, Limit: limit(0)}, {Kind: compliance.MaxEvents, Limit: limit(2)}, {Kind: compliance.MinEvents, Limit: limit(1)},
			}},
		}
	})
	td := ptrace.NewTraces()
	scope := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	scope.Scope().SetName(semconv.ScopeName)
	n := 0
	event := func(session int, tool bool) ptrace.Span {
		n++
		span := scope.Spans().AppendEmpty()
		soakSpan(span, session, n, tool)
		return span
	}
	for session := range 6 { // of agent-0 to agent-5
		for i := range session / 2 {
			event(session, i == 1)
		}
		if session == 4 {
			event(session, false).Status().SetCode(ptrace.StatusCodeError)
		}
		n++
		soakRoot(scope.Spans().AppendEmpty(), session, n)
	}
	h.feed(t, td)

	td = ptrace.NewTraces()
	scope = td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	scope.Scope().SetName(semconv.ScopeName)
	event(1, false)  // late
	event(51, true)  // idle, of agent-1
	event(51, false) // a second event
	h.feed(t, td)
	h.clock.pass(h.cfg.IdleTimeout)
	h.sweep(t.Context())

	counted := func(name string) map[string]int64 {
		m, err := tel.GetMetric("otelcol_processor_agentlens_" + name)
		require.NoError(t, err)
		got := map[string]int64{}
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			var labels []string
			for _, kv := range p.Attributes.ToSlice() {
				labels = append(labels, kv.Value.AsString())
			}
			got[strings.Join(labels, " ")] += p.Value
		}
		return got
	}
	// Events of the sessions: 0, 0, 1, 1, 3 (one failed), 2; then 1 of the second,
	// and 2 of the idle one.
	assert.Equal(t, map[string]int64{
		"few max_events pass": 2, "few max_events fail": 1, "few required_tools fail": 2, "few required_tools pass": 1,
		"all max_error_rate skip": 2, "all max_error_rate pass": 5, "all max_error_rate fail": 1,
		"all max_events pass": 7, "all max_events fail": 1,
		"all min_events fail": 2, "all min_events pass": 6,
	}, counted("compliance_results"))
	assert.Equal(t, map[string]int64{"completed": 6, "timeout": 1}, counted("sessions_completed"))
}

func declaredMetrics(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var declared struct {
		Telemetry struct {
			Metrics map[string]any `yaml:"metrics"`
		} `yaml:"telemetry"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &declared))
	require.NotEmpty(t, declared.Telemetry.Metrics)
	return slices.Sorted(maps.Keys(declared.Telemetry.Metrics))
}

func labelSets(m metricdata.Metrics) (sets []attribute.Set) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Sum[float64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	}
	return sets
}
