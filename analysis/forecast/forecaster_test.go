package forecast

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

// monday is a Monday at noon, UTC.
var monday = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func use(day int, costUSD float64) UsageRecord {
	return UsageRecord{
		Timestamp: monday.AddDate(0, 0, day), TokensIn: int64(100 * costUSD), TokensOut: 10,
		CostUSD: costUSD, Model: "gpt-4o",
	}
}

// forecasterOf returns a Forecaster with one record of each cost on the days
// from monday on.
func forecasterOf(t testing.TB, costs []float64, opts ...Option) *Forecaster {
	t.Helper()
	f, err := New(opts...)
	require.NoError(t, err)
	for i, c := range costs {
		require.NoError(t, f.Add(use(i, c)))
	}
	return f
}

func stateOf(t testing.TB, f *Forecaster) string {
	t.Helper()
	b, err := json.Marshal(f)
	require.NoError(t, err)
	return string(b)
}

func requireField(t testing.TB, err error, field string) {
	t.Helper()
	var fieldErr *analysis.FieldError
	require.ErrorAs(t, err, &fieldErr)
	assert.Equal(t, field, fieldErr.Field)
}

func TestAddRefusesAndKeepsState(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*UsageRecord)
	}{
		{"timestamp", func(r *UsageRecord) { r.Timestamp = time.Time{} }},
		{"timestamp", func(r *UsageRecord) { r.Timestamp = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"timestamp", func(r *UsageRecord) { r.Timestamp = monday.AddDate(0, 0, -30) }},
		{"timestamp", func(r *UsageRecord) { r.Timestamp = monday.AddDate(1, 0, 0) }},
		{"tokens_in", func(r *UsageRecord) { r.TokensIn = -1 }},
		{"tokens_in", func(r *UsageRecord) { r.TokensIn = math.MaxInt64 }},
		{"tokens_out", func(r *UsageRecord) { r.TokensOut = -1 }},
		{"tokens_out", func(r *UsageRecord) { r.TokensIn, r.TokensOut = maxTotal/2, maxTotal/2 }},
		{"cost_usd", func(r *UsageRecord) { r.CostUSD = -0.01 }},
		{"cost_usd", func(r *UsageRecord) { r.CostUSD = math.NaN() }},
		{"cost_usd", func(r *UsageRecord) { r.CostUSD = math.Inf(1) }},
		{"cost_usd", func(r *UsageRecord) { r.CostUSD = 1e300 }},
	} {
		f := forecasterOf(t, []float64{1, 2, 3}, WithHistory(30), WithNow(func() time.Time { return monday.AddDate(0, 0, 2) }))
		before := stateOf(t, f)
		r := use(1, 5)
		c.change(&r)
		requireField(t, f.Add(r), c.field)
		assert.Equal(t, before, stateOf(t, f), "%+v", r)
		require.NoError(t, f.Add(use(1, 5)), "a good record still goes in")
	}
}

func TestOptionsRefuseBadHistory(t *testing.T) {
	for _, n := range []int{0, -1, maxHistory + 1} {
		_, err := New(WithHistory(n))
		requireField(t, err, "history")
	}
}

func TestDailyRefuses(t *testing.T) {
	f := forecasterOf(t, []float64{1, 2, 3})
	for _, days := range []int{-1, 0, 91} {
		_, err := f.Daily(days, MethodBest)
		requireField(t, err, "days")
	}
	_, err := f.Daily(1, "arima")
	requireField(t, err, "method")

	empty := forecasterOf(t, nil)
	_, err = empty.Daily(1, MethodAuto)
	require.ErrorIs(t, err, ErrNoRecords)
	_, err = empty.Summary()
	require.ErrorIs(t, err, ErrNoRecords)
	_, err = empty.CheckBudget(Budget{LimitUSD: 1, Period: PeriodMonthly})
	require.ErrorIs(t, err, ErrNoRecords)
}

func TestHistoryIsBounded(t *testing.T) {
	f := forecasterOf(t, nil, WithHistory(10))
	for i := range 100 {
		require.NoError(t, f.Add(use(i, 1)))
	}
	s, err := f.Summary()
	require.NoError(t, err)
	assert.Equal(t, 10, s.DaysTracked)
	assert.Equal(t, 10.0, s.TotalCost)
	assert.EqualValues(t, 10, f.Records())
	assert.Equal(t, 10.0, s.Models["gpt-4o"].CostUSD)
	requireField(t, f.Add(use(89, 1)), "timestamp")
	require.NoError(t, f.Add(use(90, 1)))
}

func TestModelsOfADayAreBounded(t *testing.T) {
	f := forecasterOf(t, nil)
	for i := range 3 * maxModels {
		r := use(0, 1)
		r.Model = fmt.Sprintf("model-%03d", (i*7)%(3*maxModels))
		require.NoError(t, f.Add(r))
	}
	s, err := f.Summary()
	require.NoError(t, err)
	assert.Len(t, s.Models, maxModels+1)
	assert.Equal(t, 1.0, s.Models["model-000"].CostUSD)
	assert.Equal(t, 2.0*maxModels, s.Models[OtherModels].CostUSD)
	assert.Equal(t, 3.0*maxModels, s.TotalCost)

	// Merged halves hold what the whole does, the rest included.
	halves := []*Forecaster{forecasterOf(t, nil), forecasterOf(t, nil)}
	for i := range 3 * maxModels {
		r := use(0, 1)
		r.Model = fmt.Sprintf("model-%03d", i)
		require.NoError(t, halves[i%2].Add(r))
	}
	require.NoError(t, halves[0].Merge(halves[1]))
	assert.Equal(t, stateOf(t, f), stateOf(t, halves[0]))
}

func TestQuietDaysCountAsZero(t *testing.T) {
	f := forecasterOf(t, nil)
	g := forecasterOf(t, nil, ObservedDaysOnly())
	for _, r := range []UsageRecord{use(0, 8), use(3, 4)} {
		require.NoError(t, f.Add(r))
		require.NoError(t, g.Add(r))
	}
	all, err := f.Daily(1, MethodAverage)
	require.NoError(t, err)
	assert.Equal(t, 3.0, all.TotalPredictedCost)
	assert.Equal(t, 4, all.DataPoints)
	observed, err := g.Daily(1, MethodAverage)
	require.NoError(t, err)
	assert.Equal(t, 6.0, observed.TotalPredictedCost)
	assert.Equal(t, "2026-03-06", observed.DailyPredictions[0].Date.String())
}

func TestStateRefusesWhatAddWouldNotMake(t *testing.T) {
	f := forecasterOf(t, []float64{1, 2, 3})
	good := stateOf(t, f)
	for name, bad := range map[string]string{
		"not JSON":          good[1:],
		"version":           strings.Replace(good, `"version":1`, `"version":2`, 1),
		"days out of order": strings.Replace(good, "2026-03-02", "2026-03-09", 1),
		"a bad date":        strings.Replace(good, "2026-03-02", "2026-13-02", 1),
		"no records":        strings.Replace(good, `"records":1`, `"records":0`, 1),
		"negative tokens":   strings.Replace(good, `"tokens_in":100`, `"tokens_in":-100`, 1),
		"tokens too large":  strings.Replace(good, `"tokens_in":100`, `"tokens_in":9223372036854775807`, 1),
		"negative cost":     strings.Replace(good, `"hi":2`, `"hi":-2`, 1),
		"an empty day":      strings.Replace(good, `"days":[`, `"days":[{"date":"2026-03-01"},`, 1),
	} {
		require.NotEqual(t, good, bad, name)
		require.Error(t, f.UnmarshalJSON([]byte(bad)), name)
		assert.Equal(t, good, stateOf(t, f), name)
	}
}

func TestDate(t *testing.T) {
	for _, c := range []struct{ instant, day, weekday string }{
		{"1970-01-01T00:00:00Z", "1970-01-01", "Thursday"},
		{"1969-12-31T23:59:59Z", "1969-12-31", "Wednesday"},
		{"2026-03-01T00:30:00+01:00", "2026-02-28", "Saturday"},
		{"0001-01-01T00:00:01Z", "0001-01-01", "Monday"},
	} {
		at, err := time.Parse(time.RFC3339, c.instant)
		require.NoError(t, err)
		d := DateOf(at)
		assert.Equal(t, c.day, d.String())
		assert.Equal(t, c.weekday, d.Weekday().String())
		var back Date
		require.NoError(t, back.UnmarshalText([]byte(c.day)))
		assert.Equal(t, d, back)
	}
}
