package drift

import "math"

// family groups the metrics that tell of one thing: only the largest effect of
// a family counts in the score, so that one change is not counted twice.
type family int

const (
	tokenFamily family = iota
	latencyFamily
	errorFamily
	volumeFamily
	behaviourFamily
	modelFamily
	numFamilies
)

// score returns 0 to 100. Without changes it is 15 times one minus the smallest
// adjusted p: how near chance alone came. With changes each family adds
// severity(its largest effect) of what is left to 100, so that the score grows
// with every effect and every family.
func score(tests, changes []outcome) float64 {
	if len(changes) == 0 {
		lowest := 1.0
		for _, t := range tests {
			lowest = min(lowest, t.AdjustedP)
		}
		return 15 * (1 - lowest)
	}
	var largest [numFamilies]float64
	for _, c := range changes {
		largest[c.family] = max(largest[c.family], severity(math.Abs(c.effect)))
	}
	left := 1.0
	for _, s := range largest {
		left *= 1 - s/100
	}
	return 100 * (1 - left)
}

// severity maps an effect in standard deviations to 16 to 100, continuous and
// growing. The bands of the original begin where Cohen (1988) and Sawilowsky
// (2009) call an effect small (0.2: minor), medium (0.5: significant) and very
// large (1.2: degraded), give or take the rounding of the score.
func severity(effect float64) float64 {
	switch {
	case effect < 0.2:
		return 15.5 + 0.5*effect/0.2
	case effect < 0.5:
		return 16 + 25*(effect-0.2)/0.3
	case effect < 1.2:
		return 41 + 30*(effect-0.5)/0.7
	default:
		return 71 + 29*(1-math.Exp(1.2-effect))
	}
}

// statusOf returns the band of a score.
func statusOf(score float64) Status {
	switch s := math.Round(score); {
	case s <= 15:
		return Stable
	case s <= 40:
		return MinorDrift
	case s <= 70:
		return SignificantDrift
	default:
		return Degraded
	}
}
