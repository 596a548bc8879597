package drift

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Comparing the parts of a split window is comparing two windows that were
// filled with those parts.
func TestSplit(t *testing.T) {
	whole, err := NewWindow(50)
	require.NoError(t, err)
	old, err := NewWindow(50)
	require.NoError(t, err)
	recent, err := NewWindow(50)
	require.NoError(t, err)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 50 {
		s := analysis.NewSummary(fmt.Sprint(i), "agent")
		s.EndedAt = start.Add(time.Duration(i) * time.Minute)
		e := analysis.Event{Type: analysis.EventLLMCall, Model: "gpt-4o", TokensIn: analysis.Some(int64(100 + i*i))}
		s.Observe(&e)
		require.NoError(t, whole.Add(s))
		if i < 30 {
			require.NoError(t, old.Add(s))
		} else {
			require.NoError(t, recent.Add(s))
		}
	}
	before, newest := whole.Split(20)
	assert.Equal(t, 30, before.Len())
	assert.Equal(t, 20, newest.Len())
	want, err := CompareWindows(old, recent, DefaultConfig())
	require.NoError(t, err)
	got, err := CompareWindows(before, newest, DefaultConfig())
	require.NoError(t, err)
	assert.Equal(t, want, got)

	before, newest = whole.Split(80)
	assert.Zero(t, before.Len())
	assert.Equal(t, 50, newest.Len())
}
