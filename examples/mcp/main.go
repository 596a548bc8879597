// Mcp is an agent that calls a tool of an MCP server, both with go-sdk and in one
// process here. The call has a span at either end, in one trace, with a line for
// each: AddSendingMiddleware(otelmcp.ClientMiddleware()) and
// AddReceivingMiddleware(otelmcp.ServerMiddleware()).
//
//	go run ./examples/mcp
//	go run ./examples/mcp -endpoint http://localhost:4318
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/agentlens/agentlens-otel/examples/internal/console"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/otelmcp"
)

func main() {
	endpoint := flag.String("endpoint", "", "also send the spans to this OTLP/HTTP `URL`")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *endpoint); err != nil {
		fmt.Fprintln(os.Stderr, "mcp:", err)
		os.Exit(1)
	}
}

type weatherInput struct {
	City string `json:"city"`
}

type weatherOutput struct {
	Degrees int `json:"degrees"`
}

func weather(_ context.Context, _ *mcp.CallToolRequest, in weatherInput) (*mcp.CallToolResult, weatherOutput, error) {
	if in.City == "" {
		return nil, weatherOutput{}, errors.New("which city?")
	}
	return nil, weatherOutput{Degrees: 21}, nil
}

func run(ctx context.Context, out io.Writer, endpoint string) (err error) {
	spans, err := console.NewTracerProvider(ctx, out, endpoint)
	if err != nil {
		return err
	}
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithTracerProvider(spans))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tracker.Shutdown(ctx), spans.Shutdown(ctx)) }()

	server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "get_weather", Description: "The weather in a city."}, weather)
	server.AddReceivingMiddleware(otelmcp.ServerMiddleware(otelmcp.WithTracerProvider(spans)))

	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1.0.0"}, nil)
	client.AddSendingMiddleware(otelmcp.ClientMiddleware(otelmcp.WithTracerProvider(spans)))

	toServer, toClient := mcp.NewInMemoryTransports()
	serving, err := server.Connect(ctx, toClient, nil)
	if err != nil {
		return err
	}
	ctx, session, err := tracker.StartSession(ctx, "weather-agent")
	if err != nil {
		return err
	}
	connection, err := client.Connect(ctx, toServer, nil)
	if err != nil {
		return err
	}
	for _, city := range []string{"Zürich", ""} {
		result, err := connection.CallTool(ctx, &mcp.CallToolParams{Name: "get_weather", Arguments: weatherInput{City: city}})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "weather in %q: %v, failed: %t\n", city, result.StructuredContent, result.IsError)
	}
	return errors.Join(connection.Close(), serving.Wait(), session.End(ctx))
}
