package forecast

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The JSON names are an interface: dashboards and stored reports read them.
func TestJSONNames(t *testing.T) {
	// Figures that are exact in binary, so that the whole can be compared.
	f := forecasterOf(t, []float64{2, 2})
	last := use(2, 2)
	last.TokensOut = 20
	require.NoError(t, f.Add(last))
	result, err := f.Daily(1, MethodBest)
	require.NoError(t, err)
	summary, err := f.Summary()
	require.NoError(t, err)
	budget, err := f.CheckBudget(Budget{LimitUSD: 8, Period: PeriodRecorded, Days: 4})
	require.NoError(t, err)
	for _, c := range []struct {
		report any
		want   string
	}{
		{result, `{
			"method": "ema", "requested_method": "best", "data_points_used": 3,
			"total_predicted_cost": 2, "total_predicted_tokens": 213,
			"daily_predictions": [{
				"date": "2026-03-05", "predicted_cost": 2, "predicted_tokens": 213,
				"confidence_low": 2, "confidence_high": 2, "method": "ema"
			}],
			"insufficient_data": {"what": "method best", "have_days": 3, "need_days": 7}
		}`},
		{summary, `{
			"total_cost": 6, "total_tokens": 640, "total_tokens_in": 600, "total_tokens_out": 40,
			"record_count": 3, "first_day": "2026-03-02", "last_day": "2026-03-04", "days_tracked": 3,
			"daily_average": 2, "daily_average_tokens": 213, "weekly_projection": 14, "monthly_projection": 60,
			"cost_per_1k_tokens": 9.375, "busiest_day": "2026-03-02", "busiest_day_cost": 2,
			"top_model": "gpt-4o",
			"model_breakdown": {"gpt-4o": {"cost": 6, "tokens_in": 600, "tokens_out": 40, "count": 3}},
			"trend": "stable", "trend_pct_change": 0
		}`},
		{budget, `{
			"budget_usd": 8, "period": "recorded", "period_start": "2026-03-02", "period_end": "2026-03-05",
			"spent_usd": 6, "projected_spend_at_limit": 8, "days_until_exceeded": 1, "exhaustion_date": "2026-03-05",
			"probability_of_exceeding": null,
			"insufficient_data": {"what": "the probability of exceeding", "have_days": 3, "need_days": 7},
			"overshoot_pct": 0, "severity": "warning",
			"message": "Approaching limit: projected $8.00 of $8.00 (100%). Consider reducing usage."
		}`},
	} {
		b, err := json.Marshal(c.report)
		require.NoError(t, err)
		assert.JSONEq(t, c.want, string(b))
	}
}
