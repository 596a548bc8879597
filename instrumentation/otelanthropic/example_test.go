package otelanthropic_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentlens/agentlens-otel/instrumentation/otelanthropic"
)

// One line installs the middleware; here the provider is a server of our own,
// and the spans stay in memory. The input tokens of the span include the cached
// ones, which the API counts beside them.
func ExampleMiddleware() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5",
			"content":[{"type":"text","text":"Hello!"}],"stop_reason":"end_turn",
			"usage":{"input_tokens":9,"cache_read_input_tokens":100,"output_tokens":2}}`)
	}))
	defer server.Close()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))

	client := anthropic.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("key"),
		option.WithMiddleware(otelanthropic.Middleware(otelanthropic.WithTracerProvider(provider))))
	answer, err := client.Messages.New(context.Background(), anthropic.MessageNewParams{
		Model: "claude-sonnet-4-5", MaxTokens: 64,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Say hello."))},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Content[0].Text)
	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name)
		for _, kv := range span.Attributes {
			if kv.Key == "gen_ai.usage.input_tokens" || kv.Key == "gen_ai.usage.output_tokens" {
				fmt.Println(kv.Key, kv.Value.AsInt64())
			}
		}
	}
	// Output:
	// Hello!
	// chat claude-sonnet-4-5
	// gen_ai.usage.input_tokens 109
	// gen_ai.usage.output_tokens 2
}
