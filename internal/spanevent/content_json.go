package spanevent

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// asItIs returns a text that is JSON already, without copying it: a string out of
// pdata stays as it is whatever becomes of the span. Nobody writes into what an
// event holds.
func asItIs(s string) json.RawMessage { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// wrapVerbatim returns {key: value} of a value that is JSON already and that
// encoding/json would write as it is.
func (m *memory) wrapVerbatim(key, value string) json.RawMessage {
	b := m.take(len(`{"":}`) + len(key) + len(value))
	return append(append(appendKey(b, key), value...), '}')
}

// textData returns a text as valid JSON: an object as it stands, a list as {key:
// list}, other text as {key: text}. What is not UTF-8 is replaced.
func (m *memory) textData(s, key string) json.RawMessage {
	var scan jsonScan
	switch c := at(s, scan.space(s, 0)); {
	case c != '{' && c != '[' || !scan.all(s):
		return m.wrapText(key, s)
	case !scan.ascii() && !utf8.ValidString(s):
		return m.textData(strings.ToValidUTF8(s, "�"), key)
	case c == '{':
		return asItIs(s)
	case scan.verbatim(s):
		return m.wrapVerbatim(key, s)
	default:
		return m.wrapList(key, s)
	}
}

// wrapList returns {key: list} of a list that is JSON in UTF-8, as encoding/json
// writes it: without space between the tokens, escaped for HTML.
func (m *memory) wrapList(key, list string) json.RawMessage {
	b := appendKey(m.take(len(`{"":}`)+len(key)+len(list)), key)
	for list != "" {
		switch c := list[0]; c {
		case ' ', '\t', '\n', '\r':
			list = list[1:]
		case '"':
			b, list = appendString(append(b, c), list[1:])
		default:
			b, list = append(b, c), list[1:]
		}
	}
	return append(b, '}')
}

// appendString appends the rest of the string that s begins with, escaped for
// HTML, and returns what comes after it.
func appendString(b []byte, s string) (appended []byte, after string) {
	for {
		n, _ := clean(s)
		b, s = append(b, s[:n]...), s[n:]
		switch c := s[0]; c {
		case '"':
			return append(b, c), s[1:]
		case '\\':
			b, s = append(b, s[:2]...), s[2:]
		default:
			b, s = appendEscaped(b, s)
		}
	}
}

// wrapText returns {key: text}. What is not UTF-8 is replaced.
func (m *memory) wrapText(key, text string) json.RawMessage {
	first, wide := clean(text)
	if (first < len(text) || wide&highs != 0) && !utf8.ValidString(text) { // far faster than to replace nothing
		text = strings.ToValidUTF8(text, "\ufffd")
		first, _ = clean(text)
	}
	n := len(`{"":""}`) + len(key) + len(text)
	if first < len(text) {
		n += n / 8 // line breaks and quotes
	}
	b := append(append(appendKey(m.take(n), key), '"'), text[:first]...)
	return append(appendText(b, text[first:]), '"', '}')
}

func appendKey(b []byte, key string) []byte {
	return append(append(append(b, `{"`...), key...), `":`...)
}

// wrapJSON returns {key: v}, nil for what JSON cannot say.
func wrapJSON(key string, v any) json.RawMessage { return encode(map[string]any{key: v}) }

// appendText appends a text as encoding/json writes it, without the quotes.
func appendText(b []byte, s string) []byte {
	for s != "" {
		n, _ := clean(s)
		if b, s = append(b, s[:n]...), s[n:]; s != "" {
			b, s = appendEscaped(b, s)
		}
	}
	return b
}

// appendEscaped appends the first character of s, which is not clean, and returns
// what comes after it.
func appendEscaped(b []byte, s string) (appended []byte, after string) {
	const hex = "0123456789abcdef"
	switch c := s[0]; c {
	case '"', '\\':
		b = append(b, '\\', c)
	case '\b':
		b = append(b, `\b`...)
	case '\f':
		b = append(b, `\f`...)
	case '\n':
		b = append(b, `\n`...)
	case '\r':
		b = append(b, `\r`...)
	case '\t':
		b = append(b, `\t`...)
	case 0xe2:
		r, size := utf8.DecodeRuneInString(s)
		if r == '\u2028' || r == '\u2029' {
			b = append(append(b, `\u202`...), hex[r&0xf])
		} else {
			b = append(b, s[:size]...)
		}
		return b, s[size:]
	default:
		b = append(append(b, `\u00`...), hex[c>>4], hex[c&0xf])
	}
	return b, s[1:]
}
