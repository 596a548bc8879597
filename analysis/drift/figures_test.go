package drift

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

func TestFiguresAreThoseOfTheReport(t *testing.T) {
	s := &analysis.Summary{SessionID: "s", Events: 4, TokensIn: 30, TokensOut: 10, ErrorLike: 1}
	got, err := Figures(s)
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"event_count": 4, "total_tokens": 40, "tokens_per_event": 10, "error_rate": 0.25, "tool_call_rate": 0}, got,
		"what was not observed is not there")

	report, err := Compare([]*analysis.Summary{s}, []*analysis.Summary{s})
	require.NoError(t, err)
	for _, m := range report.Metrics {
		if v, ok := got[m.Name]; ok {
			require.Equal(t, m.CurrentMean, v, m.Name)
		}
	}
	_, err = Figures(&analysis.Summary{Events: -1})
	require.ErrorContains(t, err, "events is -1")
}
