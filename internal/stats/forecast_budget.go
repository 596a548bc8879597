package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

// reliability compares probabilities of exceeding a budget with how often it
// was exceeded, by probability band.
type reliability struct {
	n, exceeded [len(probabilityBands)]int
	given       [len(probabilityBands)]float64
}

// probabilityBands are the upper bounds of the bands.
var probabilityBands = [...]float64{0.1, 0.3, 0.5, 0.7, 0.9, 1}

// observe checks one budget for the history and the horizon after it, 20 % over
// or under what a week like the last one would cost.
func (r *reliability) observe(rng *rand.Rand, f *forecast.Forecaster, history, future []float64) error {
	var spent, next float64
	for _, c := range history {
		spent += c
	}
	for _, c := range future {
		next += c
	}
	limit := spent + mean(history[len(history)-7:])*horizon*(0.8+0.4*rng.Float64())
	report, err := f.CheckBudget(forecast.Budget{
		LimitUSD: limit, Period: forecast.PeriodRecorded, Days: len(history) + horizon,
	})
	if err != nil {
		return err
	}
	p, ok := report.ProbabilityOfExceeding.Get()
	if !ok {
		return fmt.Errorf("no probability from %d days: %w", len(history), report.Insufficient)
	}
	band := 0
	for p > probabilityBands[band] {
		band++
	}
	r.n[band]++
	r.given[band] += p
	if spent+next > limit {
		r.exceeded[band]++
	}
	return nil
}

func (r *reliability) merge(o *reliability) {
	for i := range r.n {
		r.n[i] += o.n[i]
		r.exceeded[i] += o.exceeded[i]
		r.given[i] += o.given[i]
	}
}

// table shows, for each band, the mean probability given and the share of
// budgets exceeded.
func (r *reliability) table() *table {
	t := newTable("band", "budgets", "mean probability", "exceeded")
	low := 0.0
	for i, high := range probabilityBands {
		if n := float64(r.n[i]); n > 0 {
			t.row(fmt.Sprintf("%.0f-%.0f %%", 100*low, 100*high), r.n[i],
				fmt.Sprintf("%.1f %%", 100*r.given[i]/n), fmt.Sprintf("%.1f %%", 100*float64(r.exceeded[i])/n))
		}
		low = high
	}
	return t
}
