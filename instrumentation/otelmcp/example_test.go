package otelmcp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentlens/agentlens-otel/instrumentation/otelmcp"
)

// One line at the client and one at the server: the call of a tool is a span at
// each, the server's under the client's.
func Example() {
	ctx := context.Background()
	spans := tracetest.NewInMemoryExporter()
	provider := otelmcp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))

	server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1"}, nil)
	server.AddReceivingMiddleware(otelmcp.ServerMiddleware(provider))
	type input struct {
		City string `json:"city"`
	}
	mcp.AddTool(server, &mcp.Tool{Name: "get_weather"}, func(_ context.Context, _ *mcp.CallToolRequest, in input) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "sunny in " + in.City}}}, nil, nil
	})
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	client.AddSendingMiddleware(otelmcp.ClientMiddleware(provider))

	toServer, toClient := mcp.NewInMemoryTransports()
	serving, err := server.Connect(ctx, toClient, nil)
	if err != nil {
		log.Fatal(err)
	}
	session, err := client.Connect(ctx, toServer, nil)
	if err != nil {
		log.Fatal(err)
	}
	spans.Reset() // of connecting
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "get_weather", Arguments: input{"Oslo"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Content[0].(*mcp.TextContent).Text)
	for _, span := range spans.GetSpans() {
		fmt.Println(span.SpanKind, span.Name)
	}
	_ = session.Close()
	_ = serving.Wait()
	// Output:
	// sunny in Oslo
	// server tools/call get_weather
	// client tools/call get_weather
}
