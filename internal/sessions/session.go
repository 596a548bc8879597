package sessions

import (
	"container/list"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Session is one session as far as its spans have arrived. It belongs to its
// Table, which locks it while a function passed to the Table runs.
type Session struct {
	Key     string
	Summary analysis.Summary
	// Service says which service the session's first span came from.
	Service Service

	// TraceID is the trace of the session's root, else of its latest span.
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

	arrived time.Time
	element *list.Element
}

// Service is what a resource says of the process that sent a span.
type Service struct {
	Name    string
	Version string
}

// observe takes in one reading that was not seen before.
func (s *Session) observe(r *spanevent.Reading) {
	if r.AgentName != "" && (s.Summary.AgentName == "" || r.Role == spanevent.RoleSession) {
		s.Summary.AgentName = r.AgentName
	}
	if !s.RootSeen || r.Role == spanevent.RoleSession {
		s.TraceID = r.TraceID
	}
	switch r.Role {
	case spanevent.RoleSession:
		s.RootSeen, s.RootID = true, r.SpanID
		s.Summary.StartedAt = r.Session.StartedAt
	case spanevent.RoleSessionStart:
		s.Summary.StartedAt = r.Session.StartedAt
		s.RootID = r.ParentID
	case spanevent.RoleEvent:
		s.Summary.Observe(&r.Event)
	}
	if r.IsTraceRoot() && r.Role != spanevent.RoleSession {
		s.RootSeen = true
		if s.RootID.IsEmpty() {
			s.RootID = r.SpanID
		}
	}
}

// ends reports whether the span ends the session: its AgentLens root, or the
// root of the trace that stands for it when no span named a session.
func (s *Session) ends(r *spanevent.Reading) bool {
	return r.Role == spanevent.RoleSession || (r.IsTraceRoot() && s.Key == r.TraceID.String())
}

// complete closes the summary at the end of r, or, when r is nil, at the
// latest event.
func (s *Session) complete(r *spanevent.Reading) {
	s.Completed, s.ByIdle = true, r == nil
	sum := &s.Summary
	switch {
	case r == nil:
		sum.EndedAt = sum.LastEvent
		sum.Status = analysis.StatusTimeout
		if s.RootSeen {
			sum.Status = analysis.StatusCompleted
		}
	case r.Role == spanevent.RoleSession:
		sum.EndedAt = r.Session.EndedAt
		sum.Status = r.Session.Status
	default:
		sum.StartedAt, sum.EndedAt = r.Start, r.End
		sum.Status = analysis.StatusCompleted
	}
	if sum.Status == "" {
		sum.Status = analysis.StatusCompleted
	}
	if sum.StartedAt.IsZero() {
		sum.StartedAt = sum.FirstEvent
	}
}

// reopen lets a session that was completed for idleness go on.
func (s *Session) reopen() {
	s.Completed, s.ByIdle = false, false
	s.Summary.Status = analysis.StatusActive
	s.Summary.EndedAt = time.Time{}
}
