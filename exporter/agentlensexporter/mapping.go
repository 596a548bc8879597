package agentlensexporter

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// request is one POST /events and where its content came from.
type request struct {
	events   []wire.Event
	findings []sessionFindings
	spans    map[spanRef]bool
}

// sessionFindings are the findings on one span.
type sessionFindings struct {
	sessionID string
	eventID   string
	findings  []spanevent.Finding
}

// spanRef finds a span in a batch.
type spanRef struct{ resource, scope, span int }

// item is what one span adds to a request.
type item struct {
	ref      spanRef
	reading  spanevent.Reading
	findings []spanevent.Finding
}

// buildRequests turns the GenAI spans of a batch into requests, each within
// the backend's limit. In a request the session_start of every session comes
// before its events, in the order of time, and its session_end after them.
func buildRequests(td ptrace.Traces) []request {
	items := readItems(td)
	slices.SortStableFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.order(), b.order()), a.reading.End.Compare(b.reading.End))
	})
	var out []request
	for len(items) > 0 {
		n := fit(items)
		out = append(out, newRequest(items[:n]))
		items = items[n:]
	}
	return out
}

func readItems(td ptrace.Traces) []item {
	var items []item
	for i, rs := range td.ResourceSpans().All() {
		for j, ss := range rs.ScopeSpans().All() {
			scope := spanevent.ForScope(ss.Scope())
			for k, span := range ss.Spans().All() {
				r := scope.Read(span)
				if r.Role == spanevent.RoleNone {
					continue
				}
				items = append(items, item{spanRef{i, j, k}, r, spanevent.Findings(span)})
			}
		}
	}
	return items
}

// order puts starts before events before ends.
func (it *item) order() int {
	switch it.reading.Role {
	case spanevent.RoleSessionStart:
		return 0
	case spanevent.RoleSession, spanevent.RoleSessionReport:
		return 2
	default:
		return 1
	}
}

// fit returns how many items make one request.
func fit(items []item) int {
	sessions := map[string]bool{}
	events := 0
	for i := range items {
		r := &items[i].reading
		adds := 0
		if !sessions[r.Key()] {
			adds++
		}
		if r.Role != spanevent.RolePart && r.Role != spanevent.RoleWrapper && r.Role != spanevent.RoleSessionStart {
			adds++
		}
		if events+adds > wire.MaxBatchEvents {
			return i
		}
		events += adds
		sessions[r.Key()] = true
	}
	return len(items)
}

func newRequest(items []item) request {
	req := request{spans: make(map[spanRef]bool, len(items))}
	starts := map[string]*wire.Event{}
	var order []string
	var events, ends []wire.Event
	for i := range items {
		r := &items[i].reading
		req.spans[items[i].ref] = true
		if len(items[i].findings) > 0 {
			f := sessionFindings{sessionID: wireID(r.Key()), findings: items[i].findings}
			if r.Role == spanevent.RoleEvent {
				f.eventID = r.Event.ID
			}
			req.findings = append(req.findings, f)
		}
		if starts[r.Key()] == nil {
			starts[r.Key()] = &wire.Event{EventType: wire.TypeSessionStart, SessionID: wireID(r.Key())}
			order = append(order, r.Key())
		}
		addToStart(starts[r.Key()], r)
		switch r.Role {
		case spanevent.RoleEvent:
			events = append(events, wireEvent(r))
		case spanevent.RoleSession, spanevent.RoleSessionReport:
			ends = append(ends, sessionEnd(r))
		}
	}
	for _, key := range order {
		req.events = append(req.events, *starts[key])
	}
	req.events = append(append(req.events, events...), ends...)
	return req
}

// addToStart adds what a span knows of how its session began. The root and the
// start span know; from any other, the earliest start in the batch is taken.
func addToStart(start *wire.Event, r *spanevent.Reading) {
	if start.AgentName == "" {
		start.AgentName = r.AgentName
	}
	begin := r.Start
	switch r.Role {
	case spanevent.RoleSession, spanevent.RoleSessionStart:
		start.Timestamp = wire.At(r.Session.StartedAt)
		if len(r.Session.Metadata) > 0 {
			start.Metadata = r.Session.Metadata
		}
	case spanevent.RoleSessionReport:
		// Its own time is the session's end.
		return
	}
	if start.Timestamp == nil || begin.Before(start.Timestamp.Time) {
		start.Timestamp = wire.At(begin)
	}
	if id := r.Key(); id != start.SessionID {
		if start.Metadata == nil {
			start.Metadata = map[string]any{}
		}
		start.Metadata[metadataTrueID] = id
	}
}

func sessionEnd(r *spanevent.Reading) wire.Event {
	status := r.Session.Status
	if status == "" || status == analysis.StatusActive {
		status = analysis.StatusCompleted
	}
	return wire.Event{
		EventType: wire.TypeSessionEnd, SessionID: wireID(r.Key()), EndedAt: wire.At(r.Session.EndedAt),
		TotalTokensIn: r.Session.TokensIn, TotalTokensOut: r.Session.TokensOut, Status: status,
	}
}

func wireEvent(r *spanevent.Reading) wire.Event {
	e := &r.Event
	out := wire.Event{
		EventType: string(e.Type), SessionID: wireID(r.Key()), EventID: e.ID, Timestamp: wire.At(e.Timestamp),
		InputData: e.Input, OutputData: e.Output, Model: e.Model,
		TokensIn: e.TokensIn, TokensOut: e.TokensOut, DurationMS: e.DurationMS,
		TraceID: r.TraceID.String(), Provider: e.Provider,
		CacheReadTokens: e.CacheReadTokens, CacheWriteTokens: e.CacheWriteTokens, ReasoningTokens: e.ReasoningTokens,
		CostUSD: e.CostUSD, Error: e.Error,
	}
	if !r.ParentID.IsEmpty() {
		out.ParentID = r.ParentID.String()
	}
	if !wire.Accepted(out.EventType) {
		out.TrueType, out.EventType = out.EventType, string(analysis.EventGeneric)
	}
	if t := e.ToolCall; t != nil {
		out.ToolCall = &wire.ToolCall{
			ID: firstOf(t.ID, e.ID), Name: t.Name, Input: t.Input, Output: t.Output,
			Timestamp: wire.At(t.Timestamp), DurationMS: t.DurationMS,
		}
	}
	if d := e.DecisionTrace; d != nil {
		out.DecisionTrace = &wire.DecisionTrace{
			ID: firstOf(d.ID, e.ID), Step: d.Step, Reasoning: d.Reasoning, Alternatives: d.Alternatives,
			Confidence: d.Confidence, Timestamp: wire.At(d.Timestamp),
		}
	}
	return out
}

// spansOf returns the spans of td that the requests were made of.
func spansOf(td ptrace.Traces, requests []request) ptrace.Traces {
	keep := map[spanRef]bool{}
	for _, req := range requests {
		for ref := range req.spans {
			keep[ref] = true
		}
	}
	out := ptrace.NewTraces()
	td.CopyTo(out)
	for i, rs := range out.ResourceSpans().All() {
		for j, ss := range rs.ScopeSpans().All() {
			k := -1
			ss.Spans().RemoveIf(func(ptrace.Span) bool {
				k++
				return !keep[spanRef{i, j, k}]
			})
		}
	}
	return out
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
