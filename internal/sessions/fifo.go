package sessions

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// fifo remembers the newest keys, up to a limit, and a value with each. It holds
// each once, in a ring, and finds it by an open hash table of places in the
// ring: a third of what a map beside a ring would take. Where keys and values
// have no pointers, the garbage collector walks none of it.
type fifo[K comparable, V any] struct {
	ring []entry[K, V]
	// next is the oldest of a full ring.
	next, max int
	// slots holds places in the ring + 1. Above them is how far the slot is from
	// the one that the key belongs in, and above that a tag out of the hash of
	// the key: so that to find a key, or to move one up, few others are looked
	// at, which are far apart in memory. At most half of the slots are taken.
	slots     []uint32
	placeBits int
	seed      maphash.Seed
	// forget is told of a key before it is forgotten; nil = nobody is.
	forget func(K)
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

const (
	// farBits are those for the distance from home, far one that they do not hold.
	farBits = 2
	far     = 1<<farBits - 1
	// maxFifo is as many keys as places can tell apart.
	maxFifo = 1<<(32-farBits) - 1
)

func newFifo[K comparable, V any](limit int) fifo[K, V] {
	limit = min(max(1, limit), maxFifo)
	return fifo[K, V]{max: limit, placeBits: bits.Len(uint(limit)), seed: maphash.MakeSeed()}
}

// get returns the value of a key, to be changed in place; nil when the key is
// not there.
func (f *fifo[K, V]) get(k K) *V {
	if len(f.slots) == 0 {
		return nil
	}
	if slot, ok := f.find(k, f.hash(k)); ok {
		return &f.ring[f.place(slot)].value
	}
	return nil
}

// at returns the value of a key, to be changed in place. It adds one that is not
// there, and forgets the oldest for it when there are too many.
func (f *fifo[K, V]) at(k K) (v *V, added bool) {
	hash := f.hash(k)
	if len(f.slots) > 0 {
		if slot, ok := f.find(k, hash); ok {
			return &f.ring[f.place(slot)].value, false
		}
	}
	place := len(f.ring)
	if place < f.max {
		if 2*(place+1) > len(f.slots) {
			f.rehash(max(8, 2*len(f.slots)))
		}
		if place == cap(f.ring) {
			f.ring = slices.Grow(f.ring, min(f.max-place, max(4, place/4)))
		}
		f.ring = append(f.ring, entry[K, V]{key: k})
	} else {
		place = f.next
		if f.forget != nil {
			f.forget(f.ring[place].key)
		}
		f.remove(place)
		f.ring[place] = entry[K, V]{key: k}
		f.next = (f.next + 1) % f.max
	}
	f.put(place, hash)
	return &f.ring[place].value, true
}

// each calls yield for the entries, the oldest first.
func (f *fifo[K, V]) each(yield func(K, V)) {
	for i := range f.ring {
		e := &f.ring[(f.next+i)%len(f.ring)]
		yield(e.key, e.value)
	}
}

func (f *fifo[K, V]) hash(k K) uint64 { return maphash.Comparable(f.seed, k) }

// home is the slot that a key belongs in.
func (f *fifo[K, V]) home(hash uint64) int { return int(hash & uint64(len(f.slots)-1)) }

// tag is what a slot holds above the distance.
func (f *fifo[K, V]) tag(hash uint64) uint32 { return uint32(hash >> 32 >> (f.placeBits + farBits)) }

// place is where in the ring the key of a slot is.
func (f *fifo[K, V]) place(slot int) int { return int(f.slots[slot]&(1<<f.placeBits-1)) - 1 }

// find returns the slot of a key.
func (f *fifo[K, V]) find(k K, hash uint64) (slot int, ok bool) {
	tag := f.tag(hash)
	for slot = f.home(hash); f.slots[slot] != 0; slot = (slot + 1) & (len(f.slots) - 1) {
		if f.slots[slot]>>(f.placeBits+farBits) == tag && f.ring[f.place(slot)].key == k {
			return slot, true
		}
	}
	return 0, false
}

// put writes a place into the first slot that is free.
func (f *fifo[K, V]) put(place int, hash uint64) {
	mask := len(f.slots) - 1
	slot, distance := f.home(hash), 0
	for f.slots[slot] != 0 {
		slot, distance = (slot+1)&mask, distance+1
	}
	f.set(slot, distance, f.tag(hash)<<farBits<<f.placeBits|uint32(place+1))
}

// set writes a tag and a place into a slot that is so far from home.
func (f *fifo[K, V]) set(slot, distance int, value uint32) {
	f.slots[slot] = value&^(far<<f.placeBits) | uint32(min(distance, far))<<f.placeBits
}

// distance is how far a slot is from where its key belongs.
func (f *fifo[K, V]) distance(slot int) int {
	if d := int(f.slots[slot] >> f.placeBits & far); d < far {
		return d
	}
	return (slot - f.home(f.hash(f.ring[f.place(slot)].key))) & (len(f.slots) - 1)
}

// remove takes a place out of the slots and moves up those behind it that would
// no longer be found.
func (f *fifo[K, V]) remove(place int) {
	mask := len(f.slots) - 1
	hole := f.home(f.hash(f.ring[place].key))
	for f.place(hole) != place {
		hole = (hole + 1) & mask
	}
	for at := (hole + 1) & mask; f.slots[at] != 0; at = (at + 1) & mask {
		d, gap := f.distance(at), (at-hole)&mask
		if d >= gap {
			f.set(hole, d-gap, f.slots[at])
			hole = at
		}
	}
	f.slots[hole] = 0
}

func (f *fifo[K, V]) rehash(size int) {
	f.slots = make([]uint32, size)
	for i := range f.ring {
		f.put(i, f.hash(f.ring[i].key))
	}
}
