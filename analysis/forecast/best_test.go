package forecast

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// weekly returns n days from monday on: weekday with 5 % of alternating noise,
// weekend on Saturday and Sunday.
func weekly(n int, weekday, weekend float64) []float64 {
	costs := make([]float64, n)
	for i := range costs {
		costs[i] = weekday * (1 + 0.05*float64(i%3-1))
		if i%7 >= 5 {
			costs[i] = weekend
		}
	}
	return costs
}

func TestBestSeesAWeekend(t *testing.T) {
	for _, n := range []int{7, 14, 28, 56} {
		for _, weekend := range []float64{0, 3} {
			r, err := forecasterOf(t, weekly(n, 10, weekend)).Daily(14, MethodBest)
			require.NoError(t, err)
			require.NotNil(t, r.Backtest)
			assert.True(t, r.Backtest.Season)
			for i, p := range r.DailyPredictions {
				want := 10.0
				if i%7 >= 5 {
					want = weekend
				}
				assert.InDelta(t, want, p.PredictedCost, 1, "%d days, weekend %g: %s", n, weekend, p.Date)
			}
		}
	}
}

func TestBacktestTable(t *testing.T) {
	r, err := forecasterOf(t, weekly(35, 10, 3)).Daily(7, MethodBest)
	require.NoError(t, err)
	assert.Equal(t, MethodBest, r.Method)
	assert.Equal(t, 21, r.Backtest.Origins)
	var sum float64
	mase := map[BacktestRow]float64{}
	for _, row := range r.Backtest.Rows {
		sum += row.Weight
		mase[BacktestRow{Method: row.Method, Adjusted: row.Adjusted}] = row.MASE
	}
	assert.InDelta(t, 1, sum, 1e-12)
	assert.Len(t, mase, 8, "five methods, and three of them with the season removed")
	assert.Less(t, mase[BacktestRow{Method: MethodAverage, Adjusted: true}], 0.5*mase[BacktestRow{Method: MethodAverage}])

	// By hand: from each of the last 21 days, up to 7 days ahead.
	y := weekly(35, 10, 3)
	var e, scale float64
	var count int
	for origin := 14; origin < 35; origin++ {
		for h := origin; h < min(35, origin+7); h++ {
			e += math.Abs(mean(y[:origin]) - y[h])
			count++
		}
	}
	for i := 1; i < len(y); i++ {
		scale += math.Abs(y[i] - y[i-1])
	}
	assert.InEpsilon(t, e/float64(count)/(scale/34), mase[BacktestRow{Method: MethodAverage}], 1e-9)
	assert.Contains(t, r.Render(), "weekly season found")
}

func TestBestSaysWhenThereIsTooLittle(t *testing.T) {
	for n, used := range map[int]Method{1: MethodAverage, 2: MethodAverage, 3: MethodEMA, 6: MethodEMA} {
		f := forecasterOf(t, weekly(n, 10, 3))
		r, err := f.Daily(7, MethodBest)
		require.NoError(t, err)
		assert.Equal(t, used, r.Method)
		assert.Equal(t, MethodBest, r.Requested)
		require.NotNil(t, r.Insufficient)
		assert.Equal(t, InsufficientDataError{What: "method best", Have: n, Need: 7}, *r.Insufficient)
		assert.Nil(t, r.Backtest)
		b, err := f.CheckBudget(Budget{LimitUSD: 1000, Period: PeriodMonthly})
		require.NoError(t, err)
		assert.False(t, b.ProbabilityOfExceeding.OK)
		require.NotNil(t, b.Insufficient)
		assert.Equal(t, n, b.Insufficient.Have)
	}
}

func TestBestFollowsAJump(t *testing.T) {
	costs := append(weekly(20, 10, 10), weekly(15, 40, 40)...)
	r, err := forecasterOf(t, costs).Daily(7, MethodBest)
	require.NoError(t, err)
	assert.InEpsilon(t, 7*40, r.TotalPredictedCost, 0.1)
}

func TestConstantAndEmptyUse(t *testing.T) {
	for _, level := range []float64{0, 1e-9, 2, 1e15} {
		costs := make([]float64, 30)
		fill(costs, level)
		f := forecasterOf(t, nil)
		for i, c := range costs {
			r := use(i, 0)
			r.CostUSD = c
			require.NoError(t, f.Add(r))
		}
		r, err := f.Daily(7, MethodBest)
		require.NoError(t, err)
		assert.False(t, r.Backtest.Season)
		for _, p := range r.DailyPredictions {
			assert.InDelta(t, level, p.PredictedCost, 1e-9*level)
			assert.InDelta(t, level, p.Low, 1e-6*level)
			assert.InDelta(t, level, p.High, 1e-6*level)
		}
		for _, row := range r.Backtest.Rows {
			assert.False(t, math.IsNaN(row.MASE) || math.IsNaN(row.Weight), "%+v", row)
		}
	}
}

func TestIntervalsWidenWithTheHorizon(t *testing.T) {
	for _, m := range []Method{MethodBest, MethodHoltWinters} {
		r, err := forecasterOf(t, weekly(28, 10, 9)).Daily(29, m)
		require.NoError(t, err)
		near, far := r.DailyPredictions[0], r.DailyPredictions[28]
		assert.Less(t, near.High-near.Low, far.High-far.Low, "%s", m)
	}
}

// Mid-day, the running day is neither data nor forgotten.
func TestRunningDay(t *testing.T) {
	now := monday.AddDate(0, 0, 14)
	clock := func() time.Time { return now }
	f := forecasterOf(t, weekly(14, 10, 3), WithNow(clock))
	require.NoError(t, f.Add(use(14, 0.5)))
	without := forecasterOf(t, weekly(14, 10, 3))

	want, err := without.Daily(7, MethodBest)
	require.NoError(t, err)
	got, err := f.Daily(7, MethodBest)
	require.NoError(t, err)
	assert.Equal(t, want.DailyPredictions, got.DailyPredictions)
	assert.Equal(t, DateOf(now), got.DailyPredictions[0].Date)
	assert.Equal(t, 14, got.DataPoints)

	require.NoError(t, f.Add(use(14, 99.5)))
	got, err = f.Daily(7, MethodBest)
	require.NoError(t, err)
	today := got.DailyPredictions[0]
	assert.Equal(t, 100.0, today.PredictedCost, "it has cost that already")
	assert.Equal(t, 100.0, today.Low)
	assert.Equal(t, want.DailyPredictions[1:], got.DailyPredictions[1:])

	// A week of silence is a week of zeros.
	now = now.AddDate(0, 0, 7)
	got, err = f.Daily(1, MethodAverage)
	require.NoError(t, err)
	assert.Equal(t, 21, got.DataPoints)
	assert.Equal(t, DateOf(now), got.DailyPredictions[0].Date)

	first := forecasterOf(t, []float64{1}, WithNow(func() time.Time { return monday }))
	_, err = first.Daily(1, MethodAuto)
	var insufficient *InsufficientDataError
	require.ErrorAs(t, err, &insufficient)
	s, err := first.Summary()
	require.NoError(t, err, "what was spent today is known")
	assert.Equal(t, 1.0, s.TotalCost)
}
