package agentlensprocessor

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// driftEngine compares, for each agent, its latest sessions with those before
// them, with those of the version before, or with a pinned baseline.
type driftEngine struct {
	cfg     DriftConfig
	compare drift.Config

	mu     sync.Mutex
	agents map[string]*agentDrift
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
	// Unjudged counts the sessions added since the last comparison.
	Unjudged int `json:"unjudged"`
}

// driftFinding is what a completed session's span says of its agent's drift.
type driftFinding struct {
	Score  float64
	Status drift.Status
	// Changed is the report when the status is another than the last one told.
	Changed *drift.Report
}

func newDriftEngine(cfg DriftConfig) *driftEngine {
	compare := drift.DefaultConfig()
	compare.MaxSessions = max(cfg.BaselineSessions, cfg.CurrentSessions)
	return &driftEngine{cfg: cfg, compare: compare, agents: map[string]*agentDrift{}}
}

// add adds a completed session, or a revision of it, and returns where its
// agent stands; nil while there is nothing to compare with.
func (d *driftEngine) add(s *analysis.Summary, version string, revision int64) (*driftFinding, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, err := d.agent(s.AgentName, version)
	if err != nil || a == nil {
		return nil, err
	}
	window := a.Recent
	switch {
	case d.cfg.Mode == DriftPinned && a.Pinned[d.cfg.Baseline].Len() < d.cfg.BaselineSessions:
		window = a.Pinned[d.cfg.Baseline]
	case d.cfg.Mode == DriftVersion && a.Previous != nil && version == a.PreviousVersion:
		window = a.Previous
	}
	if err := window.AddRevision(s, revision); err != nil {
		return nil, fmt.Errorf("drift of agent %q: %w", s.AgentName, err)
	}
	a.Unjudged++
	return d.judge(a)
}

// agent returns the agent's windows, making room for a version not seen
// before; nil when there are too many agents.
func (d *driftEngine) agent(name, version string) (*agentDrift, error) {
	a := d.agents[name]
	if a == nil {
		if len(d.agents) >= maxAgents {
			return nil, nil
		}
		a = &agentDrift{Version: version}
		var err error
		if a.Recent, err = drift.NewWindow(d.recentSessions()); err != nil {
			return nil, err
		}
		d.agents[name] = a
	}
	if d.cfg.Mode == DriftPinned && a.Pinned[d.cfg.Baseline] == nil {
		pinned, err := drift.NewWindow(d.cfg.BaselineSessions)
		if err != nil {
			return nil, err
		}
		if a.Pinned == nil {
			a.Pinned = map[string]*drift.Window{}
		}
		a.Pinned[d.cfg.Baseline] = pinned
	}
	if d.cfg.Mode == DriftVersion && version != a.Version && (a.Previous == nil || version != a.PreviousVersion) {
		fresh, err := drift.NewWindow(d.recentSessions())
		if err != nil {
			return nil, err
		}
		a.Previous, a.PreviousVersion = a.Recent, a.Version
		a.Recent, a.Version = fresh, version
	}
	return a, nil
}

func (d *driftEngine) recentSessions() int {
	switch d.cfg.Mode {
	case DriftRolling:
		return d.cfg.BaselineSessions + d.cfg.CurrentSessions
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
		return a.Recent.Split(d.cfg.CurrentSessions)
	case DriftVersion:
		return a.Previous, a.Recent
	default:
		return a.Pinned[d.cfg.Baseline], a.Recent
	}
}

// judge compares when enough is new, and else repeats the last answer: a
// comparison costs what a hundred sessions cost to add.
func (d *driftEngine) judge(a *agentDrift) (*driftFinding, error) {
	baseline, current := d.windows(a)
	if baseline == nil || baseline.Len() == 0 || current.Len() == 0 {
		return nil, nil
	}
	if a.Status != "" && a.Unjudged < max(1, d.cfg.CurrentSessions/10) {
		return &driftFinding{Score: a.Score, Status: a.Status}, nil
	}
	report, err := drift.CompareWindows(baseline, current, d.compare)
	if err != nil {
		return nil, err
	}
	f := &driftFinding{Score: report.Score, Status: report.Status}
	// The same windows are looked at again and again, and chance gets many
	// tries: a new status is news when the next comparison says it too.
	if report.Status == a.Status && news(a.Told) != news(report.Status) {
		f.Changed, a.Told = report, report.Status
	}
	a.Score, a.Status, a.Unjudged = report.Score, report.Status, 0
	return f, nil
}

// news returns what a status is as news: that nothing changed, and that it
// cannot be told, are the same.
func news(s drift.Status) drift.Status {
	if s == "" || s == drift.NotEnoughEvidence {
		return drift.Stable
	}
	return s
}

// last returns where an agent stood at the last comparison, nil before the first.
func (d *driftEngine) last(agent string) *driftFinding {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.agents[agent]; a != nil && a.Status != "" {
		return &driftFinding{Score: a.Score, Status: a.Status}
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
		a, err := d.agent(name, from.Version)
		if err != nil {
			return err
		}
		if a == nil {
			continue
		}
		a.Recent.Merge(from.Recent)
		a.Previous, a.PreviousVersion = from.Previous, from.PreviousVersion
		if from.Pinned != nil {
			a.Pinned = from.Pinned
		}
		a.Status, a.Score, a.Told, a.Unjudged = from.Status, from.Score, from.Told, from.Unjudged
	}
	return nil
}
