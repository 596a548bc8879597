package spanevent

import "strings"

// isJSON reports whether s is JSON, as json.Valid does, but many times as fast:
// nearly all of the time goes into long strings, which are looked at 32 bytes at
// once.
func isJSON(s string) bool {
	p := jsonScan{s: s}
	end := p.value(p.space(0), 0)
	return end >= 0 && p.space(end) == len(s)
}

// validJSON is isJSON. verbatim says that s is, and that encoding/json would
// write it again as it stands: no space between the tokens, and nothing that it
// escapes for HTML.
func validJSON(s string) (valid, verbatim bool) {
	p := jsonScan{s: s}
	end := p.value(p.space(0), 0)
	valid = end >= 0 && p.space(end) == len(s)
	return valid, valid && !p.spaced && strings.IndexByte(s, '<') < 0 && strings.IndexByte(s, '>') < 0 &&
		strings.IndexByte(s, '&') < 0 && strings.IndexByte(s, 0xe2) < 0 // E2 begins U+2028 and U+2029
}

// maxJSONDepth is the depth that encoding/json accepts.
const maxJSONDepth = 10_000

type jsonScan struct {
	s string
	// spaced says that there is space between the tokens.
	spaced bool
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
			p.spaced = true
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

// text returns where a string ends whose first byte is at i.
func (p *jsonScan) text(i int) int {
	for {
		i += plain(p.s[i:])
		switch p.at(i) {
		case '"':
			return i + 1
		case '\\':
			if i = p.escape(i + 1); i < 0 {
				return -1
			}
			i++
		default:
			return -1
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
