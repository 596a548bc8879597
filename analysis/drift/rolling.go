package drift

import (
	"errors"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Rolling says which of an agent's sessions are compared when nothing else
// selects them: the newest CurrentSessions with the BaselineSessions before
// them, by when they ended. Whoever watches an agent chooses by it, so that a
// collector and a page about the same sessions say the same.
type Rolling struct {
	BaselineSessions int `mapstructure:"baseline_sessions"`
	CurrentSessions  int `mapstructure:"current_sessions"`
}

// DefaultRolling returns the defaults: 100 and 30.
func DefaultRolling() Rolling { return Rolling{BaselineSessions: 100, CurrentSessions: 30} }

// Check returns a *analysis.FieldError for each number that is not 2 to
// 10,000.
func (r Rolling) Check() error {
	var errs []error
	for _, n := range [...]struct {
		name  string
		value int
	}{{"baseline_sessions", r.BaselineSessions}, {"current_sessions", r.CurrentSessions}} {
		if n.value < 2 || n.value > 10_000 {
			errs = append(errs, &analysis.FieldError{Field: n.name, Value: n.value, Want: "2 to 10000"})
		}
	}
	return errors.Join(errs...)
}

// Sessions returns how many sessions both windows hold together.
func (r Rolling) Sessions() int { return r.BaselineSessions + r.CurrentSessions }

// Config returns how the windows are compared.
func (r Rolling) Config() Config {
	cfg := DefaultConfig()
	cfg.MaxSessions = max(r.BaselineSessions, r.CurrentSessions)
	return cfg
}

// Split returns the two windows of a window of Sessions sessions, as
// Window.Split does. The baseline is empty while there are no more than
// CurrentSessions.
func (r Rolling) Split(w *Window) (baseline, current *Window) { return w.Split(r.CurrentSessions) }

// Compare chooses among an agent's sessions, in any order, and compares. It
// returns the sessions of each window too, oldest first. With an empty baseline
// the error is an *EmptyWindowError, and the windows are returned all the same.
func (r Rolling) Compare(sessions []*analysis.Summary) (report *Report, baseline, current []*analysis.Summary, err error) {
	all, err := NewWindow(r.Sessions())
	if err != nil {
		return nil, nil, nil, err
	}
	byID := make(map[string]*analysis.Summary, len(sessions))
	for _, s := range sessions {
		if err := all.Add(s); err != nil {
			return nil, nil, nil, err
		}
		byID[s.SessionID] = s
	}
	before, now := r.Split(all)
	pick := func(w *Window) (out []*analysis.Summary) {
		for _, x := range w.held {
			out = append(out, byID[string(x.id())])
		}
		return out
	}
	baseline, current = pick(before), pick(now)
	report, err = CompareWindows(before, now, r.Config())
	return report, baseline, current, err
}
