package agentlensexporter

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// request is one POST /events and where its content came from.
type request struct {
	items  []item
	events []wire.Event
	copies []wire.Event
	body   []byte
	// fieldLimit is how long its data fields are at most, in bytes.
	fieldLimit int
	// ends has the sessions it tells of, true for those whose session_end is
	// in it.
	ends map[string]bool
	// taken is what knownSessions.sending noted.
	taken map[string]int
}

// spanRef finds a span in a batch.
type spanRef struct{ resource, scope, span int }

// item is what one span adds to a request.
type item struct {
	ref      spanRef
	reading  spanevent.Reading
	findings []spanevent.Finding
}

// readItems returns the GenAI spans of a batch in the order of their arrival.
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

// ends reports whether the span calls for a session_end.
func (it *item) ends() bool {
	return it.reading.Role == spanevent.RoleSession || it.reading.Role == spanevent.RoleSessionReport
}

// isCopy reports whether the span tells of a call that is an event already.
func (it *item) isCopy() bool {
	return it.reading.Role == spanevent.RolePart && len(it.reading.PartOf) > 0
}

// order puts starts before events before ends.
func (it *item) order() int {
	switch {
	case it.reading.Role == spanevent.RoleSessionStart:
		return 0
	case it.ends():
		return 2
	default:
		return 1
	}
}

// buildRequests turns items into requests of at most wire.MaxBatchEvents
// entries. Of the requests of a session, the events come in the order of time,
// and its end in the last.
func buildRequests(items []item, known map[string]snapshot) []request {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.order(), b.order()), a.reading.End.Compare(b.reading.End))
	})
	var out []request
	for len(items) > 0 {
		n := fit(items, known)
		out = append(out, newRequest(items[:n], known, wire.MaxFieldBytes))
		items = items[n:]
	}
	return out
}

// fit returns how many of the items make one request.
func fit(items []item, known map[string]snapshot) int {
	sessions, ends := map[string]bool{}, map[string]bool{}
	entries := 0
	for i := range items {
		r := &items[i].reading
		key := r.Key()
		adds := 0
		if !sessions[key] {
			adds++
		}
		if r.Role == spanevent.RoleEvent || items[i].isCopy() {
			adds++
		}
		if !ends[key] && (items[i].ends() || known[key].ended) {
			adds++
			ends[key] = true
		}
		if entries+adds > wire.MaxBatchEvents {
			return i
		}
		entries += adds
		sessions[key] = true
	}
	return len(items)
}

// newRequest returns the request of some items. In it the session_start of
// every session comes first, then the events, and then the session_end of the
// sessions that end in it or have ended before.
func newRequest(items []item, known map[string]snapshot, fieldLimit int) request {
	req := request{items: items, fieldLimit: fieldLimit}
	var order []string
	events := make([]wire.Event, 0, len(items))
	ends := map[string]bool{}
	for i := range items {
		r := &items[i].reading
		key := r.Key()
		if _, ok := ends[key]; !ok {
			order = append(order, key)
			ends[key] = known[key].ended
		}
		switch {
		case r.Role == spanevent.RoleEvent:
			events = append(events, wireEvent(r, fieldLimit))
		case items[i].isCopy():
			req.copies = append(req.copies, wireEvent(r, fieldLimit))
		case items[i].ends():
			ends[key] = true
		}
	}
	for _, key := range order {
		req.events = append(req.events, known[key].start)
	}
	req.events = append(req.events, events...)
	for _, key := range order {
		if end := known[key].end; ends[key] && end != nil {
			req.events = append(req.events, *end)
		}
	}
	req.ends = ends
	return req
}

// newEnds returns a request that tells the end of sessions once more. Its items
// are what to try again when it fails.
func newEnds(items []item, sessions map[string]snapshot) request {
	req := request{items: items, fieldLimit: smallField, ends: map[string]bool{}}
	for _, snap := range sessions {
		req.events = append(req.events, snap.start)
	}
	for key, snap := range sessions {
		if snap.end != nil {
			req.events = append(req.events, *snap.end)
		}
		req.ends[key] = true
	}
	return req
}

// halves splits a request in two, in the order of its items. It returns false
// when there is nothing to split.
func (req *request) halves(known map[string]snapshot) ([]request, bool) {
	n := len(req.items)
	if n < 2 {
		return nil, false
	}
	return []request{
		newRequest(req.items[:n/2], known, req.fieldLimit),
		newRequest(req.items[n/2:], known, req.fieldLimit),
	}, true
}

// encode makes the body, which no later call changes. An event that cannot be
// written as JSON is sent without its data, and told to lost.
func (req *request) encode(lost func(e *wire.Event, err error)) error {
	if req.body != nil {
		return nil
	}
	body, err := encodeJSON(wire.Batch{Events: req.events, Copies: req.copies})
	if err != nil {
		mendEvents(req.events, lost)
		mendEvents(req.copies, lost)
		if body, err = encodeJSON(wire.Batch{Events: req.events, Copies: req.copies}); err != nil {
			return err
		}
	}
	req.body = body
	return nil
}

// mendEvents takes the data out of events that cannot be written as JSON.
func mendEvents(events []wire.Event, lost func(e *wire.Event, err error)) {
	for i := range events {
		e := &events[i]
		if _, err := encodeJSON(e); err != nil {
			lost(e, err)
			*e = wire.Event{
				EventType: e.EventType, TrueType: e.TrueType, SessionID: e.SessionID, EventID: e.EventID,
				Timestamp: e.Timestamp, Model: e.Model, TokensIn: e.TokensIn, TokensOut: e.TokensOut,
				Replaces: e.Replaces, PartOf: e.PartOf,
			}
		}
	}
}

// spansOf returns the spans of td that the requests were made of.
func spansOf(td ptrace.Traces, requests []request) ptrace.Traces {
	keep := map[spanRef]bool{}
	for i := range requests {
		for j := range requests[i].items {
			keep[requests[i].items[j].ref] = true
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
