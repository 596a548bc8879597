package analysis

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// untimed is a summary as JSON, without the times of its events.
func untimed(t require.TestingT, s *Summary) string {
	c := *s
	c.FirstEvent, c.LastEvent = time.Time{}, time.Time{}
	text, err := json.Marshal(&c)
	require.NoError(t, err)
	return string(text)
}

// To forget is never to have observed, or it says that it cannot.
func TestForgetIsNeverObserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(eventGen, 1, 150).Draw(t, "events")
		order := rapid.Permutation(events).Draw(t, "order")
		s := summaryOf(events)
		for i := range order {
			before := untimed(t, s)
			ok := s.Forget(&order[i])
			rest := summaryOf(order[i+1:])
			if !ok {
				require.Equal(t, before, untimed(t, s), "as it was")
				require.Len(t, rest.Durations.Exact, exactDurations, "only where the sketch ends")
				s = rest
				continue
			}
			require.Equal(t, untimed(t, rest), untimed(t, s))
		}
	})
}

// From the sketch it goes on, but not to where durations are held as they are.
func TestForgetOfManyDurations(t *testing.T) {
	var events []Event
	events = append(events, Event{Type: "generic", DurationMS: Some(1e6)}) // of a bucket of its own
	for i := range 2*exactDurations + 10 {
		events = append(events, Event{Type: "generic", DurationMS: Some(float64(i * i % 91 * 10))})
	}
	s := summaryOf(events)
	var refused []int64
	for i := range events {
		rest := summaryOf(events[i+1:])
		if !s.Forget(&events[i]) {
			refused = append(refused, s.Events)
			s = rest
		}
		require.Equal(t, untimed(t, rest), untimed(t, s))
	}
	assert.Equal(t, []int64{exactDurations + 1}, refused)
}

func TestForgetOfManyNames(t *testing.T) {
	var events []Event
	for i := range MaxNames + 2 {
		events = append(events, Event{Type: "generic", Model: fmt.Sprintf("m%03d", i)})
	}
	events = append(events, events[0])
	s := summaryOf(events)
	assert.True(t, s.Forget(&events[0]), "one of two")
	assert.Equal(t, untimed(t, summaryOf(events[1:])), untimed(t, s))
	assert.True(t, s.Forget(&events[MaxNames+1]), "one that has no place")
	assert.Equal(t, untimed(t, summaryOf(append(events[1:MaxNames+1:MaxNames+1], events[MaxNames+2]))), untimed(t, s))
	assert.False(t, s.Forget(&events[1]), "whose place another takes")
}

func TestForgetOfWhatWasNotObserved(t *testing.T) {
	for name, e := range map[string]Event{
		"type":     {Type: "other"},
		"model":    {Type: "generic", Model: "m"},
		"tool":     {Type: "generic", ToolCall: &ToolCall{Name: "t"}},
		"duration": {Type: "generic", DurationMS: Some(1.0)},
	} {
		for _, n := range []int{1, 200} {
			var events []Event
			for range n {
				events = append(events, Event{Type: "generic", DurationMS: Some(2.0)})
			}
			s := summaryOf(events)
			assert.False(t, s.Forget(&e), name)
			assert.Equal(t, untimed(t, summaryOf(events)), untimed(t, s), name)
		}
	}
}
