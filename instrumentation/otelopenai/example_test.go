package otelopenai_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

// One line installs the middleware; here the provider is a server of our own,
// and the spans stay in memory.
func ExampleMiddleware() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06",
			"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hello!"}}],
			"usage":{"prompt_tokens":9,"completion_tokens":2}}`)
	}))
	defer server.Close()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))

	client := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("key"),
		option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(provider))))
	answer, err := client.Chat.Completions.New(context.Background(), openai.ChatCompletionNewParams{
		Model:    "gpt-4o",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Say hello.")},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Choices[0].Message.Content)
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
	// chat gpt-4o
	// gen_ai.usage.input_tokens 9
	// gen_ai.usage.output_tokens 2
}
