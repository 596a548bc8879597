package sessions

import (
	"math/bits"
	"slices"
)

// numberIndex finds numbers by the hashes of what they stand for: places in a
// ring or a log, which go on as it fills. It is a table of buckets, each a line of
// the processor's cache, and says what may be there, for hashes meet.
//
// A number is live as long as what it stands for is remembered. So nothing is
// taken out of a bucket: what is no longer live is written over.
type numberIndex struct {
	buckets []bucket
	// numberBits are those of a slot below the tag.
	numberBits uint32 // below 32
	// The live numbers are those from oldest on, below next: above 0, for that is
	// what empty slots hold.
	oldest, next uint32
}

// bucket is where numbers are by their hash.
type bucket struct {
	// passed is the newest number that found the bucket full of live ones, and
	// is in one of the next. While it is live, so are perhaps others there.
	passed uint32
	// slots hold numbers, the newest first, each with a tag out of its hash above
	// it, so that seldom that of another one is looked at.
	slots [15]uint32
}

const (
	// perBucket is how many live numbers there are for each bucket, so that one in
	// a hundred is full of them.
	perBucket = 8
	// lapBits let numbers go on for at least 1 << lapBits times as many as are live
	// until they begin anew, for which all buckets are filled again.
	lapBits = 5
	// maxNumbers leaves a bit for the tag.
	maxNumbers = 1<<(31-lapBits) - 1
)

// newNumberIndex returns one for so many live numbers, of which this is the first.
func newNumberIndex(live, first uint32) numberIndex {
	return numberIndex{buckets: make([]bucket, 1), numberBits: uint32(bits.Len32(live)) + lapBits, oldest: first, next: first}
}

func (x *numberIndex) live(number uint32) bool { return number-x.oldest < x.next-x.oldest }

// used reports whether the numbers have to begin anew.
func (x *numberIndex) used() bool { return x.next>>(x.numberBits&31) > 0 }

// home is the bucket that a hash belongs in.
func (x *numberIndex) home(hash uint64) int {
	at, _ := bits.Mul64(hash, uint64(len(x.buckets)))
	return int(at)
}

func (x *numberIndex) after(bucket int) int {
	if bucket++; bucket < len(x.buckets) {
		return bucket
	}
	return 0
}

// tag is what a slot holds above the number: bits that home hardly looks at.
func (x *numberIndex) tag(hash uint64) uint32 {
	return uint32(hash) >> (x.numberBits & 31) << (x.numberBits & 31)
}

// find returns the first live number with the hash of which is says that it is
// the one; of those with the same hash, the newest are asked about first.
func (x *numberIndex) find(hash uint64, is func(number uint32) bool) (number uint32, found bool) {
	tag, oldest, n := x.tag(hash), x.oldest, x.next-x.oldest
	at := x.home(hash)
	for range x.buckets {
		b := &x.buckets[at]
		for i := range b.slots {
			// With another tag it is above all numbers.
			if number := b.slots[i] ^ tag; number-oldest < n && is(number) {
				return number, true
			}
		}
		if b.passed-oldest >= n {
			break
		}
		at = x.after(at)
	}
	return 0, false
}

// put writes a number into the first bucket that is not full. There is to be one:
// fewer live numbers than slots. The last slot of a bucket, the oldest, is the
// first that is no longer live.
func (x *numberIndex) put(hash uint64, number uint32) {
	for at := x.home(hash); ; at = x.after(at) {
		b := &x.buckets[at]
		if last := len(b.slots) - 1; !x.live(x.number(b.slots[last])) {
			x.insert(b, last, x.tag(hash)|number)
			return
		}
		b.passed = max(b.passed, number)
	}
}

// replace writes a number, the newest, in the place of a live one with the same
// hash.
func (x *numberIndex) replace(hash uint64, old, number uint32) {
	for at := x.home(hash); ; at = x.after(at) {
		b := &x.buckets[at]
		if i := slices.Index(b.slots[:], x.tag(hash)|old); i >= 0 {
			x.insert(b, i, x.tag(hash)|number)
			return
		}
		b.passed = number
	}
}

// insert writes a slot where its age belongs, and leaves out another that is older.
func (x *numberIndex) insert(b *bucket, without int, slot uint32) {
	i := 0
	for i < without && x.number(b.slots[i]) > x.number(slot) {
		i++
	}
	copy(b.slots[i+1:without+1], b.slots[i:without])
	b.slots[i] = slot
}

// number is what a slot holds below the tag.
func (x *numberIndex) number(slot uint32) uint32 { return slot & (1<<(x.numberBits&31) - 1) }
