package sessions

import (
	"hash/maphash"
	"iter"
	"time"
)

const (
	// maxAwakeOpen is how many open sessions of a shard stay awake at the end of a
	// request, but for those with many records, which would be long in packing. So
	// a collector with few sessions packs none. The garbage collector walks all
	// that is awake several times a second under load, and slows what is written
	// meanwhile: 4,096 awake sessions were the larger half of its work, and a tenth
	// of all that a span costs. To wake one and to pack it again takes a
	// microsecond, the same for all its spans in a request.
	maxAwakeOpen = 16
	// restAfter is how long an open session stays awake at most. To pack and
	// unpack one costs about as much as two cycles of the garbage collector that
	// walk it.
	restAfter = 2 * time.Second
	// sweepAtOnce bounds the sessions that a sweep deals with while spans of the
	// shard wait.
	sweepAtOnce = 1000
)

// resting holds the sessions at rest that are open, or those that are
// completed.
type resting struct {
	// fresh are those that may be to settle yet.
	fresh, settled rest
}

func (r *resting) len() int { return r.fresh.len() + r.settled.len() }

// oldest returns the session that has been idle longest, and what holds it.
func (r *resting) oldest() (rested, *rest) {
	if s := r.settled.oldest(); s != nil {
		return s, &r.settled
	}
	return r.fresh.oldest(), &r.fresh
}

func (sh *shard) reset(index int, seed maphash.Seed) {
	sh.index, sh.held = index, newSessionIndex(seed)
	for _, r := range [...]*rest{&sh.openRest.fresh, &sh.openRest.settled, &sh.doneRest.fresh, &sh.doneRest.settled} {
		r.reset(sh.held)
	}
}

// all ranges over the sessions, those at rest as they would wake.
func (sh *shard) all() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for s := range sh.held.allAwake() {
			if !yield(s) {
				return
			}
		}
		for _, r := range sh.held.rests {
			for s := range r.all() {
				if !yield(r.session(s)) {
					return
				}
			}
		}
	}
}

// held returns a session, awake; nil when it is not held.
func (t *Table) held(sh *shard, key string) *Session {
	s, woken := sh.held.get(key)
	if woken {
		t.records.Add(int64(s.room() - s.records()))
		sh.listFor(s).pushBack(s)
	}
	return s
}

// lay puts a session to rest, or last in its list if that cannot be. It settles
// one that is due.
func (t *Table) lay(sh *shard, s *Session, now time.Duration) {
	before := s.room()
	l, r := s.list, &sh.openRest
	if l == &sh.done {
		r = &sh.doneRest
	}
	in := &r.fresh
	if now-s.arrived >= copyWindow {
		s.settle()
		in = &r.settled
	}
	l.remove(s)
	if !in.put(s) {
		l.pushBack(s)
		t.records.Add(int64(s.room() - before))
		return
	}
	t.records.Add(int64(s.records() - before))
	sh.held.reuse(s)
}

// Rest puts sessions to rest that the spans before it were of, at the time now of
// those, so that only a few stay awake. It is to be called after the spans of a
// request: they have most of what packing looks at in the processor's cache, and
// often several are of one session. Those that were awake before stay so until
// the next Sweep.
func (t *Table) Rest(now time.Time) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		t.layNew(sh, now.Sub(t.made))
		sh.mu.Unlock()
	}
}

// layNew puts to rest the completed sessions, and all but some of the open ones,
// the newest first.
func (t *Table) layNew(sh *shard, now time.Duration) {
	for range sh.open.len - t.awakeOpen {
		t.lay(sh, sh.open.back, now)
	}
	for range sh.done.len {
		t.lay(sh, sh.done.back, now)
	}
}

// evict lets go of the longest idle session of the shard but keep: of the
// completed ones first, which only costs the memory of their late spans. It
// reports false when there is none.
func (t *Table) evict(sh *shard, keep *Session, evicted func(*Session, Event)) bool {
	if s, in := sh.doneRest.oldest(); s != nil {
		t.drop(in, s)
		return true
	}
	if s := sh.done.oldestBut(keep); s != nil {
		t.let(sh, s)
		return true
	}
	s := older(sh.open.oldestBut(keep), sh.long.oldestBut(keep))
	if held, in := sh.openRest.oldest(); held != nil && (s == nil || held.arrived() <= s.arrived) {
		s = in.session(held)
		t.drop(in, held)
	} else if s != nil {
		t.let(sh, s)
	} else {
		return false
	}
	s.complete(nil)
	evicted(s, Evicted)
	return true
}

// older returns the session that has been idle longer; either may be nil.
func older(a, b *Session) *Session {
	if a == nil || b != nil && b.arrived < a.arrived {
		return b
	}
	return a
}

// let lets go of a session that is awake, drop of one at rest.
func (t *Table) let(sh *shard, s *Session) {
	s.list.remove(s)
	sh.held.leave(s)
	t.gone(s.Key)
	t.records.Add(-int64(s.room()))
}

func (t *Table) drop(in *rest, s rested) {
	key, _ := s.split()
	t.gone(string(key))
	t.records.Add(-int64(s.records()))
	in.remove(s)
}

// Sweep completes the sessions that have been idle, calling f for each, sums up
// what sessions that are quiet need not keep, and lets go of those whose
// retention has passed.
func (t *Table) Sweep(now time.Time, f func(*Session, Event)) {
	for i := range t.shards {
		for more := true; more; {
			more = t.sweep(&t.shards[i], now.Sub(t.made), f)
		}
	}
}

// sweep reports whether there may be more to do.
func (t *Table) sweep(sh *shard, now time.Duration, f func(*Session, Event)) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	left := sweepAtOnce
	due := func(arrived, after time.Duration) bool {
		left--
		return left >= 0 && now-arrived >= after
	}
	for s, _ := sh.openRest.oldest(); s != nil && due(s.arrived(), t.limits.IdleTimeout); s, _ = sh.openRest.oldest() {
		key, _ := s.split()
		sh.idle(t.held(sh, string(key)), f)
	}
	for _, l := range [...]*sessionList{&sh.open, &sh.long} {
		for s := l.front; s != nil && due(s.arrived, t.limits.IdleTimeout); s = l.front {
			sh.idle(s, f)
		}
		for n := l.len; n > 0 && due(l.front.arrived, restAfter); n-- {
			t.lay(sh, l.front, now)
		}
	}
	for range sh.done.len {
		t.lay(sh, sh.done.front, now)
	}
	for _, r := range [...]*resting{&sh.openRest, &sh.doneRest} {
		for s := r.fresh.oldest(); s != nil && due(s.arrived(), copyWindow); s = r.fresh.oldest() {
			t.settle(sh, r, s, now)
		}
	}
	retention := max(t.limits.Retention, t.limits.IdleTimeout)
	for s := sh.doneRest.settled.oldest(); s != nil && due(s.arrived(), retention); s = sh.doneRest.settled.oldest() {
		t.drop(&sh.doneRest.settled, s)
	}
	return left < 0
}

// idle completes a session.
func (sh *shard) idle(s *Session, f func(*Session, Event)) {
	s.complete(nil)
	sh.touch(s)
	f(s, Idle)
	s.Summary = &s.sum
}

// settle settles a session at rest.
func (t *Table) settle(sh *shard, r *resting, held rested, now time.Duration) {
	if !held.lone() {
		r.settled.move(held, &r.fresh)
		return
	}
	key, _ := held.split()
	t.lay(sh, t.held(sh, string(key)), now)
}
