package genaitest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// Mutate returns JSON that is like the template but for some oddities that a
// server may have: other values, members missing, unknown or twice, in another
// order and with keys in capitals, any escapes, spaces, and now and then a byte
// too many or too few.
func Mutate(t *rapid.T, template string) string {
	dec := json.NewDecoder(strings.NewReader(template))
	dec.UseNumber()
	m := mutation{
		// rapid's own numbers are mostly the extremes, which would change all or nothing.
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)),
		rapid.SampledFrom([]int{300, 60, 10}).Draw(t, "rarely"),
	}
	s := m.write(m.change(readNode(dec)))
	if m.now() {
		at := m.IntN(len(s) + 1)
		s = s[:at] + pick(m, "", "\x00", "\xff", `"`, `\`, "}", ",", "0") + s[min(at+1, len(s)):]
	}
	return s
}

// node is a JSON value: an object with keys, a list, or a string, or else the
// JSON of it.
type node struct {
	kind   byte // of {["0
	keys   []string
	values []node
	text   string
}

func readNode(dec *json.Decoder) node {
	token, err := dec.Token()
	if err != nil {
		panic(err)
	}
	switch v := token.(type) {
	case json.Delim:
		n := node{kind: byte(v)}
		for dec.More() {
			if v == '{' {
				key, _ := dec.Token()
				n.keys = append(n.keys, key.(string))
			}
			n.values = append(n.values, readNode(dec))
		}
		_, _ = dec.Token()
		return n
	case string:
		return node{kind: '"', text: v}
	case nil:
		return node{kind: '0', text: "null"}
	default:
		return node{kind: '0', text: fmt.Sprint(v)}
	}
}

type mutation struct {
	*rand.Rand
	rarely int
}

func (m mutation) now() bool { return m.IntN(m.rarely) == 0 }

func pick[T any](m mutation, from ...T) T { return from[m.IntN(len(from))] }

var otherNodes = []node{
	{kind: '0', text: "null"},
	{kind: '0', text: "0"},
	{kind: '0', text: "-1"},
	{kind: '0', text: "1.50e+2"},
	{kind: '0', text: "1234567890123456789012"},
	{kind: '0', text: "01"},
	{kind: '0', text: "true"},
	{kind: '0', text: "nul"},
	{kind: '"'},
	{kind: '"', text: "\"x\\ü\n\u2028\U0001F600\uFFFD"},
	{kind: '['},
	{kind: '{'},
	{kind: '[', values: []node{{kind: '0', text: "null"}}},
	{kind: '{', keys: []string{"a"}, values: []node{{kind: '[', values: []node{{kind: '"', text: "]}"}, {kind: '0', text: "false"}}}}},
	{kind: '0', text: strings.Repeat("[", 40) + strings.Repeat("]", 40)},
}

func (m mutation) change(n node) node {
	if m.now() {
		return pick(m, otherNodes...)
	}
	n.keys, n.values = slices.Clone(n.keys), slices.Clone(n.values)
	for i := range n.values {
		n.values[i] = m.change(n.values[i])
	}
	add := func(key string, value node) {
		if n.kind == '{' {
			n.keys = append(n.keys, key)
		}
		n.values = append(n.values, value)
	}
	if size := len(n.values); size > 0 && m.now() {
		i := m.IntN(size)
		key := ""
		if n.kind == '{' {
			key = n.keys[i]
		}
		add(key, m.change(n.values[i]))
	}
	if n.kind != '{' {
		return n
	}
	if size := len(n.keys); size > 0 && m.now() {
		i := m.IntN(size)
		n.keys, n.values = slices.Delete(n.keys, i, i+1), slices.Delete(n.values, i, i+1)
	}
	if m.now() {
		add(pick(m, "x", "", "logprobs", "ſ", "\u212aind"), pick(m, otherNodes...))
	}
	if size := len(n.keys); size > 0 && m.now() {
		i, j := m.IntN(size), m.IntN(size)
		n.keys[i], n.keys[j] = n.keys[j], n.keys[i]
		n.values[i], n.values[j] = n.values[j], n.values[i]
	}
	if size := len(n.keys); size > 0 && m.now() {
		i := m.IntN(size)
		n.keys[i] = pick(m,
			strings.ToUpper(n.keys[i]), strings.ReplaceAll(n.keys[i], "s", "ſ"), strings.ReplaceAll(n.keys[i], "k", "\u212a"),
		)
	}
	return n
}

func (m mutation) write(n node) string {
	var b strings.Builder
	space := func() {
		if m.now() {
			b.WriteString(pick(m, " ", "\n", "\t\r", "\v"))
		}
	}
	switch n.kind {
	case '"':
		return m.quote(n.text)
	case '0':
		return n.text
	}
	b.WriteByte(n.kind)
	for i := range n.values {
		if i > 0 {
			b.WriteByte(',')
		}
		space()
		if n.kind == '{' {
			b.WriteString(m.quote(n.keys[i]))
			space()
			b.WriteByte(':')
			space()
		}
		b.WriteString(m.write(n.values[i]))
		space()
	}
	b.WriteByte(n.kind + 2)
	return b.String()
}

// quote writes a string with more escapes than it needs, or worse ones.
func (m mutation) quote(s string) string {
	if !m.now() {
		b, _ := json.Marshal(s)
		return string(b)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if m.IntN(3) == 0 {
			for _, half := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, pick(m, `\u%04x`, `\u%04X`), half)
			}
		} else {
			quoted, _ := json.Marshal(string(r))
			b.Write(quoted[1 : len(quoted)-1])
		}
	}
	b.WriteString(pick(m,
		"", `\/`, `\b\f\r`, `\ud83d`, `\ud83d\u0041`, `\ude00`, `\ud83d\ud83d\ude00`, `\u00`, `\x`, "\x01", "\xe2\x28", "\ufffd",
	))
	b.WriteByte('"')
	return b.String()
}
