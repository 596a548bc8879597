package drift

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestMannWhitney(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []float64
		want float64
	}{
		{"apart", []float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 2.0 / 252},
		{"one value everywhere", []float64{1, 1, 1}, []float64{1, 1, 1}, 1},
		{"two constants", []float64{1, 1, 1}, []float64{2, 2, 2}, 2.0 / 20},
		// The example of R's wilcox.test (Hollander and Wolfe, 1973, p. 69):
		// W = 35, one-sided p = 0.1272.
		{
			"permeability",
			[]float64{0.73, 0.80, 0.83, 1.04, 1.38, 1.45, 1.46, 1.64, 1.89, 1.91},
			[]float64{0.74, 0.88, 0.90, 1.15, 1.21},
			0.25441,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.InDelta(t, c.want, mannWhitney(c.a, c.b), 1e-5)
			assert.InDelta(t, c.want, mannWhitney(c.b, c.a), 1e-5)
		})
	}
}

// The exact p-value is that of trying every way to divide the sessions.
func TestMannWhitneyIsExactWithTies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(0, 3)
		if rapid.Bool().Draw(t, "tied") {
			value = rapid.Map(rapid.IntRange(0, 3), func(i int) float64 { return float64(i) })
		}
		a := rapid.SliceOfN(value, 1, 6).Draw(t, "a")
		b := rapid.SliceOfN(value, 1, 6).Draw(t, "b")
		slices.Sort(a)
		slices.Sort(b)
		all := slices.Concat(a, b)
		distance := func(inA func(i int) bool) float64 {
			u, nA := 0.0, 0
			for i, x := range all {
				if !inA(i) {
					continue
				}
				nA++
				for j, y := range all {
					if inA(j) {
						continue
					}
					if x > y {
						u++
					} else if x == y {
						u += 0.5
					}
				}
			}
			d := u - float64(nA*(len(all)-nA))/2
			return max(d, -d)
		}
		observed := distance(func(i int) bool { return i < len(a) })
		extreme, total := 0, 0
		for set := range 1 << len(all) {
			n := 0
			for i := range all {
				n += set >> i & 1
			}
			if n != len(a) {
				continue
			}
			total++
			if distance(func(i int) bool { return set>>i&1 == 1 }) >= observed {
				extreme++
			}
		}
		assert.InDelta(t, float64(extreme)/float64(total), mannWhitney(a, b), 1e-12)
	})
}

// Where the approximation takes over, its p-values near those at which decisions
// fall are not much below the exact ones even with heavy ties, and above them by
// a factor that shrinks as the smaller side grows.
func TestRankApproximation(t *testing.T) {
	for _, c := range []struct {
		n1, n2 int
		safe   float64
	}{{13, 13, 3}, {4, 80, 6}, {30, 30, 1.5}} {
		for _, ties := range []bool{false, true} {
			r := rand.New(rand.NewPCG(3, uint64(c.n1)))
			for range 100 {
				a, b := make([]float64, c.n1), make([]float64, c.n2)
				shift := r.Float64()
				for i := range a {
					a[i] = r.Float64() + shift
				}
				for i := range b {
					b[i] = r.Float64()
				}
				if ties {
					for _, s := range [][]float64{a, b} {
						for i := range s {
							s[i] = float64(int(s[i] * 4))
						}
					}
				}
				slices.Sort(a)
				slices.Sort(b)
				ranks, sum, _, _ := doubledRanks(a, b)
				exact := exactRankP(ranks, c.n1, sum)
				ratio := mannWhitney(a, b) / exact
				if exact < 0.002 || exact > 0.05 {
					continue
				}
				assert.GreaterOrEqual(t, ratio, 0.8, "%d and %d, p = %g, ties: %t", c.n1, c.n2, exact, ties)
				assert.LessOrEqual(t, ratio, c.safe, "%d and %d, p = %g, ties: %t", c.n1, c.n2, exact, ties)
			}
		}
	}
}

// With two values only, the test is that of Fisher on a table of four: the
// approximation has to know how far apart its possible rank sums are.
func TestRankApproximationOfTwoValues(t *testing.T) {
	yesNo := func(n, yes int) []float64 {
		out := make([]float64, n)
		for i := n - yes; i < n; i++ {
			out[i] = 1
		}
		return out
	}
	for _, c := range []struct{ yesA, yesB int }{{10, 20}, {5, 15}, {1, 9}, {20, 34}} {
		a, b := yesNo(40, c.yesA), yesNo(40, c.yesB)
		ranks, sum, _, _ := doubledRanks(a, b)
		assert.InEpsilon(t, exactRankP(ranks, 40, sum), mannWhitney(a, b), 0.35, "%v", c)
	}
}
