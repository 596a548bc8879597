package forecast

import (
	"math"
	"time"
)

// Backtest is how best weighed the methods: each forecast days that were
// already known from those before them, again and again from later origins.
type Backtest struct {
	// Origins counts the days forecast from, Horizon how many days ahead.
	Origins int `json:"origins"`
	Horizon int `json:"horizon_days"`
	// Season is whether a weekly season was found. Average, linear, ema and,
	// below three weeks, holt_winters then forecast what remains without it;
	// as they are, they are in the table for comparison, with weight 0. Below
	// two weeks the season comes from all days, those forecast included, so
	// the errors without it are flattered.
	Season bool          `json:"weekly_season"`
	Rows   []BacktestRow `json:"methods"`
}

// BacktestRow is one method's part.
type BacktestRow struct {
	Method   Method `json:"method"`
	Adjusted bool   `json:"seasonally_adjusted"`
	// MASE is the mean absolute error as a multiple of the history's mean
	// absolute change from day to day (Hyndman and Koehler, 2006); 0 when the
	// history never changes.
	MASE float64 `json:"mase"`
	// Weight is the method's share in the forecast, from 0 to 1.
	Weight float64 `json:"weight"`
}

const (
	// bestDays is the least history best works with: a week.
	bestDays = week
	// backtestHorizon does not depend on how many days are asked for, so that
	// a forecast of 7 days is the beginning of one of 30.
	backtestHorizon = week
	maxOrigins      = 4 * week
)

// firstOrigin returns how many of n days the first back-test origin knows: at
// least 3, a week or two weeks where the history affords it.
func firstOrigin(n int) int {
	switch {
	case n >= 2*week+maxOrigins:
		return n - maxOrigins
	case n >= 3*week:
		return 2 * week
	case n >= week+3:
		return week
	}
	return 3
}

// form is a method as best uses it: plain, or on the seasonally adjusted series.
type form struct {
	method   Method
	adjusted bool
}

// daily is a daily history with the weekdays of it and of the days to predict.
type daily struct {
	y        []float64
	weekdays []time.Weekday
	// season is the profile to adjust by; nil = estimate it from y.
	season *profile
}

// until returns the history as it was after n days.
func (d *daily) until(n int) daily { return daily{d.y[:n], d.weekdays, d.season} }

// predict writes the unclamped forecast of the days after d into out.
func (f form) predict(d daily, out []float64) {
	if !f.adjusted {
		f.method.predict(d.y, out)
		return
	}
	season := d.season
	if season == nil {
		p := weekProfile(d.y, d.weekdays[:len(d.y)])
		season = &p
	}
	adjusted := season.remove(d.y, d.weekdays)
	if f.method == MethodHoltWinters {
		dampedHolt(adjusted, out)
	} else {
		f.method.predict(adjusted, out)
	}
	season.apply(out, d.weekdays[len(d.y):])
}

// blend is a weighted mean of forms; the weights add up to 1.
type blend struct {
	forms   []form
	weights []float64
}

// predict writes the weighted forecast into out, clamped at 0.
func (b *blend) predict(d daily, out []float64) {
	fill(out, 0)
	part := make([]float64, len(out))
	for i, f := range b.forms {
		if b.weights[i] == 0 {
			continue
		}
		f.predict(d, part)
		for h, v := range part {
			out[h] += b.weights[i] * v
		}
	}
	for h := range out {
		out[h] = max(0, out[h])
	}
}

// chooseBlend back-tests the candidates on a history of at least bestDays.
//
// Weights fall with a power of the error. The more origins there are, the
// higher the power, since a few origins tell methods apart no better than
// chance; then the priors rule. Combining beats choosing the least error, which
// is often least by luck (Bates and Granger, 1969).
func chooseBlend(d daily) (*blend, *Backtest) {
	n := len(d.y)
	whole := weekProfile(d.y, d.weekdays[:n])
	if n < 2*week {
		// The origins know too few days to find the season themselves.
		d.season = &whole
	}
	b := &blend{}
	for _, m := range candidates {
		b.forms = append(b.forms, form{m, adjustable(m, n)})
	}
	errs := d.absoluteErrors(b.forms)

	first := firstOrigin(n)
	power := min(8, float64(n-first)/4)
	least := math.Inf(1)
	for _, e := range errs {
		least = min(least, e)
	}
	// A history that fits exactly must not divide by 0.
	floor := 1e-9*mean(d.y) + math.SmallestNonzeroFloat64
	b.weights = make([]float64, len(b.forms))
	var sum float64
	for i, f := range b.forms {
		b.weights[i] = prior(f.method, n) * math.Pow((least+floor)/(errs[i]+floor), power)
		sum += b.weights[i]
	}
	const negligible = 0.01
	var kept float64
	for i := range b.weights {
		if b.weights[i] < negligible*sum {
			b.weights[i] = 0
		}
		kept += b.weights[i]
	}
	for i := range b.weights {
		b.weights[i] /= kept
	}
	return b, d.table(b, errs, whole != noSeason)
}

// adjustable reports whether best runs m on the seasonally adjusted series of n
// days: all but those with a season of their own.
func adjustable(m Method, n int) bool {
	return m != MethodSeasonalNaive && (m != MethodHoltWinters || n < seasonalHoltWinters)
}

// prior is a method's weight before its errors are known. The figures come from
// the simulations of internal/stats. ema follows a level that moves and loses
// little when it does not; what has more to estimate is trusted only as far as
// the back-test carries it.
func prior(m Method, n int) float64 {
	short := n < 2*week
	switch m {
	case MethodEMA:
		if n >= 4*week {
			return 3 // there are origins enough to tell
		}
		return 8
	case MethodAverage:
		return 1
	case MethodLinear:
		if !short {
			return 1
		}
	case MethodHoltWinters:
		if short {
			return 2 // the one method that catches up with a jump within days
		}
	case MethodSeasonalNaive:
		if short {
			return 0 // there is no second week to have tested it on
		}
	}
	return 0.3
}

// absoluteErrors returns each form's mean absolute error over all origins and
// days ahead.
func (d *daily) absoluteErrors(forms []form) []float64 {
	n := len(d.y)
	sums := make([]float64, len(forms))
	var count int
	out := make([]float64, backtestHorizon)
	for origin := firstOrigin(n); origin < n; origin++ {
		known, ahead := d.until(origin), min(backtestHorizon, n-origin)
		count += ahead
		for i, f := range forms {
			f.predict(known, out[:ahead])
			for h, v := range out[:ahead] {
				sums[i] += math.Abs(max(0, v) - d.y[origin+h])
			}
		}
	}
	for i := range sums {
		sums[i] /= float64(count)
	}
	return sums
}

// table reports a blend, with the plain methods for comparison where the season
// made a difference.
func (d *daily) table(b *blend, errs []float64, season bool) *Backtest {
	n := len(d.y)
	t := &Backtest{Origins: n - firstOrigin(n), Horizon: backtestHorizon, Season: season}
	var scale float64
	for i := 1; i < n; i++ {
		scale += math.Abs(d.y[i]-d.y[i-1]) / float64(n-1)
	}
	mase := func(e float64) float64 {
		if scale == 0 {
			return 0
		}
		return e / scale
	}
	var plain []form
	for i, f := range b.forms {
		t.Rows = append(t.Rows, BacktestRow{f.method, f.adjusted && season, mase(errs[i]), b.weights[i]})
		if f.adjusted && season {
			plain = append(plain, form{f.method, false})
		}
	}
	for i, e := range d.absoluteErrors(plain) {
		t.Rows = append(t.Rows, BacktestRow{plain[i].method, false, mase(e), 0})
	}
	return t
}
