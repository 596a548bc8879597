package sessions

import (
	"hash/maphash"
	"slices"
)

// fifo remembers the newest keys, up to a limit, and a value with each. It holds
// each once, in a ring, and finds it by an index: a third of what a map beside a
// ring would take. Where keys and values have no pointers, the garbage collector
// walks none of it.
//
// Keys are numbered as they come. A new key costs the line of its bucket and the
// end of the ring.
type fifo[K comparable, V any] struct {
	numberIndex
	// ring holds the key of a number at the number modulo max.
	ring []entry[K, V]
	max  uint32
	hash func(K) uint64
	// forget is told of a key before it is forgotten; nil = nobody is.
	forget func(K)
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newFifo[K comparable, V any](limit int) fifo[K, V] {
	limit = min(max(1, limit), maxNumbers)
	seed := maphash.MakeSeed()
	return fifo[K, V]{
		numberIndex: newNumberIndex(uint32(limit), uint32(limit)), max: uint32(limit),
		hash: func(k K) uint64 { return maphash.Comparable(seed, k) },
	}
}

// get returns the value of a key, to be changed in place; nil when the key is
// not there.
func (f *fifo[K, V]) get(k K) *V { return f.value(k, f.hash(k)) }

// at returns the value of a key, to be changed in place. It adds one that is not
// there, and forgets the oldest for it when there are too many.
func (f *fifo[K, V]) at(k K) (v *V, added bool) {
	hash := f.hash(k)
	if v := f.value(k, hash); v != nil {
		return v, false
	}
	if f.used() {
		// The ring is full since long.
		f.rehash(len(f.buckets), 2*f.max+f.next%f.max)
	}
	place := int(f.next % f.max)
	if n := len(f.ring); n < int(f.max) {
		if n == perBucket*len(f.buckets) {
			f.rehash(min(2*n, int(f.max)+perBucket-1)/perBucket, f.next)
		}
		if n == cap(f.ring) {
			f.ring = slices.Grow(f.ring, min(int(f.max)-n, max(4, n/4)))
		}
		f.ring = append(f.ring, entry[K, V]{key: k})
	} else {
		if f.forget != nil {
			f.forget(f.ring[place].key)
		}
		f.ring[place] = entry[K, V]{key: k}
		f.oldest++
	}
	f.next++
	f.put(hash, f.next-1)
	return &f.ring[place].value, true
}

// each calls yield for the entries, the oldest first.
func (f *fifo[K, V]) each(yield func(K, V)) {
	for n := f.oldest; n != f.next; n++ {
		e := &f.ring[n%f.max]
		yield(e.key, e.value)
	}
}

// value returns the value of a key; nil when the key is not there.
func (f *fifo[K, V]) value(k K, hash uint64) *V {
	number, found := f.find(hash, func(number uint32) bool { return f.ring[number%f.max].key == k })
	if !found {
		return nil
	}
	return &f.ring[number%f.max].value
}

// rehash fills so many buckets with what is in the ring, and numbers it so that
// the next number is this, which is to be the same modulo max.
func (f *fifo[K, V]) rehash(size int, next uint32) {
	f.buckets, f.oldest, f.next = make([]bucket, size), next-uint32(len(f.ring)), next
	for n := f.oldest; n != f.next; n++ {
		f.put(f.hash(f.ring[n%f.max].key), n)
	}
}
