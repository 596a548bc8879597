package genaihttp

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawJSON(t *rapid.T, depth int) any {
	kinds := 4
	if depth > 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Float64Range(-1e6, 1e6).Draw(t, "number")
	case 2:
		return rapid.Bool().Draw(t, "bool")
	case 3:
		return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"`, `\`, `\"}`, "{[", "a\nb", ""})).Draw(t, "string")
	case 4:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = drawJSON(t, depth-1)
		}
		return list
	default:
		return drawObject(t, depth-1)
	}
}

func drawObject(t *rapid.T, depth int) map[string]any {
	m := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		m[rapid.SampledFrom([]string{"a", "b", "c", "d.e", `q"`}).Draw(t, "key")] = drawJSON(t, depth)
	}
	return m
}

// write feeds p in pieces of the sizes given, then the rest.
func write(w func([]byte), p []byte, sizes []int) {
	for _, n := range sizes {
		n = min(n, len(p))
		w(p[:n])
		p = p[n:]
	}
	w(p)
}

// Wherever the object is cut, the selected members are what encoding/json says
// they are.
func TestMembersAreJSON(t *testing.T) {
	selected := Select{Keep: []string{"a", "b.a", "b.c.d.e", "b.c.a", "c"}, Enter: []string{"b", "b.c"}}
	rapid.Check(t, func(t *rapid.T) {
		object := drawObject(t, 4)
		var text []byte
		if rapid.Bool().Draw(t, "indented") {
			text, _ = json.MarshalIndent(object, "", "\t")
		} else {
			text, _ = json.Marshal(object)
		}
		s := scanner{Select: selected}
		s.reset()
		write(s.write, text, rapid.SliceOfN(rapid.IntRange(0, 9), 0, 60).Draw(t, "sizes"))
		require.True(t, s.whole(), "%s", text)
		for _, path := range selected.Keep {
			want, found := lookup(object, path)
			raw := s.Raw(path)
			require.Equal(t, found, raw != nil, "%s in %s", path, text)
			if found {
				var got any
				require.NoError(t, json.Unmarshal(raw, &got), "%s: %s", path, raw)
				assert.Equal(t, want, got)
				if s, ok := want.(string); ok {
					assert.Equal(t, s, (&Members{found: []member{{"x", 0, len(raw)}}, buf: raw}).String("x"))
				}
			}
		}
	})
}

// lookup finds a path; d.e is one key.
func lookup(object map[string]any, path string) (any, bool) {
	if v, ok := object[path]; ok {
		return v, true
	}
	key, rest, ok := strings.Cut(path, ".")
	if !ok {
		return nil, false
	}
	inner, ok := object[key].(map[string]any)
	if !ok {
		return nil, false
	}
	return lookup(inner, rest)
}

// A value over the limit is left out, and takes no memory; those after it are
// read.
func TestLargeValueIsLeftOut(t *testing.T) {
	s := scanner{Select: Select{Keep: []string{"big", "small"}}}
	s.write([]byte(`{"big":"`))
	for range 3 * maxKept / 1000 {
		s.write([]byte(strings.Repeat("x", 1000)))
	}
	s.write([]byte(`","small":1}`))
	assert.True(t, s.whole())
	assert.Nil(t, s.Raw("big"))
	assert.True(t, s.TooLarge("big"))
	assert.Equal(t, "1", string(s.Raw("small")))
	assert.False(t, s.TooLarge("small"))
	assert.LessOrEqual(t, cap(s.buf), 2*maxKept)
}

func TestWhatIsNoObjectIsBroken(t *testing.T) {
	for _, text := range []string{"[1]", "x", `{a:1}`, `{"a" 1}`, `{"a":1,,}`, `}`} {
		s := scanner{Select: Select{Keep: []string{"a"}}}
		s.write([]byte(text))
		assert.Equal(t, scanBroken, s.state, text)
	}
}

func TestTextEnd(t *testing.T) {
	for n := range 1200 {
		s := strings.Repeat("x", n)
		for _, end := range []string{"", `"`, `\`, `"\`, `\"`, `\` + s + `"`, `"` + s + `\`} {
			want := strings.IndexAny(s+end, `"\`)
			if want < 0 {
				want = n
			}
			require.Equal(t, want, textEnd([]byte(s+end)), "%d %q", n, end)
		}
	}
}

func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":"\\\""}],"b":{"a":1}}`), 3)
	f.Add([]byte(`{"b":{"c":{"d.e":null}},"a":-1e5 }`), 1)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		selected := Select{Keep: []string{"a", "b.a", "b.c.a"}, Enter: []string{"b", "b.c"}}
		whole, cut := scanner{Select: selected}, scanner{Select: selected}
		whole.write(text)
		size = max(size, 1)
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			cut.write(rest[:n])
			rest = rest[n:]
		}
		if whole.state != cut.state || fmt.Sprint(whole.found) != fmt.Sprint(cut.found) || string(whole.buf) != string(cut.buf) {
			t.Fatalf("cut: %v %s, whole: %v %s", cut.found, cut.buf, whole.found, whole.buf)
		}
		if json.Valid(text) && len(text) > 0 && strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "{") && !whole.whole() {
			t.Fatalf("valid JSON is not whole: %s", text)
		}
	})
}
