package genaihttp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
)

// kinds has a member of each kind that a Cursor reads.
type kinds struct {
	S     string  `json:"s"`
	Task  string  `json:"task"`
	N     int     `json:"n"`
	B     bool    `json:"b"`
	Inner *kinds  `json:"inner"`
	List  []kinds `json:"list"`
}

var kindNames = []string{"s", "task", "n", "b", "inner", "list"}

const kindsJSON = `{"s":"a \"b\" ü","task":"","n":12,"b":true,"x":[1,{"y":null}],"inner":{"s":"\u00e4","n":0,"list":[{"b":false}]},"list":[{"task":"t"},{"n":7}]}`

func readKinds(c *Cursor) (k kinds) {
	c.Object(kindNames, func(i int) {
		switch i {
		case 0:
			k.S = string(c.Text())
		case 1:
			k.Task = string(c.Text())
		case 2:
			k.N = c.Int()
		case 3:
			k.B = c.Bool()
		case 4:
			inner := readKinds(c)
			k.Inner = &inner
		case 5:
			k.List = []kinds{}
			c.List(func() { k.List = append(k.List, readKinds(c)) })
		}
	})
	return k
}

// sameAsJSON reads a text with a cursor. What it reads must be what encoding/json
// does. It returns whether it did.
func sameAsJSON(t require.TestingT, c *Cursor, text string) bool {
	c.Reset([]byte(text))
	got := readKinds(c)
	whole := c.Whole()
	if whole {
		var want kinds
		require.NoError(t, json.Unmarshal([]byte(text), &want), "%q", text)
		require.Equal(t, want, got, "%q", text)
	}
	c.Reset([]byte(text))
	if c.Skip(); c.Whole() {
		require.True(t, json.Valid([]byte(text)), "%q", text)
	}
	return whole
}

func TestCursorSaysWhatJSONSaysOrNothing(t *testing.T) {
	var c Cursor // used again, as by its callers
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		if sameAsJSON(t, &c, genaitest.Mutate(t, kindsJSON)) {
			read++
		}
	})
	assert.Positive(t, read, "some are plain")
}

// It does not give up on what servers send, or all would be as slow as before.
func TestCursorReadsWhatIsPlain(t *testing.T) {
	for _, text := range []string{
		`{}`, ` { } `, kindsJSON, `{"s":null,"n":null,"list":null,"inner":null,"b":null}`, `{"list":[]}`, `{"s":"\u00e4\ud83d\ude00\ud83d \n\/"}`,
		`{"other":{"ä":"\ud800"},"n" : 999999999 , "b":false}`, `{"logprobs":[-1.5e-7,0,{"top":[]}]}`,
	} {
		assert.True(t, sameAsJSON(t, new(Cursor), text), text)
	}
	for _, text := range []string{
		``, `null`, `[]`, `{"n":1}x`, `{"n":1,"n":1}`, `{"N":1}`, `{"ta\u0073k":"x"}`, `{"taſk":"x"}`, "{\"tas\u212a\":\"x\"}", `{"n":1.0}`, `{"n":01}`, `{"n":-1}`,
		`{"n":1234567890}`, `{"s":1}`, "{\"s\":\"\xff\"}", "{\"s\":\"\n\"}", "{\"s\":\"\\n\xff\"}", "{\"s\":\"\\n\n\"}", `{"s":"\x"}`, `{"s":"\u12"}`, `{"s":"`, `{"s":"\`, `{"s"}`, `{"s":"a",}`, `{"x":+1}`, `{"x":1.}`, `{"x":1e}`,
		`{"x":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`,
	} {
		assert.False(t, sameAsJSON(t, new(Cursor), text), text)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(kindsJSON)
	f.Add(`{"s":"\ud83d\ude00\u00e4","n":10,"list":[{"b":false},{}]}`)
	f.Add(`{"x":[-0.5E+3,"\\",{"a":[]}],"Task":"\""}`)
	var c Cursor
	f.Fuzz(func(t *testing.T, text string) { sameAsJSON(t, &c, text) })
}
