package alert

import "encoding/binary"

// sieve finds where a byte stands that has, at some distance, one of a set. It
// looks at 32 places at once: where the byte is frequent, as a hyphen is in
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
	near, far := b[first:][:n:n], b[first+s.distance:][:n:n]
	need, mask, want := ones*uint64(s.need), ones*uint64(s.mask), ones*uint64(s.want)
	i := max(0, from-first)
	for n >= 32 && i < n {
		block := min(i, n-32) // the last reaches back over what was looked at
		near, far := (*[32]byte)(near[block:block+32]), (*[32]byte)(far[block:block+32])
		marks := zeros((word(near[:]) ^ need) | (word(far[:])&mask ^ want))
		marks |= zeros((word(near[8:]) ^ need) | (word(far[8:])&mask ^ want))
		marks |= zeros((word(near[16:]) ^ need) | (word(far[16:])&mask ^ want))
		marks |= zeros((word(near[24:]) ^ need) | (word(far[24:])&mask ^ want))
		if marks&highs != 0 {
			break
		}
		i = block + 32
	}
	for ; i < n; i++ {
		if near[i] == s.need && far[i]&s.mask == s.want {
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

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// zeros has one of highs set if, and only if, a byte of x is 0.
func zeros(x uint64) uint64 { return (x - ones) &^ x }
