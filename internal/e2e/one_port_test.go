package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// Spans posted to the dashboard's own port go the whole road: they are read back
// there, with what the engines found.
func TestOnePort(t *testing.T) {
	c := newCollector(t, "config/demo.yaml").start()
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(c.api().BaseURL))
	require.NoError(t, err)
	_, s, err := tracker.StartSession(t.Context(), "one-port")
	require.NoError(t, err)
	_, err = s.Track(t.Context(), agentlens.EventLLMCall, agentlens.WithModel("gpt-4o"), agentlens.WithTokens(1000, 500))
	require.NoError(t, err)
	_, err = s.TrackTool(t.Context(), "rm", map[string]any{"path": "/"}, nil)
	require.NoError(t, err)
	require.NoError(t, tracker.Shutdown(t.Context()))

	heldAll(t, c, []*analysis.Session{s.Snapshot()})
	eventually(t, func(ctx context.Context) string {
		d, err := c.api().Session(ctx, s.ID())
		if err != nil {
			return err.Error()
		}
		if len(d.Annotations) == 0 || len(d.Tags) == 0 {
			return fmt.Sprintf("annotations %v, tags %v", d.Annotations, d.Tags)
		}
		assert.Contains(t, d.Annotations[0].Text, "forbidden_tools")
		assert.Equal(t, []string{"compliance:fail"}, d.Tags)
		assert.InDelta(t, 1000*2.5e-6+500*10e-6, d.TotalCostUSD.V, 1e-12)
		return ""
	})
}
