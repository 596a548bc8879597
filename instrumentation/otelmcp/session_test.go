package otelmcp_test

import (
	"context"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlenstest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelmcp"
)

// A call told by the client and by the server, or by the agent and by the client,
// is one call of the tool to the collector.
func TestCountsOnce(t *testing.T) {
	for name, c := range map[string]struct{ atServer, byAgent bool }{
		"client and server": {atServer: true},
		"agent and client":  {byAgent: true},
	} {
		t.Run(name, func(t *testing.T) {
			rec := agentlenstest.New(t)
			provider := otelmcp.WithTracerProvider(rec.TracerProvider())
			server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1"}, nil)
			mcp.AddTool(server, &mcp.Tool{Name: "get_weather"}, func(context.Context, *mcp.CallToolRequest, weatherInput) (*mcp.CallToolResult, weatherOutput, error) {
				return nil, weatherOutput{21}, nil
			})
			if c.atServer {
				server.AddReceivingMiddleware(otelmcp.ServerMiddleware(provider))
			}
			client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
			client.AddSendingMiddleware(otelmcp.ClientMiddleware(provider))
			toServer, toClient := mcp.NewInMemoryTransports()
			ctx, session, err := rec.Tracker().StartSession(t.Context(), "planner")
			require.NoError(t, err)
			serving, err := server.Connect(ctx, toClient, nil)
			require.NoError(t, err)
			connection, err := client.Connect(ctx, toServer, nil)
			require.NoError(t, err)

			inTool := ctx
			var tool *agentlens.Span
			if c.byAgent {
				inTool, tool = session.StartTool(ctx, "get_weather")
			}
			_, err = connection.CallTool(inTool, &mcp.CallToolParams{Name: "get_weather", Arguments: weatherInput{"Bern"}})
			require.NoError(t, err)
			tool.End()
			require.NoError(t, connection.Close())
			_ = serving.Wait()
			require.NoError(t, session.End(ctx))

			events := rec.RequireSession("planner").Events
			require.Len(t, events, 1)
			require.NotNil(t, events[0].ToolCall)
			assert.Equal(t, "get_weather", events[0].ToolCall.Name)
		})
	}
}
