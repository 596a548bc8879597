package alert

import (
	"encoding/binary"
	"math/bits"
)

// sieve finds where a byte stands that has, at some distance, one of a set. It
// looks at 16 places at once: where the byte is frequent, as a hyphen is in
// dates and names, going from each to the next takes longer than that.
type sieve struct {
	need byte
	// distance is that from the need to the other byte, to the right, or to the
	// left when negative.
	distance int
	// The other byte has these bits in mask.
	mask, want byte
}

// newSieve returns the sieve for what is of a single byte and has something
// beside it, nil for anything else. The other byte is the one farthest away:
// what looks much like a match mostly is the beginning of one, or the end.
func newSieve(need []byte, left, right []byteSet) *sieve {
	if len(need) != 1 || len(left)+len(right) == 0 {
		return nil
	}
	s := &sieve{need: need[0]}
	if len(left) > len(right) {
		s.distance = -len(left)
		s.mask, s.want = left[len(left)-1].bits()
	} else {
		s.distance = len(right)
		s.mask, s.want = right[len(right)-1].bits()
	}
	return s
}

// next returns the first place from one on where the need is and the other byte
// can be, -1 when there is none.
func (s *sieve) next(b []byte, from int) int {
	first := max(0, -s.distance) // place that has room for the other byte
	n := len(b) - max(s.distance, -s.distance)
	if n <= 0 {
		return -1
	}
	near, far := b[first:][:n], b[first+s.distance:][:n]
	need, mask, want := ones*uint64(s.need), ones*uint64(s.mask), ones*uint64(s.want)
	i := max(0, from-first)
	for ; i <= n-16; i += 16 {
		near, far := near[i:i+16], far[i:i+16]
		x := (word(near) ^ need) | (word(far)&mask ^ want)
		y := (word(near[8:]) ^ need) | (word(far[8:])&mask ^ want)
		if x, y = zeros(x), zeros(y); x != 0 {
			return first + i + bits.TrailingZeros64(x)/8
		} else if y != 0 {
			return first + i + 8 + bits.TrailingZeros64(y)/8
		}
	}
	for ; i < n; i++ {
		if near[i] == s.need && far[i]&s.mask == s.want {
			return first + i
		}
	}
	return -1
}

// ones times a byte is that byte eight times.
const ones = 0x0101010101010101

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// zeros has the highest bit set of the first byte of x that is 0, of none before
// it, and none at all when no byte is 0.
func zeros(x uint64) uint64 { return (x - ones) &^ x & (ones << 7) }
