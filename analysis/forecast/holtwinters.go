package forecast

import "math"

// smoothing are the parameters of damped Holt-Winters: alpha for the level,
// beta for the trend, gamma for the season, phi damps the trend.
type smoothing struct{ alpha, beta, gamma, phi float64 }

// The grid that the parameters are chosen from. It is coarse: a few weeks of
// days cannot tell finer ones apart, and best fits it once a back-test origin.
var (
	alphas = [...]float64{0.05, 0.15, 0.3, 0.5, 0.8}
	betas  = [...]float64{0, 0.1, 0.3}
	gammas = [...]float64{0.05, 0.2}
	phis   = [...]float64{0.8, 0.95}
)

// holtWinters forecasts with additive damped-trend exponential smoothing and a
// season of a week, or without season below two weeks: Hyndman and
// Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 8.3.
// The parameters are those of the grid with the least squared one-step error.
func holtWinters(y, out []float64) {
	var (
		start  = startState(y)
		best   hwState
		damp   float64
		least  = math.Inf(1)
		season = start.seasonal
	)
	for _, alpha := range alphas {
		for _, beta := range betas {
			for _, gamma := range gammas {
				for _, phi := range phis {
					p := smoothing{alpha, beta, gamma, phi}
					s := start
					if sse := s.run(y, p); sse < least {
						least, best, damp = sse, s, phi
					}
					if beta == 0 {
						break // no trend to damp
					}
				}
				if !season {
					break
				}
			}
		}
	}
	step, trend := 1.0, 0.0
	for h := range out {
		step *= damp
		trend += step * best.trend
		out[h] = best.level + trend
		if season {
			out[h] += best.season[(len(y)+h)%week]
		}
	}
}

// hwState is the smoothing state; season is indexed by position modulo week.
type hwState struct {
	level, trend float64
	season       [week]float64
	seasonal     bool
}

// startState estimates the state before the first day. With two weeks or more,
// the season is each position's mean deviation from its week's mean.
func startState(y []float64) hwState {
	if len(y) < 2*week {
		return hwState{level: y[0]}
	}
	s := hwState{seasonal: true}
	weeks := len(y) / week
	first, last := mean(y[:week]), mean(y[(weeks-1)*week:weeks*week])
	slope := (last - first) / float64((weeks-1)*week)
	for w := range weeks {
		m := mean(y[w*week : (w+1)*week])
		for i := range week {
			// Within its week a steady slope is not season.
			s.season[i] += (y[w*week+i] - m - slope*float64(i-week/2)) / float64(weeks)
		}
	}
	s.level = first - slope*float64(week/2+1)
	s.trend = slope
	return s
}

// run smooths over y and returns the sum of squared one-step errors.
func (s *hwState) run(y []float64, p smoothing) (sse float64) {
	if p.beta == 0 {
		s.trend = 0
	}
	for i, v := range y {
		seasonal := s.season[i%week]
		ahead := s.level + p.phi*s.trend
		e := v - ahead - seasonal
		sse += e * e
		s.level = ahead + p.alpha*e
		s.trend = p.phi*s.trend + p.alpha*p.beta*e
		if s.seasonal {
			s.season[i%week] = seasonal + p.gamma*(1-p.alpha)*e
		}
	}
	return sse
}
