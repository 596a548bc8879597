package insight

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// AlertEvent is one time that a rule fired or was resolved, that a budget was
// exceeded, or that an agent's drift changed its status.
type AlertEvent struct {
	// ID names it among findings and firings alike.
	ID string `json:"alert_id"`
	finding.Finding
	// SessionID is empty for a rule of the API: it is about many.
	SessionID string    `json:"session_id,omitempty"`
	EventID   string    `json:"event_id,omitempty"`
	AgentName string    `json:"agent_name,omitempty"`
	At        time.Time `json:"triggered_at"`

	Acknowledged   bool                    `json:"acknowledged"`
	AcknowledgedAt analysis.Opt[time.Time] `json:"acknowledged_at"`

	RuleName string `json:"rule_name"`
	// What a rule of the API compared; absent for the collector's findings.
	*Compared
}

// Compared is what a rule of the API compared when it fired.
type Compared struct {
	RuleID    int64   `json:"rule_id,string"`
	Metric    string  `json:"metric"`
	Value     float64 `json:"metric_value"`
	Operator  string  `json:"operator"`
	Threshold float64 `json:"threshold"`
	Window    int     `json:"window_minutes"`
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

// latestOfRule is how many events of a rule a page shows at once.
const latestOfRule = 5

// Latest and Earlier divide the rule's events.
func (r Rule) Latest() []AlertEvent { return r.Events[:min(latestOfRule, len(r.Events))] }

// Earlier are those after Latest.
func (r Rule) Earlier() []AlertEvent { return r.Events[min(latestOfRule, len(r.Events)):] }

// FiringFor is how long an alert that nobody resolves counts as firing.
const FiringFor = 24 * time.Hour

// AlertQuery selects what has fired. A zero field selects all.
type AlertQuery struct {
	Agent string
	// RuleID selects what one rule of the API fired.
	RuleID       analysis.Opt[int64]
	Acknowledged analysis.Opt[bool]
	// After and Before bound when it was told, both included.
	After, Before time.Time
	Limit         int
	Offset        int
}

// Alerts returns a page of what the collector's engines and the rules of the
// API have fired, the latest first, and how many there are in all.
func (s *Source) Alerts(ctx context.Context, q AlertQuery) ([]AlertEvent, int, error) {
	// Both are read up to the end of the page, and merged.
	upTo := q.Offset + q.Limit
	firings, total, err := s.store.RuleFirings(ctx, store.FiringQuery{
		RuleID: q.RuleID, Agent: q.Agent, Acknowledged: q.Acknowledged, After: q.After, Before: q.Before, Limit: upTo,
	})
	if err != nil {
		return nil, 0, err
	}
	events := make([]AlertEvent, 0, len(firings))
	for i := range firings {
		events = append(events, firedByRule(&firings[i]))
	}
	if !q.RuleID.OK {
		notes, n, err := s.store.Notes(ctx, store.NoteQuery{
			Author: finding.Author, Prefixes: finding.Prefixes(finding.Alert, finding.Budget, finding.Drift), Agent: q.Agent,
			Acknowledged: q.Acknowledged, WrittenAfter: q.After, WrittenBefore: q.Before, Limit: upTo,
		})
		if err != nil {
			return nil, 0, err
		}
		total += n
		for i := range notes {
			events = append(events, found(&notes[i]))
		}
	}
	slices.SortStableFunc(events, func(a, b AlertEvent) int { return b.At.Compare(a.At) })
	return events[min(q.Offset, len(events)):min(upTo, len(events))], total, nil
}

func found(n *store.Note) AlertEvent {
	e := AlertEvent{
		ID: strconv.FormatInt(n.ID, 10), Finding: finding.Parse(n.Author, n.Text), SessionID: n.SessionID, EventID: n.EventID,
		AgentName: n.AgentName, At: n.At, Acknowledged: n.AcknowledgedAt.OK, AcknowledgedAt: n.AcknowledgedAt,
	}
	if e.Rule == "" {
		e.Rule = map[finding.Kind]string{finding.Drift: "Drift", finding.Budget: "Budget", finding.Alert: "Alert"}[e.Kind]
	}
	e.RuleName = e.Rule
	return e
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
		if e.AgentName != "" && !slices.Contains(r.Agents, e.AgentName) {
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
