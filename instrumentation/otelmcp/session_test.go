package otelmcp_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlenstest"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
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

// A request in a session is captured as the session is, by client and server;
// what its redactor fails on is dropped, and counted.
func TestCapturedAsTheSessionIs(t *testing.T) {
	fails := agentlens.WithRedactor(func(c agentlens.Content) (string, error) {
		if c.Text == "Bern" {
			panic("no")
		}
		return c.Text, nil
	})
	for name, c := range map[string]struct {
		opts  []agentlens.Option
		want  map[string]any
		stats int64
	}{
		"told nothing": {want: map[string]any{}},
		"full": {
			opts: []agentlens.Option{agentlens.WithCapture(agentlens.CaptureFull)},
			want: map[string]any{"gen_ai.tool.call.arguments": `{"city":"Bern"}`, "gen_ai.tool.call.result": `{"degrees":21}`},
		},
		"metadata": {
			opts: []agentlens.Option{agentlens.WithCapture(agentlens.CaptureMetadata)},
			want: map[string]any{"gen_ai.tool.call.arguments.bytes": int64(15), "gen_ai.tool.call.result.bytes": int64(14)},
		},
		"none": {opts: []agentlens.Option{agentlens.WithCapture(agentlens.CaptureNone)}, want: map[string]any{}},
		"a redactor fails": {
			opts:  []agentlens.Option{fails, agentlens.WithCapture(agentlens.CaptureFull)},
			want:  map[string]any{"gen_ai.tool.call.result": `{"degrees":21}`, "agentlens.content.dropped": []string{"gen_ai.tool.call.arguments"}},
			stats: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetup(t, true)
			tracker, err := agentlens.NewTracker(t.Context(), append(c.opts,
				agentlens.WithTracerProvider(genaitest.NewRecorder()), agentlens.WithLogger(slog.New(slog.DiscardHandler)))...)
			require.NoError(t, err)
			ctx, _, err := tracker.StartSession(t.Context(), "planner")
			require.NoError(t, err)
			_, err = s.call(ctx, "Bern")
			require.NoError(t, err)
			got := map[string]any{}
			for key, v := range genaitest.Attributes(s.client.One(t)) {
				if strings.HasPrefix(key, "gen_ai.tool.call.") || key == "agentlens.content.dropped" {
					got[key] = v
				}
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.stats, tracker.Stats().ContentDropped)
		})
	}
}
