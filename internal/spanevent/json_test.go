package spanevent

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// checkJSON compares what is said of s, and made of it, with what encoding/json
// says and makes.
func checkJSON(t *testing.T, s string) {
	t.Helper()
	valid, verbatim := validJSON(s)
	require.Equal(t, json.Valid([]byte(s)), valid, "%q", s)
	if verbatim {
		again, err := json.Marshal(json.RawMessage(s))
		require.NoError(t, err)
		require.Equal(t, string(again), s, "said to be written as it is")
		require.Equal(t, string(wrapJSON("input", json.RawMessage(s))), string((*memory)(nil).wrapVerbatim("input", s)))
	}
	require.Equal(t, string(textAsData(s, "output")), string((*memory)(nil).textData(s, "output")), "%q", s)
	s = strings.ToValidUTF8(s, "\ufffd")
	require.Equal(t, string(wrapJSON("output", s)), string((*memory)(nil).wrapText("output", s)))
}

// validJSON reports whether s is JSON, and whether encoding/json would write it as
// it is.
func validJSON(s string) (valid, verbatim bool) {
	var p jsonScan
	valid = p.all(s)
	return valid, valid && p.verbatim(s)
}

// textAsData is what textData is to return, step by step.
func textAsData(s, key string) json.RawMessage {
	s = strings.ToValidUTF8(s, "\ufffd")
	trimmed := strings.TrimSpace(s)
	switch valid := json.Valid([]byte(s)); {
	case valid && strings.HasPrefix(trimmed, "{"):
		return json.RawMessage(s)
	case valid && strings.HasPrefix(trimmed, "["):
		return wrapJSON(key, json.RawMessage(s))
	default:
		return wrapJSON(key, s)
	}
}

var jsonSamples = []string{
	``, ` `, `{}`, `[]`, `{"a":1}`, ` {"a" : [1 , 2.5e-3, -0, true,false,null]} `, `{"a":1,}`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{1:2}`,
	`"x"`, `"x`, `"\u00e9\n\"\\\/"`, `"\u00g9"`, `"\x"`, `"\`, `"\u12`, "\"tab\there\"", "\"a\x00b\"", `01`, `-`, `-01`, `1.`, `.5`, `1e`, `1e+`, `1E+9`, `0.0`,
	`nul`, `nullx`, `truefalse`, `{"a":1}{}`, `[[[[]]]]`, `[[[]`, `]`, `"long enough for eight bytes at once, and then <b> & some"`,
	"[\t1 ,\r\n\t\"a\" ]", `["a \" , <b> \\" , "\\", 1]`, `{"a":"0123456789abcdef\"0123456789"}`, `["0123456\\","89abcdef"]`, "{\"a\":\"line\\nline\",\"b\":\"\xff\xfe invalid\"}", "[\"line\u2028separator\"]", "[\"caf\u00e9, \u20ac\"]",
	"a text of two lines,\nwith \"quotes\",\ttabs, \b\f\r\x00\x1f\x7f and <b>&amp;</b> \u2028\u2029 \u2027 \u00e2 \ufffd", "0123456\n", "01234567\n", "\u20280123456789",
	"\"0123456789\n0123456789\"", `"01234567`, `"0123456"`, `"012345678"x`,
}

func TestValidJSONIsThatOfEncodingJSON(t *testing.T) {
	for _, s := range jsonSamples {
		checkJSON(t, s)
	}
	for _, depth := range []int{maxJSONDepth - 1, maxJSONDepth, maxJSONDepth + 1} {
		checkJSON(t, strings.Repeat("[", depth)+strings.Repeat("]", depth))
		checkJSON(t, strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth))
	}
	_, verbatim := validJSON(`[{"role":"user","content":"plain text, 12 bytes and more"}]`)
	assert.True(t, verbatim)
	for _, s := range []string{`[1, 2]`, `["a<b and so on"]`, `["0123456789a>b"]`, `["&"]`, `["0123456789012345678&0123"]`} {
		_, verbatim := validJSON(s)
		assert.False(t, verbatim, s)
	}
}

// Where text stops being plain, or clean, is where a look at byte after byte says,
// at every place in a word and beside every neighbour.
func TestPlainAndCleanStopAtTheFirst(t *testing.T) {
	near := []string{"\"\\<>&\xe2\x00\x1f !#$%'0=?[]az\x7f\x80\x9c\xa0\xa2\xdc\xe1\xe3\xff", "<>&", "\x80\xa2\xdc\xe1"}
	first := func(s string, in func(byte) bool) int {
		for i := range len(s) {
			if in(s[i]) {
				return i
			}
		}
		return len(s)
	}
	special := func(c byte) bool { return c < ' ' || c == '"' || c == '\\' }
	escaped := func(c byte) bool { return special(c) || strings.IndexByte("<>&\xe2", c) >= 0 }
	rapid.Check(t, func(rt *rapid.T) {
		var s string
		for range rapid.IntRange(1, 4).Draw(rt, "pieces") {
			s += strings.Repeat("x", rapid.IntRange(0, 2*runBytes).Draw(rt, "before"))
			s += string(rapid.SliceOfN(rapid.SampledFrom([]byte(rapid.SampledFrom(near).Draw(rt, "of"))), 0, 3).Draw(rt, "bytes"))
		}
		ascii := func(end int) bool { return first(s[:end], func(c byte) bool { return c >= 0x80 }) == end }
		end, wide := plain(s, 0)
		require.Equal(rt, first(s, special), end, "%q", s)
		require.True(rt, ascii(end) || wide&highs != 0, "%q", s)
		end, wide = clean(s)
		require.Equal(rt, first(s, escaped), end, "%q", s)
		require.True(rt, ascii(end) || wide&highs != 0, "%q", s)
	})
}

func FuzzValidJSON(f *testing.F) {
	for _, s := range jsonSamples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkJSON(t, s)
		// Most strings are no JSON; within one they are looked at byte by byte.
		checkJSON(t, `"`+s+`"`)
		checkJSON(t, `{"`+s+`":["`+s+`",0]}`)
		quoted, err := json.Marshal(s)
		require.NoError(t, err)
		checkJSON(t, string(quoted))
	})
}

func BenchmarkValidJSON(b *testing.B) {
	s := `[{"role":"user","parts":[{"type":"text","content":"` + strings.Repeat("the agent searched the weather, ", 300) + `"}]}]`
	for name, f := range map[string]func(){
		"own":           func() { validJSON(s) },
		"encoding/json": func() { json.Valid([]byte(s)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				f()
			}
		})
	}
}

func BenchmarkTextData(b *testing.B) {
	for name, s := range map[string]string{
		"as it is": `[{"role":"user","content":"` + batchText(5000) + `"}]`,
		"spaced":   `[{"role": "user", "content": "` + batchText(5000) + `"}]`,
		"html":     `[{"role":"user","content":"` + strings.Repeat("a line with a <b>bold</b> word, ", 150) + `"}]`,
	} {
		b.Run(name, func(b *testing.B) {
			var m memory
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				m.buf = m.buf[:0]
				m.textData(s, "output")
			}
		})
	}
}

func BenchmarkWrapText(b *testing.B) {
	for name, s := range map[string]string{"prose": batchText(10_000), "lines": strings.Repeat("a line of \"text\", which goes on\n", 300), "html": strings.Repeat("<p>&amp;</p>", 800)} {
		b.Run(name, func(b *testing.B) {
			var m memory
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				m.buf = m.buf[:0]
				m.wrapText("output", s)
			}
		})
	}
}
