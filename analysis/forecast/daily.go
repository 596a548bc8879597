package forecast

import (
	"fmt"
	"math"
)

// MaxDays is the longest horizon.
const MaxDays = 90

// Result is a forecast. Its JSON names are the original's.
type Result struct {
	// Method is the method used, never auto; Requested is the one asked for.
	Method    Method `json:"method"`
	Requested Method `json:"requested_method"`
	// DataPoints counts the days that were fitted.
	DataPoints           int     `json:"data_points_used"`
	TotalPredictedCost   float64 `json:"total_predicted_cost"` // USD
	TotalPredictedTokens int64   `json:"total_predicted_tokens"`

	DailyPredictions []DailyPrediction `json:"daily_predictions"`

	// Backtest is how best came to its forecast; nil for other methods.
	Backtest *Backtest `json:"backtest,omitempty"`
	// Insufficient says why best answered with what auto would have taken.
	Insufficient *InsufficientDataError `json:"insufficient_data,omitempty"`
}

// DailyPrediction is the forecast of one day. Low <= PredictedCost <= High.
type DailyPrediction struct {
	Date            Date    `json:"date"`
	PredictedCost   float64 `json:"predicted_cost"` // USD
	PredictedTokens int64   `json:"predicted_tokens"`
	// Low and High bound the cost in USD. For linear, ema and average, and
	// for every method below 7 days of data, they are the original's bounds.
	// Otherwise they are a 90 % interval from the errors of the back-test;
	// internal/stats measures how many days fall into it.
	Low    float64 `json:"confidence_low"`
	High   float64 `json:"confidence_high"`
	Method Method  `json:"method"`
}

// InsufficientDataError says that there are too few days of data for something.
type InsufficientDataError struct {
	What string `json:"what"`
	Have int    `json:"have_days"`
	Need int    `json:"need_days"`
}

func (e *InsufficientDataError) Error() string {
	return fmt.Sprintf("forecast: %d complete days of data, %s needs %d", e.Have, e.What, e.Need)
}

// Daily forecasts the given number of days (1 to 90) after the last day with
// data, or from the running day on (WithNow). It returns a *analysis.FieldError
// for days or method, ErrNoRecords when there are none, and an
// *InsufficientDataError when the running day is all there is.
func (f *Forecaster) Daily(days int, method Method) (*Result, error) {
	if err := checkDays(days); err != nil {
		return nil, err
	}
	if _, err := method.resolve(0); err != nil {
		return nil, err
	}
	s, err := f.series()
	if err != nil {
		return nil, err
	}
	r := s.result(s.predict(days, method))
	r.Requested = method
	return r, nil
}

// result clamps a prediction to what can be, and adds it up.
func (s *series) result(p *prediction) *Result {
	r := &Result{
		Method: p.method, DataPoints: len(s.cost),
		DailyPredictions: make([]DailyPrediction, len(p.cost)),
		Backtest:         p.backtest, Insufficient: p.insufficient,
	}
	for h := range r.DailyPredictions {
		cost := max(0, p.cost[h])
		r.DailyPredictions[h] = DailyPrediction{
			Date: s.next + Date(h), Method: p.method,
			PredictedCost: cost, PredictedTokens: p.tokens[h],
			Low: min(max(0, p.low[h]), cost), High: max(p.high[h], cost),
		}
	}
	if s.running.records > 0 {
		// The running day will not cost less than it has.
		spent, today := s.running.cost.Float64(), &r.DailyPredictions[0]
		today.PredictedCost = max(today.PredictedCost, spent)
		today.PredictedTokens = max(today.PredictedTokens, s.running.tokens())
		today.Low = max(today.Low, spent)
		today.High = max(today.High, spent)
	}
	for i := range r.DailyPredictions {
		r.TotalPredictedCost += r.DailyPredictions[i].PredictedCost
		r.TotalPredictedTokens = addTokens(r.TotalPredictedTokens, r.DailyPredictions[i].PredictedTokens)
	}
	return r
}

// prediction is a forecast before it is dressed up: costs and bounds unclamped.
type prediction struct {
	method          Method
	cost, low, high []float64
	tokens          []int64
	backtest        *Backtest
	insufficient    *InsufficientDataError
	// blend is what made the costs, spread how wrong it has been: nil until
	// measured, and when there are too few days to measure it.
	blend  *blend
	spread *spread
}

func (s *series) predict(days int, requested Method) *prediction {
	s.reach(days)
	n := len(s.cost)
	method, _ := requested.resolve(n)
	p := &prediction{method: method, cost: make([]float64, days), tokens: make([]int64, days)}
	if method == MethodBest && n < bestDays {
		p.insufficient = &InsufficientDataError{What: "method best", Have: n, Need: bestDays}
		p.method, _ = MethodAuto.resolve(n)
	}
	if p.method == MethodBest {
		history := s.costs()
		p.blend, p.backtest = chooseBlend(history)
		p.blend.predict(history, p.cost)
		s.blendTokens(p.blend, p.tokens)
	} else {
		p.blend = &blend{forms: []form{{method: p.method}}, weights: []float64{1}}
		p.method.predict(s.cost, p.cost)
		s.predictTokens(p.method, p.tokens)
	}
	switch p.method {
	case MethodBest, MethodSeasonalNaive, MethodHoltWinters:
		if s.measure(p); p.spread != nil {
			p.low, p.high = p.spread.interval(p.cost)
			return p
		}
	}
	p.low, p.high = originalInterval(p.method, s.cost, p.cost)
	return p
}

// measure fills in the spread, if there are days enough.
func (s *series) measure(p *prediction) {
	if p.spread == nil && len(s.cost) >= bestDays {
		p.spread = p.blend.spreadOf(s.costs(), p.cost)
	}
}

// predictTokens forecasts the tokens of a day: whole numbers, 0 or more.
func (s *series) predictTokens(m Method, out []int64) {
	if m == MethodAverage {
		// In integers, as the original divides.
		var sum int64
		for _, t := range s.tokens {
			sum += t
		}
		for h := range out {
			out[h] = sum / int64(len(s.tokens))
		}
		return
	}
	predicted := make([]float64, len(out))
	m.predict(s.floats(), predicted)
	for h := range out {
		out[h] = truncTokens(predicted[h])
	}
}

// blendTokens forecasts tokens with the weights found for costs.
func (s *series) blendTokens(b *blend, out []int64) {
	predicted := make([]float64, len(out))
	b.predict(daily{y: s.floats(), weekdays: s.weekdays}, predicted)
	for h := range out {
		out[h] = truncTokens(predicted[h])
	}
}

// originalInterval returns the original's bounds, unclamped, for the unclamped
// predictions: the same width on every day ahead.
func originalInterval(m Method, y, predicted []float64) (low, high []float64) {
	low, high = make([]float64, len(predicted)), make([]float64, len(predicted))
	n := len(y)
	var margin float64
	switch {
	case m == MethodLinear && n >= 3:
		const normal90 = 1.645
		margin = normal90 * fitLine(y).residualError(y) * math.Sqrt(1+1/float64(n))
	case m != MethodLinear && n >= 2:
		margin = 1.5 * sampleDeviation(y)
	}
	for h, p := range predicted {
		switch {
		case m == MethodLinear && n < 3:
			p = max(0, p)
			low[h], high[h] = 0.5*p, 1.5*p
		case m != MethodLinear && n < 2:
			low[h], high[h] = p-0.75*p, p+0.75*p
		default:
			low[h], high[h] = p-margin, p+margin
		}
	}
	return low, high
}
