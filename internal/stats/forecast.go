package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

// horizon is how many days each simulated forecast looks ahead.
const horizon = 7

var (
	seriesKinds = []string{"flat", "weekly", "trend + weekly", "level jump"}
	histories   = []int{7, 14, 28, 56} // days
	methods     = []forecast.Method{
		forecast.MethodAverage, forecast.MethodLinear, forecast.MethodEMA,
		forecast.MethodSeasonalNaive, forecast.MethodHoltWinters, forecast.MethodBest,
	}
)

// noise is the standard deviation of the logarithm of a day's cost around its
// expectation, in every simulated series.
const noise = 0.15

// forecastRow is what one kind of series and length of history measured. The
// figures of a method are indexed as methods is.
type forecastRow struct {
	kind string
	days int
	// wape is the mean absolute error of a daily cost in percent of the mean
	// daily cost of the days forecast; mase relates it to the mean absolute
	// change from day to day in the history.
	wape, mase []float64
	// coverage is the percentage of days within best's 90 % interval.
	coverage float64
	budgets  reliability
}

// bestFixed returns the least error of the methods other than best.
func (r *forecastRow) bestFixed() float64 {
	least := math.Inf(1)
	for _, e := range r.wape[:len(methods)-1] {
		least = min(least, e)
	}
	return least
}

// best returns the error of best.
func (r *forecastRow) best() float64 { return r.wape[len(methods)-1] }

// forecastTables prints error, MASE and interval coverage of the forecast
// methods on simulated series, and how far budget probabilities hold.
func forecastTables(w io.Writer, seed uint64, runs int) error {
	rows, err := simulateForecasts(seed, runs)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "## Forecast\n\n%d series a row, %d days ahead, daily noise %.0f %%.\n\n", runs, horizon, 100*noise)

	headers := []string{"series", "days"}
	for _, m := range methods {
		headers = append(headers, string(m))
	}
	fmt.Fprint(w, "Mean absolute error in percent of the mean daily cost, and coverage of best's 90 % interval in percent:\n\n")
	wape := newTable(append(headers, "best - best fixed", "coverage")...)
	mase := newTable(headers...)
	var budgets reliability
	for _, r := range rows {
		cells := []any{r.kind, r.days}
		for _, e := range r.wape {
			cells = append(cells, fmt.Sprintf("%.1f", e))
		}
		wape.row(append(cells, fmt.Sprintf("%+.1f", r.best()-r.bestFixed()), fmt.Sprintf("%.1f", r.coverage))...)
		cells = []any{r.kind, r.days}
		for _, e := range r.mase {
			cells = append(cells, e)
		}
		mase.row(cells...)
		budgets.merge(&r.budgets)
	}
	if err := wape.write(w); err != nil {
		return err
	}
	fmt.Fprint(w, "MASE (1 = the mean change from day to day in the history):\n\n")
	if err := mase.write(w); err != nil {
		return err
	}
	fmt.Fprint(w, "Weekly budgets, by the probability of exceeding that was given:\n\n")
	return budgets.table().write(w)
}

// simulateForecasts measures every kind of series with every history.
func simulateForecasts(seed uint64, runs int) ([]forecastRow, error) {
	var rows []forecastRow
	for _, kind := range seriesKinds {
		for _, days := range histories {
			rows = append(rows, forecastRow{kind: kind, days: days})
		}
	}
	errs := make([]error, len(rows))
	var wg sync.WaitGroup
	for i := range rows {
		wg.Go(func() {
			// A generator a row: the figures do not depend on scheduling.
			errs[i] = rows[i].simulate(rand.New(rand.NewPCG(seed, uint64(i))), runs)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (r *forecastRow) simulate(rng *rand.Rand, runs int) error {
	r.wape, r.mase = make([]float64, len(methods)), make([]float64, len(methods))
	covered := 0
	for range runs {
		start := forecast.DateOf(time.Date(2026, 1, 1+rng.IntN(7), 0, 0, 0, 0, time.UTC))
		costs := simulateCosts(rng, r.kind, start, r.days)
		history, future := costs[:r.days], costs[r.days:]
		f, err := forecaster(start, history)
		if err != nil {
			return err
		}
		change := meanChange(history)
		for i, m := range methods {
			result, err := f.Daily(horizon, m)
			if err != nil {
				return err
			}
			var mae float64
			for h, p := range result.DailyPredictions {
				mae += math.Abs(p.PredictedCost-future[h]) / horizon
				if m == forecast.MethodBest && p.Low <= future[h] && future[h] <= p.High {
					covered++
				}
			}
			r.wape[i] += 100 * mae / mean(future) / float64(runs)
			r.mase[i] += mae / change / float64(runs)
		}
		if err := r.budgets.observe(rng, f, history, future); err != nil {
			return err
		}
	}
	r.coverage = 100 * float64(covered) / float64(runs*horizon)
	return nil
}

// simulateCosts returns history and future of a series: a level, drawn anew
// each time, with multiplicative noise. Weekends cost 30 % of other days, the
// trend is 1.5 % of the first day's level a day, and the level jump doubles or
// halves the level somewhere in the middle half of the history.
func simulateCosts(rng *rand.Rand, kind string, start forecast.Date, days int) []float64 {
	level := 5 * math.Exp(rng.NormFloat64()) // USD
	jumpAt := int(float64(days) * (0.25 + 0.5*rng.Float64()))
	factor := 2.0
	if rng.IntN(2) == 0 {
		factor = 0.5
	}
	costs := make([]float64, days+horizon)
	for i := range costs {
		v := level
		if kind == "weekly" || kind == "trend + weekly" {
			if d := (start + forecast.Date(i)).Weekday(); d == time.Saturday || d == time.Sunday {
				v *= 0.3
			}
		}
		if kind == "trend + weekly" {
			v *= 1 + 0.015*float64(i)
		}
		if kind == "level jump" && i >= jumpAt {
			v *= factor
		}
		costs[i] = v * math.Exp(noise*rng.NormFloat64()-noise*noise/2)
	}
	return costs
}

// forecaster returns a Forecaster that was given the costs of days from start.
func forecaster(start forecast.Date, costs []float64) (*forecast.Forecaster, error) {
	f, err := forecast.New()
	if err != nil {
		return nil, err
	}
	for i, c := range costs {
		at := (start + forecast.Date(i)).Time().Add(12 * time.Hour)
		if err := f.Add(forecast.UsageRecord{Timestamp: at, TokensIn: int64(1000 * c), CostUSD: c, Model: "gpt-4o"}); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func mean(y []float64) float64 {
	var sum float64
	for _, v := range y {
		sum += v
	}
	return sum / float64(len(y))
}

func meanChange(y []float64) float64 {
	var sum float64
	for i := 1; i < len(y); i++ {
		sum += math.Abs(y[i] - y[i-1])
	}
	return sum / float64(len(y)-1)
}
