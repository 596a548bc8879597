package drift

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

func TestCompareWithItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(summaryGen, 1, 40).Draw(t, "sessions")
		r, err := Compare(a, a)
		require.NoError(t, err)
		assert.Zero(t, r.Score)
		assert.Contains(t, []Status{Stable, NotEnoughEvidence}, r.Status)
		assert.Empty(t, r.Changes)
		assert.Empty(t, r.DriftingMetrics)
	})
	a := randomSummaries(100, 1, 1)
	r, err := Compare(a, a)
	require.NoError(t, err)
	assert.Equal(t, Stable, r.Status)
}

// Reports do not depend on the order of adding, and are sound whatever the
// sessions are.
func TestReportProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SliceOfN(summaryGen, 1, 40).Draw(t, "baseline")
		cur := rapid.SliceOfN(summaryGen, 1, 40).Draw(t, "current")
		r, err := Compare(base, cur)
		require.NoError(t, err)

		assert.True(t, r.Score >= 0 && r.Score <= 100, "score %g", r.Score)
		if r.Status != NotEnoughEvidence {
			assert.Equal(t, statusOf(r.Score), r.Status)
		}
		assert.Equal(t, len(r.Changes) > 0, r.Score > 15)
		assert.Equal(t, r.Status == NotEnoughEvidence, r.MoreBaseline+r.MoreCurrent > 0)
		assert.NotEmpty(t, r.Summary)
		for _, m := range r.Metrics {
			if test, ok := m.Test.Get(); ok {
				assert.True(t, test.PValue > 0 && test.PValue <= test.AdjustedP && test.AdjustedP <= 1)
				assert.True(t, test.GLow <= test.HedgesG && test.HedgesG <= test.GHigh)
			}
		}
		text := r.Format()
		assert.NotContains(t, text, "NaN")
		assert.NotContains(t, text, "Inf")

		again, err := Compare(rapid.Permutation(base).Draw(t, "order"), rapid.Permutation(cur).Draw(t, "order"))
		require.NoError(t, err)
		assert.Equal(t, asJSON(t, r), asJSON(t, again))
	})
}

// The larger the change the larger the score.
func TestScoreGrowsWithTheChange(t *testing.T) {
	base := randomSummaries(60, 1, 1)
	last, statuses := 0.0, map[Status]bool{}
	for scale := 1.0; scale < 6; scale *= 1.1 {
		r, err := Compare(base, randomSummaries(60, 1, scale))
		require.NoError(t, err)
		assert.GreaterOrEqual(t, r.Score, last, "tokens times %.2f", scale)
		last = r.Score
		statuses[r.Status] = true
	}
	for _, s := range []Status{Stable, SignificantDrift, Degraded} {
		assert.True(t, statuses[s], "%s was passed on the way", s)
	}
}

// A change that is certain but tiny is not drift: two constants that differ by
// a thousandth are 5 golden effects of nothing, and any number of standard
// deviations with a little noise.
func TestTinyChangeIsNotDrift(t *testing.T) {
	even := func(tokens int64) []*analysis.Summary {
		out := make([]*analysis.Summary, 200)
		for i := range out {
			out[i] = analysis.NewSummary("", "agent")
			out[i].Observe(&analysis.Event{Type: analysis.EventLLMCall, TokensIn: analysis.Some(tokens + int64(i%3))})
		}
		return out
	}
	r, err := Compare(even(10_000), even(10_010))
	require.NoError(t, err)
	m := r.metric("total_tokens")
	assert.Greater(t, m.Test.V.HedgesG, 5.0)
	assert.True(t, m.Test.V.Significant)
	assert.False(t, m.Test.V.Changed)
	assert.Equal(t, Stable, r.Status)

	r, err = Compare(even(10_000), even(12_000))
	require.NoError(t, err)
	assert.Equal(t, Degraded, r.Status)
	assert.Contains(t, r.Changes, "total_tokens")
}

// 0.1 + 0.2 is not 0.3, but no change either.
func TestResidueIsNotAChange(t *testing.T) {
	third := math.Nextafter(0.3, 1)
	for _, values := range [][]float64{{0.3, third}, {0.1, 0.1, 0.1}, {0.3, 0.3, 0.3, third, third}} {
		_, std := meanStd(values)
		assert.Zero(t, std, "%v", values)
	}
	m := plain("avg_latency_ms", []float64{0.3, 0.3, 0.3}, []float64{third, third}, 0.5)
	assert.Zero(t, m.RelativeChange)
	assert.Zero(t, m.EffectSize)
	assert.False(t, testMetric(avgLatency, []float64{0.3, 0.3, 0.3}, []float64{third, third}).OK)
}

// Sessions in which nothing was measured are no evidence of a change: when the
// instrumentation loses durations, latency did not fall to 0.
func TestUnmeasuredIsNotZero(t *testing.T) {
	base, cur := randomSummaries(50, 1, 1), randomSummaries(50, 2, 1)
	for _, s := range cur[:40] {
		s.Durations = analysis.Durations{}
	}
	r, err := Compare(base, cur)
	require.NoError(t, err)
	m := r.metric("avg_latency_ms")
	assert.True(t, m.IsDrifting, "the plain figures count them as 0")
	assert.Equal(t, 10, m.Test.V.CurrentSessions)
	assert.False(t, m.Test.V.Significant)
	assert.Equal(t, Stable, r.Status)
}

func TestNotEnoughEvidence(t *testing.T) {
	r, err := Compare(randomSummaries(5, 1, 1), randomSummaries(4, 2, 1.3))
	require.NoError(t, err)
	assert.Equal(t, NotEnoughEvidence, r.Status)
	assert.Equal(t, r.MoreBaseline+1, r.MoreCurrent, "both sides to the same number")
	assert.Contains(t, r.Format(), "more current sessions")

	// With about as many more it is enough.
	r, err = Compare(randomSummaries(5+r.MoreBaseline, 1, 1), randomSummaries(4+r.MoreCurrent, 2, 1))
	require.NoError(t, err)
	assert.Equal(t, Stable, r.Status)

	r, err = Compare(randomSummaries(300, 1, 1), randomSummaries(2, 2, 1))
	require.NoError(t, err)
	assert.Equal(t, NotEnoughEvidence, r.Status)
	assert.Zero(t, r.MoreBaseline)
	assert.Positive(t, r.MoreCurrent)

	// Of 3 and 3 sessions the smallest p-value there is is 2 in 20.
	r, err = Compare(randomSummaries(3, 1, 1), randomSummaries(3, 2, 100))
	require.NoError(t, err)
	assert.Equal(t, NotEnoughEvidence, r.Status)
	assert.False(t, r.DetectableEffect.OK)
	assert.Contains(t, r.Summary, "could not show any change")
}

func TestReportSaysWhatChanged(t *testing.T) {
	base, cur := randomSummaries(60, 1, 1), randomSummaries(60, 2, 3)
	for _, s := range cur {
		s.Models = analysis.Counts{}
		s.Models.Add("model-new", s.Events/2)
	}
	r, err := Compare(base, cur)
	require.NoError(t, err)
	assert.Equal(t, Degraded, r.Status)
	assert.Subset(t, r.Changes, []string{"models", "total_tokens", "tokens_per_event"})
	text := r.Format()
	for _, want := range []string{
		"Drift: degraded", "60 baseline, 60 current", "new model model-new", "dropped model model-0", "total_tokens rose",
	} {
		assert.Contains(t, text, want)
	}
	assert.Equal(t, 1, strings.Count(r.Summary, "total_tokens"))
}

func TestReportJSONIsStable(t *testing.T) {
	r, err := Compare(randomSummaries(40, 1, 1), randomSummaries(40, 2, 2))
	require.NoError(t, err)
	first := asJSON(t, r)
	var back Report
	require.NoError(t, json.Unmarshal([]byte(first), &back))
	assert.Equal(t, *r, back)
	for _, key := range []string{`"drift_score"`, `"status"`, `"drifting_metrics"`, `"divergence_bits"`, `"adjusted_p"`, `"hedges_g"`} {
		assert.Contains(t, first, key)
	}
}

// A report that was stored by another version still reads.
func TestFormatOfAForeignReport(t *testing.T) {
	r := Report{Status: MinorDrift, Changes: []string{"speed"}, Metrics: []Metric{{Name: "speed", CurrentMean: 3}}}
	assert.Contains(t, r.Format(), "speed")
	assert.Contains(t, (&Report{Changes: []string{"nothing known"}}).Format(), "Sessions: 0")
}

func TestBadInput(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for field, spoil := range map[string][]func(*Config){
		"threshold":         {func(c *Config) { c.Threshold = nan }, func(c *Config) { c.Threshold = -0.5 }, func(c *Config) { c.Threshold = inf }},
		"min_effect":        {func(c *Config) { c.MinEffect = -1 }},
		"min_change":        {func(c *Config) { c.MinChange = nan }},
		"min_rate_change":   {func(c *Config) { c.MinRateChange = inf }},
		"false_alarm_rate":  {func(c *Config) { c.FalseAlarmRate = 0 }, func(c *Config) { c.FalseAlarmRate = 1 }, func(c *Config) { c.FalseAlarmRate = nan }},
		"detectable_effect": {func(c *Config) { c.DetectableEffect = 0 }, func(c *Config) { c.DetectableEffect = nan }},
		"max_sessions":      {func(c *Config) { c.MaxSessions = 0 }},
	} {
		for _, s := range spoil {
			cfg := DefaultConfig()
			s(&cfg)
			_, err := NewDetector(cfg)
			assertFieldError(t, err, field)
			_, err = CompareWindows(&Window{}, &Window{}, cfg)
			assertFieldError(t, err, field)
		}
	}

	d, err := NewDetector(DefaultConfig())
	require.NoError(t, err)
	assertEmptyWindow := func(window string) {
		t.Helper()
		_, err := d.Detect()
		var empty *EmptyWindowError
		require.ErrorAs(t, err, &empty)
		assert.Equal(t, window, empty.Window)
	}
	assertEmptyWindow("baseline")
	require.NoError(t, d.AddBaseline(analysis.NewSummary("a", "agent")))
	assertEmptyWindow("current")
	require.NoError(t, d.AddCurrent(analysis.NewSummary("a", "agent")))
	_, err = d.Detect()
	require.NoError(t, err)

	_, err = Compare([]*analysis.Session{nil}, []*analysis.Session{{}})
	assertFieldError(t, err, "session")
	_, err = Compare([]*analysis.Summary{}, nil)
	var empty *EmptyWindowError
	require.ErrorAs(t, err, &empty)
	_, err = CompareWindows(nil, nil, DefaultConfig())
	require.ErrorAs(t, err, &empty)
}
