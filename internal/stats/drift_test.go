package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// The goals are a false-alarm rate of at most 5 % and a power of at least 90 %
// at 100 sessions a side. With fewer comparisons than `make stats` makes, and a
// fixed seed, the measured rates have to keep them as well.
func TestDriftGoals(t *testing.T) {
	const seed = 7
	usual := usualAgent()
	for _, c := range []struct {
		n    [2]int
		runs int
	}{{[2]int{5, 5}, 400}, {[2]int{10, 10}, 400}, {[2]int{30, 30}, 300}, {[2]int{100, 100}, 150}, {[2]int{200, 20}, 150}} {
		o, err := compareAgents(usual, usual, c.n, seed, c.runs)
		require.NoError(t, err)
		assert.LessOrEqual(t, float64(o.drift())/float64(c.runs), 0.05, "false alarms at %v sessions", c.n)
		if min(c.n[0], c.n[1]) >= 30 {
			assert.Equal(t, c.runs, o.status[drift.Stable]+o.drift(), "%v sessions are enough to say stable", c.n)
		}
	}
	const powerRuns = 60
	for _, c := range driftChanges()[:2] {
		o, err := compareAgents(usual, c.agent, [2]int{100, 100}, seed, powerRuns)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, float64(o.drift())/powerRuns, 0.95, c.name)
	}
}

func TestDriftTables(t *testing.T) {
	var first, second strings.Builder
	require.NoError(t, driftTables(&first, 3, 2))
	require.NoError(t, driftTables(&second, 3, 2))
	assert.Equal(t, first.String(), second.String(), "the same seed gives the same tables")
	assert.Contains(t, first.String(), "tokens doubled")
}
