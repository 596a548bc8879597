package agentlensprocessor

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// driftEngine compares, for each agent, its latest sessions with those before
// them, with those of the version before, or with a pinned baseline. What it
// says of an agent at a session depends on when sessions ended, not on the
// order in which they were completed (drift_order.go).
type driftEngine struct {
	cfg     DriftConfig
	compare drift.Config

	mu     sync.Mutex
	agents map[string]*agentDrift

	unnamed unnamedSessions
}

// agentDrift is what is known of one agent. Its JSON is part of the snapshot.
type agentDrift struct {
	// Recent holds the newest sessions: in rolling mode the baseline ones and
	// the current ones, else only the current ones.
	Recent *drift.Window `json:"recent"`
	// Previous holds the sessions of PreviousVersion, in version mode.
	Previous *drift.Window `json:"previous,omitempty"`
	// Version and PreviousVersion are the versions of the two windows.
	Version         string `json:"version,omitempty"`
	PreviousVersion string `json:"previous_version,omitempty"`
	// Pinned holds the pinned baselines by name.
	Pinned map[string]*drift.Window `json:"pinned,omitempty"`
	// Status and Score are those of the last comparison; Told is the status
	// that was last told as news.
	Status drift.Status `json:"status,omitempty"`
	Score  float64      `json:"score"`
	Told   drift.Status `json:"told,omitempty"`
	// Unjudged counts the sessions that joined since the last comparison.
	Unjudged int `json:"unjudged"`

	// Waiting holds the sessions that have not joined a window yet.
	Waiting waitingSessions `json:"waiting,omitzero"`
	// Newest is the latest end of a session.
	Newest time.Time `json:"newest,omitzero"`
	// Comparisons are the latest ones, oldest first.
	Comparisons []comparison `json:"comparisons,omitempty"`
}

// driftFinding is what a completed session's span says of its agent's drift.
// Many spans share one.
type driftFinding struct {
	Score  float64
	Status drift.Status
	// Changed holds a report for each time that the status has become another
	// than the last one told.
	Changed []*drift.Report
}

func newDriftEngine(cfg DriftConfig) *driftEngine {
	return &driftEngine{
		cfg: cfg, compare: cfg.rolling().Config(), agents: map[string]*agentDrift{},
		unnamed: unnamedSessions{agents: map[pcommon.TraceID]string{}},
	}
}

// add adds a session completed at the time now, or a revision of it, and
// returns where its agent stood; nil while there is nothing to compare with.
func (d *driftEngine) add(s *analysis.Summary, version string, revision int64, now time.Time) (*driftFinding, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, err := d.agent(s.AgentName)
	if err != nil || a == nil {
		return nil, err
	}
	if err := a.Waiting.add(s, version, revision); err != nil {
		return nil, fmt.Errorf("drift of agent %q: %w", s.AgentName, err)
	}
	d.unnamed.add([]byte(s.SessionID), s.AgentName)
	// One clock far ahead would make every session after it late.
	a.note(earlier(s.EndedAt, now.Add(d.cfg.AllowedLateness)))
	changed, err := d.join(a)
	if err != nil {
		return nil, fmt.Errorf("drift of agent %q: %w", s.AgentName, err)
	}
	f := a.asOf(s.EndedAt, d.cfg.AllowedLateness)
	if len(changed) > 0 {
		news := driftFinding{Score: a.Score, Status: a.Status, Changed: changed}
		if f != nil {
			news.Score, news.Status = f.Score, f.Status
		}
		return &news, nil
	}
	return f, nil
}

// agent returns what is known of an agent; nil when there are too many.
func (d *driftEngine) agent(name string) (*agentDrift, error) {
	if a := d.agents[name]; a != nil {
		return a, nil
	}
	if len(d.agents) >= maxAgents {
		return nil, nil
	}
	recent, err := drift.NewWindow(d.recentSessions())
	if err != nil {
		return nil, err
	}
	a := &agentDrift{Recent: recent}
	d.agents[name] = a
	return a, nil
}

// windowFor returns the window that the next session joins, making room for a
// version not seen before.
func (d *driftEngine) windowFor(a *agentDrift, version []byte) (*drift.Window, error) {
	switch d.cfg.Mode {
	case DriftPinned:
		pinned := a.Pinned[d.cfg.Baseline]
		if pinned == nil {
			var err error
			if pinned, err = drift.NewWindow(d.cfg.BaselineSessions); err != nil {
				return nil, err
			}
			if a.Pinned == nil {
				a.Pinned = map[string]*drift.Window{}
			}
			a.Pinned[d.cfg.Baseline] = pinned
		}
		if pinned.Len() < d.cfg.BaselineSessions {
			return pinned, nil
		}
	case DriftVersion:
		if a.Recent.Len() == 0 && a.Previous == nil {
			a.Version = string(version)
		}
		switch {
		case string(version) == a.Version:
		case a.Previous != nil && string(version) == a.PreviousVersion:
			return a.Previous, nil
		default:
			fresh, err := drift.NewWindow(d.recentSessions())
			if err != nil {
				return nil, err
			}
			a.Previous, a.PreviousVersion = a.Recent, a.Version
			a.Recent, a.Version = fresh, string(version)
		}
	}
	return a.Recent, nil
}

func (d *driftEngine) recentSessions() int {
	switch d.cfg.Mode {
	case DriftRolling:
		return d.cfg.rolling().Sessions()
	case DriftVersion:
		// The current version becomes the baseline of the next.
		return max(d.cfg.BaselineSessions, d.cfg.CurrentSessions)
	default:
		return d.cfg.CurrentSessions
	}
}

// windows returns what is compared with what; the first is nil while there is
// nothing.
func (d *driftEngine) windows(a *agentDrift) (baseline, current *drift.Window) {
	switch d.cfg.Mode {
	case DriftRolling:
		return d.cfg.rolling().Split(a.Recent)
	case DriftVersion:
		return a.Previous, a.Recent
	default:
		return a.Pinned[d.cfg.Baseline], a.Recent
	}
}

// judge compares when enough is new, for a comparison costs what a hundred
// sessions cost to add: when a tenth of the current window has joined, and a
// second has passed between the ends of sessions. It returns the report when it
// is news.
func (d *driftEngine) judge(a *agentDrift, end time.Time) (changed *drift.Report, err error) {
	if a.Status != "" && (a.Unjudged < max(1, d.cfg.CurrentSessions/10) || a.judgedSince(end.Add(-judgeEvery))) {
		return nil, nil
	}
	baseline, current := d.windows(a)
	if baseline == nil || baseline.Len() == 0 || current.Len() == 0 {
		return nil, nil
	}
	report, err := drift.CompareWindows(baseline, current, d.compare)
	if err != nil {
		return nil, err
	}
	// The same windows are looked at again and again, and chance gets many
	// tries: a new status is news when the next comparison says it too.
	if report.Status == a.Status && news(a.Told) != news(report.Status) {
		changed, a.Told = report, report.Status
	}
	a.Score, a.Status, a.Unjudged = report.Score, report.Status, 0
	a.remember(comparison{End: end, Score: report.Score, Status: report.Status}, d.cfg.AllowedLateness)
	return changed, nil
}

// news returns what a status is as news: that nothing changed, and that it
// cannot be told, are the same.
func news(s drift.Status) drift.Status {
	if s == "" || s == drift.NotEnoughEvidence {
		return drift.Stable
	}
	return s
}

// at returns where an agent stood when a session of it ended, nil before the
// first comparison.
func (d *driftEngine) at(agent string, end time.Time) *driftFinding {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.agents[agent]; a != nil {
		return a.asOf(end, d.cfg.AllowedLateness)
	}
	return nil
}

// scores calls f with the last score of each agent.
func (d *driftEngine) scores(f func(agent string, score float64)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, a := range d.agents {
		if a.Status != "" {
			f(name, a.Score)
		}
	}
}

// snapshot returns the windows of all agents, restore takes them back.
func (d *driftEngine) snapshot() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return json.Marshal(d.agents)
}

// restore takes back the sessions that fit the windows of today's
// configuration.
func (d *driftEngine) restore(b []byte) error {
	read := map[string]*agentDrift{}
	if err := json.Unmarshal(b, &read); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, from := range read {
		if from == nil || from.Recent == nil {
			return fmt.Errorf("drift of agent %q has no sessions", name)
		}
		a, err := d.agent(name)
		if err != nil {
			return err
		}
		if a == nil {
			continue
		}
		a.Recent.Merge(from.Recent)
		a.Version, a.Previous, a.PreviousVersion = from.Version, from.Previous, from.PreviousVersion
		a.Waiting, a.Newest, a.Comparisons = from.Waiting, from.Newest, from.Comparisons
		for _, w := range a.Waiting.waiting() {
			d.unnamed.add(a.Waiting.session(&w).ID(), name)
		}
		if from.Pinned != nil {
			a.Pinned = from.Pinned
		}
		if len(a.Comparisons) == 0 && from.Status != "" {
			a.Comparisons = []comparison{{Score: from.Score, Status: from.Status}}
		}
		a.Status, a.Score, a.Told, a.Unjudged = from.Status, from.Score, from.Told, from.Unjudged
	}
	return nil
}
