package insight

import (
	"context"
	"errors"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Window selects the sessions of one side of a comparison.
type Window struct {
	// From and To bound the start: From <= started_at < To.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Version is the value of the metadata "version"; empty = any.
	Version string `json:"version,omitempty"`
	// Sessions is how many at most, the latest ones.
	Sessions int `json:"sessions,omitempty"`
}

// Windows of a comparison that says nothing else: the latest sessions beside
// those before them.
const (
	CurrentSessions  = 50
	BaselineSessions = 200
)

// Drift is a comparison of two windows of an agent's ended sessions.
type Drift struct {
	Agent string `json:"agent_name"`
	*drift.Report
	Baseline []*analysis.Summary `json:"-"`
	Current  []*analysis.Summary `json:"-"`
}

// Drift compares an agent's latest sessions with those before them: the last
// third of the ended ones, at most CurrentSessions, with at most
// BaselineSessions. The Report is nil when there are fewer than two.
func (s *Source) Drift(ctx context.Context, agent string) (*Drift, error) {
	all, err := s.store.Summaries(ctx, store.SummaryQuery{Agent: agent, Ended: true, Limit: CurrentSessions + BaselineSessions})
	if err != nil {
		return nil, err
	}
	d := &Drift{Agent: agent}
	if len(all) < 2 {
		return d, nil
	}
	n := min(CurrentSessions, max(1, len(all)/3))
	d.Current, d.Baseline = all[:n], all[n:]
	d.Report, err = drift.Compare(d.Baseline, d.Current)
	return d, err
}

// CompareWindows compares two windows of an agent's ended sessions. The Report
// is nil when one of them is empty.
func (s *Source) CompareWindows(ctx context.Context, agent string, baseline, current Window) (*Drift, error) {
	d := &Drift{Agent: agent}
	var err error
	if d.Baseline, err = s.window(ctx, agent, baseline); err != nil {
		return nil, err
	}
	if d.Current, err = s.window(ctx, agent, current); err != nil {
		return nil, err
	}
	d.Report, err = drift.Compare(d.Baseline, d.Current)
	var empty *drift.EmptyWindowError
	if errors.As(err, &empty) {
		return d, nil
	}
	return d, err
}

func (s *Source) window(ctx context.Context, agent string, w Window) ([]*analysis.Summary, error) {
	n := w.Sessions
	if n == 0 {
		n = BaselineSessions
	}
	return s.store.Summaries(ctx, store.SummaryQuery{Agent: agent, From: w.From, To: w.To, Version: w.Version, Ended: true, Limit: n})
}

// cachedDrift is a report with what it was made of.
type cachedDrift struct {
	made    time.Time
	ended   int
	verdict DriftVerdict
}

// DriftVerdict is a drift report in short.
type DriftVerdict struct {
	Agent   string       `json:"agent_name"`
	Score   float64      `json:"drift_score"`
	Status  drift.Status `json:"status"`
	Summary string       `json:"summary"`
}

// driftFor is how long a verdict is good enough for an overview while sessions
// go on ending.
const driftFor = 15 * time.Second

// verdict returns an agent's verdict, false when it has too few sessions to
// compare. It may be some seconds old when sessions have ended since.
func (s *Source) verdict(ctx context.Context, a *store.Agent) (DriftVerdict, bool, error) {
	ended := a.Sessions - a.Active
	s.mu.Lock()
	have, ok := s.drifts[a.Name]
	s.mu.Unlock()
	if ok && (have.ended == ended || s.now().Sub(have.made) < driftFor) {
		return have.verdict, have.verdict.Status != "", nil
	}
	d, err := s.Drift(ctx, a.Name)
	if err != nil {
		return DriftVerdict{}, false, err
	}
	v := DriftVerdict{Agent: a.Name}
	if d.Report != nil {
		v.Score, v.Status, v.Summary = d.Score, d.Status, d.Report.Summary
	}
	s.mu.Lock()
	if len(s.drifts) > 1000 {
		clear(s.drifts)
	}
	s.drifts[a.Name] = cachedDrift{s.now(), ended, v}
	s.mu.Unlock()
	return v, v.Status != "", nil
}
