package insight

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Source makes figures. Make one with New; its methods may be called
// concurrently.
type Source struct {
	store *store.Store
	now   func() time.Time

	mu       sync.Mutex
	settings Settings
	drifts   map[string]cachedDrift
}

// Settings are what figures are made by. Where a collector's processor runs the
// same engines, they are the processor's, so that both say the same.
type Settings struct {
	// Drift says which sessions are compared when a request does not.
	Drift drift.Rolling
	// Method forecasts when a request does not say how; empty = best.
	Method forecast.Method
	// Budgets are reported on.
	Budgets []forecast.NamedBudget
}

// DefaultSettings returns the processor's defaults.
func DefaultSettings() Settings {
	return Settings{Drift: drift.DefaultRolling(), Method: forecast.MethodBest}
}

// New returns a source of figures on st. now is the time to count days to.
func New(st *store.Store, settings Settings, now func() time.Time) *Source {
	return &Source{store: st, settings: settings, now: now, drifts: map[string]cachedDrift{}}
}

// Set changes the settings.
func (s *Source) Set(settings Settings) {
	s.mu.Lock()
	s.settings = settings
	clear(s.drifts)
	s.mu.Unlock()
}

func (s *Source) get() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
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
