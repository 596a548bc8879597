package insight

import (
	"context"
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// AlertEvent is one time that a rule fired or was resolved, that a budget was
// exceeded, or that an agent's drift changed its status.
type AlertEvent struct {
	ID int64 `json:"alert_id"`
	finding.Finding
	SessionID string    `json:"session_id"`
	EventID   string    `json:"event_id,omitempty"`
	AgentName string    `json:"agent_name"`
	At        time.Time `json:"triggered_at"`
}

// Rule is a rule that has fired, with its latest events first.
type Rule struct {
	Name string       `json:"rule"`
	Kind finding.Kind `json:"kind"`
	// Severity is that of the latest time it fired.
	Severity string `json:"severity"`
	Fired    int    `json:"fired"`
	// Firing says that the rule has fired for some agent within FiringFor and
	// was not resolved since.
	Firing bool         `json:"firing"`
	Agents []string     `json:"agents"`
	Last   AlertEvent   `json:"last"`
	Events []AlertEvent `json:"-"`
}

// FiringFor is how long an alert that nobody resolves counts as firing.
const FiringFor = 24 * time.Hour

// Alerts returns a page of what has fired, the latest first, and how many there
// are in all.
func (s *Source) Alerts(ctx context.Context, agent string, limit, offset int) ([]AlertEvent, int, error) {
	notes, total, err := s.store.Notes(ctx, store.NoteQuery{
		Author: finding.Author, Prefixes: finding.Prefixes(finding.Alert, finding.Budget, finding.Drift), Agent: agent, Limit: limit, Offset: offset,
	})
	if err != nil {
		return nil, 0, err
	}
	events := make([]AlertEvent, len(notes))
	for i, n := range notes {
		events[i] = AlertEvent{
			ID: n.ID, Finding: finding.Parse(n.Author, n.Text), SessionID: n.SessionID, EventID: n.EventID, AgentName: n.AgentName, At: n.At,
		}
		if events[i].Rule == "" {
			events[i].Rule = map[finding.Kind]string{finding.Drift: "Drift", finding.Budget: "Budget", finding.Alert: "Alert"}[events[i].Kind]
		}
	}
	// They come in the order in which they were told, which is nearly that in
	// which they happened.
	slices.SortStableFunc(events, func(a, b AlertEvent) int { return b.At.Compare(a.At) })
	return events, total, nil
}

// Rules gathers events, which are the latest first, by rule: those that fire
// first, then by when they last did.
func (s *Source) Rules(events []AlertEvent) []Rule {
	byName := map[string]*Rule{}
	open := map[[2]string]bool{} // rule and agent: whether the latest event is a firing one
	var order []*Rule
	for _, e := range events {
		r := byName[e.Rule]
		if r == nil {
			r = &Rule{Name: e.Rule, Kind: e.Kind, Last: e}
			byName[e.Rule] = r
			order = append(order, r)
		}
		if r.Severity == "" {
			r.Severity = e.Severity
		}
		r.Events = append(r.Events, e)
		if !slices.Contains(r.Agents, e.AgentName) {
			r.Agents = append(r.Agents, e.AgentName)
		}
		if !e.Resolved {
			r.Fired++
		}
		k := [2]string{e.Rule, e.AgentName}
		if _, known := open[k]; !known {
			open[k] = !e.Resolved && s.now().Sub(e.At) < FiringFor
			r.Firing = r.Firing || open[k]
		}
	}
	out := make([]Rule, len(order))
	for i, r := range order {
		out[i] = *r
	}
	slices.SortStableFunc(out, func(a, b Rule) int {
		if a.Firing != b.Firing {
			if a.Firing {
				return -1
			}
			return 1
		}
		return b.Last.At.Compare(a.Last.At)
	})
	return out
}
