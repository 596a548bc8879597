package alert

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// childByDecoder does what child does with encoding/json.
func childByDecoder(raw json.RawMessage, name string) json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(raw))
	bracket, _ := dec.Token()
	if bracket != json.Delim('{') && bracket != json.Delim('[') {
		return nil
	}
	for i := 0; dec.More(); i++ {
		key := strconv.Itoa(i)
		if bracket == json.Delim('{') {
			token, _ := dec.Token()
			key = token.(string)
		} else if n, err := strconv.Atoi(name); err == nil && n == i {
			key = name
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil
		}
		if key == name {
			return value
		}
	}
	return nil
}

var paths = []struct{ raw, name string }{
	{`{"a":1,"b":2}`, "b"},
	{` { "a" : { "b" : "}]\"," } , "b" : [ 1 , 2 ] } `, "b"},
	{`{"a":"x\\","b":true}`, "b"},
	{`{"\u0062":null}`, "b"},
	{`{"b":1,"b":2}`, "b"},
	{`{"":-1.5e3}`, ""},
	{`[[1],{"b":2},"x",4]`, "3"},
	{`[[1],{"b":2}]`, "1"},
	{`[1]`, "01"},
	{`[1]`, "-1"},
	{`[1]`, "b"},
	{`[]`, "0"},
	{`{}`, "b"},
	{`"b"`, "b"},
	{`12`, "0"},
}

func TestChild(t *testing.T) {
	for _, p := range paths {
		assert.Equal(t, string(childByDecoder([]byte(p.raw), p.name)), string(child([]byte(p.raw), p.name)), "%s of %s", p.name, p.raw)
	}
	assert.Equal(t, `[ 1 , 2 ]`, string(child([]byte(paths[1].raw), "b")))
	for _, broken := range []string{"", "{", "[", `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a" 1}`, `{,}`, `[,`, `{"a":"\`, "]", `{"x":{]`} {
		assert.NotPanics(t, func() { child([]byte(broken), "b"); child([]byte(broken), "9") }, broken)
	}
}

func FuzzChild(f *testing.F) {
	for _, p := range paths {
		f.Add([]byte(p.raw), p.name)
	}
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		got := child(raw, name)
		if json.Valid(raw) && utf8.Valid(raw) { // encoding/json mends keys that are no UTF-8
			require.Equal(t, string(childByDecoder(raw, name)), string(got))
		}
	})
}

// A text out of JSON is what encoding/json reads, whether it is there as it is or
// with escapes, and what that does not read is absent.
func TestTextsAreThoseOfJSON(t *testing.T) {
	asItIs, escaped, absent := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{"a", " ", "é", "\uFFFD", "\xff", "\xc3", `\n`, `\u00e9`, `\`, `"`, "\n", "\x1f", "\x7f", "\u2028"}), 0, 5).Draw(t, "pieces")
		raw := []byte(`"` + strings.Join(pieces, "") + `"`)
		raw = raw[:len(raw)-rapid.IntRange(0, 1).Draw(t, "cut")]
		got := scalar(raw)
		var want string
		switch err := json.Unmarshal(raw, &want); {
		case err != nil:
			absent++
			require.Equal(t, value{}, got, "%q", raw)
			return
		case got.raw != nil:
			asItIs++
		default:
			escaped++
		}
		require.Equal(t, text, got.kind, "%q", raw)
		require.Equal(t, want, got.string(), "%q", raw)
	})
	require.Positive(t, asItIs)
	require.Positive(t, escaped)
	require.Positive(t, absent)

	// Only what is space in JSON is.
	require.Equal(t, text, scalar([]byte(" \t\r\n\"a\"\n")).kind)
	require.Equal(t, value{}, scalar([]byte("\"a\"\u2028")))
}
