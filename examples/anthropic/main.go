// Anthropic is an agent on anthropic-sdk-go whose messages have spans: one line,
// option.WithMiddleware(otelanthropic.Middleware()). It runs against a fake
// provider in the same process.
//
//	go run ./examples/anthropic
//	go run ./examples/anthropic -endpoint http://localhost:4318
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/agentlens/agentlens-otel/examples/internal/console"
	"github.com/agentlens/agentlens-otel/examples/internal/fakeprovider"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/otelanthropic"
)

func main() {
	endpoint := flag.String("endpoint", "", "also send the spans to this OTLP/HTTP `URL`")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *endpoint); err != nil {
		fmt.Fprintln(os.Stderr, "anthropic:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, endpoint string) (err error) {
	provider, err := fakeprovider.Start()
	if err != nil {
		return err
	}
	defer provider.Close()
	spans, err := console.NewTracerProvider(ctx, out, endpoint)
	if err != nil {
		return err
	}
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithTracerProvider(spans))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tracker.Shutdown(ctx), spans.Shutdown(ctx)) }()

	client := anthropic.NewClient(
		option.WithBaseURL(provider.URL), option.WithAPIKey("fake"),
		option.WithMiddleware(otelanthropic.Middleware(otelanthropic.WithTracerProvider(spans))),
	)
	ctx, session, err := tracker.StartSession(ctx, "weather-agent")
	if err != nil {
		return err
	}
	answer, err := ask(ctx, &client, session, "What is the weather in Zürich?")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "answer:", answer)
	return session.End(ctx)
}

// ask goes on until the model asks for no more tools.
func ask(ctx context.Context, client *anthropic.Client, session *agentlens.Session, question string) (string, error) {
	params := anthropic.MessageNewParams{
		Model:     "claude-sonnet-5-5",
		MaxTokens: 1024,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(question))},
		Tools: []anthropic.ToolUnionParam{anthropic.ToolUnionParamOfTool(
			anthropic.ToolInputSchemaParam{Properties: map[string]any{"city": map[string]any{"type": "string"}}}, "get_weather")},
	}
	for {
		var message anthropic.Message
		stream := client.Messages.NewStreaming(ctx, params)
		for stream.Next() {
			if err := message.Accumulate(stream.Current()); err != nil {
				return "", err
			}
		}
		if err := errors.Join(stream.Err(), stream.Close()); err != nil {
			return "", err
		}
		params.Messages = append(params.Messages, message.ToParam())
		var (
			text    string
			results []anthropic.ContentBlockParamUnion
		)
		for _, block := range message.Content {
			switch block.Type {
			case "text":
				text += block.Text
			case "tool_use":
				_, tool := session.StartTool(ctx, block.Name)
				tool.SetToolCallID(block.ID)
				tool.SetInput(block.Input)
				result := weather(block.Input)
				tool.SetOutput(result)
				tool.End()
				results = append(results, anthropic.NewToolResultBlock(block.ID, result, false))
			}
		}
		if len(results) == 0 {
			return text, nil
		}
		params.Messages = append(params.Messages, anthropic.NewUserMessage(results...))
	}
}

// weather is the agent's tool.
func weather(arguments json.RawMessage) string {
	var in struct {
		City string `json:"city"`
	}
	if err := json.Unmarshal(arguments, &in); err != nil {
		return "error: " + err.Error()
	}
	return in.City + ": 21 degrees, sunny"
}
