package drift

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// The plain figures: those of the original, to its formulas.

// residue is the relative difference below which two figures are equal: what
// is smaller comes from the rounding of sums, not from the agent.
const residue = 1e-12

// column returns a metric of all samples, sorted; observed leaves out the
// sessions in which it was not observed, which the plain figures count as 0.
func column(samples []*sample, metric int, observed bool) []float64 {
	out := make([]float64, 0, len(samples))
	for _, x := range samples {
		if !observed || x.knows(metric) {
			out = append(out, x.values[metric])
		}
	}
	slices.Sort(out)
	return out
}

// plain compares one metric of two windows as the original does. base and cur
// are sorted and not empty.
func plain(name string, base, cur []float64, threshold float64) Metric {
	m := Metric{Name: name}
	m.BaselineMean, m.BaselineStd = meanStd(base)
	m.CurrentMean, m.CurrentStd = meanStd(cur)
	if same(m.BaselineMean, m.CurrentMean) {
		m.Direction = StableDirection
		m.IsDrifting = 0 >= threshold
		return m
	}
	diff := m.CurrentMean - m.BaselineMean
	m.RelativeChange = 1
	if m.BaselineMean != 0 {
		m.RelativeChange = diff / math.Abs(m.BaselineMean)
	}
	m.EffectSize = cohensD(len(base), len(cur), &m)
	switch {
	case math.Abs(m.EffectSize) < 0.2:
		m.Direction = StableDirection
	case diff > 0:
		m.Direction = Increased
	default:
		m.Direction = Decreased
	}
	m.IsDrifting = math.Abs(m.EffectSize) >= threshold
	return m
}

// cohensD returns the original's effect size: Cohen's d pooled over population
// standard deviations, and where both are 0 a bounded multiple of the change
// relative to the larger mean, with the sign of the change.
func cohensD(n1, n2 int, m *Metric) float64 {
	if n1+n2 < 3 {
		return 0
	}
	diff := m.CurrentMean - m.BaselineMean
	pooled := (float64(n1-1)*m.BaselineStd*m.BaselineStd + float64(n2-1)*m.CurrentStd*m.CurrentStd) / float64(n1+n2-2)
	if pooled == 0 {
		return constantEffect(m.BaselineMean, m.CurrentMean)
	}
	return diff / math.Sqrt(pooled)
}

// constantEffect is the effect of a change between two constants.
func constantEffect(base, cur float64) float64 {
	size := max(math.Abs(base), math.Abs(cur), 1e-9)
	return math.Copysign(min(10, 5*math.Abs(cur-base)/size), cur-base)
}

// meanStd returns mean and population standard deviation of sorted values. The
// mean of a constant is the constant, and its deviation 0.
func meanStd(sorted []float64) (mean, std float64) {
	if same(sorted[0], sorted[len(sorted)-1]) {
		return sorted[0], 0
	}
	return stat.PopMeanStdDev(sorted, nil)
}

func same(a, b float64) bool {
	return math.Abs(a-b) <= residue*max(math.Abs(a), math.Abs(b))
}
