package alert

import (
	"encoding/binary"
	"math/bits"
)

// sieve finds where a byte stands that has, at some distance, one of a set. It
// looks at 64 places at once: where the byte is frequent, as a hyphen is in
// dates and names, going from each to the next takes longer than that.
type sieve struct {
	// need is the byte, eight times as all of these.
	need uint64
	// distance is that from the need to the other byte, to the right, or to the
	// left when negative.
	distance int
	// The other byte has these bits in mask.
	mask, want uint64
}

// newSieve returns the sieve for what is of a single byte and has something
// beside it, nil for anything else. The other byte is the one farthest away:
// what looks much like a match mostly is the beginning of one, or the end.
func newSieve(need []byte, left, right []byteSet) *sieve {
	if len(need) != 1 || len(left)+len(right) == 0 {
		return nil
	}
	var distance int
	var other byteSet
	if len(left) > len(right) {
		distance, other = -len(left), left[len(left)-1]
	} else {
		distance, other = len(right), right[len(right)-1]
	}
	mask, want := other.bits()
	return &sieve{ones * uint64(need[0]), distance, ones * uint64(mask), ones * uint64(want)}
}

// next returns the first place from one on where the need is and the other byte
// can be, -1 when there is none.
func (s *sieve) next(b []byte, from int) int {
	first := max(0, -s.distance) // place that has room for the other byte
	n := len(b) - max(s.distance, -s.distance)
	if n <= 0 {
		return -1
	}
	near, far := b[first:][:n:n], b[first+s.distance:][:n:n]
	need, mask, want := s.need, s.mask, s.want
	le := binary.LittleEndian
	i := max(0, from-first)
	for n >= 8 && i < n {
		// The last 64 reach back over what was looked at, as do the last 8.
		if n >= 64 {
			at := min(i, n-64)
			near, far := (*[64]byte)(near[at:at+64]), (*[64]byte)(far[at:at+64])
			// Less 1 a difference of 0 has its high bit set, one below 0x80 has not.
			// Where bytes beyond ASCII have it too is looked at closer for nothing.
			marks := ((le.Uint64(near[:]) ^ need) | (le.Uint64(far[:])&mask ^ want)) - ones
			marks |= ((le.Uint64(near[8:]) ^ need) | (le.Uint64(far[8:])&mask ^ want)) - ones
			marks |= ((le.Uint64(near[16:]) ^ need) | (le.Uint64(far[16:])&mask ^ want)) - ones
			marks |= ((le.Uint64(near[24:]) ^ need) | (le.Uint64(far[24:])&mask ^ want)) - ones
			marks |= ((le.Uint64(near[32:]) ^ need) | (le.Uint64(far[32:])&mask ^ want)) - ones
			marks |= ((le.Uint64(near[40:]) ^ need) | (le.Uint64(far[40:])&mask ^ want)) - ones
			marks |= ((le.Uint64(near[48:]) ^ need) | (le.Uint64(far[48:])&mask ^ want)) - ones
			marks |= ((le.Uint64(near[56:]) ^ need) | (le.Uint64(far[56:])&mask ^ want)) - ones
			if marks&highs == 0 {
				i = at + 64
				continue
			}
		}
		for end := min(i+64, n); i < end; {
			at := min(i, n-8)
			x := (le.Uint64(near[at:at+8]) ^ need) | (le.Uint64(far[at:at+8])&mask ^ want)
			if marks := zeros(x) >> (8 * uint(i-at)); marks != 0 {
				return first + i + bits.TrailingZeros64(marks)/8
			}
			i = at + 8
		}
	}
	for ; i < n; i++ {
		if near[i] == byte(s.need) && far[i]&byte(s.mask) == byte(s.want) {
			return first + i
		}
	}
	return -1
}

// ones times a byte is that byte eight times. highs are the highest bits of eight.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// zeros has those of highs set that belong to a byte of x that is 0.
func zeros(x uint64) uint64 { return ^((x&^highs + ^uint64(highs)) | x) & highs }
