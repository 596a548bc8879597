package drift

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis/internal/golden"
)

type goldenInput struct {
	Baseline       []golden.Session `json:"baseline"`
	Current        []golden.Session `json:"current"`
	DriftThreshold *float64         `json:"drift_threshold"`
}

type goldenExpected struct {
	Error            *string       `json:"error"`
	BaselineSessions int           `json:"baseline_sessions"`
	CurrentSessions  int           `json:"current_sessions"`
	Metrics          []Metric      `json:"metrics"`
	DriftingMetrics  []string      `json:"drifting_metrics"`
	Tools            []goldenShare `json:"tools"`
}

type goldenShare struct {
	Name         string  `json:"tool_name"`
	BaselineRate float64 `json:"baseline_rate"`
	CurrentRate  float64 `json:"current_rate"`
	Change       float64 `json:"change"`
	IsNew        bool    `json:"is_new"`
	IsDropped    bool    `json:"is_dropped"`
}

func TestGoldenDrift(t *testing.T) {
	for _, c := range golden.Load(t, "drift.jsonl") {
		t.Run(c.ID, func(t *testing.T) {
			in := golden.Decode[goldenInput](t, c.Input)
			want := golden.Decode[goldenExpected](t, c.Expected)
			cfg := DefaultConfig()
			cfg.MaxSessions = max(1, len(in.Baseline), len(in.Current))
			if in.DriftThreshold != nil {
				cfg.Threshold = *in.DriftThreshold
			}
			d, err := NewDetector(cfg)
			require.NoError(t, err)
			for i := range in.Baseline {
				require.NoError(t, d.AddBaseline(in.Baseline[i].Analysis().Summary()))
			}
			for i := range in.Current {
				require.NoError(t, d.AddCurrent(in.Current[i].Analysis().Summary()))
			}
			got, err := d.Detect()
			if want.Error != nil {
				var empty *EmptyWindowError
				require.ErrorAs(t, err, &empty)
				return
			}
			require.NoError(t, err)
			assertPlain(t, &want, got)
			_, err = json.Marshal(got)
			assert.NoError(t, err)
		})
	}
}

func assertPlain(t *testing.T, want *goldenExpected, got *Report) {
	assert.Equal(t, want.BaselineSessions, got.BaselineSessions)
	assert.Equal(t, want.CurrentSessions, got.CurrentSessions)
	assert.Equal(t, want.DriftingMetrics, got.DriftingMetrics)
	require.Len(t, got.Metrics, len(want.Metrics))
	for i := range want.Metrics {
		assertMetric(t, &want.Metrics[i], &got.Metrics[i])
	}
	require.Len(t, got.Tools.Shares, len(want.Tools))
	for i, w := range want.Tools {
		g := got.Tools.Shares[i]
		assert.Equal(t, w.Name, g.Name)
		assertRate(t, w.BaselineRate, g.BaselineRate, "%s baseline_rate", w.Name)
		assertRate(t, w.CurrentRate, g.CurrentRate, "%s current_rate", w.Name)
		assertRate(t, w.Change, g.Change, "%s change", w.Name)
		assert.Equal(t, w.IsNew, g.IsNew, "%s is_new", w.Name)
		assert.Equal(t, w.IsDropped, g.IsDropped, "%s is_dropped", w.Name)
	}
}

func assertMetric(t *testing.T, w, g *Metric) {
	require.Equal(t, w.Name, g.Name)
	scale := 1e-9 * max(math.Abs(w.BaselineMean), math.Abs(w.CurrentMean))
	assert.InDelta(t, w.BaselineMean, g.BaselineMean, scale, "%s baseline_mean", w.Name)
	assert.InDelta(t, w.CurrentMean, g.CurrentMean, scale, "%s current_mean", w.Name)
	assert.InDelta(t, w.BaselineStd, g.BaselineStd, scale, "%s baseline_std", w.Name)
	assert.InDelta(t, w.CurrentStd, g.CurrentStd, scale, "%s current_std", w.Name)
	assertRate(t, w.RelativeChange, g.RelativeChange, "%s relative_change", w.Name)

	wantEffect := w.EffectSize
	if w.BaselineStd == 0 && w.CurrentStd == 0 && w.CurrentMean < w.BaselineMean {
		// The original loses the sign where neither side varies.
		wantEffect = -wantEffect
	}
	assert.InDelta(t, wantEffect, g.EffectSize, max(1e-10, 1e-7*math.Abs(wantEffect)), "%s effect_size", w.Name)
	assert.Equal(t, w.Direction, g.Direction, "%s direction", w.Name)
	assert.Equal(t, w.IsDrifting, g.IsDrifting, "%s is_drifting", w.Name)
}

func assertRate(t *testing.T, want, got float64, msgAndArgs ...any) {
	assert.InDelta(t, want, got, 1e-9*max(1, math.Abs(want)), msgAndArgs...)
}
