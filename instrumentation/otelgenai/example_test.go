package otelgenai_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/genai"

	"github.com/agentlens/agentlens-otel/instrumentation/otelgenai"
)

// The SDK takes an http.Client; here the provider is a server of our own, and
// the spans stay in memory.
func ExampleHTTPClient() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello!"}]},"finishReason":"STOP"}],
			"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2,"thoughtsTokenCount":5},"responseId":"r-1"}`)
	}))
	defer server.Close()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))

	ctx := context.Background()
	client, err := genai.NewClient(ctx, &genai.ClientConfig{
		APIKey: "key", Backend: genai.BackendGeminiAPI,
		HTTPClient:  otelgenai.HTTPClient(nil, otelgenai.WithTracerProvider(provider)),
		HTTPOptions: genai.HTTPOptions{BaseURL: server.URL},
	})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := client.Models.GenerateContent(ctx, "gemini-2.5-flash", genai.Text("Say hello."), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Text())
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
	// generate_content gemini-2.5-flash
	// gen_ai.usage.input_tokens 9
	// gen_ai.usage.output_tokens 7
}
