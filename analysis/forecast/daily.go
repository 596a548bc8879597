package forecast

import (
	"fmt"
	"math"
)

// MaxDays is the longest horizon.
const MaxDays = 90

// Result is a forecast. Its JSON names are the original's.
type Result struct {
	// Method is the method used: never auto, and never best, unless best
	// combined several; Requested is the one asked for.
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
	// Low and High bound the cost in USD. For linear, ema and average they are
	// the original's bounds; for the other methods nine days of ten fall
	// between them.
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
	return s.forecast(days, method), nil
}

// forecast runs a known method.
func (s *series) forecast(days int, requested Method) *Result {
	method, _ := requested.resolve(len(s.cost))
	r := &Result{Requested: requested, DataPoints: len(s.cost)}

	cost := make([]float64, days)
	method.predict(s.cost, cost)
	tokens := make([]int64, days)
	s.predictTokens(method, tokens)
	low, high := originalInterval(method, s.cost, cost)

	r.Method = method
	r.DailyPredictions = make([]DailyPrediction, days)
	for h := range r.DailyPredictions {
		p := DailyPrediction{
			Date: s.next + Date(h), Method: method,
			PredictedCost: max(0, cost[h]), PredictedTokens: tokens[h],
		}
		if h == 0 {
			p.PredictedCost = max(p.PredictedCost, s.running.cost.Float64())
			p.PredictedTokens = max(p.PredictedTokens, s.running.tokens())
		}
		p.Low = min(max(0, low[h]), p.PredictedCost)
		p.High = max(high[h], p.PredictedCost)
		r.TotalPredictedCost += p.PredictedCost
		r.TotalPredictedTokens = addTokens(r.TotalPredictedTokens, p.PredictedTokens)
		r.DailyPredictions[h] = p
	}
	return r
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
