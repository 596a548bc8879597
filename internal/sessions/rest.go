package sessions

import (
	"encoding/binary"
	"hash/maphash"
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
	seed maphash.Seed
	// index finds a session by the hash of its key.
	index map[uint64]place
	// chunks are in the order in which they were filled; the first has the number
	// front. Those at the front are gone of which no session is left.
	chunks []restChunk
	front  int
	// live and dead are the bytes of the sessions held, and of those that were
	// taken out from between them.
	live, dead int
	packer     packer
}

// place is where a session is: the number of its chunk, and in the lower 16 bits
// the offset there.
type place uint64

type restChunk struct {
	b []byte
	// from is where the first session is that was not taken out, sessions counts
	// those.
	from, sessions int
}

const restChunkBytes = 1 << 16

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

// reset makes the rest empty. It may share the seed and the symbols with others,
// for what is packed to go from one to the other.
func (r *rest) reset(seed maphash.Seed, y *symbols) {
	*r = rest{seed: seed, index: map[uint64]place{}, packer: packer{symbols: y}}
}

// session returns a session as it wakes.
func (r *rest) session(held rested) *Session {
	key, packed := held.split()
	s := unpack(string(key), packed, r.packer.symbols)
	s.arrived = held.arrived()
	return s
}

func (r *rest) len() int { return len(r.index) }

func (r *rest) hash(key string) uint64 { return maphash.String(r.seed, key) }

// put packs a session. It reports false when it did not: the key of another has
// the same hash.
func (r *rest) put(s *Session) bool {
	var header [restHeader]byte
	binary.LittleEndian.PutUint64(header[restHash:], r.hash(s.Key))
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
	return r.append(p.b)
}

// append takes in a session that is packed already, as put does.
func (r *rest) append(s rested) bool {
	if _, taken := r.index[s.hash()]; taken {
		return false
	}
	if n := len(r.chunks); n == 0 || len(r.chunks[n-1].b)+len(s) > cap(r.chunks[n-1].b) {
		r.chunks = append(r.chunks, restChunk{b: make([]byte, 0, max(restChunkBytes, len(s)))})
	}
	last := &r.chunks[len(r.chunks)-1]
	r.index[s.hash()] = place(r.front+len(r.chunks)-1)<<16 | place(len(last.b))
	last.b = append(last.b, s...)
	last.sessions++
	r.live += len(s)
	return true
}

// take takes a session out, given the hash of its key; nil when it is not there.
func (r *rest) take(key string, hash uint64) *Session {
	at, found := r.index[hash]
	if !found {
		return nil
	}
	held := r.at(at)
	if have, _ := held.split(); string(have) != key {
		return nil
	}
	s := r.session(held)
	r.remove(held)
	return s
}

func (r *rest) chunk(p place) *restChunk { return &r.chunks[int(p>>16)-r.front] }

// at returns the session at a place.
func (r *rest) at(p place) rested {
	b := rested(r.chunk(p).b[p&(restChunkBytes-1):])
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
			for b := r.chunks[i].b[r.chunks[i].from:]; len(b) > 0; {
				s := rested(b)
				s = s[:s.size()]
				if s[restGone] == 0 && !yield(s) {
					return
				}
				b = b[len(s):]
			}
		}
	}
}

// remove lets go of a session.
func (r *rest) remove(s rested) {
	hash := s.hash()
	c := r.chunk(r.index[hash])
	delete(r.index, hash)
	s[restGone] = 1
	r.live -= len(s)
	r.dead += len(s)
	c.sessions--
	for c.from < len(c.b) && c.b[c.from+restGone] != 0 {
		c.from += rested(c.b[c.from:]).size()
	}
	for len(r.chunks) > 0 && r.chunks[0].sessions == 0 {
		r.dead -= len(r.chunks[0].b)
		r.chunks[0] = restChunk{}
		r.chunks = r.chunks[1:]
		r.front++
	}
	if r.dead > r.live+restChunkBytes {
		r.compact()
	}
}

// compact writes the sessions anew, without what is between them.
func (r *rest) compact() {
	old := *r
	r.index, r.chunks, r.front, r.live, r.dead = make(map[uint64]place, len(old.index)), nil, 0, 0, 0
	for s := range old.all() {
		r.append(s)
	}
}
