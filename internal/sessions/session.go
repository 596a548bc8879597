package sessions

import (
	"bytes"
	"cmp"
	"math"
	"time"
	"unique"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Session is one session as far as its spans have arrived. It belongs to its
// Table, which locks it while a function passed to the Table runs; after that its
// memory may be that of another session.
type Session struct {
	Key string
	// Summary is what the session adds up to. It is up to date whenever the
	// Table passes the session with another outcome than Open or Duplicate;
	// with those, call Assemble first. It is the session's, up to the next Assemble
	// at the most, to be copied by who wants to keep it.
	Summary *analysis.Summary

	// TraceID is the trace of the session's root, else the one that lasted
	// longest.
	TraceID pcommon.TraceID
	// RootID is the span that reports hang under; empty while none is known.
	RootID pcommon.SpanID
	// Revision counts the verdicts given, from 1.
	Revision int64
	// Verdict is what the processor keeps of the last findings, to see whether
	// late spans change them.
	Verdict uint64
	// RootSeen says that the session's root, or the root of one of its traces,
	// has passed.
	RootSeen bool
	// Completed says that a verdict has been given.
	Completed bool
	// ByIdle says that it was given because nothing more came; then the
	// session opens again when something does.
	ByIdle bool

	// What decides between spans that say different things, whichever comes
	// first: the rank and time of the best answer so far. A rank of 0 is none.
	agentRank agentRank
	rootRank  rootRank
	// rootFailed says that the root of the session's trace failed.
	rootFailed bool
	agentStart int64
	rootEnd    int64
	// started is when the session began by its own root or start span; first
	// and last bound all spans. In nanoseconds since 1970, unknown = none.
	started, first, last int64

	service unique.Handle[Service]
	// log is what may be told again, sum what has been summed up for good.
	log *callLog
	// spare is the memory of a log, assembled that of an assembled summary; nil when
	// there is none.
	spare     *callLog
	assembled *roomySummary
	// arrived is when the last span came, since the table was made.
	arrived time.Duration
	// hash is that of the key, slot where the session is among those awake + 1.
	hash uint64
	slot int32
	// The shard's list that the session is in, and its neighbours there.
	list       *sessionList
	prev, next *Session

	// Most spans touch nothing of the sum: it stands behind what they do touch.
	sum analysis.Summary
}

// unknown is a time that is not known.
const unknown = math.MinInt64

func newSession(key string, service Service) *Session {
	return initSession(&Session{}, key, unique.Make(service))
}

// initSession makes a new session of an empty one.
func initSession(s *Session, key string, service unique.Handle[Service]) *Session {
	s.Key, s.Summary, s.service = key, &s.sum, service
	s.sum.SessionID, s.sum.Status = key, analysis.StatusActive
	s.started, s.first, s.last = unknown, unknown, unknown
	return s
}

// maxSpareRecords bounds the room of a log that is kept, maxSpareCounts that of a
// list of the sum.
const (
	maxSpareRecords = 2 * indexFrom
	maxSpareCounts  = 16
)

// clear makes the session an empty one, with the memory of its log and of what it
// summed up.
func (s *Session) clear() {
	spare, assembled := s.spare, s.assembled
	if l := s.log; l != nil && cap(l.list) <= maxSpareRecords {
		clear(l.list)
		l.woken.forget()
		*l = callLog{list: l.list[:0], oldest: math.MaxInt64, woken: l.woken}
		spare = l
	}
	types, models, tools, exact := emptied(s.sum.EventTypes.List), emptied(s.sum.Models.List), emptied(s.sum.Tools.List), emptied(s.sum.Durations.Exact)
	*s = Session{}
	s.spare, s.assembled = spare, assembled
	s.sum.EventTypes.List, s.sum.Models.List, s.sum.Tools.List, s.sum.Durations.Exact = types, models, tools, exact
}

// emptied returns an empty list in the memory of one; nil when that is much.
func emptied[T any](list []T) []T {
	if cap(list) > maxSpareCounts {
		return nil
	}
	return list[:0]
}

// newLog gives the session an empty log.
func (s *Session) newLog() *callLog {
	if s.log, s.spare = s.spare, nil; s.log == nil {
		s.log = newCallLog()
	}
	return s.log
}

// Service says which service the session's first span came from.
func (s *Session) Service() Service { return s.service.Value() }

// SetVersion puts another version in the place of the service's.
func (s *Session) SetVersion(version string) {
	if service := s.service.Value(); service.Version != version {
		service.Version = version
		s.service = unique.Make(service)
	}
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

// agentRank prefers what the session's own spans say, then names to labels, then
// the earlier span.
type agentRank uint8

const (
	agentOwn agentRank = iota + 1
	agentNamed
	agentLabelled
)

// rootRank prefers the session's own root, then roots of traces, then the span
// that ended last.
type rootRank uint8

const (
	rootOwn rootRank = iota + 1
	rootOfTrace
	rootUnknown
)

// observe takes in one reading that was not seen before, with names out of some
// symbols. It reports what was told before of the call it tells, and whether it
// repeats that.
func (s *Session) observe(r *spanevent.Reading, y *symbols) (copies Copies, repeats bool) {
	start, end := r.Start.UnixNano(), r.End.UnixNano()
	s.noteTimes(start, end)
	s.noteAgent(r, start, y)
	s.noteRoot(r, end)
	if r.Role == spanevent.RoleSession || r.Role == spanevent.RoleSessionStart && s.started == unknown {
		s.started = r.Session.StartedAt.UnixNano()
		s.sum.StartedAt = r.Session.StartedAt
	}
	var c call
	if c.read(r, start, end, y) {
		return s.log.copies(s.keep(&c))
	}
	if r.Role == spanevent.RoleEvent {
		s.sum.Observe(&r.Event)
	}
	return Copies{}, false
}

// again returns the same of a span that was observed before.
func (s *Session) again(r *spanevent.Reading) (copies Copies, repeats bool) {
	if s.log == nil {
		return Copies{}, false
	}
	if at := s.log.find(traceHash(r.TraceID), r.SpanID); at >= 0 {
		return s.log.copies(at)
	}
	return Copies{}, false
}

func (s *Session) noteTimes(start, end int64) {
	if start != unknown && (s.first == unknown || start < s.first) {
		s.first = start
	}
	s.last = max(s.last, end)
}

func (s *Session) noteAgent(r *spanevent.Reading, start int64, y *symbols) {
	rank, name := agentNamed, r.AgentName
	switch {
	case r.Role == spanevent.RoleSession || r.Role == spanevent.RoleSessionStart:
		rank, start = agentOwn, 0
	case r.AgentName == "":
		rank, name = agentLabelled, r.AgentLabel
	}
	if name == "" || !s.prefersAgent(rank, start, name) {
		return
	}
	s.agentRank, s.agentStart = rank, start
	if s.sum.AgentName != name {
		s.sum.AgentName = textOf(y.name(name, asAgent))
	}
}

// prefersAgent reports whether an answer is better than the best so far.
func (s *Session) prefersAgent(rank agentRank, start int64, name string) bool {
	switch {
	case s.agentRank == 0:
		return true
	case rank != s.agentRank:
		return rank < s.agentRank
	default:
		return start < s.agentStart || start == s.agentStart && name < s.sum.AgentName
	}
}

func (s *Session) noteRoot(r *spanevent.Reading, end int64) {
	rank, span := rootUnknown, pcommon.SpanID{}
	switch {
	case r.Role == spanevent.RoleSession:
		rank, span = rootOwn, r.SpanID
		s.RootSeen = true
	case r.Role == spanevent.RoleSessionStart:
		rank, span = rootOwn, r.ParentID
	case r.IsTraceRoot():
		rank, span = rootOfTrace, r.SpanID
		s.RootSeen = true
	}
	if s.rootRank == 0 || rank <= s.rootRank {
		s.chooseRoot(rank, end, r.TraceID, span, r.Event.Error != nil)
	}
}

func (s *Session) chooseRoot(rank rootRank, end int64, trace pcommon.TraceID, span pcommon.SpanID, failed bool) {
	switch {
	case s.rootRank == 0:
	case rank != s.rootRank:
		if rank > s.rootRank {
			return
		}
	case end != s.rootEnd:
		if end < s.rootEnd {
			return
		}
	case cmp.Or(bytes.Compare(s.TraceID[:], trace[:]), bytes.Compare(s.RootID[:], span[:])) >= 0:
		return
	}
	s.rootRank, s.rootEnd, s.rootFailed = rank, end, failed
	s.TraceID, s.RootID = trace, span
}

// EndedBy reports whether the session is complete, and a span like r completes
// it: the way to know a repeated root.
func (s *Session) EndedBy(r *spanevent.Reading) bool { return s.Completed && s.ends(r) }

// ends reports whether the span ends the session: its AgentLens root, or the
// root of the trace that stands for it when no span named a session.
func (s *Session) ends(r *spanevent.Reading) bool {
	return r.Role == spanevent.RoleSession || r.IsTraceRoot() && len(s.Key) == traceKeySize && s.Key == r.TraceID.String()
}

// complete closes the summary at the end of r, or, when r is nil, at the
// latest event.
func (s *Session) complete(r *spanevent.Reading) {
	s.Completed, s.ByIdle = true, r == nil
	s.Assemble()
	events := s.Summary
	sum := &s.sum
	switch {
	case r == nil:
		sum.EndedAt = events.LastEvent
		if sum.EndedAt.IsZero() {
			sum.EndedAt = timeOf(s.last)
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
		sum.StartedAt = events.FirstEvent
	}
	if sum.StartedAt.IsZero() {
		sum.StartedAt = timeOf(s.first)
	}
	events.StartedAt, events.EndedAt, events.Status = sum.StartedAt, sum.EndedAt, sum.Status
}

// timeOf is the time for nanoseconds since 1970, zero when it is unknown.
func timeOf(ns int64) time.Time {
	if ns == unknown {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// rootStatus is the status of a session whose root says no more than whether
// it failed.
func (s *Session) rootStatus() analysis.Status {
	if s.rootRank == rootOfTrace && s.rootFailed {
		return analysis.StatusError
	}
	return analysis.StatusCompleted
}

// reopen lets a session that was completed for idleness go on.
func (s *Session) reopen() {
	s.Completed, s.ByIdle = false, false
	s.sum.Status = analysis.StatusActive
	s.sum.EndedAt = time.Time{}
	s.sum.StartedAt = timeOf(s.started)
}

// absorb takes in what was known of part of the session under another key.
func (s *Session) absorb(o *Session) {
	s.RootSeen = s.RootSeen || o.RootSeen
	if s.Service() == (Service{}) {
		s.service = o.service
	}
	if o.agentRank != 0 && s.prefersAgent(o.agentRank, o.agentStart, o.sum.AgentName) {
		s.agentRank, s.agentStart, s.sum.AgentName = o.agentRank, o.agentStart, o.sum.AgentName
	}
	if o.rootRank != 0 {
		s.chooseRoot(o.rootRank, o.rootEnd, o.TraceID, o.RootID, o.rootFailed)
	}
	s.noteTimes(o.first, o.last)
	s.sum.Merge(withoutIdentity(&o.sum))
	if o.log != nil {
		for i := range o.log.list {
			c := o.log.list[i]
			c.links = links{}
			s.keep(&c)
		}
	}
}

// withoutIdentity returns what a summary has counted, and nothing else.
func withoutIdentity(d *analysis.Summary) *analysis.Summary {
	c := *d
	c.SessionID, c.AgentName, c.Status, c.StartedAt, c.EndedAt = "", "", "", time.Time{}, time.Time{}
	return &c
}

// extract removes and returns the spans of a trace that name no session, as a
// session of their own; nil when there are none.
func (s *Session) extract(trace pcommon.TraceID) *Session {
	if s.log == nil {
		return nil
	}
	out, hash := newCallLog(), traceHash(trace)
	s.log.keep(func(_ int, c *call) bool {
		if c.is&isNamed != 0 || c.trace != hash {
			return true
		}
		c.links = links{}
		out.add(c)
		return false
	})
	s.tidy()
	if len(out.list) == 0 {
		return nil
	}
	moved := newSession(s.Key, s.Service())
	moved.RootSeen, moved.arrived, moved.log = s.RootSeen, s.arrived, out
	return moved
}
