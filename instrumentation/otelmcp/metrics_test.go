package otelmcp_test

import (
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/agentlens/agentlens-otel/instrumentation/otelmcp"
)

// Client and server tell how long requests take, by what they ask for and how
// they end, a tool that failed and a request that was refused included.
func TestMetrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	s := newSetup(t, true, otelmcp.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	for _, city := range []string{"Bern", "Bern", "Atlantis", "Nowhere"} {
		_, _ = s.call(t.Context(), city)
	}
	_, err := s.session.CallTool(t.Context(), &mcp.CallToolParams{Name: "no_such_tool"})
	require.Error(t, err)
	_, err = s.session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "greet"})
	require.NoError(t, err)

	type series map[string]string
	call := func(more series) series {
		all := series{"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	refused := series{"gen_ai.tool.name": "no_such_tool", "rpc.response.status_code": "-32602"}
	common := map[uint64][]series{
		2: {call(nil)},
		1: {
			call(series{"error.type": "tool_error"}),
			call(series{"error.type": "-32050", "rpc.response.status_code": "-32050"}),
			{"mcp.method.name": "prompts/get", "gen_ai.prompt.name": "greet"},
		},
	}
	refusedAt := map[string]series{
		"mcp.client.operation.duration": call(series{"error.type": "-32602"}),
		"mcp.server.operation.duration": call(nil), // the client's mistake
	}
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	assert.Equal(t, otelmcp.ScopeName, all.ScopeMetrics[0].Scope.Name)
	require.Len(t, all.ScopeMetrics[0].Metrics, 2)
	for _, m := range all.ScopeMetrics[0].Metrics {
		assert.Equal(t, "s", m.Unit)
		histogram, ok := m.Data.(metricdata.Histogram[float64])
		require.True(t, ok, "%T", m.Data)
		got := map[uint64][]series{}
		for _, p := range histogram.DataPoints {
			assert.Equal(t, []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300}, p.Bounds)
			assert.Positive(t, p.Sum)
			attrs := series{}
			for _, kv := range p.Attributes.ToSlice() {
				attrs[string(kv.Key)] = kv.Value.AsString()
			}
			switch attrs["mcp.method.name"] {
			case "tools/call", "prompts/get":
			default:
				continue // of the connection
			}
			assert.NotEmpty(t, attrs["mcp.protocol.version"])
			delete(attrs, "mcp.protocol.version")
			got[p.Count] = append(got[p.Count], attrs)
		}
		want := refusedAt[m.Name]
		require.NotNil(t, want, m.Name)
		for k, v := range refused {
			want[k] = v
		}
		assert.ElementsMatch(t, common[2], got[2], m.Name)
		assert.ElementsMatch(t, append(common[1], want), got[1], m.Name)
	}
}
