package sessions

import (
	"bytes"
	"container/list"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Session is one session as far as its spans have arrived. It belongs to its
// Table, which locks it while a function passed to the Table runs.
type Session struct {
	Key string
	// Summary is what the session adds up to. It is up to date whenever the
	// Table passes the session with another outcome than Open or Duplicate;
	// with those, call Assemble first.
	Summary analysis.Summary
	// Service says which service the session's first span came from.
	Service Service

	// TraceID is the trace of the session's root, else the one that lasted
	// longest.
	TraceID pcommon.TraceID
	// RootID is the span that reports hang under; empty while none is known.
	RootID pcommon.SpanID
	// RootSeen says that the session's root, or the root of one of its traces,
	// has passed.
	RootSeen bool
	// Completed says that a verdict has been given.
	Completed bool
	// ByIdle says that it was given because nothing more came; then the
	// session opens again when something does.
	ByIdle bool
	// Revision counts the verdicts given, from 1.
	Revision int64
	// Verdict is what the processor keeps of the last findings, to see whether
	// late spans change them.
	Verdict string

	facts   facts
	arrived time.Time
	element *list.Element
}

// Service is what a resource says of the process that sent a span.
type Service struct {
	Name string
	// Version is the service's; the caller may put the agent's in its place.
	Version string
	// Attributes are what the caller wants kept of the resource, in a form of
	// its own.
	Attributes string
}

// facts are what the Summary is assembled from, and what decides between spans
// that say different things, whichever comes first. The fields are exported for
// encoding/gob.
type facts struct {
	// Direct sums the events that need no record; nil until there is a record,
	// and then what was the Summary.
	Direct *analysis.Summary
	Calls  []call
	// Agent and Root hold the best answers so far.
	Agent agentChoice
	Root  rootChoice
	// Started is when the session began by its own root or start span.
	Started time.Time
	// First and Last bound all spans.
	First, Last time.Time
}

// agentChoice prefers what the session's own spans say, then names to labels,
// then the earlier span.
type agentChoice struct {
	Rank  uint8 // 0 = none yet
	Start int64
	Name  string
}

const (
	agentOwn uint8 = iota + 1
	agentNamed
	agentLabelled
)

// rootChoice prefers the session's own root, then roots of traces, then the
// span that ended last.
type rootChoice struct {
	Rank   uint8 // 0 = none yet
	End    int64
	Trace  pcommon.TraceID
	Span   pcommon.SpanID
	Failed bool
}

const (
	rootOwn uint8 = iota + 1
	rootOfTrace
	rootUnknown
)

// observe takes in one reading that was not seen before. It reports whether
// the span repeats a call that was told before.
func (s *Session) observe(r *spanevent.Reading) (repeats bool) {
	s.noteTimes(r)
	s.noteAgent(r)
	s.noteRoot(r)
	if r.Role == spanevent.RoleSession || r.Role == spanevent.RoleSessionStart && s.facts.Started.IsZero() {
		s.facts.Started = r.Session.StartedAt
		s.Summary.StartedAt = r.Session.StartedAt
	}
	if c, ok := newCall(r); ok {
		s.keep(c)
		return s.repeats()
	}
	if r.Role == spanevent.RoleEvent {
		s.direct().Observe(&r.Event)
	}
	return false
}

func (s *Session) noteTimes(r *spanevent.Reading) {
	f := &s.facts
	if f.First.IsZero() || r.Start.Before(f.First) {
		f.First = r.Start
	}
	if r.End.After(f.Last) {
		f.Last = r.End
	}
}

func (s *Session) noteAgent(r *spanevent.Reading) {
	c := agentChoice{Rank: agentNamed, Start: r.Start.UnixNano(), Name: r.AgentName}
	switch {
	case r.Role == spanevent.RoleSession || r.Role == spanevent.RoleSessionStart:
		c.Rank, c.Start = agentOwn, 0
	case r.AgentName == "":
		c.Rank, c.Name = agentLabelled, r.AgentLabel
	}
	if c.Name != "" {
		s.chooseAgent(c)
	}
}

func (s *Session) chooseAgent(c agentChoice) {
	a := &s.facts.Agent
	if c.Rank == 0 {
		return
	}
	if a.Rank == 0 || c.Rank < a.Rank || c.Rank == a.Rank && (c.Start < a.Start || c.Start == a.Start && c.Name < a.Name) {
		*a = c
		s.Summary.AgentName = c.Name
	}
}

func (s *Session) noteRoot(r *spanevent.Reading) {
	c := rootChoice{Rank: rootUnknown, End: r.End.UnixNano(), Trace: r.TraceID, Failed: r.Event.Error != nil}
	switch {
	case r.Role == spanevent.RoleSession:
		c.Rank, c.Span = rootOwn, r.SpanID
		s.RootSeen = true
	case r.Role == spanevent.RoleSessionStart:
		c.Rank, c.Span = rootOwn, r.ParentID
	case r.IsTraceRoot():
		c.Rank, c.Span = rootOfTrace, r.SpanID
		s.RootSeen = true
	}
	s.chooseRoot(c)
}

func (s *Session) chooseRoot(c rootChoice) {
	b := &s.facts.Root
	if c.Rank == 0 {
		return
	}
	if b.Rank == 0 || c.Rank < b.Rank || c.Rank == b.Rank && (c.End > b.End || c.End == b.End && bytes.Compare(c.Trace[:], b.Trace[:]) > 0) {
		*b = c
		s.TraceID, s.RootID = c.Trace, c.Span
	}
}

// EndedBy reports whether the session is complete, and a span like r completes
// it: the way to know a repeated root.
func (s *Session) EndedBy(r *spanevent.Reading) bool { return s.Completed && s.ends(r) }

// ends reports whether the span ends the session: its AgentLens root, or the
// root of the trace that stands for it when no span named a session.
func (s *Session) ends(r *spanevent.Reading) bool {
	return r.Role == spanevent.RoleSession || (r.IsTraceRoot() && s.Key == r.TraceID.String())
}

// complete closes the summary at the end of r, or, when r is nil, at the
// latest event.
func (s *Session) complete(r *spanevent.Reading) {
	s.Completed, s.ByIdle = true, r == nil
	s.Assemble()
	sum := &s.Summary
	switch {
	case r == nil:
		sum.EndedAt = sum.LastEvent
		if sum.EndedAt.IsZero() {
			sum.EndedAt = s.facts.Last
		}
		sum.Status = analysis.StatusTimeout
		if s.RootSeen {
			sum.Status = s.rootStatus()
		}
	case r.Role == spanevent.RoleSession:
		sum.EndedAt = r.Session.EndedAt
		sum.Status = r.Session.Status
	default:
		sum.StartedAt, sum.EndedAt = r.Start, r.End
		sum.Status = s.rootStatus()
	}
	if sum.Status == "" {
		sum.Status = analysis.StatusCompleted
	}
	if sum.StartedAt.IsZero() {
		sum.StartedAt = sum.FirstEvent
	}
	if sum.StartedAt.IsZero() {
		sum.StartedAt = s.facts.First
	}
}

// rootStatus is the status of a session whose root says no more than whether
// it failed.
func (s *Session) rootStatus() analysis.Status {
	if s.facts.Root.Rank == rootOfTrace && s.facts.Root.Failed {
		return analysis.StatusError
	}
	return analysis.StatusCompleted
}

// reopen lets a session that was completed for idleness go on.
func (s *Session) reopen() {
	s.Completed, s.ByIdle = false, false
	s.Summary.Status = analysis.StatusActive
	s.Summary.EndedAt = time.Time{}
	s.Summary.StartedAt = s.facts.Started
}

// absorb takes in what was known of part of the session under another key.
func (s *Session) absorb(o *Session) {
	s.RootSeen = s.RootSeen || o.RootSeen
	if s.Service == (Service{}) {
		s.Service = o.Service
	}
	s.chooseAgent(o.facts.Agent)
	s.chooseRoot(o.facts.Root)
	if f := o.facts.First; s.facts.First.IsZero() || !f.IsZero() && f.Before(s.facts.First) {
		s.facts.First = f
	}
	if o.facts.Last.After(s.facts.Last) {
		s.facts.Last = o.facts.Last
	}
	if d := o.direct(); d.Events > 0 || d.Tokens() > 0 {
		s.direct().Merge(withoutIdentity(d))
	}
	for _, c := range o.facts.Calls {
		s.keep(c)
	}
}

// withoutIdentity returns what a summary has counted, and nothing else.
func withoutIdentity(d *analysis.Summary) *analysis.Summary {
	c := *d
	c.SessionID, c.AgentName, c.Status, c.StartedAt, c.EndedAt = "", "", "", time.Time{}, time.Time{}
	return &c
}

// extract removes and returns the spans of a trace that name no session.
func (s *Session) extract(trace pcommon.TraceID) []call {
	var out []call
	s.facts.Calls = slices.DeleteFunc(s.facts.Calls, func(c call) bool {
		if c.Named || c.Trace != trace {
			return false
		}
		out = append(out, c)
		return true
	})
	return out
}
