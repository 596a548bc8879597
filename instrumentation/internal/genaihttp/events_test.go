package genaihttp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// readEvents returns the events of a stream that is cut at the sizes given:
// name, value of "a", done.
func readEvents(stream string, sizes []int) []string {
	var got []string
	data := &scanner{Select: Select{Keep: []string{"a"}}}
	e := &events{data: data}
	e.dispatch = func(event string, done bool) {
		got = append(got, fmt.Sprintf("%s %s %t %t", event, data.Raw("a"), done, data.whole()))
	}
	write(e.write, []byte(stream), sizes)
	return got
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		stream string
		want   []string
	}{
		{"data: {\"a\":1}\n\n", []string{" 1 false true"}},
		{"data:{\"a\":1}\n\n", []string{" 1 false true"}},
		{"event: x\r\ndata: {\"a\":\r\ndata: 2}\r\n\r\n", []string{"x 2 false true"}},
		{"data: {\"a\":1}\nevent: late\n\n", []string{"late 1 false true"}},
		{"data: [DONE]\n\n", []string{"  true false"}},
		{"data:[DONE]\r\n\r\n", []string{"  true false"}},
		{": comment\n\n\n\nevent: x\n\ndata: {}\n\n", []string{"  false true"}},
		{"id: 7\nretry: 10\ndata: {\"a\":1}\n\n", []string{" 1 false true"}},
		{"data: {\"a\":1}\n", nil},
		{"data: {\"a\":1}", nil},
		{"dataset: {\"a\":1}\n\ndata: {\"a\":3}\n\n", []string{" 3 false true"}},
		{"data: {\"a\":\n\ndata: {\"a\":4}\n\n", []string{"  false false", " 4 false true"}},
	} {
		assert.Equal(t, c.want, readEvents(c.stream, nil), "%q", c.stream)
		for cut := range len(c.stream) {
			assert.Equal(t, c.want, readEvents(c.stream, []int{cut}), "%q at %d", c.stream, cut)
		}
	}
}

func TestEventsCutAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{
			"data", ":", " ", "\n", "\r\n", "\n\n", "event: e", `data: {"a":"x"}` + "\n\n", `{"a":1}`, "[DONE]", "data: [DONE]\n\n",
		})).Draw(t, "pieces"), "")
		sizes := rapid.SliceOfN(rapid.IntRange(0, 7), 0, 50).Draw(t, "sizes")
		assert.Equal(t, readEvents(stream, nil), readEvents(stream, sizes), "%q", stream)
	})
}
