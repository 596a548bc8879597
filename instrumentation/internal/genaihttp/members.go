package genaihttp

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Select says which members of a JSON object are read. A path joins the keys
// of nested objects with dots.
type Select struct {
	// Keep lists the paths whose values are kept.
	Keep []string
	// Enter lists the paths of objects whose own members are looked at.
	Enter []string
}

// Members are the selected members of one JSON object.
type Members struct {
	found []member
	buf   []byte
}

// member is a kept value; one that was too large has end < start.
type member struct {
	path       string
	start, end int
}

// Raw returns the JSON of the member at path; nil when it is not there.
func (m *Members) Raw(path string) json.RawMessage {
	for _, f := range m.found {
		if f.path == path && f.end >= f.start {
			return m.buf[f.start:f.end:f.end]
		}
	}
	return nil
}

// TooLarge reports whether the member at path was left out for its size.
func (m *Members) TooLarge(path string) bool {
	for _, f := range m.found {
		if f.path == path {
			return f.end < f.start
		}
	}
	return false
}

// Has reports whether there is a member at path that is not null.
func (m *Members) Has(path string) bool {
	raw := m.Raw(path)
	return raw != nil && string(raw) != "null"
}

// Decode decodes the member at path into v. It reports whether there was one,
// not null, that fits.
func (m *Members) Decode(path string, v any) bool {
	return m.Has(path) && json.Unmarshal(m.Raw(path), v) == nil
}

// String returns the string at path; empty when there is none.
func (m *Members) String(path string) string {
	raw := m.Raw(path)
	if n := len(raw); n >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : n-1])
	}
	if !m.Has(path) {
		return ""
	}
	var s string
	m.Decode(path, &s)
	return s
}

// Is reports whether the string at path is s. It takes a string with escapes for
// another.
func (m *Members) Is(path, s string) bool {
	raw := m.Raw(path)
	n := len(raw)
	return n >= 2 && raw[0] == '"' && string(raw[1:n-1]) == s && bytes.IndexByte(raw, '\\') < 0
}

// Update sets s to the string at path, if there is one that is not empty. It
// reports whether s has changed.
func (m *Members) Update(path string, s *string) bool {
	if m.Is(path, *s) {
		return false // as in each event of a stream but the first
	}
	now := m.String(path)
	if now == "" || now == *s {
		return false
	}
	*s = now
	return true
}

// Int returns the integer at path, and whether there is one.
func (m *Members) Int(path string) (int, bool) {
	if raw := m.Raw(path); len(raw) == 1 && raw[0] >= '0' && raw[0] <= '9' {
		return int(raw[0] - '0'), true
	}
	var n int
	ok := m.Decode(path, &n)
	return n, ok
}

const (
	// maxKept bounds one kept value. A larger one is left out.
	maxKept = 1 << 20
	maxKey  = 256
	maxNest = 4
)

type scanState uint8

const (
	scanStart scanState = iota
	scanKeyOrEnd
	scanKey
	scanColon
	scanValue
	scanString
	scanScalar
	scanComposite
	scanAfter
	scanDone
	scanBroken
)

// scanner splits a JSON object that arrives in pieces into the selected
// members. It keeps nothing of the others, whatever their size.
type scanner struct {
	Select
	Members

	state    scanState
	prefixes []string // of the objects entered, "" for the outermost
	key      []byte
	depth    int  // of the composite value being passed over
	quoted   bool // inside a string of it
	escaped  bool
	keep     string // path of the value being kept, "" when it is not
	start    int
}

func (s *scanner) reset() {
	s.found, s.buf = s.found[:0], s.buf[:0]
	s.state, s.prefixes, s.key = scanStart, s.prefixes[:0], s.key[:0]
	s.depth, s.quoted, s.escaped, s.keep = 0, false, false, ""
}

// whole reports whether exactly one object has been read.
func (s *scanner) whole() bool { return s.state == scanDone }

// write takes the next piece.
func (s *scanner) write(p []byte) {
	for i := 0; i < len(p); {
		switch s.state {
		case scanString, scanComposite, scanScalar:
			n := s.pass(p[i:])
			if s.keep != "" {
				s.hold(p[i : i+n])
			}
			if i += n; s.state == scanAfter {
				s.endValue()
			}
		case scanKey:
			i += s.readKey(p[i:])
		case scanDone, scanBroken:
			return
		default:
			if c := p[i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				if s.step(c) {
					continue // c begins a value: pass reads it.
				}
			}
			i++
		}
	}
}

// step takes a character between keys and values. It reports whether the
// character belongs to a value.
func (s *scanner) step(c byte) bool {
	switch {
	case s.state == scanStart && c == '{':
		s.prefixes = append(s.prefixes, "")
		s.state = scanKeyOrEnd
	case s.state == scanKeyOrEnd && c == '"':
		s.key = s.key[:0]
		s.state = scanKey
	case (s.state == scanKeyOrEnd || s.state == scanAfter) && c == '}':
		s.prefixes = s.prefixes[:len(s.prefixes)-1]
		if s.state = scanAfter; len(s.prefixes) == 0 {
			s.state = scanDone
		}
	case s.state == scanAfter && c == ',':
		s.state = scanKeyOrEnd
	case s.state == scanColon && c == ':':
		s.state = scanValue
	case s.state == scanValue:
		return s.beginValue(c)
	default:
		s.state = scanBroken
	}
	return false
}

// readKey takes as much of p as belongs to the key, and its closing quote.
func (s *scanner) readKey(p []byte) int {
	for i, c := range p {
		switch {
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.addKey(p[:i])
			s.state = scanColon
			return i + 1
		}
	}
	s.addKey(p)
	return len(p)
}

func (s *scanner) addKey(p []byte) {
	s.key = append(s.key, p[:min(len(p), maxKey-len(s.key))]...)
}

func (s *scanner) beginValue(c byte) bool {
	prefix := s.prefixes[len(s.prefixes)-1]
	if c == '{' && len(s.prefixes) < maxNest {
		if path := matching(s.Enter, prefix, s.key); path != "" {
			s.prefixes = append(s.prefixes, path)
			s.state = scanKeyOrEnd
			return false
		}
	}
	s.keep, s.start = matching(s.Keep, prefix, s.key), len(s.buf)
	s.depth, s.quoted, s.escaped = 0, false, false
	switch c {
	case '"':
		s.state = scanString
	case '{', '[':
		s.state = scanComposite
	default:
		s.state = scanScalar
	}
	return true
}

// pass goes over as much of p as belongs to the value. When the value ends,
// the state is scanAfter.
func (s *scanner) pass(p []byte) int {
	if s.state == scanScalar {
		for i, c := range p {
			switch c {
			case ',', '}', ']', ' ', '\n', '\r', '\t':
				s.state = scanAfter
				return i
			}
		}
		return len(p)
	}
	for i := 0; i < len(p); {
		switch {
		case s.escaped:
			s.escaped = false
			i++
		case s.quoted:
			if i += textEnd(p[i:]); i == len(p) {
				break
			}
			s.escaped = p[i] == '\\'
			s.quoted = s.escaped
			if i++; !s.quoted && s.state == scanString {
				s.state = scanAfter
				return i
			}
		default:
			c := p[i]
			i++
			switch c {
			case '"':
				s.quoted = true
			case '{', '[':
				s.depth++
			case '}', ']':
				if s.depth--; s.depth == 0 {
					s.state = scanAfter
					return i
				}
			}
		}
	}
	return len(p)
}

// textEnd returns where the first quote or backslash is, len(p) when there is
// none. Most strings are short, and some are a whole picture.
func textEnd(p []byte) int {
	const short, block = 32, 512
	for i, c := range p[:min(short, len(p))] {
		if c == '"' || c == '\\' {
			return i
		}
	}
	for n := short; n < len(p); n += block {
		b := p[n:min(n+block, len(p))]
		quote := bytes.IndexByte(b, '"')
		if quote >= 0 {
			b = b[:quote]
		}
		if i := bytes.IndexByte(b, '\\'); i >= 0 {
			return n + i
		}
		if quote >= 0 {
			return n + quote
		}
	}
	return len(p)
}

func (s *scanner) hold(p []byte) {
	if len(s.buf)-s.start+len(p) > maxKept {
		s.found = append(s.found, member{s.keep, 0, -1})
		s.keep, s.buf = "", s.buf[:s.start]
		return
	}
	s.buf = append(s.buf, p...)
}

func (s *scanner) endValue() {
	if s.keep != "" {
		s.found = append(s.found, member{s.keep, s.start, len(s.buf)})
		s.keep = ""
	}
}

// matching returns the path among paths that key has under prefix.
func matching(paths []string, prefix string, key []byte) string {
	for _, path := range paths {
		name := path
		if prefix != "" {
			if len(path) <= len(prefix)+1 || path[:len(prefix)] != prefix || path[len(prefix)] != '.' {
				continue
			}
			name = path[len(prefix)+1:]
		}
		if name == string(key) {
			return path
		}
	}
	return ""
}
