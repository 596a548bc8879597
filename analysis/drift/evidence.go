package drift

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/agentlens/agentlens-otel/analysis"
)

// power is the probability with which a change of the detectable size is shown.
const power = 0.8

// rankEfficiency is the efficiency of the Mann-Whitney test relative to the t
// test on normal data: 3/pi. On heavy tails it is above 1.
const rankEfficiency = 3 / math.Pi

// testMetric compares the observed values of one metric, sorted. The result is
// absent when there is nothing to compare.
func testMetric(metric int, base, cur []float64) analysis.Opt[Test] {
	n1, n2 := len(base), len(cur)
	if n1 == 0 || n2 == 0 || n1+n2 < 3 ||
		same(min(base[0], cur[0]), max(base[n1-1], cur[n2-1])) {
		return analysis.Opt[Test]{}
	}
	t := Test{BaselineSessions: n1, CurrentSessions: n2}
	t.PValue = mannWhitney(base, cur)

	m1, v1 := scaledMeanVar(metric, base)
	m2, v2 := scaledMeanVar(metric, cur)
	t.BaselineTypical, t.CurrentTypical = plainScale(metric, m1), plainScale(metric, m2)
	df := float64(n1 + n2 - 2)
	pooled := (float64(n1-1)*v1 + float64(n2-1)*v2) / df
	if pooled == 0 {
		t.HedgesG = constantEffect(t.BaselineTypical, t.CurrentTypical)
		t.GLow, t.GHigh = t.HedgesG, t.HedgesG
		return analysis.Some(t)
	}
	t.HedgesG, t.GLow, t.GHigh = hedges((m2-m1)/math.Sqrt(pooled), n1, n2)
	return analysis.Some(t)
}

// scaledMeanVar returns mean and sample variance on the scale of the test.
func scaledMeanVar(metric int, sorted []float64) (mean, variance float64) {
	if same(sorted[0], sorted[len(sorted)-1]) {
		return logScale(metric, sorted[0]), 0
	}
	scaled := make([]float64, len(sorted))
	for i, x := range sorted {
		scaled[i] = logScale(metric, x)
	}
	return stat.MeanVariance(scaled, nil)
}

// hedges returns Hedges' g of a standardised difference d and its 95 %
// confidence interval (Hedges and Olkin, 1985, from the large-sample variance).
func hedges(d float64, n1, n2 int) (g, low, high float64) {
	n := float64(n1 + n2)
	g = d * (1 - 3/(4*(n-2)-1))
	se := math.Sqrt(n/(float64(n1)*float64(n2)) + g*g/(2*n))
	margin := se * distuv.UnitNormal.Quantile(0.975)
	return g, g - margin, g + margin
}

// adjust sets the adjusted p-values and the significance of tests: Benjamini
// and Hochberg, 1995. When nothing changed it is the probability of any false
// alarm that is held; the metrics are not independent, but go together, under
// which the procedure stays valid (Benjamini and Yekutieli, 2001).
func adjust(tests []outcome, rate float64) {
	byP := slices.Clone(tests)
	slices.SortStableFunc(byP, func(a, b outcome) int { return cmp.Compare(a.PValue, b.PValue) })
	lowest := 1.0
	for i, t := range slices.Backward(byP) {
		lowest = min(lowest, t.PValue*(float64(len(byP))/float64(i+1)))
		t.AdjustedP = lowest
		t.Significant = lowest <= rate
	}
}

// weighEvidence sets what the windows could have shown, with tests tests, and
// turns a stable verdict of windows too small to trust into NotEnoughEvidence.
func (r *Report) weighEvidence(tests int, cfg *Config) {
	n1, n2 := float64(r.BaselineSessions), float64(r.CurrentSessions)
	level := cfg.FalseAlarmRate / float64(max(1, tests))
	if 2/choose(n1+n2, n1) <= level {
		r.DetectableEffect = analysis.Some(detectableEffect(n1, n2, level))
	}
	if r.Status != Stable || r.DetectableEffect.Or(math.Inf(1)) <= cfg.DetectableEffect {
		return
	}
	r.Status = NotEnoughEvidence
	m1, m2 := neededSessions(n1, n2, level, cfg.DetectableEffect)
	r.MoreBaseline, r.MoreCurrent = missing(m1, n1), missing(m2, n2)
	if r.MoreBaseline+r.MoreCurrent == 0 {
		r.MoreBaseline, r.MoreCurrent = 1, 1
	}
}

// detectableEffect returns the standardised difference that a test at this
// level shows with the wanted power.
func detectableEffect(n1, n2, level float64) float64 {
	return quantileSum(level) * math.Sqrt((1/n1+1/n2)/rankEfficiency)
}

// neededSessions returns how many sessions either side needs to show effect.
// When one side already has as many as two equal sides would need, only the
// other grows.
func neededSessions(n1, n2, level, effect float64) (m1, m2 float64) {
	z := quantileSum(level)
	budget := effect * effect * rankEfficiency / (z * z) // bounds 1/m1 + 1/m2
	even := 2 / budget
	switch {
	case n1 >= even && n2 < even:
		return n1, 1 / (budget - 1/n1)
	case n2 >= even && n1 < even:
		return 1 / (budget - 1/n2), n2
	}
	return even, even
}

func missing(need, have float64) int {
	return int(min(max(0, math.Ceil(need-have)), 1_000_000))
}

func quantileSum(level float64) float64 {
	return distuv.UnitNormal.Quantile(1-level/2) + distuv.UnitNormal.Quantile(power)
}

// choose returns the binomial coefficient, or +Inf where it is too large.
func choose(n, k float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return math.Exp(a - b - c)
}
