package insight

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
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
	// Group is that of a rule of the collector; empty where it was not said.
	Group wire.AlertGroup `json:"alert_group,omitzero"`
	// Firing says that the rule has fired here within FiringFor and that its
	// state has said nothing since, for this group.
	Firing bool `json:"firing"`
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
	// Firing says that one of its events is.
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

// AlertPage is a page of what has fired, the latest first.
type AlertPage struct {
	Events []AlertEvent
	// Total is how many there are on all pages.
	Total int
	// Firing are, of the query's agent and on whatever page, those that fire.
	Firing []AlertEvent
}

// FiringRules counts the rules that fire.
func (p AlertPage) FiringRules() int { return len(rulesOf(p.Firing)) }

// Rules gathers by rule the events of the page, and of rules that fire though
// nothing on the page says so the latest one that does.
func (p AlertPage) Rules() []Rule {
	events, shown := slices.Clone(p.Events), map[string]bool{}
	for i := range events {
		if events[i].Firing {
			shown[events[i].Rule] = true
		}
	}
	for i := range p.Firing {
		if f := &p.Firing[i]; !shown[f.Rule] {
			events, shown[f.Rule] = append(events, *f), true
		}
	}
	latestFirst(events)
	return rulesOf(events)
}

// Alerts returns a page of what the collector's engines and the rules of the
// API have fired.
func (s *Source) Alerts(ctx context.Context, q AlertQuery) (p AlertPage, err error) {
	// Both are read up to the end of the page, and merged.
	upTo := q.Offset + q.Limit
	events, total, err := s.alerts(ctx, q, upTo)
	if err != nil {
		return p, err
	}
	latestFirst(events)
	p.Events, p.Total = events[min(q.Offset, len(events)):min(upTo, len(events))], total
	if p.Firing, err = s.firing(ctx, q.Agent); err != nil {
		return p, err
	}
	fires := make(map[string]bool, len(p.Firing))
	for i := range p.Firing {
		fires[p.Firing[i].ID] = true
	}
	for i := range p.Events {
		p.Events[i].Firing = fires[p.Events[i].ID]
	}
	return p, nil
}

// alerts returns the latest limit events of both kinds, each kind in the order
// in which they came, the last first.
func (s *Source) alerts(ctx context.Context, q AlertQuery, limit int) ([]AlertEvent, int, error) {
	firings, total, err := s.store.RuleFirings(ctx, store.FiringQuery{
		RuleID: q.RuleID, Agent: q.Agent, Acknowledged: q.Acknowledged, After: q.After, Before: q.Before, Limit: limit,
	})
	if err != nil {
		return nil, 0, err
	}
	events := make([]AlertEvent, 0, len(firings))
	for i := range firings {
		events = append(events, firedByRule(&firings[i]))
	}
	if q.RuleID.OK {
		return events, total, nil
	}
	notes, n, err := s.store.Notes(ctx, store.NoteQuery{
		Author: finding.Author, Prefixes: finding.Prefixes(finding.Alert, finding.Budget, finding.Drift), Agent: q.Agent,
		Acknowledged: q.Acknowledged, WrittenAfter: q.After, WrittenBefore: q.Before, Limit: limit,
	})
	for i := range notes {
		events = append(events, found(&notes[i]))
	}
	return events, total + n, err
}

func latestFirst(events []AlertEvent) {
	slices.SortStableFunc(events, func(a, b AlertEvent) int { return b.At.Compare(a.At) })
}

func found(n *store.Note) AlertEvent {
	e := AlertEvent{
		ID: strconv.FormatInt(n.ID, 10), Finding: finding.Parse(n.Author, n.Text), SessionID: n.SessionID, EventID: n.EventID,
		AgentName: n.AgentName, At: n.At, Acknowledged: n.AcknowledgedAt.OK, AcknowledgedAt: n.AcknowledgedAt,
	}
	if e.Rule == "" {
		e.Rule = map[finding.Kind]string{finding.Drift: "Drift", finding.Budget: "Budget", finding.Alert: "Alert"}[e.Kind]
	}
	e.RuleName, e.Group = e.Rule, n.AlertGroup
	return e
}

// maxToldOf bounds the events among which those that fire are looked for.
const maxToldOf = 10_000

// firingKey is what can fire by itself.
type firingKey struct {
	rule  string
	api   int64 // of a rule of the API
	group wire.AlertGroup
	agent string // where no group was said
}

// firing returns what fires now, of one agent or (agent empty) all, the latest
// first. What came last of a rule and its group says whether it fires, of
// whichever agent that was. Last in the order of arrival: a rule may be resolved
// by an event that is older than the one at which it fired.
func (s *Source) firing(ctx context.Context, agent string) ([]AlertEvent, error) {
	since := s.now().Add(-FiringFor)
	events, _, err := s.alerts(ctx, AlertQuery{After: since}, maxToldOf)
	if err != nil {
		return nil, err
	}
	var firing []AlertEvent
	known := map[firingKey]bool{}
	for _, e := range events {
		key := firingKey{rule: e.Rule, agent: e.AgentName}
		if e.Compared != nil {
			key.api = e.RuleID
		}
		said := key
		if e.Group.By != "" {
			said.group, said.agent = e.Group, ""
		}
		if !known[said] && !e.Resolved && e.At.After(since) && (agent == "" || e.AgentName == agent) {
			e.Firing = true
			firing = append(firing, e)
		}
		// Of earlier ones without a group it is as of the agent's.
		known[said], known[key] = true, true
	}
	latestFirst(firing)
	return firing, nil
}

// rulesOf gathers events, which are the latest first, by rule: the rules that
// fire first, then by when they last did.
func rulesOf(events []AlertEvent) []Rule {
	byName := map[string]*Rule{}
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
		r.Firing = r.Firing || e.Firing
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
