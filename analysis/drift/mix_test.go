package drift

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// toolSamples has n sessions with the given tool calls each.
func toolSamples(n int, calls map[string]int64) []*sample {
	out := make([]*sample, n)
	for i := range out {
		out[i] = &sample{}
		for name, k := range calls {
			out[i].tools.Add(name, k)
			out[i].values[eventCount] += float64(k)
		}
	}
	return out
}

func TestMixAlikeAndDisjoint(t *testing.T) {
	a := toolSamples(10, map[string]int64{"search": 3, "browse": 1})
	b := toolSamples(10, map[string]int64{"execute": 2})

	alike, ok := compareMix(a, a, toolsOf).Test.Get()
	require.True(t, ok)
	assert.Zero(t, alike.Divergence)
	assert.Zero(t, alike.Effect)
	assert.Equal(t, 1.0, alike.PValue)

	disjoint := compareMix(a, b, toolsOf)
	test, ok := disjoint.Test.Get()
	require.True(t, ok)
	assert.InDelta(t, 1, test.Divergence, 1e-12)
	assert.Less(t, test.PValue, 0.002)
	assert.Greater(t, test.Effect, 2.0)
	assert.Equal(t, []Share{
		{Name: "browse", BaselineRate: 0.25, Change: -0.25, IsDropped: true},
		{Name: "execute", CurrentRate: 1, Change: 1, IsNew: true},
		{Name: "search", BaselineRate: 0.75, Change: -0.75, IsDropped: true},
	}, disjoint.Shares)
}

// Half and half against three quarters: 0.0488 bits by the definition,
// H(5/8, 3/8) - (H(1/2, 1/2) + H(3/4, 1/4)) / 2.
func TestDivergenceIsInBits(t *testing.T) {
	entropy := func(p float64) float64 { return -p*math.Log2(p) - (1-p)*math.Log2(1-p) }
	m := compareMix(toolSamples(4, map[string]int64{"a": 1, "b": 1}), toolSamples(9, map[string]int64{"a": 3, "b": 1}), toolsOf)
	assert.InDelta(t, entropy(5./8)-(entropy(1./2)+entropy(3./4))/2, m.Test.V.Divergence, 1e-12)
}

func TestMixWithoutATest(t *testing.T) {
	two := map[string]int64{"a": 1, "b": 1}
	for name, c := range map[string][2][]*sample{
		"no tools at all": {toolSamples(5, nil), toolSamples(5, nil)},
		"on one side":     {toolSamples(5, two), toolSamples(5, nil)},
		"one tool":        {toolSamples(5, map[string]int64{"a": 1}), toolSamples(5, map[string]int64{"a": 9})},
		"two sessions":    {toolSamples(1, two), toolSamples(1, two)},
	} {
		assert.False(t, compareMix(c[0], c[1], toolsOf).Test.OK, name)
	}
}

// Names beyond those that are kept still weigh.
func TestMixCountsOtherNames(t *testing.T) {
	a, b := toolSamples(5, map[string]int64{"a": 1}), toolSamples(5, map[string]int64{"a": 1})
	for _, x := range b {
		x.tools.Other = 1
	}
	m := compareMix(a, b, toolsOf)
	assert.True(t, m.Test.OK)
	assert.Equal(t, "(other)", m.Shares[0].Name)
	assert.True(t, m.Shares[0].IsNew)
}

// p is uniform when nothing changed although the events of a session are alike,
// where a test over events would reject nearly always.
func TestMixTestHoldsItsLevel(t *testing.T) {
	const runs = 1000
	r := rand.New(rand.NewPCG(17, 0))
	low, effects := 0, 0.0
	for range runs {
		var sides [2][]*sample
		for side := range sides {
			for range 15 {
				x := &sample{}
				name := "a"
				if r.IntN(2) == 0 {
					name = "b"
				}
				x.tools.Add(name, 50)
				x.tools.Add("c", 10)
				sides[side] = append(sides[side], x)
			}
		}
		test := compareMix(sides[0], sides[1], toolsOf).Test.V
		effects += test.Effect
		if test.PValue <= 0.05 {
			low++
		}
	}
	assert.LessOrEqual(t, float64(low)/runs, 0.07)
	assert.Less(t, effects/runs, 0.15, "chance alone has little effect left")
}

func TestDistanceEffect(t *testing.T) {
	assert.Zero(t, distanceEffect(0))
	assert.Equal(t, 10.0, distanceEffect(1))
	last := 0.0
	for bits := 0.0; bits <= 1; bits += 1.0 / 64 {
		e := distanceEffect(bits)
		assert.GreaterOrEqual(t, e, last)
		last = e
	}
}
