package spanevent

import "strings"

// isJSON reports whether s is JSON, as json.Valid does, but many times as fast:
// nearly all of the time goes into long strings, which are looked at 32 bytes at
// once.
func isJSON(s string) bool {
	var p jsonScan
	return p.all(s)
}

// verbatim reports whether encoding/json would write s, which p has found to be
// JSON, as it stands: no space between the tokens, and nothing that it escapes for
// HTML.
func (p *jsonScan) verbatim(s string) bool {
	return !p.spaced && firstHTML(s) < 0 && (p.ascii() || strings.IndexByte(s, 0xe2) < 0) // E2 begins U+2028 and U+2029
}

// maxJSONDepth is the depth that encoding/json accepts.
const maxJSONDepth = 10_000

// jsonScan is what was seen of a text that may be JSON. The text is handed from
// one function to the next for the sake of speed.
type jsonScan struct {
	// spaced says that there is space between the tokens.
	spaced bool
	// wide has a bit of highs set when a string may hold a byte beyond ASCII.
	wide uint64
}

// all reports whether the whole of s is JSON.
func (p *jsonScan) all(s string) bool {
	end := p.value(s, p.space(s, 0), 0)
	return end >= 0 && p.space(s, end) == len(s)
}

// ascii reports whether what was found to be JSON is surely ASCII.
func (p *jsonScan) ascii() bool { return p.wide&highs == 0 }

// at returns the byte of s at i, 0 at the end.
func at(s string, i int) byte {
	if uint(i) < uint(len(s)) {
		return s[i]
	}
	return 0
}

// space returns where the next token begins.
func (p *jsonScan) space(s string, i int) int {
	if at(s, i) > ' ' {
		return i
	}
	return p.skip(s, i)
}

func (p *jsonScan) skip(s string, i int) int {
	for {
		switch at(s, i) {
		case ' ', '\t', '\n', '\r':
			p.spaced = true
			i++
		default:
			return i
		}
	}
}

// value returns where the value that begins at i ends, -1 when it is none.
func (p *jsonScan) value(s string, i, depth int) int {
	switch c := at(s, i); c {
	case '"':
		return p.text(s, i+1)
	case '{':
		return p.members(s, i+1, depth+1, '}')
	case '[':
		return p.members(s, i+1, depth+1, ']')
	case 't':
		return jsonWord(s, i, "true")
	case 'f':
		return jsonWord(s, i, "false")
	case 'n':
		return jsonWord(s, i, "null")
	default:
		return jsonNumber(s, i)
	}
}

// members returns where an object or a list ends whose bracket ends at i.
func (p *jsonScan) members(s string, i, depth int, end byte) int {
	if depth > maxJSONDepth {
		return -1
	}
	if i = p.space(s, i); at(s, i) == end {
		return i + 1
	}
	for {
		if end == '}' {
			if at(s, i) != '"' {
				return -1
			}
			if i = p.text(s, i+1); i < 0 {
				return -1
			}
			if i = p.space(s, i); at(s, i) != ':' {
				return -1
			}
			i = p.space(s, i+1)
		}
		if i = p.value(s, i, depth); i < 0 {
			return -1
		}
		switch i = p.space(s, i); at(s, i) {
		case end:
			return i + 1
		case ',':
			i = p.space(s, i+1)
		default:
			return -1
		}
	}
}

// text returns where a string ends whose first byte is at i.
func (p *jsonScan) text(s string, i int) int {
	for {
		var wide uint64
		i, wide = plain(s, i)
		p.wide |= wide
		switch at(s, i) {
		case '"':
			return i + 1
		case '\\':
			if i = jsonEscape(s, i+1); i < 0 {
				return -1
			}
			i++
		default:
			return -1
		}
	}
}

// jsonEscape returns the last byte of an escape whose letter is at i.
func jsonEscape(s string, i int) int {
	switch at(s, i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		for end := i + 4; i < end; {
			i++
			if c := at(s, i); !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return -1
			}
		}
		return i
	}
	return -1
}

func jsonWord(s string, i int, word string) int {
	if end := i + len(word); end <= len(s) && s[i:end] == word {
		return end
	}
	return -1
}

func jsonNumber(s string, i int) int {
	if at(s, i) == '-' {
		i++
	}
	if at(s, i) == '0' {
		i++
	} else if i = jsonDigits(s, i); i < 0 {
		return -1
	}
	if at(s, i) == '.' {
		if i = jsonDigits(s, i+1); i < 0 {
			return -1
		}
	}
	if c := at(s, i); c == 'e' || c == 'E' {
		i++
		if c := at(s, i); c == '+' || c == '-' {
			i++
		}
		return jsonDigits(s, i)
	}
	return i
}

// jsonDigits returns where the digits that begin at i end, -1 when there are none.
func jsonDigits(s string, i int) int {
	begin := i
	for c := at(s, i); c >= '0' && c <= '9'; c = at(s, i) {
		i++
	}
	if i == begin {
		return -1
	}
	return i
}
