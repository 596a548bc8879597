package alert

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Alert says that a rule has fired or, when Resolved, fires no more.
type Alert struct {
	RuleName string   `json:"rule_name"`
	Severity Severity `json:"severity"`
	// Message is the condition and the figure in words. It does not quote what
	// a pattern found, which may be what must not be passed on.
	Message string `json:"message"`
	// Value is the figure that made the condition hold, and Threshold the one
	// it was compared with; absent where the condition has none. On a stream
	// a rate knows only that it is more than Threshold, and says one more.
	Value     analysis.Opt[float64] `json:"value,omitzero"`
	Threshold analysis.Opt[float64] `json:"threshold,omitzero"`
	// Timestamp, SessionID and EventID are those of the event at which the
	// rule fired or was resolved.
	Timestamp time.Time `json:"timestamp,omitzero"`
	SessionID string    `json:"session_id,omitempty"`
	EventID   string    `json:"event_id,omitempty"`
	// MatchedEvents are, from Evaluate only, the indices of the events that
	// made the condition hold: every match of a threshold or pattern, the last
	// Count of a run, the window of a rate or aggregate, and of a composite
	// those of its members that hold.
	MatchedEvents []int `json:"matched_events,omitempty"`
	Resolved      bool  `json:"resolved,omitempty"`
	// Group is for whoever keeps a State for each group of events to fill in:
	// a rule that fired for a group is resolved for that group.
	Group Group `json:"group,omitzero"`
}

// Group is one of several streams of events that a rule watches apart.
type Group struct {
	// By is what divides the events: none, agent, session or model.
	By string `json:"by"`
	// Value is the agent, session or model; empty by none.
	Value string `json:"value,omitempty"`
	// StateID tells apart whoever watches, such as two collectors: what one of
	// them saw fire is for it to resolve.
	StateID string `json:"state_id,omitempty"`
}

// String returns the alert as one line.
func (a Alert) String() string {
	if a.Resolved {
		return fmt.Sprintf("[resolved] %s: %s", a.RuleName, a.Message)
	}
	return fmt.Sprintf("[%s] %s: %s", a.Severity, a.RuleName, a.Message)
}

// Render returns alerts as a table for people, times in UTC.
func Render(alerts []Alert) string {
	if len(alerts) == 0 {
		return "No alerts.\n"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIME\tSEVERITY\tRULE\tSESSION\tWHY")
	for i := range alerts {
		a := &alerts[i]
		at, severity, session := "-", string(a.Severity), a.SessionID
		if !a.Timestamp.IsZero() {
			at = a.Timestamp.UTC().Format("2006-01-02 15:04:05")
		}
		if a.Resolved {
			severity = "resolved"
		}
		if session == "" {
			session = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", at, severity, oneLine(a.RuleName), oneLine(session), oneLine(a.Message))
	}
	w.Flush()
	return b.String()
}

// oneLine keeps a foreign text from breaking the table.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (r *compiled) alert(e *analysis.Event, actual analysis.Opt[float64], resolved bool) Alert {
	n := &r.nodes[0]
	a := Alert{
		RuleName: r.name, Severity: r.severity, Message: n.text,
		Value: actual, Timestamp: e.Timestamp, SessionID: e.SessionID, EventID: e.ID, Resolved: resolved,
	}
	switch {
	case n.kind == Threshold && n.match.want.kind != number, n.kind == Pattern, n.kind == Composite:
	default:
		a.Threshold = analysis.Some(n.limit)
	}
	if actual.OK {
		a.Message += ": " + formatNumber(actual.V)
	}
	return a
}

// finite returns x, or nothing for a sum that has overflowed.
func finite(x float64) analysis.Opt[float64] {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return analysis.Opt[float64]{}
	}
	return analysis.Some(x)
}
