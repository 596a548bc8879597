package sessions

import (
	"hash/maphash"
	"iter"
)

// sessionIndex finds the sessions of a shard by the hashes of their keys, awake or
// at rest, so that one that comes and goes stays in its place. It also is what the
// rests of the shard share: a session may go from one to the other as it is.
type sessionIndex struct {
	seed   maphash.Seed
	places placeTable
	// awake are the sessions awake by their slots, nil where a slot is free.
	awake []*Session
	free  []int32
	// latest is the one awake that was asked for last, for the spans of a session
	// come together.
	latest *Session
	// clashing are those whose hash is that of another; they stay awake.
	clashing map[string]*Session
	rests    []*rest
	packer   packer
	// spare are sessions whose memory the next to wake, or to begin, takes;
	// spareChunks are chunks for the rests.
	spare       []*Session
	spareChunks [][]byte
}

// place is where a session is: of one awake the slot, above it isAwake; of one at
// rest the number of its chunk, in the two bits below that of the rest, and in
// the lower 16 the offset in the chunk.
type place uint64

const (
	offsetBits = 16
	restBits   = 2

	isAwake place = 1 << 63
)

func (p place) chunk() int   { return int(p >> (offsetBits + restBits)) }
func (p place) rest() int    { return int(p >> offsetBits & (1<<restBits - 1)) }
func (p place) offset() int  { return int(p & (1<<offsetBits - 1)) }
func (p place) awake() bool  { return p&isAwake != 0 }
func (p place) slot() uint64 { return uint64(p &^ isAwake) }

func newSessionIndex(seed maphash.Seed) *sessionIndex {
	return &sessionIndex{
		seed: seed, places: newPlaceTable(), clashing: map[string]*Session{}, packer: packer{symbols: newSymbols()},
	}
}

// hash is above 0.
func (x *sessionIndex) hash(key string) uint64 { return max(1, maphash.String(x.seed, key)) }

// get returns a session, awake, and whether it was at rest; nil when it is not
// held.
func (x *sessionIndex) get(key string) (s *Session, woken bool) {
	if x.latest != nil && x.latest.Key == key {
		return x.latest, false
	}
	hash := x.hash(key)
	at, found := x.places.get(hash)
	switch {
	case !found:
	case at.awake():
		if s = x.awake[at.slot()]; s.Key == key {
			x.latest = s
			return s, false
		}
	default:
		if s = x.rests[at.rest()].take(at, key); s != nil {
			x.occupy(s, hash)
			return s, true
		}
	}
	return x.clashing[key], false
}

// enter takes in a session that is not held.
func (x *sessionIndex) enter(s *Session) {
	hash := x.hash(s.Key)
	if _, taken := x.places.get(hash); taken {
		x.clashing[s.Key] = s
		return
	}
	x.occupy(s, hash)
}

// leave lets go of a session that is awake.
func (x *sessionIndex) leave(s *Session) {
	if s.slot == 0 {
		delete(x.clashing, s.Key)
		return
	}
	x.places.remove(s.hash)
	x.vacate(s)
}

func (x *sessionIndex) occupy(s *Session, hash uint64) {
	if last := len(x.free) - 1; last >= 0 {
		s.slot, x.free = x.free[last], x.free[:last]
	} else {
		x.awake = append(x.awake, nil)
		s.slot = int32(len(x.awake))
	}
	s.hash, x.latest = hash, s
	x.awake[s.slot-1] = s
	x.places.set(hash, isAwake|place(s.slot-1))
}

func (x *sessionIndex) vacate(s *Session) {
	if x.latest == s {
		x.latest = nil
	}
	x.awake[s.slot-1] = nil
	x.free = append(x.free, s.slot)
	s.slot = 0
}

// allAwake ranges over the sessions that are awake, in no order.
func (x *sessionIndex) allAwake() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for _, s := range x.awake {
			if s != nil && !yield(s) {
				return
			}
		}
		for _, s := range x.clashing {
			if !yield(s) {
				return
			}
		}
	}
}

// maxSpare bounds the sessions whose memory is kept.
const maxSpare = 64

// empty returns an empty session, with memory of one that was let go of.
func (x *sessionIndex) empty() *Session {
	last := len(x.spare) - 1
	if last < 0 {
		return &Session{}
	}
	s := x.spare[last]
	x.spare[last], x.spare = nil, x.spare[:last]
	return s
}

// reuse takes a session's memory for another: nobody must hold on to it.
func (x *sessionIndex) reuse(s *Session) {
	if len(x.spare) < maxSpare {
		s.clear()
		x.spare = append(x.spare, s)
	}
}

// maxSpareChunks bounds the chunks that are kept: the rests of a shard fill and
// empty them in turns.
const maxSpareChunks = 4

// chunk returns an empty chunk that has room for so many bytes.
func (x *sessionIndex) chunk(size int) []byte {
	if last := len(x.spareChunks) - 1; last >= 0 && size <= restChunkBytes {
		b := x.spareChunks[last]
		x.spareChunks = x.spareChunks[:last]
		return b
	}
	return make([]byte, 0, max(restChunkBytes, size))
}

// reuseChunk takes a chunk's memory for another.
func (x *sessionIndex) reuseChunk(b []byte) {
	if len(x.spareChunks) < maxSpareChunks && cap(b) == restChunkBytes {
		x.spareChunks = append(x.spareChunks, b[:0])
	}
}
