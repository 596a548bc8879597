package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"
)

// EncodeJSON returns v as JSON, nil for null: with "<" and "&" as they are, for
// patterns are to meet them so, and valid UTF-8. A marshaller that panics gives
// an error.
func EncodeJSON(v any) (raw json.RawMessage, err error) {
	if v == nil {
		return nil, nil
	}
	defer func() {
		if r := recover(); r != nil {
			raw, err = nil, fmt.Errorf("marshalling %T panicked: %v", v, r)
		}
	}()
	w := jsonBuffers.Get().(*jsonBuffer)
	w.buf.Reset()
	if err := w.enc.Encode(v); err != nil {
		return nil, err
	}
	b := bytes.TrimSuffix(w.buf.Bytes(), []byte("\n"))
	switch {
	case string(b) == "null":
	case utf8.Valid(b):
		raw = bytes.Clone(b)
	default:
		raw = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	if w.buf.Cap() <= maxJSONBuffer {
		jsonBuffers.Put(w)
	}
	return raw, nil
}

// maxJSONBuffer is how large a buffer is kept for the next time, in bytes.
const maxJSONBuffer = 64 << 10

// jsonBuffer is an encoder with what it writes into.
type jsonBuffer struct {
	buf bytes.Buffer
	enc *json.Encoder
}

var jsonBuffers = sync.Pool{New: func() any {
	w := new(jsonBuffer)
	w.enc = json.NewEncoder(&w.buf)
	w.enc.SetEscapeHTML(false)
	return w
}}

// RedactJSON passes every string, number and object key of the JSON through
// redact, which gets the key of the innermost member too. The order of members
// stays.
func RedactJSON(raw []byte, redact func(key, text string) (string, error)) (json.RawMessage, error) {
	w := jsonWriter{redact: redact}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return w.out.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		if err := w.write(token); err != nil {
			return nil, err
		}
	}
}

// jsonWriter writes JSON token by token.
type jsonWriter struct {
	redact func(key, text string) (string, error)
	out    bytes.Buffer
	nest   []jsonNest
}

// jsonNest is an object or list that is open.
type jsonNest struct {
	object bool
	n      int    // tokens in it
	key    string // of the member being written
}

func (w *jsonWriter) write(token json.Token) error {
	if d, ok := token.(json.Delim); ok && (d == '}' || d == ']') {
		w.nest = w.nest[:len(w.nest)-1]
		w.out.WriteByte(byte(d))
		return nil
	}
	key, isKey := w.separate()
	switch v := token.(type) {
	case json.Delim:
		w.out.WriteByte(byte(v))
		w.nest = append(w.nest, jsonNest{object: v == '{', key: key})
	case string:
		s, err := w.redact(key, v)
		if err != nil {
			return err
		}
		if isKey {
			w.nest[len(w.nest)-1].key = v
		}
		return w.text(s)
	case json.Number:
		s, err := w.redact(key, v.String())
		if err != nil {
			return err
		}
		if s != v.String() {
			return w.text(s)
		}
		w.out.WriteString(s)
	case bool:
		fmt.Fprint(&w.out, v)
	default:
		w.out.WriteString("null")
	}
	return nil
}

// separate writes what stands before the next token, and returns the key of the
// member that it is in, and whether it is a key itself.
func (w *jsonWriter) separate() (key string, isKey bool) {
	if len(w.nest) == 0 {
		return "", false
	}
	in := &w.nest[len(w.nest)-1]
	in.n++
	switch {
	case !in.object:
		if in.n > 1 {
			w.out.WriteByte(',')
		}
		return in.key, false
	case in.n%2 == 1:
		if in.n > 1 {
			w.out.WriteByte(',')
		}
		return "", true
	default:
		w.out.WriteByte(':')
		return in.key, false
	}
}

func (w *jsonWriter) text(s string) error {
	enc := json.NewEncoder(&w.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return err
	}
	w.out.Truncate(w.out.Len() - 1) // the encoder's newline
	return nil
}
