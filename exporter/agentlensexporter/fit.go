package agentlensexporter

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// encodeJSON returns the JSON of v as valid UTF-8. Unlike json.Marshal it does
// not escape <, > and &, which could make a field six times as long.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("\ufffd"))
	}
	return text, nil
}

// fitJSON returns raw, or, when that is longer than limit bytes, the same with
// its longest strings cut, each with a mark that tells length and hash of the
// whole. Where cutting strings does not suffice, it returns an object with the
// mark and the beginning of the text. What is not JSON becomes a JSON string.
func fitJSON(raw json.RawMessage, limit int) json.RawMessage {
	if len(raw) <= limit {
		return raw
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		for most := limit / 2; most >= minCut; most /= 2 {
			text, err := encodeJSON(cutStrings(v, most))
			if err == nil && len(text) <= limit {
				return text
			}
		}
	}
	// Of text within a JSON string, a byte takes six at most.
	text, err := encodeJSON(map[string]string{"_cut": cutText(string(raw), limit/7)})
	if err != nil {
		return nil
	}
	return text
}

// minCut is the length below which strings are not cut one by one.
const minCut = 256

// cutStrings returns v with every string in it cut to most bytes.
func cutStrings(v any, most int) any {
	switch v := v.(type) {
	case string:
		return cutBytes(v, most)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = cutStrings(v[i], most)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = cutStrings(value, most)
		}
		return out
	default:
		return v
	}
}

// cutBytes shortens s to most bytes, mark included, which must be more than
// the mark takes.
func cutBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	m := mark(s)
	return strings.ToValidUTF8(s[:max(0, most-len(m))], "") + m
}

// cutText mends the UTF-8 of s and shortens it to most characters, mark
// included when there is room for it.
func cutText(s string, most int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= most || utf8.RuneCountInString(s) <= most {
		return s
	}
	m := mark(s)
	if n := utf8.RuneCountInString(m); n < most/2 {
		return prefix(s, most-n) + m
	}
	return prefix(s, most)
}

// mark takes the place of what was cut from s. With it the whole can be
// recognised where it is stored elsewhere.
func mark(s string) string {
	sum := sha256.Sum256([]byte(s))
	return fmt.Sprintf("…[cut, of %d bytes, sha256:%x]", len(s), sum[:8])
}

// prefix returns the first n characters of s.
func prefix(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
