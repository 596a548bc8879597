package growth

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A small row comes out with figures that can be: sessions take room, and the
// processor takes time beside decoding.
func TestMeasure(t *testing.T) {
	row, err := Measure(t.Context(), 100, 10, 2000)
	require.NoError(t, err)
	assert.Equal(t, 100, row.Sessions)
	assert.Equal(t, 10, row.Events)
	assert.Greater(t, row.BytesPerSession, 100.0)
	assert.Greater(t, row.CPUPerSpan, 0.0)
}

// The processor is the one of the pipeline, engines and all.
func TestConfigIsThePipelines(t *testing.T) {
	cfg, err := config(500)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, cfg.MaxSessions, 1000)
	assert.Len(t, cfg.Compliance.Policies, 1)
	assert.Len(t, cfg.Alerts.Rules, 2)
	assert.True(t, cfg.Drift.Enabled && cfg.Forecast.Enabled && cfg.Cost.Enabled)
}
