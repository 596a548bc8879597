package drift

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/stat"
)

func TestAdjust(t *testing.T) {
	tests := make([]outcome, 5)
	for i, p := range []float64{0.01, 0.04, 0.03, 0.005, 0.5} {
		tests[i].Evidence = &Evidence{PValue: p}
	}
	adjust(tests, 0.05)
	// R: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "BH")
	for i, want := range []float64{0.025, 0.05, 0.05, 0.025, 0.5} {
		assert.InDelta(t, want, tests[i].AdjustedP, 1e-15)
		assert.Equal(t, want <= 0.05, tests[i].Significant)
	}
	adjust(nil, 0.05)
}

// The interval of Hedges' g holds the true difference in 95 % of samples.
func TestHedgesCoverage(t *testing.T) {
	const runs, effect = 4000, 0.8
	for _, n := range []int{5, 10, 50} {
		r := rand.New(rand.NewPCG(11, uint64(n)))
		held, sum := 0, 0.0
		a, b := make([]float64, n), make([]float64, n)
		for range runs {
			for i := range n {
				a[i], b[i] = r.NormFloat64(), r.NormFloat64()+effect
			}
			m1, v1 := stat.MeanVariance(a, nil)
			m2, v2 := stat.MeanVariance(b, nil)
			g, low, high := hedges((m2-m1)/math.Sqrt((v1+v2)/2), n, n)
			sum += g
			if low <= effect && effect <= high {
				held++
			}
		}
		assert.InDelta(t, 0.95, float64(held)/runs, 0.025, "n=%d", n)
		assert.InDelta(t, effect, sum/runs, 0.03, "g is not biased, n=%d", n)
	}
}

// With the number of sessions that is asked for, the effect is detectable, and
// with a few less it is not.
func TestNeededSessionsSuffice(t *testing.T) {
	const level, effect = 0.004, 1.0
	for _, c := range []struct{ n1, n2 float64 }{{5, 5}, {500, 3}, {3, 500}, {20, 40}, {31, 10}} {
		m1, m2 := neededSessions(c.n1, c.n2, level, effect)
		assert.InDelta(t, effect, detectableEffect(m1, m2, level), 1e-9, "%v", c)
		assert.GreaterOrEqual(t, m1, min(c.n1, m1))
	}
	m1, m2 := neededSessions(500, 3, level, effect)
	assert.Equal(t, 500.0, m1, "a side with enough does not grow")
	assert.Less(t, m2, 20.0)
}

// The power that the report promises is what simulations find.
func TestDetectableEffectIsDetected(t *testing.T) {
	const n, runs, level = 40, 1000, 0.005
	effect := detectableEffect(n, n, level)
	r := rand.New(rand.NewPCG(5, 0))
	found := 0
	a, b := make([]float64, n), make([]float64, n)
	for range runs {
		for i := range n {
			a[i], b[i] = math.Exp(r.NormFloat64()), math.Exp(r.NormFloat64()+effect)
		}
		base, cur := sortedCopy(a), sortedCopy(b)
		if mannWhitney(base, cur) <= level {
			found++
		}
	}
	assert.InDelta(t, power, float64(found)/runs, 0.05)
}

func sortedCopy(x []float64) []float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	return s
}

func TestChoose(t *testing.T) {
	assert.InDelta(t, 252, choose(10, 5), 1e-9)
	assert.InDelta(t, 1, choose(7, 0), 1e-12)
	assert.True(t, math.IsInf(choose(1e6, 5e5), 1))
}
