package spanevent

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

// Eight bytes are looked at as one word. To subtract 1 from each sets the high
// bit of one that is 0 and leaves it in those from 1 to 0x7f. The byte above one
// that borrows may be marked too, so only the lowest mark counts.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// inWords are what 32 bytes at once are compared with. They are variables for
// the sake of speed: the compiler loads a constant of eight bytes again for each
// use, which makes the loop half as fast.
var inWords = struct{ quote, below, backslash, one uint64 }{2 * ones, 0x21 * ones, '\\' * ones, ones}

// runBytes is how many bytes are looked at in words of eight before it is in
// blocks of 32: most strings are short.
const runBytes = 48

// eight returns the eight bytes at i, the first in the lowest bits. It does without
// asItIs, whose unsafe.Slice checks again what s[i:i+8] has checked.
func eight(s string, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Pointer(unsafe.StringData(s[i : i+8])))[:])
}

// special marks the first of eight bytes that a JSON string cannot hold as it
// is: a quote, a backslash, or a byte below 0x20. With one bit flipped the quote
// is 0x20, and none of those leaves its place.
func special(x uint64) uint64 {
	return (((x ^ 2*ones) - 0x21*ones) | ((x ^ '\\'*ones) - ones)) &^ x & highs
}

// escaped marks the first of eight bytes that encoding/json does not write as it
// is, or that may begin such a character: also < and >, which differ in one bit,
// &, and E2, which begins U+2028 and U+2029.
func escaped(x uint64) uint64 {
	html := (((x | 2*ones) ^ '>'*ones) - ones) | ((x ^ '&'*ones) - ones)
	e2 := x ^ 0xe2*ones
	return special(x) | (html&^x|(e2-ones)&^e2)&highs
}

// plainASCII returns where, in blocks of 32 bytes from i, comes the first that
// holds something special or something beyond ASCII, or the rest of s that is
// no block. Both differences mark what they are to find, one of them or the other
// each byte beyond ASCII, and a byte that borrows from the next is marked itself.
func plainASCII(s string, i int) int {
	quote, below, backslash, one := inWords.quote, inWords.below, inWords.backslash, inWords.one
	for ; i+32 <= len(s); i += 32 {
		b := s[i : i+32]
		x := eight(b, 0)
		marks := ((x ^ quote) - below) | ((x ^ backslash) - one)
		x = eight(b, 8)
		marks |= ((x ^ quote) - below) | ((x ^ backslash) - one)
		x = eight(b, 16)
		marks |= ((x ^ quote) - below) | ((x ^ backslash) - one)
		x = eight(b, 24)
		marks |= ((x ^ quote) - below) | ((x ^ backslash) - one)
		if marks&highs != 0 {
			break
		}
	}
	return i
}

// plain returns the place of the first byte from i on that is special, or the
// end of s. Where a byte before it is beyond ASCII a bit of highs is set in wide,
// and maybe where one soon after it is.
func plain(s string, i int) (end int, wide uint64) {
	for {
		for run := i + runBytes; i < run; i += 8 {
			if i+8 > len(s) {
				for ; i < len(s); i++ {
					c := s[i]
					if c < ' ' || c == '"' || c == '\\' {
						break
					}
					wide |= uint64(c)
				}
				return i, wide
			}
			x := eight(s, i)
			if mark := special(x); mark != 0 {
				return i + bits.TrailingZeros64(mark)/8, wide | x
			}
			wide |= x
		}
		i = plainASCII(s, i)
	}
}

// clean returns how many bytes of s come before the first that is escaped, and
// wide as plain does.
func clean(s string) (n int, wide uint64) {
	i := 0
	for {
		for run := i + runBytes; i < run; i += 8 {
			if i+8 > len(s) {
				for ; i < len(s); i++ {
					c := s[i]
					switch c {
					case '"', '\\', '<', '>', '&', 0xe2:
						return i, wide
					}
					if c < ' ' {
						return i, wide
					}
					wide |= uint64(c)
				}
				return i, wide
			}
			x := eight(s, i)
			if mark := escaped(x); mark != 0 {
				return i + bits.TrailingZeros64(mark)/8, wide | x
			}
			wide |= x
		}
		end := plainASCII(s, i)
		if n := firstHTML(s[i:end]); n >= 0 {
			return i + n, wide
		}
		i = end
	}
}

// firstHTML returns the place of the first byte that is escaped for HTML, -1
// when there is none.
func firstHTML(s string) int {
	first := -1
	for _, c := range [...]byte{'<', '>', '&'} {
		if n := strings.IndexByte(s, c); n >= 0 {
			first, s = n, s[:n]
		}
	}
	return first
}
