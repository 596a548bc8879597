package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The goals, with a margin for the fewer series that a test simulates: best is
// within 1 point of the best fixed method, nine of ten days fall into its 90 %
// interval, and of the budgets with a like probability of exceeding, a like
// share is exceeded.
func TestForecastGoals(t *testing.T) {
	rows, err := simulateForecasts(7, 150)
	require.NoError(t, err)
	require.Len(t, rows, len(seriesKinds)*len(histories))
	var budgets reliability
	for i := range rows {
		r := &rows[i]
		assert.LessOrEqual(t, r.best(), r.bestFixed()+1.3, "%s, %d days: error", r.kind, r.days)
		assert.InDelta(t, 90, r.coverage, 6, "%s, %d days: coverage", r.kind, r.days)
		budgets.merge(&r.budgets)
	}
	for i, n := range budgets.n {
		require.NotZero(t, n)
		given, happened := budgets.given[i]/float64(n), float64(budgets.exceeded[i])/float64(n)
		assert.InDelta(t, given, happened, 0.2, "band up to %g", probabilityBands[i])
	}
}

func TestForecastTablesAreReproducible(t *testing.T) {
	var a, b, other bytes.Buffer
	require.NoError(t, forecastTables(&a, 3, 5))
	require.NoError(t, forecastTables(&b, 3, 5))
	require.NoError(t, forecastTables(&other, 4, 5))
	assert.Equal(t, a.String(), b.String())
	assert.NotEqual(t, a.String(), other.String())
	assert.Contains(t, a.String(), "| level jump     | 56")
}
