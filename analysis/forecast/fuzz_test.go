package forecast

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a record decodes to is refused or leaves a Forecaster whose every
// answer is finite.
func FuzzUsageRecordJSON(f *testing.F) {
	f.Add([]byte(`{"timestamp":"2026-03-01T10:00:00Z","tokens_in":5000,"tokens_out":2000,"cost_usd":0.035,"model":"gpt-4o"}`))
	f.Add([]byte(`{"timestamp":"2026-03-01T23:30:00-05:00","tokens_in":9223372036854775807,"cost_usd":1e308}`))
	f.Add([]byte(`{"timestamp":"0001-01-01T00:00:00Z","cost_usd":-0.0}`))
	f.Add([]byte(`{"timestamp":"0001-01-01T00:00:00+01:00","cost_usd":1e20}`))
	f.Add([]byte(`{"timestamp":"9999-12-31T23:59:59Z","tokens_out":-1,"model":"\u2028"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r UsageRecord
		if json.Unmarshal(b, &r) != nil {
			return
		}
		fc := forecasterOf(t, []float64{1, 2, 0, 4, 5, 6, 7, 8})
		before := stateOf(t, fc)
		if err := fc.Add(r); err != nil {
			requireField(t, err, fieldOf(&r))
			require.Equal(t, before, stateOf(t, fc))
			return
		}
		requireFinite(t, fc)
	})
}

// fieldOf returns the first field of a refused record that is at fault.
func fieldOf(r *UsageRecord) string {
	switch day, year := DateOf(r.Timestamp), r.Timestamp.UTC().Year(); {
	case year < 1 || year > 9999 || r.Timestamp.Unix() == minUnix:
		return "timestamp"
	case r.TokensIn < 0 || r.TokensIn >= maxTotal-1e6:
		return "tokens_in"
	case r.TokensOut < 0 || r.TokensOut >= maxTotal-1e6-r.TokensIn:
		return "tokens_out"
	case r.CostUSD < 0 || r.CostUSD > 1e18:
		return "cost_usd"
	case day <= DateOf(monday)+7-DefaultHistory:
		return "timestamp"
	}
	return "none"
}

// A snapshot of any content is refused or gives finite answers.
func FuzzState(f *testing.F) {
	f.Add([]byte(stateOf(f, forecasterOf(f, []float64{1, 2, 3}))))
	f.Add([]byte(`{"version":1,"days":[{"date":"2026-03-02","other":{"records":1,"tokens_in":4611686018427387904,"tokens_out":0,"cost_usd":{"hi":4611686018427387903,"lo":0}}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fc := forecasterOf(t, nil)
		if fc.UnmarshalJSON(b) != nil {
			require.Zero(t, fc.Records())
			return
		}
		if fc.Records() > 0 {
			requireFinite(t, fc)
		}
	})
}

func requireFinite(t *testing.T, f *Forecaster) {
	t.Helper()
	for _, m := range append([]Method{MethodBest}, candidates[:]...) {
		r, err := f.Daily(3, m)
		require.NoError(t, err)
		for _, p := range r.DailyPredictions {
			for _, v := range []float64{p.PredictedCost, p.Low, p.High} {
				require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%s: %+v", m, p)
			}
		}
		require.NotEmpty(t, r.Render())
	}
	s, err := f.Summary()
	require.NoError(t, err)
	require.NotEmpty(t, s.Render())
	_, err = json.Marshal(s)
	require.NoError(t, err)
}
