package alert

import (
	"bytes"
	"encoding/binary"
)

// hint is what every match of a pattern has in it. Without a need it says
// nothing.
type hint struct {
	// need is a text.
	need     []byte
	needText string
	// left and right say what the bytes beside need have to be, the nearest
	// first.
	left, right []byteSet
	// The first eight bytes of need and what is to the right of it have these bits
	// in mask.
	mask, want uint64
	// sieve finds need where it is frequent; nil where it cannot be a help.
	sieve *sieve
}

// frequent is a distance in bytes. To look for the next need takes as long as to
// sieve that many.
const frequent = 100

// in reports whether b has somewhere what the hint says.
func (h *hint) in(b []byte) bool {
	if len(h.need) == 0 {
		return true
	}
	sieved := false
	for at := 0; ; at++ {
		if sieved {
			if at = h.sieve.next(b, at); at < 0 {
				return false
			}
		} else {
			next := bytes.Index(b[at:], h.need)
			if next < 0 {
				return false
			}
			at += next
			sieved = next < frequent && h.sieve != nil
		}
		if h.fits(b, at) {
			return true
		}
	}
}

// fits reports whether what is beside the need that begins at the given place
// can be part of a match.
func (h *hint) fits(b []byte, at int) bool {
	end := at + len(h.need)
	if at < len(h.left) || len(b)-end < len(h.right) {
		return false
	}
	if len(b)-at >= 8 && binary.LittleEndian.Uint64(b[at:])&h.mask != h.want {
		return false
	}
	for i := range h.left {
		if !h.left[i].contains(b[at-1-i]) {
			return false
		}
	}
	for i := range h.right {
		if !h.right[i].contains(b[end+i]) {
			return false
		}
	}
	return true
}

// size is how many bytes the hint says something of.
func (h *hint) size() int { return len(h.left) + len(h.need) + len(h.right) }

// prepare makes a hint with its need and what is beside that ready for use.
func (h *hint) prepare() {
	h.needText = string(h.need)
	h.sieve = newSieve(h.need, h.left, h.right)
	for i := range min(8, len(h.need)+len(h.right)) {
		mask, want := byte(0xff), byte(0)
		if i < len(h.need) {
			want = h.need[i]
		} else {
			mask, want = h.right[i-len(h.need)].bits()
		}
		h.mask |= uint64(mask) << (8 * i)
		h.want |= uint64(want) << (8 * i)
	}
}

// byteSet is the bytes that can stand in a place; all below utf8.RuneSelf, or
// a single one.
type byteSet [4]uint64

func (s *byteSet) add(b byte)           { s[b/64] |= 1 << (b % 64) }
func (s *byteSet) contains(b byte) bool { return s[b/64]&(1<<(b%64)) != 0 }

// within reports whether all bytes of the set are in another, meets whether one is.
func (s *byteSet) within(o *byteSet) bool {
	return s[0]&^o[0]|s[1]&^o[1]|s[2]&^o[2]|s[3]&^o[3] == 0
}
func (s *byteSet) meets(o *byteSet) bool { return s[0]&o[0]|s[1]&o[1]|s[2]&o[2]|s[3]&o[3] != 0 }

// bits returns the bits that all bytes of the set have alike, and how.
func (s *byteSet) bits() (mask, like byte) {
	all, some := byte(0xff), byte(0)
	for b := range 256 {
		if s.contains(byte(b)) {
			all, some = all&byte(b), some|byte(b)
		}
	}
	mask = ^(all ^ some)
	return mask, all & mask
}
