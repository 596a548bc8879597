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

// seasonalHoltWinters is how many days it takes to fit a season: two weeks to
// start it from, and one to see whether it holds.
const seasonalHoltWinters = 3 * week

// smoothingDays bounds the days that are smoothed over. The slowest smoothing
// of the grid gives the days before them 1 % of the weight.
const smoothingDays = 12 * week

// holtWinters forecasts with additive damped-trend exponential smoothing and a
// season of a week, or without season below seasonalHoltWinters days: Hyndman
// and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section
// 8.3. The parameters are those of the grid with the least squared one-step
// error.
func holtWinters(y, out []float64) {
	if len(y) < seasonalHoltWinters {
		dampedHolt(y, out)
		return
	}
	y = y[max(0, len(y)-smoothingDays):]
	s, phi := startSeason(y).fit(y, gammas[:])
	s.predict(phi, out)
	for h := range out {
		out[h] += s.season[(len(y)+h)%week]
	}
}

// dampedHolt forecasts the same way without a season.
func dampedHolt(y, out []float64) {
	y = y[max(0, len(y)-smoothingDays):]
	s, phi := hwState{level: y[0]}.fit(y, []float64{0})
	s.predict(phi, out)
}

// hwState is the smoothing state; season is indexed by position modulo week.
type hwState struct {
	level, trend float64
	season       [week]float64
}

// startSeason estimates the state before the first day. The season is each
// position's mean deviation from its week's mean.
func startSeason(y []float64) hwState {
	var s hwState
	weeks := len(y) / week
	first, last := mean(y[:week]), mean(y[(weeks-1)*week:weeks*week])
	s.trend = (last - first) / float64((weeks-1)*week)
	for w := range weeks {
		m := mean(y[w*week : (w+1)*week])
		for i := range week {
			// Within its week a steady slope is not season.
			s.season[i] += (y[w*week+i] - m - s.trend*float64(i-week/2)) / float64(weeks)
		}
	}
	s.level = first - s.trend*float64(week/2+1)
	return s
}

// fit smooths y from the start s with every parameter of the grid, and returns
// the final state and phi of the best.
func (s hwState) fit(y, gammas []float64) (best hwState, damp float64) {
	least := math.Inf(1)
	for _, alpha := range alphas {
		for _, beta := range betas {
			for _, gamma := range gammas {
				for _, phi := range phis {
					end := s
					if sse := end.run(y, smoothing{alpha, beta, gamma, phi}); sse < least {
						least, best, damp = sse, end, phi
					}
					if beta == 0 {
						break // no trend to damp
					}
				}
			}
		}
	}
	return best, damp
}

// run smooths over y and returns the sum of squared one-step errors.
func (s *hwState) run(y []float64, p smoothing) (sse float64) {
	if p.beta == 0 {
		s.trend = 0
	}
	at := 0
	for _, v := range y {
		ahead := s.level + p.phi*s.trend
		e := v - ahead - s.season[at]
		sse += e * e
		s.level = ahead + p.alpha*e
		s.trend = p.phi*s.trend + p.alpha*p.beta*e
		s.season[at] += p.gamma * (1 - p.alpha) * e
		if at++; at == week {
			at = 0
		}
	}
	return sse
}

// predict writes the level with its damped trend into out.
func (s *hwState) predict(phi float64, out []float64) {
	step, trend := 1.0, 0.0
	for h := range out {
		step *= phi
		trend += step * s.trend
		out[h] = s.level + trend
	}
}
