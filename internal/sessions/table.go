package sessions

import (
	"hash/maphash"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

const shardCount = 16

// Limits bounds a Table.
type Limits struct {
	// MaxSessions is how many sessions are held, completed ones included.
	// The longest idle of a new session's shard (one of 4 to 16) goes first.
	MaxSessions int
	// IdleTimeout is how long after its last span a session is completed.
	IdleTimeout time.Duration
	// Retention is how long after its last span a completed session is held,
	// to see late and duplicated spans for what they are.
	Retention time.Duration
	// MaxSpanIDs is how many span ids are remembered, 100 million at most. Traces are
	// in 16 parts; of a part, ids of the trace that was quiet longest go first.
	MaxSpanIDs int
	// MaxCalls is how many records of spans a session keeps; 0 = 256, and 16,384
	// at most. Beyond it the older half is summed up, and a copy of one of those
	// calls that comes later counts again.
	MaxCalls int
	// MaxRecords is how many records all sessions have room for, of 112 bytes
	// each; 0 = 2,000,000. Beyond it a session that takes in a span keeps only the
	// newest few.
	MaxRecords int64
}

const (
	defaultMaxCalls   = 256
	defaultMaxRecords = 2_000_000
	// mostCalls keeps the records of a session countable by 16 bits.
	mostCalls = 1 << 14
	// fewCalls are enough to see most copies, which come close together.
	fewCalls = 16
)

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
	// awakeOpen is how many open sessions of a shard stay awake.
	awakeOpen int
	// count and records count the sessions and the records they have room for.
	count   atomic.Int64
	records atomic.Int64
	// unnamed counts the sessions that stand under the id of a trace, and the
	// spans without a session that are being taken in: while there are none, a
	// trace that is bound for the first time has no spans to move.
	unnamed atomic.Int64
	shards  []shard
	traces  traces
	// made is when the table was: times of arrival count from there.
	made time.Time
}

type shard struct {
	index int
	mu    sync.Mutex
	held  *sessionIndex
	// Those awake by their last activity: the open ones, those of them that have many
	// records, and the completed ones.
	open, long, done sessionList
	// openRest and doneRest hold the others, of which nothing came for a while.
	openRest, doneRest resting
}

// NewTable returns an empty table.
func NewTable(limits Limits) *Table {
	if limits.MaxCalls <= 0 {
		limits.MaxCalls = defaultMaxCalls
	}
	if limits.MaxRecords <= 0 {
		limits.MaxRecords = defaultMaxRecords
	}
	limits.MaxCalls = min(limits.MaxCalls, mostCalls)
	t := &Table{limits: limits, awakeOpen: maxAwakeOpen, made: time.Now(), shards: make([]shard, shardsFor(runtime.GOMAXPROCS(0)))}
	seed := maphash.MakeSeed()
	for i := range t.shards {
		t.shards[i].reset(i, seed)
	}
	t.traces.reset(limits.MaxSessions, limits.MaxSpanIDs)
	return t
}

// shardsFor is how many shards a table has where so many goroutines run at a
// time: enough that they seldom meet, and few, for each shard has its own indexes,
// names and room to find in the processor's cache.
func shardsFor(goroutines int) int { return min(shardCount, 1<<bits.Len(uint(2*goroutines))) }

// shard is where a session belongs, the same in every table that has as many:
// which sessions make room for others must not be left to chance.
func (t *Table) shard(key string) *shard {
	return &t.shards[xxhash.Sum64String(key)%uint64(len(t.shards))]
}

// Bind settles the session of a reading whose span names none: the session
// that another span of the same trace has named, if one has. Where a trace
// names several, it is the one of the span that began first. Spans of the trace
// that were taken in before a session was named move into it. To bind the
// readings of a whole batch before observing any is better than one by one:
// then each is stamped with its true session.
func (t *Table) Bind(r *spanevent.Reading) {
	if r.SessionID != "" && !r.Bound {
		old, changed := t.traces.bind(r.TraceID, binding{Session: r.SessionID, Start: r.Start.UnixNano()})
		if changed {
			t.move(r.TraceID, old, r.SessionID)
		}
		return
	}
	if id := t.traces.session(r.TraceID); id != "" && id != r.SessionID {
		r.SessionID, r.Bound = id, true
		r.Event.SessionID = id
	}
}

// move takes the spans of a trace that name no session out of the session they
// were counted in, old or, if that is empty, the trace's own.
func (t *Table) move(trace pcommon.TraceID, old, to string) {
	if old == "" && t.unnamed.Load() == 0 {
		return
	}
	own := trace.String()
	if old == "" {
		old = own
	}
	if old == to {
		return
	}
	from, into := t.shard(old), t.shard(to)
	lockBoth(from, into)
	defer unlockBoth(from, into)
	s := t.held(from, old)
	if s == nil {
		return
	}
	// The room for records that is counted before, and no longer held after.
	freed := s.room()
	if old == own {
		from.held.leave(s)
		s.list.remove(s)
		t.gone(s.Key)
	} else {
		left := s
		s = left.extract(trace)
		freed -= left.room()
		if s == nil {
			t.records.Add(-int64(freed))
			return
		}
	}
	target := t.held(into, to)
	if target == nil {
		target = t.add(into, to, s.Service(), s.arrived)
	}
	freed += target.room()
	target.absorb(s)
	target.bound(t.limits.MaxCalls, maxLone, t.made.Add(target.arrived).UnixNano())
	t.records.Add(int64(target.room() - freed))
}

func (t *Table) add(sh *shard, key string, service Service, arrived time.Duration) *Session {
	s := initSession(sh.held.empty(), key, sh.held.packer.symbols.service(service))
	s.arrived = arrived
	sh.held.enter(s)
	sh.open.pushBack(s)
	t.count.Add(1)
	if isTrace(key) {
		t.unnamed.Add(1)
	}
	return s
}

// gone counts a session no more.
func (t *Table) gone(key string) {
	t.count.Add(-1)
	if isTrace(key) {
		t.unnamed.Add(-1)
	}
}

// traceKeySize is how long the key of a session is that is the id of a trace.
const traceKeySize = 2 * len(pcommon.TraceID{})

// isTrace reports whether a key may be the id of a trace, as pcommon writes it.
func isTrace[T string | []byte](key T) bool {
	if len(key) != traceKeySize {
		return false
	}
	for i := range len(key) {
		if c := key[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// listFor is the list that the session belongs in.
func (sh *shard) listFor(s *Session) *sessionList {
	switch {
	case s.Completed:
		return &sh.done
	case s.records() > indexFrom:
		return &sh.long
	default:
		return &sh.open
	}
}

// lockBoth locks two shards in their order in the table.
func lockBoth(a, b *shard) {
	switch {
	case a == b:
		a.mu.Lock()
	case a.index < b.index:
		a.mu.Lock()
		b.mu.Lock()
	default:
		b.mu.Lock()
		a.mu.Lock()
	}
}

func unlockBoth(a, b *shard) {
	a.mu.Unlock()
	if a != b {
		b.mu.Unlock()
	}
}

// Observe takes in a reading at the time now and calls f, with the session
// locked, to say what became of it. A reading that repeats a call which an
// earlier span told becomes a RolePart, and what is returned are those spans:
// also when the reading itself is a duplicate. Sessions that had to be evicted
// for it are passed to evicted, one after the other, after that.
func (t *Table) Observe(r *spanevent.Reading, service Service, now time.Time, f func(*Session, Event), evicted func(*Session, Event)) (copies Copies) {
	if r.SessionID != "" && !r.Bound {
		// Where it is not bound yet, or was forgotten since. What is bound for those
		// that name none is looked at when the session is locked.
		t.Bind(r)
	}
	b := t.Binder()
	b.Observe(&Batch{
		Size:    1,
		Reading: func(int) *spanevent.Reading { return r },
		Service: func(int) Service { return service },
		Observed: func(_ int, s *Session, what Event, of Copies) {
			copies = of
			f(s, what)
		},
		Evicted: func(_ int, s *Session, what Event) { evicted(s, what) },
	}, now)
	return copies
}

// bounds are how many records a session may keep now, and how many own calls that
// wait.
func (t *Table) bounds() (calls, lone int) {
	if t.records.Load() >= t.limits.MaxRecords {
		return min(fewCalls, t.limits.MaxCalls), fewLone
	}
	return t.limits.MaxCalls, maxLone
}

// lock locks the shard of the reading's session, and returns the key of that. A
// span that names no session may be bound to one by another goroutine until then:
// for such a one it looks what the trace is bound to.
func (t *Table) lock(r *spanevent.Reading) (sh *shard, key string, looked bool) {
	for {
		key = r.Key()
		sh = t.shard(key)
		sh.mu.Lock()
		if r.SessionID != "" && !r.Bound {
			return sh, key, false
		}
		// A trace may also have been forgotten since; what it said then holds.
		if bound, same := t.traces.isBound(r.TraceID, r.SessionID); same || !bound {
			return sh, key, true
		}
		sh.mu.Unlock()
		t.Bind(r)
	}
}

func (sh *shard) observe(s *Session, r *spanevent.Reading) (Event, Copies) {
	late := s.Completed
	if late && s.ByIdle {
		s.reopen()
		late = false
	}
	copies, repeats := s.observe(r, sh.held.packer.symbols)
	if repeats {
		r.Role = spanevent.RolePart
	}
	what := Open
	switch {
	case s.ends(r):
		s.complete(r)
		what = Ended
	case late:
		s.Assemble()
		what = Late
	}
	sh.touch(s)
	return what, copies
}

// touch moves the session to the recent end of the list it belongs to.
func (sh *shard) touch(s *Session) {
	to := sh.listFor(s)
	if s.list == to && to.back == s {
		return
	}
	s.list.remove(s)
	to.pushBack(s)
}

// Each calls f for every session held, brought up to date, in no order.
func (t *Table) Each(f func(*Session)) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		for s := range sh.all() {
			s.Assemble()
			f(s)
			s.Summary = &s.sum
		}
		sh.mu.Unlock()
	}
}

// Len returns how many sessions are open and how many are completed and held.
func (t *Table) Len() (open, done int) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		open += sh.open.len + sh.long.len + sh.openRest.len()
		done += sh.done.len + sh.doneRest.len()
		sh.mu.Unlock()
	}
	return open, done
}
