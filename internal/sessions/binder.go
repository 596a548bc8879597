package sessions

import (
	"encoding/binary"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Binder takes in the readings of a batch as Table.Bind and Table.Observe do one by
// one. The spans of a trace and of a session come together: what was settled with
// the one before, and what was locked for it, serves the next.
type Binder struct {
	table *Table
	trace pcommon.TraceID
	// The trace is bound to this, or to the session of an earlier span.
	to binding
}

// Binder returns one for a batch.
func (t *Table) Binder() Binder { return Binder{table: t} }

// Bind settles the session of a reading.
func (b *Binder) Bind(r *spanevent.Reading) {
	if r.SessionID == "" || r.Bound {
		b.table.Bind(r)
		return
	}
	to := binding{r.SessionID, r.Start.UnixNano()}
	if r.TraceID == b.trace && to.Session == b.to.Session && to.Start >= b.to.Start {
		return
	}
	b.table.Bind(r)
	b.trace, b.to = r.TraceID, to
}

// Batch is what a Binder observes.
type Batch struct {
	// Size is how many readings there are.
	Size int
	// Reading returns the i-th, nil when that is not to be observed. It may be asked
	// for twice.
	Reading func(i int) *spanevent.Reading
	// Service says where the i-th came from, when its session is a new one.
	Service func(i int) Service
	// Observed is told what became of the i-th, with its session locked, and which
	// spans had told its call before: what Table.Observe tells f, and returns.
	Observed func(i int, s *Session, what Event, copies Copies)
	// Evicted is told of a session that had to be evicted for that of the i-th.
	Evicted func(i int, s *Session, what Event)
}

// Observe takes in the readings of a batch, which b has bound, in their order, each
// as Table.Observe does.
func (b *Binder) Observe(batch *Batch, now time.Time) {
	var o observer // set where it is: a copy would take as much of the stack again
	o.Table, o.now, o.arrived = b.table, now.UnixNano(), now.Sub(b.table.made)
	for i := 0; i < batch.Size; {
		if batch.Reading(i) == nil {
			i++
			continue
		}
		o.begin(batch, i)
		for n := 0; n < o.size; {
			n = o.run(batch, n)
		}
		i += o.size
	}
}

// observer takes in the readings of a batch that follow each other and are of one
// trace, at a time.
type observer struct {
	*Table
	// now is when they came, in nanoseconds since 1970; arrived is the same, since the
	// table was made.
	now     int64
	arrived time.Duration
	// first is where they begin in the batch, size is how many they are. A bit for
	// each says whether its span is fresh: it was not observed before.
	first, size int
	fresh       uint64
	readings    [maxTogether]*spanevent.Reading
}

// maxTogether is how many readings are taken in at a time at most. They are on the
// stack below all that the engines do: were they 64, the goroutine of each request
// would have to copy its stack to one of twice the size.
const maxTogether = 16

// begin gathers the readings from the i-th on, and remembers their spans.
func (o *observer) begin(batch *Batch, i int) {
	var ids [maxTogether]uint64
	o.first, o.size = i, 0
	for n := range min(maxTogether, batch.Size-i) {
		r := batch.Reading(i + n)
		if r == nil || n > 0 && r.TraceID != o.readings[0].TraceID {
			break
		}
		ids[n] = binary.LittleEndian.Uint64(r.SpanID[:])
		o.readings[n] = r
		o.size++
	}
	o.fresh = o.traces.addSpans(o.readings[0].TraceID, ids[:o.size])
}

// run takes in the n-th of the readings and those that follow it in the same
// session, which stays locked. It returns where they end.
func (o *observer) run(batch *Batch, n int) int {
	r := o.readings[n]
	if r.SessionID == "" {
		// Before it is looked whether its trace is bound: whoever binds that later
		// waits for what this one adds.
		o.unnamed.Add(1)
		defer o.unnamed.Add(-1)
	}
	sh, key, looked := o.lock(r)
	defer sh.mu.Unlock()
	for s := o.held(sh, key); ; {
		s = o.observe(batch, n, sh, s, key)
		if n++; n == o.size {
			return n
		}
		// What its trace is bound to another goroutine may change, but not move what is
		// in the session while that is locked.
		next := o.readings[n]
		if next.SessionID != r.SessionID || next.Bound && !looked {
			return n
		}
	}
}

// observe takes in the n-th of the readings, which belongs in the session with the
// key, s or, if that is nil, one that is not held. It returns the session, nil when
// that still is not held.
func (o *observer) observe(batch *Batch, n int, sh *shard, s *Session, key string) *Session {
	i, r := o.first+n, o.readings[n]
	fresh := o.fresh>>n&1 != 0
	if s == nil {
		if !fresh {
			batch.Observed(i, newSession(key, batch.Service(i)), Duplicate, Copies{})
			return nil
		}
		s = o.add(sh, key, batch.Service(i), o.arrived)
	}
	s.arrived = o.arrived
	if !fresh {
		var copies Copies
		if r.Role == spanevent.RoleEvent {
			var repeats bool
			if copies, repeats = s.again(r); repeats {
				r.Role = spanevent.RolePart
			}
		}
		sh.touch(s)
		batch.Observed(i, s, Duplicate, copies)
		s.Summary = &s.sum
		return s
	}
	before := s.room()
	what, copies := sh.observe(s, r)
	calls, lone := o.bounds()
	s.bound(calls, lone, o.now)
	if grown := s.room() - before; grown != 0 {
		o.records.Add(int64(grown))
	}
	batch.Observed(i, s, what, copies)
	s.Summary = &s.sum
	if o.count.Load() > int64(o.limits.MaxSessions) {
		o.makeRoom(batch, i, sh, s)
	}
	return s
}

// makeRoom evicts sessions of a shard until there are no more than there may be, for
// that of the i-th, which stays.
func (o *observer) makeRoom(batch *Batch, i int, sh *shard, keep *Session) {
	evicted := func(s *Session, what Event) { batch.Evicted(i, s, what) }
	for o.count.Load() > int64(o.limits.MaxSessions) && o.evict(sh, keep, evicted) {
	}
}
