package sessions

import (
	"encoding/binary"
	"iter"
	"time"
)

// rest holds sessions at rest, in the order in which they were put to it, which
// is almost that of their last activity: those of which nothing is expected to
// come for a while, as most that a collector holds. They are packed
// into chunks of bytes. That is a third of what they take otherwise, and nothing
// that the garbage collector has to walk, which goes around all that is held
// each time as much again was allocated.
type rest struct {
	*sessionIndex
	number int
	// chunks are in the order in which they were filled; the first has the number
	// front. Those at the front are gone of which no session is left.
	chunks []restChunk
	front  int
	// held counts the sessions; live and dead are the bytes of those, and of the
	// ones that were taken out from between them.
	held, live, dead int
}

type restChunk struct {
	b []byte
	// from is where the first session is that was not taken out, sessions counts
	// those.
	from, sessions int
}

const restChunkBytes = 1 << offsetBits

// rested is a session at rest: a header, its key behind the key's length, and
// what a packer wrote.
type rested []byte

// The header: the size of all, the hash of the key, when the last span arrived,
// how many records there are, whether some may be settled, and whether the
// session was taken out.
const (
	restSize    = 0
	restHash    = 4
	restArrived = 12
	restRecords = 20
	restLone    = 24
	restGone    = 25
	restHeader  = 26
)

func (r rested) size() int    { return int(binary.LittleEndian.Uint32(r[restSize:])) }
func (r rested) hash() uint64 { return binary.LittleEndian.Uint64(r[restHash:]) }
func (r rested) arrived() time.Duration {
	return time.Duration(binary.LittleEndian.Uint64(r[restArrived:]))
}
func (r rested) records() int { return int(binary.LittleEndian.Uint32(r[restRecords:])) }
func (r rested) lone() bool   { return r[restLone] != 0 }

// split returns the key and what the packer wrote.
func (r rested) split() (key, packed []byte) {
	n, width := binary.Uvarint(r[restHeader:])
	from := restHeader + width
	return r[from : from+int(n)], r[from+int(n):]
}

// reset makes the rest empty, one more of those that share the index.
func (r *rest) reset(x *sessionIndex) {
	*r = rest{sessionIndex: x, number: len(x.rests)}
	x.rests = append(x.rests, r)
}

// session returns a session as it would wake.
func (r *rest) session(held rested) *Session {
	key, packed := held.split()
	s := unpackInto(&Session{}, string(key), packed, r.packer.symbols)
	s.arrived = held.arrived()
	return s
}

func (r *rest) len() int { return r.held }

// put packs a session that is awake. It reports false when it did not: the key of
// another has the same hash.
func (r *rest) put(s *Session) bool {
	if s.slot == 0 {
		return false
	}
	var header [restHeader]byte
	binary.LittleEndian.PutUint64(header[restHash:], s.hash)
	binary.LittleEndian.PutUint64(header[restArrived:], uint64(s.arrived))
	if l := s.log; l != nil {
		binary.LittleEndian.PutUint32(header[restRecords:], uint32(len(l.list)))
		if l.foreign < len(l.list) {
			header[restLone] = 1
		}
	}
	p := &r.packer
	p.b = append(p.b[:0], header[:]...)
	p.uint(uint64(len(s.Key)))
	p.b = append(p.b, s.Key...)
	p.session(s)
	binary.LittleEndian.PutUint32(p.b[restSize:], uint32(len(p.b)))
	r.vacate(s)
	r.write(p.b)
	return true
}

// take takes out what is at a place and returns it as it wakes; nil when it has
// another key. Where it then is the index must be told.
func (r *rest) take(at place, key string) *Session {
	held := r.at(at)
	have, packed := held.split()
	if string(have) != key {
		return nil
	}
	s := unpackInto(r.empty(), key, packed, r.packer.symbols)
	s.arrived = held.arrived()
	r.release(held, at)
	return s
}

func (r *rest) write(s rested) {
	if n := len(r.chunks); n == 0 || len(r.chunks[n-1].b)+len(s) > cap(r.chunks[n-1].b) {
		r.chunks = append(r.chunks, restChunk{b: r.chunk(len(s))})
	}
	last := &r.chunks[len(r.chunks)-1]
	at := len(last.b)
	r.places.set(s.hash(), place(r.front+len(r.chunks)-1)<<(offsetBits+restBits)|place(r.number)<<offsetBits|place(at))
	last.b = append(last.b, s...)
	last.b[at+restGone] = 0
	last.sessions++
	r.held++
	r.live += len(s)
}

// move takes a session out of another rest into this one, as it is.
func (r *rest) move(s rested, from *rest) {
	at, _ := r.places.get(s.hash())
	r.write(s)
	from.release(s, at)
}

func (r *rest) holding(p place) *restChunk { return &r.chunks[p.chunk()-r.front] }

// at returns the session at a place.
func (r *rest) at(p place) rested {
	b := rested(r.holding(p).b[p.offset():])
	return b[:b.size()]
}

// oldest returns the session that has been idle longest, to be read before the
// next is put or removed; nil when there is none.
func (r *rest) oldest() rested {
	for s := range r.all() {
		return s
	}
	return nil
}

// all ranges over the sessions, the longest idle first.
func (r *rest) all() iter.Seq[rested] {
	return func(yield func(rested) bool) {
		for i := range r.chunks {
			if !r.chunks[i].each(yield) {
				return
			}
		}
	}
}

// each ranges over the sessions of the chunk. It reports false when it was stopped.
func (c *restChunk) each(yield func(rested) bool) bool {
	for b := c.b[c.from:]; len(b) > 0; {
		s := rested(b)
		s = s[:s.size()]
		if s[restGone] == 0 && !yield(s) {
			return false
		}
		b = b[len(s):]
	}
	return true
}

// remove lets go of a session.
func (r *rest) remove(s rested) {
	at, _ := r.places.get(s.hash())
	r.places.remove(s.hash())
	r.release(s, at)
}

// release lets go of the memory of a session.
func (r *rest) release(s rested, at place) {
	c := r.holding(at)
	s[restGone] = 1
	r.held--
	r.live -= len(s)
	r.dead += len(s)
	c.sessions--
	for c.from < len(c.b) && c.b[c.from+restGone] != 0 {
		c.from += rested(c.b[c.from:]).size()
	}
	for len(r.chunks) > 0 && r.chunks[0].sessions == 0 {
		r.dead -= len(r.chunks[0].b)
		r.reuseChunk(r.chunks[0].b)
		r.chunks[0] = restChunk{}
		r.chunks = r.chunks[1:]
		r.front++
	}
	if r.dead > r.live+restChunkBytes {
		r.compact()
	}
}

// compact writes the sessions anew, without what is between them, into chunks that
// it has gone through.
func (r *rest) compact() {
	old := r.chunks
	r.chunks, r.front, r.held, r.live, r.dead = nil, 0, 0, 0, 0
	for i := range old {
		old[i].each(func(s rested) bool {
			r.write(s)
			return true
		})
		r.reuseChunk(old[i].b)
	}
}
