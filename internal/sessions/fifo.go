package sessions

import (
	"hash/maphash"
	"slices"
)

// fifo remembers the newest keys, up to a limit, and a value with each. It holds
// each once, in a ring, and finds it by an open hash table of places in the
// ring: a third of what a map beside a ring would take.
type fifo[K comparable, V any] struct {
	ring []entry[K, V]
	// next is the oldest of a full ring.
	next, max int
	// slots holds places in the ring + 1, at most half full.
	slots []uint32
	seed  maphash.Seed
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newFifo[K comparable, V any](limit int) fifo[K, V] {
	return fifo[K, V]{max: max(1, limit), seed: maphash.MakeSeed()}
}

// get returns the value of a key, to be changed in place; nil when the key is
// not there.
func (f *fifo[K, V]) get(k K) *V {
	if slot, ok := f.slot(k); ok {
		return &f.ring[f.slots[slot]-1].value
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

func (f *fifo[K, V]) hash(k K) int {
	return int(maphash.Comparable(f.seed, k) & uint64(len(f.slots)-1))
}

// slot returns where a key is, or where it would be put.
func (f *fifo[K, V]) slot(k K) (slot int, ok bool) {
	if len(f.slots) == 0 {
		return 0, false
	}
	for slot = f.hash(k); f.slots[slot] != 0; slot = (slot + 1) & (len(f.slots) - 1) {
		if f.ring[f.slots[slot]-1].key == k {
			return slot, true
		}
	}
	return slot, false
}

func (f *fifo[K, V]) put(place int) {
	slot, _ := f.slot(f.ring[place].key)
	f.slots[slot] = uint32(place + 1)
}

// remove takes a key out of the slots and moves up those behind it that would
// no longer be found.
func (f *fifo[K, V]) remove(k K) {
	hole, ok := f.slot(k)
	if !ok {
		return
	}
	mask := len(f.slots) - 1
	for at := (hole + 1) & mask; f.slots[at] != 0; at = (at + 1) & mask {
		home := f.hash(f.ring[f.slots[at]-1].key)
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
