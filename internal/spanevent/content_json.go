package spanevent

import (
	"encoding/json"
	"unicode/utf8"
)

func (m *memory) copyOf(s string) json.RawMessage { return append(m.take(len(s)), s...) }

// wrapVerbatim returns {key: value} of a value that is JSON already and that
// encoding/json would write as it is.
func (m *memory) wrapVerbatim(key, value string) json.RawMessage {
	b := m.take(len(`{"":}`) + len(key) + len(value))
	return append(append(appendKey(b, key), value...), '}')
}

// wrapText returns {key: text}. The text is UTF-8.
func (m *memory) wrapText(key, text string) json.RawMessage {
	n := len(`{"":""}`) + len(key) + len(text)
	if clean(text) < len(text) {
		n += n / 8 // line breaks and quotes
	}
	return append(appendText(appendKey(m.take(n), key), text), '}')
}

func appendKey(b []byte, key string) []byte {
	return append(append(append(b, `{"`...), key...), `":`...)
}

// wrapJSON returns {key: v}, nil for what JSON cannot say.
func wrapJSON(key string, v any) json.RawMessage { return encode(map[string]any{key: v}) }

// clean returns how many bytes of s come before the first that encoding/json
// would not write as it is in a string, or that may begin such a character.
func clean(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if x := eight(s, i); zeroIn(x^'"'*ones)|zeroIn(x^'\\'*ones)|spaceIn(x)|
			zeroIn((x|2*ones)^'>'*ones)|zeroIn(x^'&'*ones)|zeroIn(x^0xe2*ones) != 0 {
			break
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

// appendText appends a text as encoding/json writes it.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for s != "" {
		n := clean(s)
		b = append(b, s[:n]...)
		if s = s[n:]; s == "" {
			break
		}
		size := 1
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
			var r rune
			if r, size = utf8.DecodeRuneInString(s); r == '\u2028' || r == '\u2029' {
				b = append(b, `\u202`...)
				b = append(b, hex[r&0xf])
			} else {
				b = append(b, s[:size]...)
			}
		default:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&0xf])
		}
		s = s[size:]
	}
	return append(b, '"')
}
