package analysis

import (
	"math"
	"math/bits"
)

// Sum adds numbers exactly, so that the result does not depend on the order of
// adding, as that of a float64 sum would: the findings on a session must not
// depend on how its spans were cut into batches. It is a fixed-point number of
// 64 whole and 64 fractional bits: 5e-20 of a dollar, 9e18 of them. What is
// below the last bit is cut off an addend before it is added.
type Sum struct {
	Hi int64  `json:"hi"`
	Lo uint64 `json:"lo"`
}

// Add adds x. NaN and infinities add nothing: callers refuse them before.
func (s *Sum) Add(x float64) {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
	case x < 0:
		s.Merge(fixed(-x).negated())
	default:
		s.Merge(fixed(x))
	}
}

// fixed returns a number that is not negative as a Sum, at most 2^62 of one that
// has no room there.
func fixed(x float64) Sum {
	if x >= 1<<63 {
		return Sum{Hi: math.MaxInt64 >> 1}
	}
	whole := int64(x)
	return Sum{Hi: whole, Lo: uint64((x - float64(whole)) * (1 << 64))}
}

// Merge adds another sum.
func (s *Sum) Merge(o Sum) {
	lo, carry := bits.Add64(s.Lo, o.Lo, 0)
	s.Lo = lo
	s.Hi += o.Hi + int64(carry)
}

// Float64 returns the sum as the nearest float64, to within one rounding.
func (s Sum) Float64() float64 {
	if s.Hi < 0 {
		n := s.negated()
		return -n.Float64()
	}
	return float64(s.Hi) + float64(s.Lo)/(1<<64)
}

func (s Sum) negated() Sum {
	lo, borrow := bits.Sub64(0, s.Lo, 0)
	return Sum{Hi: -s.Hi - int64(borrow), Lo: lo}
}
