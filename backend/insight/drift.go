package insight

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/backend/finding"
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

// windowSessions is how many sessions a window of a request holds at most when
// the request does not say.
const windowSessions = 200

// Drift is a comparison of two windows of an agent's ended sessions.
type Drift struct {
	Agent string `json:"agent_name"`
	*drift.Report
	Baseline []*analysis.Summary `json:"-"`
	Current  []*analysis.Summary `json:"-"`
	// Told is what the collector said last, when its verdict on the agent
	// changed; absent when it has said nothing. Only a comparison of the
	// settings' windows has it.
	Told *DriftTold `json:"collector,omitempty"`
	// Wants is how many sessions must have ended before there is a report.
	Wants int `json:"-"`
}

// DriftTold is a finding of the collector's drift engine.
type DriftTold struct {
	Status    drift.Status `json:"status"`
	Score     *float64     `json:"drift_score,omitempty"`
	At        time.Time    `json:"at"`
	SessionID string       `json:"session_id"`
	// Differs says that the sessions stored now are judged otherwise: by
	// sessions that came since, or that one side has and the other has not.
	Differs bool `json:"differs"`
}

// Drift compares an agent's latest sessions with those before them, as the
// settings choose. The Report is nil when there are too few.
func (s *Source) Drift(ctx context.Context, agent string) (*Drift, error) {
	rolling := s.get().Drift
	all, err := s.store.Summaries(ctx, store.SummaryQuery{Agent: agent, Ended: true, ByEnd: true, Limit: rolling.Sessions()})
	if err != nil {
		return nil, err
	}
	d := &Drift{Agent: agent, Wants: rolling.CurrentSessions + 1}
	d.Report, d.Baseline, d.Current, err = rolling.Compare(all)
	var empty *drift.EmptyWindowError
	if err != nil && !errors.As(err, &empty) {
		return nil, err
	}
	d.Told, err = s.driftTold(ctx, d)
	return d, err
}

// driftTold returns the collector's latest drift finding of an agent.
func (s *Source) driftTold(ctx context.Context, d *Drift) (*DriftTold, error) {
	notes, _, err := s.store.Notes(ctx, store.NoteQuery{
		Author: finding.Author, Prefixes: finding.Prefixes(finding.Drift), Agent: d.Agent, Limit: 1,
	})
	if err != nil || len(notes) == 0 {
		return nil, err
	}
	f := finding.Parse(notes[0].Author, notes[0].Text)
	told := &DriftTold{Status: drift.Status(f.Severity), Score: f.Score, At: notes[0].At, SessionID: notes[0].SessionID}
	// That there is not enough evidence is no news to the collector.
	told.Differs = d.Report != nil && d.Status != told.Status && d.Status != drift.NotEnoughEvidence
	return told, nil
}

// CompareWindows compares two windows of an agent's ended sessions; one that is
// in both counts as current. The Report is nil when one of them is empty.
func (s *Source) CompareWindows(ctx context.Context, agent string, baseline, current Window) (*Drift, error) {
	d := &Drift{Agent: agent}
	var err error
	if d.Current, err = s.window(ctx, agent, current, nil); err != nil {
		return nil, err
	}
	if d.Baseline, err = s.window(ctx, agent, baseline, d.Current); err != nil {
		return nil, err
	}
	d.Report, err = drift.Compare(d.Baseline, d.Current)
	var empty *drift.EmptyWindowError
	if errors.As(err, &empty) {
		return d, nil
	}
	return d, err
}

// window returns the sessions of a window but for those in another: a session
// is not compared with itself.
func (s *Source) window(ctx context.Context, agent string, w Window, but []*analysis.Summary) ([]*analysis.Summary, error) {
	n := w.Sessions
	if n == 0 {
		n = windowSessions
	}
	all, err := s.store.Summaries(ctx, store.SummaryQuery{Agent: agent, From: w.From, To: w.To, Version: w.Version, Ended: true, Limit: n + len(but)})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(sum *analysis.Summary) bool {
		return slices.ContainsFunc(but, func(b *analysis.Summary) bool { return b.SessionID == sum.SessionID })
	})
	return all[:min(n, len(all))], nil
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

// Verdict returns an agent's verdict, false when it has too few sessions to
// compare. It may be some seconds old when sessions have ended since.
func (s *Source) Verdict(ctx context.Context, a *store.Agent) (DriftVerdict, bool, error) {
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
