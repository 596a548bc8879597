package insight

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// now is noon of a Saturday.
var now = time.Date(2026, 2, 14, 12, 0, 0, 0, time.UTC)

func source(t *testing.T, budgets ...forecast.NamedBudget) (*Source, *store.Store) {
	t.Helper()
	st, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return New(st, Settings{Drift: drift.Rolling{BaselineSessions: 8, CurrentSessions: 4}, Budgets: budgets}, func() time.Time { return now }), st
}

// spend stores a session of an agent with one call.
func spend(t *testing.T, st *store.Store, agent string, at time.Time, usd float64) {
	t.Helper()
	id := fmt.Sprint(agent, at.UnixMilli())
	_, err := st.Ingest(context.Background(), []wire.Event{
		{EventType: wire.TypeSessionStart, SessionID: id, AgentName: agent, Timestamp: wire.At(at)},
		{EventType: "llm_call", SessionID: id, EventID: "e", Timestamp: wire.At(at), Model: "m", CostUSD: analysis.Some(usd), TokensIn: analysis.Some[int64](10)},
		{EventType: wire.TypeSessionEnd, SessionID: id, EndedAt: wire.At(at.Add(time.Second))},
	})
	require.NoError(t, err)
}

func TestCosts(t *testing.T) {
	s, st := source(t, forecast.NamedBudget{Name: "a month", Agent: "a", LimitUSD: 20, Period: forecast.PeriodMonthly},
		forecast.NamedBudget{Name: "a week", Agent: "a", LimitUSD: 20, Period: forecast.PeriodWeekly})
	empty, err := s.Costs(context.Background(), "", 7, 3, "")
	require.NoError(t, err)
	require.Nil(t, empty.Forecast)
	require.Contains(t, empty.Why, "no usage")

	for day := range 20 { // a dollar a day of a, two of b, up to now
		at := now.AddDate(0, 0, -day).Add(-time.Hour)
		spend(t, st, "a", at, 1)
		spend(t, st, "b", at, 2)
	}
	spend(t, st, "a", now.AddDate(0, 0, 3), 50) // a clock that is ahead
	c, err := s.Costs(context.Background(), "a", 7, 3, forecast.MethodAverage)
	require.NoError(t, err)
	require.Len(t, c.Days, 7)
	require.Equal(t, 1.0, c.TodayUSD)
	require.Equal(t, 7.0, c.TotalUSD)
	require.Equal(t, 14.0, c.MonthUSD, "from the first of the month to today")
	require.Equal(t, []ModelCost{{"m", 7, 70, 0, 7, 0}}, c.Models)
	require.Equal(t, "2026-02-14", c.Forecast.DailyPredictions[0].Date.String(), "the running day is forecast")
	require.InDelta(t, 1, c.Forecast.DailyPredictions[1].PredictedCost, 1e-9)
	require.Len(t, c.Budgets, 2)
	require.Equal(t, 20.0, c.Budgets[0].BudgetUSD)
	require.Equal(t, forecast.SeverityCritical, c.Budgets[0].Severity, "28 days at a dollar")
	require.Equal(t, "a week", c.Budgets[1].Name)
	require.Equal(t, forecast.SeveritySafe, c.Budgets[1].Severity)

	all, err := s.Costs(context.Background(), "", 7, 3, "")
	require.NoError(t, err)
	require.Equal(t, 21.0, all.TotalUSD)
	require.Empty(t, all.Budgets, "it has none")
	_, err = s.Costs(context.Background(), "", 7, 91, "")
	require.ErrorContains(t, err, "days is 91")
}

func TestDriftSplitsTheSessions(t *testing.T) {
	s, st := source(t)
	d, err := s.Drift(context.Background(), "a")
	require.NoError(t, err)
	require.Nil(t, d.Report)
	for i := range 14 {
		if i == 4 {
			d, err = s.Drift(context.Background(), "a")
			require.NoError(t, err)
			require.Nil(t, d.Report, "four sessions fill the current window")
			require.Equal(t, 5, d.Wants)
		}
		spend(t, st, "a", now.Add(time.Duration(i-22)*time.Hour), 1)
	}
	// It started before all others, and ended after them.
	_, err = st.Ingest(context.Background(), []wire.Event{
		{EventType: wire.TypeSessionStart, SessionID: "long", AgentName: "a", Timestamp: wire.At(now.AddDate(0, 0, -3))},
		{EventType: wire.TypeSessionEnd, SessionID: "long", EndedAt: wire.At(now)},
	})
	require.NoError(t, err)
	d, err = s.Drift(context.Background(), "a")
	require.NoError(t, err)
	require.Equal(t, []int{8, 4}, []int{d.BaselineSessions, d.CurrentSessions})
	require.Equal(t, "long", d.Current[3].SessionID)
	require.True(t, d.Current[0].EndedAt.After(d.Baseline[7].EndedAt))
	require.Nil(t, d.Told)

	// What the collector has told stands beside it, and a difference is said.
	tell := func(text string) *DriftTold {
		_, _, err := st.Annotate(context.Background(), "long", wire.Annotation{Text: text, Author: finding.Author, Type: wire.AnnotationWarning})
		require.NoError(t, err)
		d, err := s.Drift(context.Background(), "a")
		require.NoError(t, err)
		return d.Told
	}
	told := tell("Drift: degraded, score 57.32 of 100. total_tokens rose")
	require.Equal(t, []any{drift.Degraded, 57.32, "long", now}, []any{told.Status, *told.Score, told.SessionID, told.At})
	require.Equal(t, d.Status != drift.NotEnoughEvidence, told.Differs)
	s.Set(Settings{Drift: drift.Rolling{BaselineSessions: 3, CurrentSessions: 2}})
	d, err = s.Drift(context.Background(), "a")
	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, []int{d.BaselineSessions, d.CurrentSessions})
	w, err := s.CompareWindows(context.Background(), "a", Window{To: now.Add(-10 * time.Hour), Sessions: 3}, Window{From: now.Add(-10 * time.Hour)})
	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, []int{w.BaselineSessions, w.CurrentSessions})
}

// TestDriftToldOtherwise: a verdict of the collector that is not the API's is
// told as such, and only such a one.
func TestDriftToldOtherwise(t *testing.T) {
	s, st := source(t)
	s.Set(Settings{Drift: drift.Rolling{BaselineSessions: 60, CurrentSessions: 40}})
	for i := range 100 {
		spend(t, st, "a", now.Add(time.Duration(i-101)*time.Hour), 1+float64(i%7)/10)
	}
	last := fmt.Sprint("a", now.Add(-2*time.Hour).UnixMilli())
	differs := func(text string) bool {
		_, _, err := st.Annotate(context.Background(), last, wire.Annotation{Text: text, Author: finding.Author, Type: wire.AnnotationWarning})
		require.NoError(t, err)
		d, err := s.Drift(context.Background(), "a")
		require.NoError(t, err)
		require.Equal(t, drift.Stable, d.Status)
		return d.Told.Differs
	}
	require.True(t, differs("Drift: degraded, score 80 of 100. total_tokens rose"))
	require.False(t, differs("Drift: stable, score 3 of 100. Nothing changed."))
}

// TestNoSessionIsComparedWithItself: what both windows select is current.
func TestNoSessionIsComparedWithItself(t *testing.T) {
	s, st := source(t)
	for i := range 6 {
		spend(t, st, "a", now.Add(time.Duration(i-20)*time.Hour), 1)
	}
	d, err := s.CompareWindows(context.Background(), "a", Window{}, Window{From: now.Add(-16 * time.Hour)})
	require.NoError(t, err)
	require.Equal(t, []int{4, 2}, []int{d.BaselineSessions, d.CurrentSessions})
	d, err = s.CompareWindows(context.Background(), "a", Window{Sessions: 3}, Window{Sessions: 2})
	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, []int{d.BaselineSessions, d.CurrentSessions})
	require.True(t, d.Current[1].StartedAt.After(d.Baseline[0].StartedAt))
	d, err = s.CompareWindows(context.Background(), "a", Window{}, Window{})
	require.NoError(t, err)
	require.Nil(t, d.Report, "nothing is left to compare with")
}

func TestDelta(t *testing.T) {
	for _, c := range []struct{ a, b, absolute, percent float64 }{{0, 0, 0, 0}, {0, 5, 5, 100}, {4, 5, 1, 25}, {3, 1, -2, -66.67}} {
		require.Equal(t, Delta{c.absolute, c.percent}, delta(c.a, c.b))
	}
}
