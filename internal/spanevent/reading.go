package spanevent

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Role is what a span is to its session.
type Role uint8

const (
	// RoleNone is a span that is not GenAI. It passes untouched.
	RoleNone Role = iota
	// RoleSession is the root of a session the SDK wrote; it ends the session.
	RoleSession
	// RoleSessionStart announces a session before its first event.
	RoleSessionStart
	// RoleSessionReport carries findings on a session, written by a processor.
	RoleSessionReport
	// RoleEvent is an event, told whole.
	RoleEvent
	// RolePart shows a part of an event that its own span tells whole.
	RolePart
	// RoleWrapper is an agent, step, turn or workflow around events that have
	// spans of their own. Its totals repeat theirs.
	RoleWrapper
)

// Reading is what one span tells. It holds copies, never pdata.
type Reading struct {
	Role Role
	// Dialect names the convention that the span is read by, Rule what decided
	// its role.
	Dialect string
	Rule    Rule
	// Scope is the name of the span's instrumentation scope.
	Scope string

	TraceID  pcommon.TraceID
	SpanID   pcommon.SpanID
	ParentID pcommon.SpanID
	Start    time.Time
	End      time.Time

	// SessionID is the session the span itself names; empty when it names
	// none, and then its trace is the session.
	SessionID string
	// Bound says that SessionID is not the span's own word: another span of
	// its trace named it.
	Bound bool
	// AgentName is the agent the span names. AgentLabel is what its library
	// calls the thing that ran, where it has no word for an agent: a function
	// id, a flow, the span of an agent.
	AgentName, AgentLabel string
	AgentVersion          string

	// Event is set for RoleEvent, and RolePart with PartOf. For RoleWrapper it
	// holds the totals, if any, and for other parts the failure, if the span
	// tells one.
	Event analysis.Event
	// Replaces and PartOf are the span ids of semconv.EventReplaces and
	// EventPartOf. A part that has PartOf tells its event whole.
	Replaces, PartOf []string
	// Own says that AgentLens's SDK wrote the span: it tells each event once.
	Own bool
	// Cumulative says that the totals of a wrapper go on from one run of its
	// agent to the next.
	Cumulative bool
	// FiguresInContent says that tokens or a model are told within a key that
	// holds content, so that without it a later reader would not find them.
	FiguresInContent bool
	// Session is set for RoleSession, RoleSessionStart and RoleSessionReport.
	Session SessionFacts

	// told has the bit of each field that the span's attributes tell.
	told uint64
	// memory holds what ReadInto has read of the event.
	memory memory
}

// Clear forgets what was read, but keeps the memory for the next ReadInto.
func (r *Reading) Clear() {
	r.memory.empty()
	r.reset()
}

// reset empties the reading where it is: it is large to be copied.
func (r *Reading) reset() {
	m := r.memory
	*r = Reading{}
	r.memory = m
}

// SessionFacts is what a root, start or report span says of its session.
type SessionFacts struct {
	StartedAt time.Time
	// EndedAt and Status are not set by a start span.
	EndedAt  time.Time
	Status   analysis.Status
	Metadata map[string]any
	// TokensIn and TokensOut are the totals at the end of the session.
	TokensIn, TokensOut analysis.Opt[int64]
	// Revision counts the reports on a session, from 1.
	Revision int64
}

// Key returns the session's key: the id the span names, else its trace id.
func (r *Reading) Key() string {
	if r.SessionID != "" {
		return r.SessionID
	}
	return r.TraceID.String()
}

// IsTraceRoot reports whether the span is the root of its trace.
func (r *Reading) IsTraceRoot() bool { return r.ParentID.IsEmpty() }

// Agent returns the agent's name, or its label where it has none.
func (r *Reading) Agent() string { return firstOf(r.AgentName, r.AgentLabel) }

func (r *Reading) tells(what field) bool { return r.told&(1<<what) != 0 }

// Content is a set of the data that events and sessions carry.
type Content uint8

// The data of an event and of its tool call, the metadata of a session, and the
// event's id, which is the span's as text.
const (
	ContentInput Content = 1 << iota
	ContentOutput
	ContentToolInput
	ContentToolOutput
	ContentMetadata
	ContentEventID
	ContentAll = ContentInput | ContentOutput | ContentToolInput | ContentToolOutput | ContentMetadata | ContentEventID
)

// Scope reads the spans of one instrumentation scope.
type Scope struct {
	dialect *dialect
	name    string
	// without is the data that may be left out, screens say of the rest what need
	// not be read; nil for none.
	without Content
	screens *Screens
	// work is where ReadInto works; nil for memory out of a pool.
	work *Workspace
}

// ForScope returns the reader for the spans of a scope.
func ForScope(scope pcommon.InstrumentationScope) Scope {
	return Scope{dialect: keys.scope(scope.Name()), name: scope.Name()}
}

// Without returns a reader that may leave the given data out. All else is read
// as before. To check and to copy data that nobody looks at is most of what a
// span with content costs.
func (s Scope) Without(c Content) Scope {
	s.without = c
	return s
}

// Workspace is memory for what is known of a span while it is read. One goroutine
// at a time may read in it.
type Workspace struct{ facts facts }

// Clear lets go of the spans that were read in it.
func (w *Workspace) Clear() { w.facts.letGo() }

// In returns a reader whose ReadInto works in w, which is then to be cleared. That
// is cheaper than to find memory for each span.
func (s Scope) In(w *Workspace) Scope {
	s.work = w
	return s
}

// Read returns what the span tells. A span that is not GenAI costs one look at
// the names of its attributes.
func (s Scope) Read(span ptrace.Span) Reading {
	f := s.facts(span)
	if f == nil {
		return Reading{}
	}
	var r Reading // not before it is needed: it is on the heap
	s.read(&r, span, f)
	s.done(f)
	return r
}

// ReadInto is Read into memory that the caller has: a Reading is large, and so
// is content. Nothing of what was there stays, and what the event points to,
// its content and tool call, is the span's only until r is read into again or
// cleared. It returns false, and leaves r as it was, when the span is not GenAI.
func (s Scope) ReadInto(r *Reading, span ptrace.Span) bool {
	f := s.facts(span)
	if f == nil {
		return false
	}
	f.memory = &r.memory
	ok := s.read(r, span, f)
	s.done(f)
	return ok
}

// facts returns what the span's attributes tell, nil when that is nothing of
// GenAI.
func (s *Scope) facts(span ptrace.Span) *facts {
	var f *facts
	if s.work != nil {
		f = &s.work.facts
	} else {
		f = newFacts()
	}
	f.scope, f.withMetadata = s.dialect, s.without&ContentMetadata == 0
	f.collect(span.Attributes())
	if s.dialect == nil && f.seen&^general.bit == 0 {
		s.done(f)
		return nil
	}
	return f
}

// done forgets a span that was read.
func (s *Scope) done(f *facts) {
	f.reset()
	if s.work == nil {
		f.letGo()
		factsPool.Put(f)
	}
}

// read reads a span into r; false when it is not GenAI.
func (s *Scope) read(r *Reading, span ptrace.Span, f *facts) bool {
	if f.scope != nil {
		f.seen |= f.scope.bit
		f.own = f.scope == &agentLens
	}
	var c class // not returned: what is just written in parts is slow to copy as a whole
	if !c.classify(f, span) {
		return false
	}
	if r.Role != RoleNone {
		r.reset()
	}
	r.memory.buf = r.memory.buf[:0]
	r.Role, r.Dialect, r.Rule, r.Scope, r.Own = c.role, c.dialect, c.rule, s.name, f.own
	r.TraceID, r.SpanID, r.ParentID = span.TraceID(), span.SpanID(), span.ParentSpanID()
	r.Start, r.End = span.StartTimestamp().AsTime(), span.EndTimestamp().AsTime()
	r.Event.Type, r.told = c.event, f.told
	if f.has(fieldReplaces) {
		r.Replaces = f.texts(fieldReplaces)
	}
	s.fill(r, span, f)
	if c.copied {
		r.Role, r.PartOf = RolePart, f.texts(fieldPartOf)
	}
	return true
}

// fill reads what a span of a known role tells.
func (s *Scope) fill(r *Reading, span ptrace.Span, f *facts) {
	if f.hasAny(1<<fieldStampedAgent | 1<<fieldAgent) {
		agent := f.str(fieldStampedAgent)
		if agent == "" {
			agent = f.str(fieldAgent)
		}
		r.AgentName = agent
	}
	if f.hasAny(1<<fieldAgentLabel | 1<<fieldAgentVersion) {
		r.AgentLabel, r.AgentVersion = f.str(fieldAgentLabel), f.str(fieldAgentVersion)
	}
	// A processor's stamp settles what the span alone cannot tell.
	session := f.str(fieldStampedSession)
	if session == "" {
		session = f.str(fieldSession)
	}
	if session == "" {
		session = f.str(fieldConversation)
	}
	r.SessionID = session

	switch r.Role {
	case RoleEvent, RoleWrapper:
		readEvent(r, f, span, s)
	case RolePart:
		if mayHaveFailed(f, span) {
			r.Event.Error = readFailure(r, f, span)
		}
	case RoleSession, RoleSessionStart, RoleSessionReport:
		readSession(r, f)
	}
	if f.seen&keys.finishing != 0 {
		finish(r, f, span)
	}
}

// finish does what only some dialects ask for.
func finish(r *Reading, f *facts, span ptrace.Span) {
	for d := range f.dialects() {
		r.Cumulative = r.Cumulative || d.cumulative
		if d.finish != nil {
			d.finish(f, span, r)
		}
	}
}

func readSession(r *Reading, f *facts) {
	s := &r.Session
	s.StartedAt = r.Start
	s.Metadata = f.metadata
	if r.Role == RoleSessionStart {
		return
	}
	s.EndedAt = r.End
	s.Status = analysis.Status(f.str(fieldStatus))
	s.TokensIn, s.TokensOut = f.integer(fieldTotalIn), f.integer(fieldTotalOut)
	s.Revision = f.integer(fieldRevision).Or(0)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
