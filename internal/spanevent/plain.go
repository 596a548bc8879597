package spanevent

import "math/bits"

// Eight bytes are looked at as one word. To subtract 1 from each sets the high
// bit of one that is 0 and leaves it in those from 1 to 0x7f. The byte above one
// that borrows may be marked too, so only the lowest mark counts.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// eight returns the eight bytes at i, the first in the lowest bits.
func eight(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
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

// plain returns how many bytes of s come before the first that is special.
func plain(s string) int {
	i := 0
	for ; i+32 <= len(s); i += 32 {
		b := s[i : i+32]
		if special(eight(b, 0))|special(eight(b, 8))|special(eight(b, 16))|special(eight(b, 24)) != 0 {
			break
		}
	}
	for ; i+8 <= len(s); i += 8 {
		if x := special(eight(s, i)); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return i
		}
	}
	return i
}

// clean returns how many bytes of s come before the first that is escaped.
func clean(s string) int {
	i := 0
	for ; i+16 <= len(s); i += 16 {
		b := s[i : i+16]
		if escaped(eight(b, 0))|escaped(eight(b, 8)) != 0 {
			break
		}
	}
	for ; i+8 <= len(s); i += 8 {
		if x := escaped(eight(s, i)); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\', c == '<', c == '>', c == '&', c == 0xe2:
			return i
		}
	}
	return i
}
