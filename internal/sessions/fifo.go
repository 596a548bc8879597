package sessions

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// fifo remembers the newest keys, up to a limit, and a value with each. It holds
// each once, in a ring, and finds it by a table of buckets, each a line of the
// processor's cache: a third of what a map beside a ring would take. Where keys
// and values have no pointers, the garbage collector walks none of it.
//
// Keys are numbered as they come, and a number is live as long as its key is
// remembered. So nothing is taken out of a bucket: what is no longer live is
// written over. A new key costs the line of its bucket and the end of the ring.
type fifo[K comparable, V any] struct {
	// ring holds the key of a number at the number modulo max.
	ring []entry[K, V]
	// next is the number of the next key. It begins above 0, for that is what
	// empty slots hold.
	next, max uint32
	buckets   []bucket
	// numberBits are those of a slot below the tag.
	numberBits int
	hash       func(K) uint64
	// forget is told of a key before it is forgotten; nil = nobody is.
	forget func(K)
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

// bucket is where the numbers of keys are by their hash.
type bucket struct {
	// passed is the newest number that found the bucket full of live ones, and
	// is in one of the next. While it is live, so are perhaps others there.
	passed uint32
	// slots hold numbers, the newest first, each with a tag out of the hash of
	// its key above it, so that seldom the key of another one is looked at.
	slots [15]uint32
}

const (
	// perBucket is how many live numbers there are for each bucket, so that one in
	// a hundred is full of them.
	perBucket = 8
	// lapBits let numbers go on for at least 1 << lapBits rounds of the ring until
	// they begin anew, for which all buckets are filled again.
	lapBits = 5
	// maxFifo leaves a bit for the tag.
	maxFifo = 1<<(31-lapBits) - 1
)

func newFifo[K comparable, V any](limit int) fifo[K, V] {
	limit = min(max(1, limit), maxFifo)
	seed := maphash.MakeSeed()
	return fifo[K, V]{
		next: uint32(limit), max: uint32(limit), buckets: make([]bucket, 1), numberBits: bits.Len(uint(limit)) + lapBits,
		hash: func(k K) uint64 { return maphash.Comparable(seed, k) },
	}
}

// get returns the value of a key, to be changed in place; nil when the key is
// not there.
func (f *fifo[K, V]) get(k K) *V { return f.find(k, f.hash(k)) }

// at returns the value of a key, to be changed in place. It adds one that is not
// there, and forgets the oldest for it when there are too many.
func (f *fifo[K, V]) at(k K) (v *V, added bool) {
	hash := f.hash(k)
	if v := f.find(k, hash); v != nil {
		return v, false
	}
	if f.next>>f.numberBits > 0 {
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
	}
	f.next++
	f.put(f.next-1, hash)
	return &f.ring[place].value, true
}

// each calls yield for the entries, the oldest first.
func (f *fifo[K, V]) each(yield func(K, V)) {
	for n := f.oldest(); n != f.next; n++ {
		e := &f.ring[n%f.max]
		yield(e.key, e.value)
	}
}

// oldest is the first of the live numbers.
func (f *fifo[K, V]) oldest() uint32 { return f.next - uint32(len(f.ring)) }

func (f *fifo[K, V]) live(number uint32) bool { return number-f.oldest() < uint32(len(f.ring)) }

// home is the bucket that a key belongs in.
func (f *fifo[K, V]) home(hash uint64) int {
	at, _ := bits.Mul64(hash, uint64(len(f.buckets)))
	return int(at)
}

func (f *fifo[K, V]) after(bucket int) int {
	if bucket++; bucket < len(f.buckets) {
		return bucket
	}
	return 0
}

// tag is what a slot holds above the number: bits that home hardly looks at.
func (f *fifo[K, V]) tag(hash uint64) uint32 { return uint32(hash) >> f.numberBits << f.numberBits }

// find returns the value of a key; nil when the key is not there.
func (f *fifo[K, V]) find(k K, hash uint64) *V {
	tag, oldest, n := f.tag(hash), f.oldest(), uint32(len(f.ring))
	at := f.home(hash)
	for range f.buckets {
		b := &f.buckets[at]
		for i := range b.slots {
			// With another tag it is above all numbers.
			if number := b.slots[i] ^ tag; number-oldest < n {
				if e := &f.ring[number%f.max]; e.key == k {
					return &e.value
				}
			}
		}
		if b.passed-oldest >= n {
			break
		}
		at = f.after(at)
	}
	return nil
}

// put writes a number, the newest, into the first bucket that is not full. There
// is one, for there are fewer live numbers than slots, and the last slot of a
// bucket is the first that is no longer live.
func (f *fifo[K, V]) put(number uint32, hash uint64) {
	for at := f.home(hash); ; at = f.after(at) {
		b := &f.buckets[at]
		if last := b.slots[len(b.slots)-1]; !f.live(last &^ f.tag(^uint64(0))) {
			copy(b.slots[1:], b.slots[:])
			b.slots[0] = f.tag(hash) | number
			return
		}
		b.passed = number
	}
}

// rehash fills so many buckets with what is in the ring, and numbers it so that
// the next number is this, which is to be the same modulo max.
func (f *fifo[K, V]) rehash(size int, next uint32) {
	f.buckets, f.next = make([]bucket, size), next
	for n := f.oldest(); n != f.next; n++ {
		f.put(n, f.hash(f.ring[n%f.max].key))
	}
}
