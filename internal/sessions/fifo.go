package sessions

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// fifo remembers the newest keys, up to a limit, and a value with each. It holds
// each once, in a ring, and finds it by an open hash table of places in the
// ring: a third of what a map beside a ring would take.
type fifo[K comparable, V any] struct {
	ring []entry[K, V]
	// next is the oldest of a full ring.
	next, max int
	// slots holds places in the ring + 1, and in the bits above them a tag out
	// of the hash of the key, so that few keys are looked at in vain. They are
	// at most half full.
	slots     []uint32
	placeBits int
	seed      maphash.Seed
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newFifo[K comparable, V any](limit int) fifo[K, V] {
	limit = max(1, limit)
	return fifo[K, V]{max: limit, placeBits: bits.Len(uint(limit)), seed: maphash.MakeSeed()}
}

// get returns the value of a key, to be changed in place; nil when the key is
// not there.
func (f *fifo[K, V]) get(k K) *V {
	if slot, _, ok := f.slot(k); ok {
		return &f.ring[f.place(slot)].value
	}
	return nil
}

// add adds a key that is not there, and forgets the oldest one for it when
// there are too many.
func (f *fifo[K, V]) add(k K, v V) {
	if len(f.ring) < f.max {
		if 2*(len(f.ring)+1) > len(f.slots) {
			f.rehash(max(8, 2*len(f.slots)))
		}
		if len(f.ring) == cap(f.ring) {
			f.ring = slices.Grow(f.ring, min(f.max-len(f.ring), max(4, len(f.ring)/4)))
		}
		f.ring = append(f.ring, entry[K, V]{k, v})
		f.put(len(f.ring) - 1)
		return
	}
	f.remove(f.ring[f.next].key)
	f.ring[f.next] = entry[K, V]{k, v}
	f.put(f.next)
	f.next = (f.next + 1) % f.max
}

// each calls yield for the entries, the oldest first.
func (f *fifo[K, V]) each(yield func(K, V)) {
	for i := range f.ring {
		e := &f.ring[(f.next+i)%len(f.ring)]
		yield(e.key, e.value)
	}
}

// place is where in the ring the key of a slot is.
func (f *fifo[K, V]) place(slot int) uint32 { return f.slots[slot]&(1<<f.placeBits-1) - 1 }

// home returns the slot that a key belongs in, and its tag.
func (f *fifo[K, V]) home(k K) (slot int, tag uint32) {
	h := maphash.Comparable(f.seed, k)
	return int(h & uint64(len(f.slots)-1)), uint32(h >> 32 >> f.placeBits)
}

// slot returns where a key is, or where it would be put, and its tag.
func (f *fifo[K, V]) slot(k K) (slot int, tag uint32, ok bool) {
	if len(f.slots) == 0 {
		return 0, 0, false
	}
	for slot, tag = f.home(k); f.slots[slot] != 0; slot = (slot + 1) & (len(f.slots) - 1) {
		if f.slots[slot]>>f.placeBits == tag && f.ring[f.place(slot)].key == k {
			return slot, tag, true
		}
	}
	return slot, tag, false
}

func (f *fifo[K, V]) put(place int) {
	slot, tag, _ := f.slot(f.ring[place].key)
	f.slots[slot] = tag<<f.placeBits | uint32(place+1)
}

// remove takes a key out of the slots and moves up those behind it that would
// no longer be found.
func (f *fifo[K, V]) remove(k K) {
	hole, _, ok := f.slot(k)
	if !ok {
		return
	}
	mask := len(f.slots) - 1
	for at := (hole + 1) & mask; f.slots[at] != 0; at = (at + 1) & mask {
		home, _ := f.home(f.ring[f.place(at)].key)
		if (at-home)&mask >= (at-hole)&mask {
			f.slots[hole] = f.slots[at]
			hole = at
		}
	}
	f.slots[hole] = 0
}

func (f *fifo[K, V]) rehash(size int) {
	f.slots = make([]uint32, size)
	for i := range f.ring {
		f.put(i)
	}
}
