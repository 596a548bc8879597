package forecast

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/internal/golden"
)

type goldenInput struct {
	Records       []UsageRecord `json:"records"`
	Days          int           `json:"days"`
	Method        Method        `json:"method"`
	MonthlyBudget float64       `json:"monthly_budget"`
	DaysInPeriod  int           `json:"days_in_period"`
}

type goldenExpected struct {
	Error    json.RawMessage `json:"error"`
	Forecast *goldenForecast `json:"forecast"`
	Summary  *goldenSummary  `json:"summary"`
	Budget   *goldenBudget   `json:"budget"`
	Notes    goldenNotes     `json:"notes"`
}

type goldenForecast struct {
	Error      string            `json:"error"`
	Method     Method            `json:"method"`
	DataPoints int               `json:"data_points_used"`
	Cost       float64           `json:"total_predicted_cost"`
	Tokens     int64             `json:"total_predicted_tokens"`
	Days       []DailyPrediction `json:"daily_predictions"`
}

type goldenSummary struct {
	Error string `json:"error"`
	Summary
	DailyAverageCost float64 `json:"daily_average_cost"`
}

type goldenBudget struct {
	Error        string              `json:"error"`
	BudgetUSD    float64             `json:"budget_usd"`
	DaysUntil    analysis.Opt[int64] `json:"days_until_exceeded"`
	Projected    float64             `json:"projected_spend_at_limit"`
	OvershootPct float64             `json:"overshoot_pct"`
	Severity     Severity            `json:"severity"`
}

type goldenNotes struct {
	ScaleCost           float64  `json:"scale_cost"`
	TokenBoundaryDays   []int    `json:"token_boundary_days"`
	MostExpensiveModels []string `json:"most_expensive_models"`
	DaysUntilOnInteger  bool     `json:"days_until_on_integer"`
	AutoMethodBySpec    Method   `json:"auto_method_by_spec"`
	IntervalExcludes    bool     `json:"interval_excludes_prediction"`
}

// TestGoldenForecast holds the original module's answers. Cases tagged zones
// are held to expected_if_utc, since days are UTC here.
func TestGoldenForecast(t *testing.T) {
	for _, c := range golden.Load(t, "forecast.jsonl") {
		t.Run(c.ID, func(t *testing.T) {
			in := golden.Decode[goldenInput](t, c.Input)
			expected := c.Expected
			if slices.Contains(c.Tags, "zones") {
				expected = c.ExpectedIfUTC
			}
			want := golden.Decode[goldenExpected](t, expected)

			f, err := New(ObservedDaysOnly(), WithHistory(maxHistory))
			require.NoError(t, err)
			var refused error
			for _, r := range in.Records {
				if err := f.Add(r); err != nil {
					refused = err
				}
			}
			if want.Error != nil {
				var fieldErr *analysis.FieldError
				require.ErrorAs(t, refused, &fieldErr)
				return
			}
			require.NoError(t, refused)
			checkGoldenForecast(t, f, in, want)
			checkGoldenSummary(t, f, want)
			checkGoldenBudget(t, f, in, want)
		})
	}
}

func checkGoldenForecast(t *testing.T, f *Forecaster, in goldenInput, expected goldenExpected) {
	want, notes := expected.Forecast, &expected.Notes
	got, err := f.Daily(in.Days, in.Method)
	if want.Error != "" {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	assert.Equal(t, want.Method, got.Method)
	assert.Equal(t, want.DataPoints, got.DataPoints)
	money(t, notes, want.Cost, got.TotalPredictedCost, "total cost")
	var slack int64
	require.Len(t, got.DailyPredictions, len(want.Days))
	for i, w := range want.Days {
		g := got.DailyPredictions[i]
		assert.Equal(t, w.Date, g.Date)
		assert.Equal(t, w.Method, g.Method)
		money(t, notes, w.PredictedCost, g.PredictedCost, "cost of day", i)
		if notes.IntervalExcludes {
			assert.LessOrEqual(t, g.Low, g.PredictedCost)
			assert.GreaterOrEqual(t, g.High, g.PredictedCost)
		} else {
			money(t, notes, w.Low, g.Low, "low of day", i)
			money(t, notes, w.High, g.High, "high of day", i)
		}
		var allowed int64
		if slices.Contains(notes.TokenBoundaryDays, i) {
			allowed = max(1, int64(1e-9*float64(w.PredictedTokens)))
		}
		slack += allowed
		assert.InDelta(t, w.PredictedTokens, g.PredictedTokens, float64(allowed), "tokens of day %d", i)
	}
	assert.InDelta(t, want.Tokens, got.TotalPredictedTokens, float64(slack), "total tokens")

	if notes.AutoMethodBySpec != "" {
		auto, err := f.Daily(in.Days, MethodAuto)
		require.NoError(t, err)
		assert.Equal(t, notes.AutoMethodBySpec, auto.Method)
	}
}

func checkGoldenSummary(t *testing.T, f *Forecaster, expected goldenExpected) {
	want, notes := expected.Summary, &expected.Notes
	got, err := f.Summary()
	if want.Error != "" {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	assert.Equal(t, want.TotalTokens, got.TotalTokens)
	assert.Equal(t, want.TotalTokensIn, got.TotalTokensIn)
	assert.Equal(t, want.TotalTokensOut, got.TotalTokensOut)
	assert.Equal(t, want.Records, got.Records)
	assert.Equal(t, want.DaysTracked, got.DaysTracked)
	assert.Equal(t, want.DailyAverageTokens, got.DailyAverageTokens)
	assert.Equal(t, want.BusiestDay, got.BusiestDay)
	assert.Equal(t, want.Trend, got.Trend)
	money(t, notes, want.TotalCost, got.TotalCost, "total")
	money(t, notes, want.DailyAverageCost, got.DailyAverage, "daily average")
	money(t, notes, want.WeeklyProjection, got.WeeklyProjection, "weekly")
	money(t, notes, want.MonthlyProjection, got.MonthlyProjection, "monthly")
	money(t, notes, want.CostPer1KTokens, got.CostPer1KTokens, "per 1k tokens")
	money(t, notes, want.BusiestDayCost, got.BusiestDayCost, "busiest day")
	within(t, want.TrendPct, got.TrendPct, 1, "trend")
	if notes.MostExpensiveModels != nil {
		assert.Contains(t, notes.MostExpensiveModels, got.TopModel)
	}
	require.Len(t, got.Models, len(want.Models))
	for name, w := range want.Models {
		g := got.Models[name]
		money(t, notes, w.CostUSD, g.CostUSD, "cost of", name)
		w.CostUSD = g.CostUSD
		assert.Equal(t, w, g, name)
	}
}

func checkGoldenBudget(t *testing.T, f *Forecaster, in goldenInput, expected goldenExpected) {
	want, notes := expected.Budget, &expected.Notes
	got, err := f.CheckBudget(Budget{LimitUSD: in.MonthlyBudget, Period: PeriodRecorded, Days: in.DaysInPeriod})
	if want.Error != "" {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	assert.Equal(t, want.BudgetUSD, got.BudgetUSD)
	assert.Equal(t, want.Severity, got.Severity)
	money(t, notes, want.Projected, got.ProjectedUSD, "projected")
	within(t, want.OvershootPct, got.OvershootPct, 1, "overshoot")
	assert.Equal(t, want.DaysUntil.OK, got.DaysUntilExceeded.OK)
	slack := 0.0
	if notes.DaysUntilOnInteger {
		slack = 1
	}
	assert.InDelta(t, want.DaysUntil.V, got.DaysUntilExceeded.V, slack, "days until exceeded")
}

// money compares US dollars within the golden files' tolerance.
func money(t *testing.T, notes *goldenNotes, want, got float64, what ...any) {
	t.Helper()
	within(t, want, got, notes.ScaleCost, what...)
}

func within(t *testing.T, want, got, scale float64, what ...any) {
	t.Helper()
	if diff := math.Abs(want - got); !(diff <= 1e-9*max(math.Abs(want), scale)) {
		t.Errorf("%v: want %v, got %v", what, want, got)
	}
}
