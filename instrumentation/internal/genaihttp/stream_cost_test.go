package genaihttp_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
)

// A chunk costs no allocation, whatever is captured: those of a call are far
// fewer than its chunks.
func TestChunksAllocateNothing(t *testing.T) {
	for _, s := range streams() {
		for _, v := range variants {
			p := newPlayer(&s)
			m := s.middleware(append(v.opts, genaihttp.WithTracerProvider(genaitest.NewDiscarder()))...)
			with := testing.AllocsPerRun(5, func() { p.play(t, m) })
			without := testing.AllocsPerRun(5, func() { p.play(t, nil) })
			assert.Less(t, with-without, 0.7*chunks, "%s, %s", s.name, v.name)
		}
	}
}

// A stream costs a part of what it does to decode its events with encoding/json,
// as the client library does anyway. How much it is, the benchmark says; this
// only that it is not out of all proportion.
func TestStreamIsCheaperThanDecodingIt(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector looks at each access of ours")
	}
	for _, s := range streams() {
		p := newPlayer(&s)
		m := s.middleware(append(variants[full].opts, genaihttp.WithTracerProvider(genaitest.NewDiscarder()))...)
		with, without, decoded := math.Inf(1), math.Inf(1), math.Inf(1)
		for i := range 100 { // a busy machine spoils some
			took, _ := p.play(t, m)
			with = min(with, float64(took))
			took, _ = p.play(t, nil)
			without = min(without, float64(took))
			decoded = min(decoded, float64(decode(t, s.events)))
			if i >= 10 && (with-without)/decoded < 0.4 {
				break
			}
		}
		assert.Less(t, (with-without)/decoded, 0.8, s.name)
	}
}

// decode returns how long encoding/json takes to decode the data of events.
func decode(t *testing.T, events []string) time.Duration {
	var took time.Duration
	for _, event := range events {
		for line := range strings.Lines(event) {
			data, ok := strings.CutPrefix(line, "data: ")
			if !ok || strings.HasPrefix(data, "[DONE]") {
				continue
			}
			var v any
			start := time.Now()
			err := json.Unmarshal([]byte(data), &v)
			took += time.Since(start)
			require.NoError(t, err, data)
		}
	}
	return took
}
