package drift

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestSeverityGrowsWithoutJumps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(0, 8).Draw(t, "a")
		b := a + rapid.Float64Range(1e-6, 2).Draw(t, "step")
		assert.Less(t, severity(a), severity(b))
		assert.LessOrEqual(t, severity(b)-severity(a), 100*(b-a))
		assert.LessOrEqual(t, severity(b), 100.0)
	})
	assert.Equal(t, 100.0, severity(1e9))
}

func TestBands(t *testing.T) {
	for _, c := range []struct {
		effect float64
		want   Status
	}{
		{0, MinorDrift},
		{0.2, MinorDrift},
		{0.49, MinorDrift},
		{0.5, SignificantDrift},
		{1.18, SignificantDrift},
		{1.2, Degraded},
		{5, Degraded},
	} {
		change := []outcome{{effect: c.effect, family: errorFamily}}
		assert.Equal(t, c.want, statusOf(score(change, change)), "effect %g", c.effect)
	}
	for _, c := range []struct {
		score float64
		want  Status
	}{
		{0, Stable},
		{15, Stable},
		{16, MinorDrift},
		{40, MinorDrift},
		{41, SignificantDrift},
		{70, SignificantDrift},
		{71, Degraded},
		{100, Degraded},
	} {
		assert.Equal(t, c.want, statusOf(c.score), "score %g", c.score)
	}
}

func TestScoreWithoutChanges(t *testing.T) {
	assert.Zero(t, score(nil, nil))
	tests := []outcome{{Evidence: &Evidence{AdjustedP: 0.4}}, {Evidence: &Evidence{AdjustedP: 0.1}}}
	assert.InDelta(t, 13.5, score(tests, nil), 1e-12)
	assert.Equal(t, Stable, statusOf(score([]outcome{{Evidence: &Evidence{}}}, nil)))
}

// Two metrics of one family count once, those of two families more than either.
func TestFamiliesAddUp(t *testing.T) {
	tokens := outcome{effect: 0.5, family: tokenFamily}
	cost := outcome{effect: -0.4, family: tokenFamily}
	errors := outcome{effect: 0.3, family: errorFamily}
	one := score(nil, []outcome{tokens})
	assert.Equal(t, one, score(nil, []outcome{tokens, cost}))
	assert.Greater(t, score(nil, []outcome{tokens, errors}), one)
}
