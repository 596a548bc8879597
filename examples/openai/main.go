// Openai is an agent on openai-go whose calls to the model have spans: one line,
// option.WithMiddleware(otelopenai.Middleware()). It runs against a fake provider
// in the same process.
//
//	go run ./examples/openai
//	go run ./examples/openai -endpoint http://localhost:4318
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/agentlens/agentlens-otel/examples/internal/console"
	"github.com/agentlens/agentlens-otel/examples/internal/fakeprovider"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

func main() {
	endpoint := flag.String("endpoint", "", "also send the spans to this OTLP/HTTP `URL`")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *endpoint); err != nil {
		fmt.Fprintln(os.Stderr, "openai:", err)
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

	client := openai.NewClient(
		option.WithBaseURL(provider.URL+"/v1"), option.WithAPIKey("fake"),
		option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(spans))),
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
func ask(ctx context.Context, client *openai.Client, session *agentlens.Session, question string) (string, error) {
	params := openai.ChatCompletionNewParams{
		Model:         "gpt-5.1",
		Messages:      []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
		Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
			Name:       "get_weather",
			Parameters: openai.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
		})},
	}
	for {
		var answer openai.ChatCompletionAccumulator
		stream := client.Chat.Completions.NewStreaming(ctx, params)
		for stream.Next() {
			answer.AddChunk(stream.Current())
		}
		if err := errors.Join(stream.Err(), stream.Close()); err != nil {
			return "", err
		}
		message := answer.Choices[0].Message
		if len(message.ToolCalls) == 0 {
			return message.Content, nil
		}
		params.Messages = append(params.Messages, message.ToParam())
		for _, call := range message.ToolCalls {
			_, tool := session.StartTool(ctx, call.Function.Name)
			tool.SetToolCallID(call.ID)
			tool.SetInput(json.RawMessage(call.Function.Arguments))
			result := weather(call.Function.Arguments)
			tool.SetOutput(result)
			tool.End()
			params.Messages = append(params.Messages, openai.ToolMessage(result, call.ID))
		}
	}
}

// weather is the agent's tool.
func weather(arguments string) string {
	var in struct {
		City string `json:"city"`
	}
	if err := json.Unmarshal([]byte(arguments), &in); err != nil {
		return "error: " + err.Error()
	}
	return in.City + ": 21 degrees, sunny"
}
