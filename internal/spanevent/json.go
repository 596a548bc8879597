package spanevent

// validJSON reports whether s is JSON, as json.Valid does, but several times as
// fast: nearly all of the time goes into long strings, which are looked at eight
// bytes at once. verbatim says that it is, and that encoding/json would write it
// again as it stands: no space between the tokens, and nothing that it escapes
// for HTML.
func validJSON(s string) (valid, verbatim bool) {
	p := jsonScan{s: s, verbatim: true}
	end := p.value(p.space(0), 0)
	valid = end >= 0 && p.space(end) == len(s)
	return valid, valid && p.verbatim
}

// maxJSONDepth is the depth that encoding/json accepts.
const maxJSONDepth = 10_000

type jsonScan struct {
	s        string
	verbatim bool
}

// at returns the byte at i, 0 at the end.
func (p *jsonScan) at(i int) byte {
	if i < len(p.s) {
		return p.s[i]
	}
	return 0
}

func (p *jsonScan) space(i int) int {
	for {
		switch p.at(i) {
		case ' ', '\t', '\n', '\r':
			p.verbatim = false
			i++
		default:
			return i
		}
	}
}

// value returns where the value that begins at i ends, -1 when it is none.
func (p *jsonScan) value(i, depth int) int {
	switch c := p.at(i); c {
	case '"':
		return p.text(i + 1)
	case '{':
		return p.members(i+1, depth+1, '}')
	case '[':
		return p.members(i+1, depth+1, ']')
	case 't':
		return p.word(i, "true")
	case 'f':
		return p.word(i, "false")
	case 'n':
		return p.word(i, "null")
	default:
		return p.number(i)
	}
}

// members returns where an object or a list ends whose bracket ends at i.
func (p *jsonScan) members(i, depth int, end byte) int {
	if depth > maxJSONDepth {
		return -1
	}
	if i = p.space(i); p.at(i) == end {
		return i + 1
	}
	for {
		if end == '}' {
			if p.at(i) != '"' {
				return -1
			}
			if i = p.text(i + 1); i < 0 {
				return -1
			}
			if i = p.space(i); p.at(i) != ':' {
				return -1
			}
			i = p.space(i + 1)
		}
		if i = p.value(i, depth); i < 0 {
			return -1
		}
		switch i = p.space(i); p.at(i) {
		case end:
			return i + 1
		case ',':
			i = p.space(i + 1)
		default:
			return -1
		}
	}
}

// Eight bytes with the same value, and the trick to find one byte in eight: the
// high bit of a byte of (x-ones)&^x is set if the byte is 0, and only then
// unless a lower one is.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

func zeroIn(x uint64) uint64  { return (x - ones) &^ x & highs }
func spaceIn(x uint64) uint64 { return (x - 0x20*ones) &^ x & highs } // a byte below 0x20

// eight returns the eight bytes at i, the first in the lowest bits.
func eight(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// text returns where a string ends whose first byte is at i.
func (p *jsonScan) text(i int) int {
	s := p.s
	for {
		for i+8 <= len(s) {
			x := eight(s, i)
			if zeroIn(x^'"'*ones)|zeroIn(x^'\\'*ones)|spaceIn(x) != 0 {
				break
			}
			// < and > differ in one bit; E2 begins U+2028 and U+2029.
			if zeroIn((x|2*ones)^'>'*ones)|zeroIn(x^'&'*ones)|zeroIn(x^0xe2*ones) != 0 {
				p.verbatim = false
			}
			i += 8
		}
		// The rest, or to behind the byte that was found.
		for end := min(i+8, len(s)); ; i++ {
			if i >= len(s) {
				return -1
			}
			if i >= end && i+8 <= len(s) {
				break
			}
			switch c := s[i]; {
			case c == '"':
				return i + 1
			case c == '\\':
				if i = p.escape(i + 1); i < 0 {
					return -1
				}
			case c < 0x20:
				return -1
			case c == '<' || c == '>' || c == '&' || c == 0xe2:
				p.verbatim = false
			}
		}
	}
}

// escape returns the last byte of an escape whose letter is at i.
func (p *jsonScan) escape(i int) int {
	switch p.at(i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		for end := i + 4; i < end; {
			i++
			if c := p.at(i); !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return -1
			}
		}
		return i
	}
	return -1
}

func (p *jsonScan) word(i int, word string) int {
	if end := i + len(word); end <= len(p.s) && p.s[i:end] == word {
		return end
	}
	return -1
}

func (p *jsonScan) number(i int) int {
	if p.at(i) == '-' {
		i++
	}
	if p.at(i) == '0' {
		i++
	} else if i = p.digits(i); i < 0 {
		return -1
	}
	if p.at(i) == '.' {
		if i = p.digits(i + 1); i < 0 {
			return -1
		}
	}
	if c := p.at(i); c == 'e' || c == 'E' {
		i++
		if c := p.at(i); c == '+' || c == '-' {
			i++
		}
		return p.digits(i)
	}
	return i
}

// digits returns where the digits that begin at i end, -1 when there are none.
func (p *jsonScan) digits(i int) int {
	begin := i
	for c := p.at(i); c >= '0' && c <= '9'; c = p.at(i) {
		i++
	}
	if i == begin {
		return -1
	}
	return i
}
