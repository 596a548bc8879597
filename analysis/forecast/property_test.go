package forecast

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var recordGen = rapid.Custom(func(t *rapid.T) UsageRecord {
	return UsageRecord{
		Timestamp: monday.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(t, "hour")) * time.Hour),
		TokensIn:  rapid.Int64Range(0, 1<<40).Draw(t, "in"),
		TokensOut: rapid.Int64Range(0, 1<<40).Draw(t, "out"),
		CostUSD:   rapid.Float64Range(0, 1e6).Draw(t, "usd"),
		Model:     rapid.SampledFrom([]string{"", "gpt-4o", "claude-3.5-sonnet", "llama-3-70b"}).Draw(t, "model"),
	}
})

// answers returns everything a Forecaster can say, as JSON.
func answers(t require.TestingT, f *Forecaster) string {
	all := []any{f}
	for _, m := range append([]Method{MethodAuto, MethodBest}, candidates[:]...) {
		r, err := f.Daily(10, m)
		require.NoError(t, err)
		all = append(all, r)
	}
	s, err := f.Summary()
	require.NoError(t, err)
	b, err := f.CheckBudget(Budget{LimitUSD: 1e6, Period: PeriodMonthly})
	require.NoError(t, err)
	out, err := json.Marshal(append(all, s, b))
	require.NoError(t, err)
	return string(out)
}

func newForecaster(t require.TestingT, opts ...Option) *Forecaster {
	f, err := New(opts...)
	require.NoError(t, err)
	return f
}

// The same records in any order, in any parts merged in any order, and through
// a snapshot, give the same answers, also when the history is too short for
// them all.
func TestOrderAndMergeDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(recordGen, 1, 80).Draw(t, "records")
		history := WithHistory(rapid.SampledFrom([]int{12, DefaultHistory}).Draw(t, "history"))
		want := newForecaster(t, history)
		parts := []*Forecaster{newForecaster(t, history), newForecaster(t, history), newForecaster(t, history)}
		for _, r := range records {
			// Refused when too old, which another order finds out later.
			_ = want.Add(r)
		}
		for _, r := range rapid.Permutation(records).Draw(t, "order") {
			_ = parts[rapid.IntRange(0, 2).Draw(t, "part")].Add(r)
		}
		got := newForecaster(t, history)
		for _, p := range rapid.Permutation(parts).Draw(t, "merge order") {
			b, err := json.Marshal(p)
			require.NoError(t, err)
			loaded := newForecaster(t, history)
			require.NoError(t, json.Unmarshal(b, loaded))
			require.NoError(t, got.Merge(loaded))
		}
		assert.Equal(t, answers(t, want), answers(t, got))
	})
}

func TestPredictionsLieInTheirIntervals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		costs := rapid.SliceOfN(rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1), rapid.Float64Range(0, 1e9)), 1, 60).Draw(t, "costs")
		var opts []Option
		if rapid.Bool().Draw(t, "observed") {
			opts = append(opts, ObservedDaysOnly())
		}
		if rapid.Bool().Draw(t, "live") {
			opts = append(opts, WithNow(func() time.Time { return monday.AddDate(0, 0, len(costs)) }))
		}
		f := newForecaster(t, opts...)
		for i, c := range costs {
			require.NoError(t, f.Add(use(i, c)))
		}
		for _, m := range append([]Method{MethodAuto, MethodBest}, candidates[:]...) {
			long, err := f.Daily(MaxDays, m)
			require.NoError(t, err)
			var total float64
			for _, p := range long.DailyPredictions {
				assert.True(t, 0 <= p.Low && p.Low <= p.PredictedCost && p.PredictedCost <= p.High, "%s: %+v", m, p)
				assert.GreaterOrEqual(t, p.PredictedTokens, int64(0))
				total += p.PredictedCost
			}
			assert.Equal(t, total, long.TotalPredictedCost)
			short, err := f.Daily(3, m)
			require.NoError(t, err)
			assert.Equal(t, long.DailyPredictions[:3], short.DailyPredictions, "a short forecast begins a long one")
		}
		for _, period := range []Period{PeriodMonthly, PeriodWeekly, PeriodRecorded} {
			b, err := f.CheckBudget(Budget{LimitUSD: rapid.Float64Range(0.01, 1e9).Draw(t, "limit"), Period: period, Days: 45})
			require.NoError(t, err)
			if p, ok := b.ProbabilityOfExceeding.Get(); ok {
				assert.True(t, 0 <= p && p <= 1, "%+v", b)
			}
			assert.NotEmpty(t, b.Render())
		}
	})
}

// Ready says what Daily would, whenever it is asked: before the first record and
// after each, when the clock goes on, and after a snapshot.
func TestReadyIsWhatDailySays(t *testing.T) {
	ready, unready := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		now := monday
		opts := []Option{WithHistory(rapid.IntRange(1, 5).Draw(t, "history"))}
		if rapid.Bool().Draw(t, "live") {
			opts = append(opts, WithNow(func() time.Time { return now }))
		}
		if rapid.Bool().Draw(t, "observed") {
			opts = append(opts, ObservedDaysOnly())
		}
		f := newForecaster(t, opts...)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "hours")) * time.Hour)
			case 1:
				b, err := json.Marshal(f)
				require.NoError(t, err)
				f = newForecaster(t, opts...)
				require.NoError(t, json.Unmarshal(b, f))
			default:
				r := use(0, 1)
				r.Timestamp = now.Add(-time.Duration(rapid.IntRange(-10, 60).Draw(t, "ago")) * time.Hour)
				_ = f.Add(r) // refused when too old or too new
			}
			_, err := f.Daily(3, MethodAuto)
			var few *InsufficientDataError
			if !f.Ready() {
				unready++
				require.True(t, errors.Is(err, ErrNoRecords) || errors.As(err, &few), "%v", err)
				continue
			}
			ready++
			require.NoError(t, err)
		}
	})
	require.Positive(t, ready)
	require.Positive(t, unready)
}
