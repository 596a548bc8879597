package sessions

import (
	"container/list"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

const shardCount = 16

// Limits bounds a Table.
type Limits struct {
	// MaxSessions is how many sessions are held, completed ones included.
	// The longest idle of a new session's shard (one of 16) goes first.
	MaxSessions int
	// IdleTimeout is how long after its last span a session is completed.
	IdleTimeout time.Duration
	// Retention is how long after its last span a completed session is held,
	// to see late and duplicated spans for what they are.
	Retention time.Duration
	// MaxSpanIDs is how many span ids are remembered.
	MaxSpanIDs int
}

// Event is what became of a session when a span was observed or time passed.
type Event uint8

const (
	// Open: the session goes on.
	Open Event = iota
	// Ended: the span ends the session.
	Ended
	// Late: the session had its verdict before this span.
	Late
	// Duplicate: this span was observed before, and counts for nothing.
	Duplicate
	// Idle: nothing came for IdleTimeout.
	Idle
	// Evicted: there were more than MaxSessions, and this one, still open, had
	// been idle longest.
	Evicted
)

// Table holds the sessions. It is safe for concurrent use; sessions in
// different shards do not wait for each other.
type Table struct {
	limits Limits
	seed   maphash.Seed
	count  atomic.Int64
	shards [shardCount]shard
	traces bindings
}

type shard struct {
	mu       sync.Mutex
	sessions map[string]*Session
	// open and done hold the sessions by last activity, longest idle first.
	open, done *list.List
	seen       spanSet
}

// NewTable returns an empty table.
func NewTable(limits Limits) *Table {
	t := &Table{limits: limits, seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i] = shard{
			sessions: map[string]*Session{}, open: list.New(), done: list.New(),
			seen: newSpanSet(max(1, limits.MaxSpanIDs/shardCount)),
		}
	}
	t.traces = newBindings(max(1, limits.MaxSessions))
	return t
}

// Bind settles the session of a reading whose span names none: the session
// that another span of the same trace has named, if one has.
func (t *Table) Bind(r *spanevent.Reading) {
	if r.SessionID != "" {
		t.traces.put(r.TraceID, r.SessionID)
		return
	}
	if id := t.traces.get(r.TraceID); id != "" {
		r.SessionID = id
		r.Event.SessionID = id
	}
}

// Observe takes in a reading at the time now and calls f, with the session
// locked, to say what became of it. Sessions that had to be evicted for it are
// passed to evicted, one after the other, after that.
func (t *Table) Observe(r *spanevent.Reading, service Service, now time.Time, f func(*Session, Event), evicted func(*Session, Event)) {
	key := r.Key()
	sh := &t.shards[maphash.String(t.seed, key)%shardCount]
	sh.mu.Lock()
	defer sh.mu.Unlock()

	s := sh.sessions[key]
	if s == nil {
		s = &Session{Key: key, Service: service, Summary: *analysis.NewSummary(key, r.AgentName)}
		sh.sessions[key] = s
		s.element = sh.open.PushBack(s)
		t.count.Add(1)
	}
	s.arrived = now
	f(s, sh.observe(s, r))
	for t.count.Load() > int64(t.limits.MaxSessions) && sh.evict(s, evicted) {
		t.count.Add(-1)
	}
}

func (sh *shard) observe(s *Session, r *spanevent.Reading) Event {
	if !sh.seen.add(r.TraceID, r.SpanID) {
		sh.touch(s)
		return Duplicate
	}
	late := s.Completed
	if late && s.ByIdle {
		s.reopen()
		late = false
	}
	s.observe(r)
	ends := s.ends(r)
	if ends {
		s.complete(r)
	}
	sh.touch(s)
	switch {
	case ends:
		return Ended
	case late:
		return Late
	default:
		return Open
	}
}

// touch moves the session to the recent end of the list it belongs to.
func (sh *shard) touch(s *Session) {
	sh.open.Remove(s.element)
	sh.done.Remove(s.element)
	if s.Completed {
		s.element = sh.done.PushBack(s)
	} else {
		s.element = sh.open.PushBack(s)
	}
}

// evict lets go of the longest idle session of the shard but keep: of the
// completed ones first, which only costs the memory of their late spans. It
// reports whether there was one.
func (sh *shard) evict(keep *Session, evicted func(*Session, Event)) bool {
	for _, l := range [...]*list.List{sh.done, sh.open} {
		for e := l.Front(); e != nil; e = e.Next() {
			s := e.Value.(*Session)
			if s == keep {
				continue
			}
			l.Remove(e)
			delete(sh.sessions, s.Key)
			if !s.Completed {
				s.complete(nil)
				evicted(s, Evicted)
			}
			return true
		}
	}
	return false
}

// Sweep completes the sessions that have been idle, calling f for each, and
// lets go of those whose retention has passed.
func (t *Table) Sweep(now time.Time, f func(*Session, Event)) {
	for i := range t.shards {
		t.count.Add(-t.shards[i].sweep(now, t.limits, f))
	}
}

// sweep returns how many sessions it let go.
func (sh *shard) sweep(now time.Time, limits Limits, f func(*Session, Event)) (gone int64) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for e := sh.open.Front(); e != nil; e = sh.open.Front() {
		s := e.Value.(*Session)
		if now.Sub(s.arrived) < limits.IdleTimeout {
			break
		}
		s.complete(nil)
		sh.touch(s)
		f(s, Idle)
	}
	for e := sh.done.Front(); e != nil; e = sh.done.Front() {
		s := e.Value.(*Session)
		if now.Sub(s.arrived) < max(limits.Retention, limits.IdleTimeout) {
			break
		}
		sh.done.Remove(e)
		delete(sh.sessions, s.Key)
		gone++
	}
	return gone
}

// Len returns how many sessions are open and how many are completed and held.
func (t *Table) Len() (open, done int) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		open += sh.open.Len()
		done += sh.done.Len()
		sh.mu.Unlock()
	}
	return open, done
}

// spanSet remembers the newest span ids, up to a limit.
type spanSet struct {
	ids  map[spanKey]struct{}
	ring []spanKey
	next int
	max  int
}

type spanKey struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

func newSpanSet(limit int) spanSet { return spanSet{ids: map[spanKey]struct{}{}, max: limit} }

// add reports whether the span id was not there.
func (s *spanSet) add(trace pcommon.TraceID, span pcommon.SpanID) bool {
	k := spanKey{trace, span}
	if _, ok := s.ids[k]; ok {
		return false
	}
	s.ids[k] = struct{}{}
	if len(s.ring) < s.max {
		s.ring = append(s.ring, k)
		return true
	}
	delete(s.ids, s.ring[s.next])
	s.ring[s.next] = k
	s.next = (s.next + 1) % s.max
	return true
}

// bindings remembers which session the spans of a trace belong to, for the
// newest traces up to a limit.
type bindings struct {
	mu       *sync.RWMutex
	sessions map[pcommon.TraceID]string
	ring     []pcommon.TraceID
	next     int
	max      int
}

func newBindings(limit int) bindings {
	return bindings{mu: &sync.RWMutex{}, sessions: map[pcommon.TraceID]string{}, max: limit}
}

func (b *bindings) get(trace pcommon.TraceID) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.sessions[trace]
}

func (b *bindings) put(trace pcommon.TraceID, session string) {
	if b.get(trace) == session {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.sessions[trace]; !ok {
		if len(b.ring) < b.max {
			b.ring = append(b.ring, trace)
		} else {
			delete(b.sessions, b.ring[b.next])
			b.ring[b.next] = trace
			b.next = (b.next + 1) % b.max
		}
	}
	b.sessions[trace] = session
}
