package insight

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Source makes figures. Make one with New; its methods may be called
// concurrently.
type Source struct {
	store   *store.Store
	budgets []Budget
	now     func() time.Time

	mu     sync.Mutex
	drifts map[string]cachedDrift
}

// Budget is what an agent, or all together, may cost.
type Budget struct {
	// Agent is the agent's name; empty = all agents together.
	Agent string
	forecast.Budget
}

// New returns a source of figures on st. now is the time to count days to;
// budgets are reported on where there is one.
func New(st *store.Store, budgets []Budget, now func() time.Time) *Source {
	return &Source{store: st, budgets: budgets, now: now, drifts: map[string]cachedDrift{}}
}

// DefaultDays is how far back figures go when nothing else is asked for, and
// MaxDays how far they can.
const (
	DefaultDays = 30
	MaxDays     = 400
)

// Period returns the last days UTC days, today included.
func (s *Source) Period(days int, agent string) store.Range {
	today := s.now().UTC().Truncate(24 * time.Hour)
	return store.Range{From: today.AddDate(0, 0, 1-days), To: today.AddDate(0, 0, 1), Agent: agent}
}

// forecaster returns what was spent by day, of one agent or all, as the
// forecast engine reads it.
func (s *Source) forecaster(ctx context.Context, agent string) (*forecast.Forecaster, error) {
	usage, err := s.store.Usage(ctx, store.Range{From: s.now().AddDate(0, 0, -forecast.DefaultHistory), Agent: agent})
	if err != nil {
		return nil, err
	}
	f, err := forecast.New(forecast.WithNow(s.now))
	if err != nil {
		return nil, err
	}
	for _, u := range usage {
		if u.Priced == 0 && u.TokensIn == 0 && u.TokensOut == 0 {
			continue // tool calls and the like: no usage of a model
		}
		if u.Day.After(s.now().AddDate(0, 0, 1)) {
			continue // the clock of another machine is ahead
		}
		if err := f.Add(forecast.UsageRecord{Timestamp: u.Day, TokensIn: u.TokensIn, TokensOut: u.TokensOut, CostUSD: u.CostUSD, Model: u.Model}); err != nil {
			return nil, fmt.Errorf("usage of %s: %w", u.Day.Format(time.DateOnly), err)
		}
	}
	return f, nil
}

// rate returns part/whole, absent when there is no whole.
func rate(part, whole int64) analysis.Opt[float64] {
	if whole == 0 {
		return analysis.Opt[float64]{}
	}
	return analysis.Some(float64(part) / float64(whole))
}
