package agentlensprocessor

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.yaml.in/yaml/v3"

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
	h.clock.at = h.clock.at.Add(h.cfg.IdleTimeout)
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
