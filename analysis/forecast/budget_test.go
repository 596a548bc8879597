package forecast

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckBudgetRefuses(t *testing.T) {
	f := forecasterOf(t, []float64{1, 2, 3})
	for field, b := range map[string]Budget{
		"budget_usd":     {LimitUSD: 0, Period: PeriodMonthly},
		"period":         {LimitUSD: 1, Period: "yearly"},
		"days_in_period": {LimitUSD: 1, Period: PeriodRecorded},
		"method":         {LimitUSD: 1, Period: PeriodWeekly, Method: "arima"},
	} {
		_, err := f.CheckBudget(b)
		requireField(t, err, field)
	}
}

// 10 dollars a day from March 2 on; it is the afternoon of March 17, with 4 dollars spent.
func tenADay(t *testing.T) *Forecaster {
	costs := make([]float64, 15)
	for i := range costs {
		costs[i] = 9.5 + float64(i%2)
	}
	f := forecasterOf(t, costs, WithNow(func() time.Time { return monday.AddDate(0, 0, 15) }))
	require.NoError(t, f.Add(use(15, 4)))
	return f
}

func TestMonthlyBudget(t *testing.T) {
	f := tenADay(t)
	for _, c := range []struct {
		limit       float64
		severity    Severity
		exhausted   string
		days        int64
		probability float64
		within      float64
	}{
		// Spent to March 16: 149.5; to come, the 17th included: 15 days of 10.
		{500, SeveritySafe, "", 0, 0, 0.01},
		{320, SeverityWarning, "", 0, 0, 0.2},
		{260, SeverityCritical, "2026-03-28", 11, 1, 0.05},
		{150, SeverityCritical, "2026-03-17", 0, 1, 0},
		{100, SeverityCritical, "2026-03-11", 0, 1, 0},
	} {
		r, err := f.CheckBudget(Budget{LimitUSD: c.limit, Period: PeriodMonthly})
		require.NoError(t, err)
		assert.Equal(t, "2026-03-01", r.PeriodStart.String())
		assert.Equal(t, "2026-03-31", r.PeriodEnd.String())
		assert.InDelta(t, 153.5, r.SpentUSD, 1e-9)
		assert.InDelta(t, 299.5, r.ProjectedUSD, 5)
		assert.Equal(t, c.severity, r.Severity, "%v", c.limit)
		assert.InDelta(t, c.probability, r.ProbabilityOfExceeding.V, c.within, "%v", c.limit)
		assert.Equal(t, c.exhausted != "", r.ExhaustionDate.OK, "%v", c.limit)
		assert.Equal(t, r.ExhaustionDate.OK, r.DaysUntilExceeded.OK)
		if r.ExhaustionDate.OK {
			assert.Equal(t, c.exhausted, r.ExhaustionDate.V.String(), "%v", c.limit)
			assert.Equal(t, c.days, r.DaysUntilExceeded.V, "%v", c.limit)
		}
	}
}

func TestWeeklyBudget(t *testing.T) {
	r, err := tenADay(t).CheckBudget(Budget{LimitUSD: 50, Period: PeriodWeekly, Method: MethodAverage})
	require.NoError(t, err)
	assert.Equal(t, "2026-03-16", r.PeriodStart.String(), "a Monday")
	assert.Equal(t, "2026-03-22", r.PeriodEnd.String())
	assert.InDelta(t, 9.5+4, r.SpentUSD, 1e-9)
	assert.InDelta(t, 9.5+6*149.5/15, r.ProjectedUSD, 1e-9)
	assert.Equal(t, "2026-03-21", r.ExhaustionDate.V.String())
	assert.Contains(t, r.Render(), "used up on")
}

// Without a clock the last day with data is over, and its period is meant.
func TestBudgetAtTheEndOfItsPeriod(t *testing.T) {
	costs := make([]float64, 30) // to March 31
	fill(costs, 10)
	for limit, probability := range map[float64]float64{299: 1, 301: 0} {
		r, err := forecasterOf(t, costs).CheckBudget(Budget{LimitUSD: limit, Period: PeriodMonthly})
		require.NoError(t, err)
		assert.Equal(t, 300.0, r.ProjectedUSD)
		assert.Equal(t, probability, r.ProbabilityOfExceeding.V)
		assert.True(t, r.ProbabilityOfExceeding.OK)
	}
}

func TestRecordedBudgetDates(t *testing.T) {
	costs := make([]float64, 10)
	fill(costs, 10)
	f := forecasterOf(t, costs) // March 2 to 11
	r, err := f.CheckBudget(Budget{LimitUSD: 125, Period: PeriodRecorded, Days: 28})
	require.NoError(t, err)
	assert.Equal(t, "2026-03-29", r.PeriodEnd.String())
	assert.Equal(t, int64(2), r.DaysUntilExceeded.V)
	assert.Equal(t, "2026-03-14", r.ExhaustionDate.V.String(), "two whole days, and half of the third")
	assert.Equal(t, 1.0, r.ProbabilityOfExceeding.V)

	r, err = f.CheckBudget(Budget{LimitUSD: 45, Period: PeriodRecorded, Days: 28})
	require.NoError(t, err)
	assert.Equal(t, int64(0), r.DaysUntilExceeded.V)
	assert.Equal(t, "2026-03-06", r.ExhaustionDate.V.String())
}

// On the first day nothing can be projected, but what was spent counts.
func TestBudgetOnTheFirstDay(t *testing.T) {
	f := forecasterOf(t, []float64{12}, WithNow(func() time.Time { return monday }))
	r, err := f.CheckBudget(Budget{LimitUSD: 10, Period: PeriodMonthly})
	require.NoError(t, err)
	assert.Equal(t, SeverityCritical, r.Severity)
	assert.Equal(t, "2026-03-02", r.ExhaustionDate.V.String())
	require.NotNil(t, r.Insufficient)
	assert.Zero(t, r.Insufficient.Have)
}
