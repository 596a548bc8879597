package sessions

import (
	"encoding/binary"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// spanKey identifies a span.
type spanKey struct {
	Trace pcommon.TraceID
	Span  pcommon.SpanID
}

// spanSet remembers span ids, up to a limit, and forgets first those of the trace
// that was quiet longest. It is a log of runs, each of ids of one trace, and an
// index of where they begin. The ids of a trace are in one run, so that the spans
// of a request cost one or two lines of memory for each trace. A run has room for
// as many ids again when its trace came more than once; one that is full, or far
// from the end of the log, moves to the end. The garbage collector walks none of
// it.
//
// A trace of more ids than are quickly compared has many runs, and the index finds
// each of its ids.
type spanSet struct {
	spanLog
	// last is where the run at the end of the log begins.
	last uint32
	// ids counts the ids, forgotten those of the oldest run that are no longer
	// remembered, and slots the live places in the index.
	ids, limit, forgotten, slots int
	hash                         func(high, low, id uint64) uint64
}

// spanWords are a trace id and a span id; without the latter they stand for the
// trace.
type spanWords [3]uint64

// longRoom is how many ids a run has room for at most of a trace that has many.
const longRoom = 16

func (s *spanSet) reset(limit int) {
	limit = min(max(1, limit), maxSpanSet)
	hash := newWordHash()
	*s = spanSet{spanLog: newSpanLog(limit), limit: limit, hash: hash.of}
}

// add adds span ids of a trace, 64 at most, and reports with a bit for each whether
// it was not there.
func (s *spanSet) add(trace pcommon.TraceID, ids []uint64) (fresh uint64) {
	w := wordsOf(trace)
	at, known := s.newest(w)
	for i := 0; i < len(ids); {
		if added, n := s.fill(at, known, ids[i:]); n > 0 {
			fresh |= added << i
			i += n
			continue
		}
		if s.used() {
			by := s.renumber()
			s.last, at = s.last-by, at-by
			s.rehash(len(s.buckets))
		}
		w[2] = ids[i]
		if !known || !s.has(at, w) {
			at, known = s.place(at, known, w), true
			fresh |= 1 << i
		}
		i++
	}
	return fresh
}

// fill adds those of some ids that are not there to the newest run of their trace,
// if that is at the end of the log and the ids of others are to be forgotten
// first. It reports which it added and how many of the ids it went through: to add
// the others it is to be placed.
func (s *spanSet) fill(at uint32, known bool, ids []uint64) (added uint64, n int) {
	if !known || at != s.last {
		return 0, 0
	}
	r := s.run(at)
	if r.is(isIndexed) || s.ids-r.count() < len(ids) {
		return 0, 0
	}
	have := r.ids()
	room := min(maxRunIDs, cap(have))
	// The lowest bits of an id say of most new ones that they are not there.
	var there uint64
	for _, id := range have {
		there |= 1 << (id & 63)
	}
	for ; n < len(ids) && len(have) < room; n++ {
		id := ids[n]
		if bit := uint64(1) << (id & 63); there&bit == 0 || !slices.Contains(have, id) {
			have = append(have, id)
			there |= bit
			added |= 1 << (n & 63)
		}
	}
	more := len(have) - r.count()
	s.lengthen(at, len(have))
	s.ids += more
	s.trim()
	return added, n
}

// place adds an id that is not there, and returns where the newest run of its trace
// then begins.
func (s *spanSet) place(at uint32, known bool, w spanWords) uint32 {
	switch {
	case !known:
		s.begin(w)
		at = s.last
	case !s.extend(at, w):
		s.move(at, w)
		at = s.last
	}
	s.ids++
	s.trim()
	return at
}

// inOrder returns the ids, those first that are forgotten first.
func (s *spanSet) inOrder() []spanKey {
	out := make([]spanKey, 0, s.ids)
	for at := s.oldest; at != s.next; at = s.after(at) {
		var k spanKey
		r := s.run(at)
		binary.LittleEndian.PutUint64(k.Trace[:8], r[0])
		binary.LittleEndian.PutUint64(k.Trace[8:], r[1])
		for _, id := range s.remembered(at) {
			binary.LittleEndian.PutUint64(k.Span[:], id)
			out = append(out, k)
		}
	}
	return out
}

// glance reads where a trace would first be looked for. It means nothing by itself.
func (s *spanSet) glance(trace pcommon.TraceID) uint32 {
	return s.buckets[s.home(s.hashOf(wordsOf(trace)))].passed
}

func wordsOf(trace pcommon.TraceID) spanWords {
	return spanWords{binary.LittleEndian.Uint64(trace[:8]), binary.LittleEndian.Uint64(trace[8:])}
}

func (s *spanSet) hashOf(w spanWords) uint64 { return s.hash(w[0], w[1], w[2]) }

// newest returns where the newest run of the trace begins.
func (s *spanSet) newest(w spanWords) (at uint32, known bool) {
	if s.ids > 0 && s.run(s.last).isOf(w) {
		return s.last, true
	}
	return s.find(s.hash(w[0], w[1], 0), func(at uint32) bool {
		r := s.run(at)
		return r.is(isNewest) && r.isOf(w)
	})
}

// has reports whether the id is among those of its trace, of which this is the
// newest run.
func (s *spanSet) has(at uint32, w spanWords) bool {
	if !s.run(at).is(isIndexed) {
		return s.holds(at, w[2])
	}
	_, found := s.find(s.hashOf(w), func(at uint32) bool { return s.run(at).isOf(w) && s.holds(at, w[2]) })
	return found
}

// begin adds the first id of a trace.
func (s *spanSet) begin(w spanWords) {
	s.reserve(1)
	s.last = s.append(w, isNewest, 1, 1)
	s.enter(s.hash(w[0], w[1], 0), s.last)
}

// extend adds an id to the newest run of its trace. It reports false where there
// is no room, or where less than an eighth of all ids would be forgotten before.
func (s *spanSet) extend(at uint32, w spanWords) bool {
	r := s.run(at)
	if at == s.last {
		if r.count() == r.room() && !s.widen(at) {
			return false
		}
	} else if r.count() == r.room() || s.placed-r.stamp() > uint32(s.limit-s.limit/8) {
		return false
	}
	if r.is(isIndexed) {
		s.reserve(1)
		s.enter(s.hashOf(w), at)
	}
	r.add(w[2])
	s.placed++
	return true
}

// move adds an id in a new run of its trace, to which the others move unless they
// are many.
func (s *spanSet) move(old uint32, w spanWords) {
	was := s.run(old)
	ids := s.remembered(old)
	if len(ids) == maxRunIDs && !was.is(isIndexed) {
		s.reserve(maxRunIDs)
		was[runHead] |= isIndexed
		s.enterIDs(old)
	}
	var at uint32
	if was.is(isIndexed) {
		s.reserve(1)
		at = s.append(w, isNewest|isIndexed, 1, min(2*len(ids), longRoom))
		s.enter(s.hashOf(w), at)
	} else {
		n := len(ids) + 1
		at = s.append(w, isNewest, n, min(2*n, maxRunIDs))
		copy(s.run(at)[runIDs:], ids)
	}
	was[runHead] &^= isNewest
	s.replace(s.hash(w[0], w[1], 0), old, at)
	s.last = at
}

// trim forgets the oldest ids when there are too many.
func (s *spanSet) trim() {
	for s.ids > s.limit || s.next-s.oldest > s.maxWords {
		if r := s.run(s.oldest); r.is(isNewest | isIndexed) {
			s.ids--
			if s.forgotten++; s.forgotten < r.count() {
				continue
			}
			s.slots -= r.slots()
		}
		s.forgotten = 0
		s.drop()
	}
}

// remembered returns the ids of a run that are.
func (s *spanSet) remembered(at uint32) []uint64 {
	r := s.run(at)
	switch {
	case !r.is(isNewest | isIndexed):
		return nil
	case at == s.oldest:
		return r.ids()[s.forgotten:]
	}
	return r.ids()
}

func (s *spanSet) holds(at uint32, id uint64) bool { return slices.Contains(s.remembered(at), id) }

// reserve makes room for so many more places in the index.
func (s *spanSet) reserve(n int) {
	if n += s.slots; n > perBucket*len(s.buckets) {
		s.rehash((min(2*n, max(s.limit+1, n+n/4)) + perBucket - 1) / perBucket)
	}
}

// enter enters a place in the index.
func (s *spanSet) enter(hash uint64, at uint32) {
	s.slots++
	s.put(hash, at)
}

func (s *spanSet) enterIDs(at uint32) {
	r := s.run(at)
	for _, id := range r.ids() {
		s.enter(s.hash(r[0], r[1], id), at)
	}
}

// rehash fills so many buckets with the places.
func (s *spanSet) rehash(size int) {
	s.buckets, s.slots = make([]bucket, size), 0
	for at := s.oldest; at != s.next; at = s.after(at) {
		r := s.run(at)
		if r.is(isNewest) {
			s.enter(s.hash(r[0], r[1], 0), at)
		}
		if r.is(isIndexed) {
			s.enterIDs(at)
		}
	}
}
