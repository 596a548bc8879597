package agentlens_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// A request to a model as it happens. EndWith is for defer: it records the
// error that the function returns, and a panic, which goes on.
func ExampleSession_StartLLM() {
	ctx := context.Background()
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithTracerProvider(sdktrace.NewTracerProvider()))
	if err != nil {
		log.Fatal(err)
	}
	ctx, session, err := tracker.StartSession(ctx, "support-agent")
	if err != nil {
		log.Fatal(err)
	}
	ask := func(ctx context.Context, question string) (answer string, err error) {
		_, call := session.StartLLM(ctx, "openai", "gpt-4o")
		defer call.EndWith(&err)
		call.SetInputMessages(agentlens.TextMessage("user", question))
		// … the request, with the context that StartLLM returned …
		answer = "On Monday."
		call.SetOutputMessages(agentlens.TextMessage("assistant", answer))
		call.SetTokens(12, 4)
		return answer, nil
	}
	if _, err := ask(ctx, "When do you open?"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Summary().LLMCalls, "call,", session.Summary().Tokens(), "tokens")
	// Output: 1 call, 16 tokens
}

// A function as a recorded tool, and one as a recorded agent: each call of the
// agent is a session, which the tools that it calls find in their context.
func ExampleWrapTool() {
	ctx := context.Background()
	if _, err := agentlens.Init(ctx, agentlens.WithTracerProvider(sdktrace.NewTracerProvider())); err != nil {
		log.Fatal(err)
	}
	search := agentlens.WrapTool("web_search", func(_ context.Context, query string) ([]string, error) {
		if query == "" {
			return nil, errors.New("no query")
		}
		return []string{"a page about " + query}, nil
	})
	answer := agentlens.WrapAgent("researcher", func(ctx context.Context, question string) (string, error) {
		pages, err := search(ctx, question)
		if err != nil {
			return "", err
		}
		fmt.Println(agentlens.SessionFromContext(ctx).Summary().Tools.Names())
		return pages[0], nil
	})
	fmt.Println(answer(ctx, "fjords"))
	// Output:
	// [web_search]
	// a page about fjords <nil>
}

// Redactors see every text before it is recorded.
func ExampleWithRedactor() {
	ctx := context.Background()
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithTracerProvider(sdktrace.NewTracerProvider()),
		agentlens.WithRedactor(agentlens.RedactSecrets))
	if err != nil {
		log.Fatal(err)
	}
	ctx, session, err := tracker.StartSession(ctx, "support-agent")
	if err != nil {
		log.Fatal(err)
	}
	event, err := session.TrackTool(ctx, "mail", map[string]string{"to": "jane@example.com", "password": "hunter2"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(event.ToolCall.Input))
	// Output: {"password":"[REDACTED:secret]","to":"[REDACTED:email]"}
}

// On a provider of one's own the span processor lets the spans of other
// libraries join the session in whose context they start.
func ExampleNewSpanProcessor() {
	ctx := context.Background()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(agentlens.NewSpanProcessor()),
		sdktrace.WithSyncer(spans),
	)
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithTracerProvider(provider), agentlens.WithoutSessionStart())
	if err != nil {
		log.Fatal(err)
	}
	ctx, _, err = tracker.StartSession(ctx, "support-agent", agentlens.WithSessionID("a1b2c3d4"))
	if err != nil {
		log.Fatal(err)
	}
	_, span := provider.Tracer("a database driver").Start(ctx, "SELECT orders")
	span.End()
	for _, s := range spans.GetSpans() {
		attrs := attribute.NewSet(s.Attributes...)
		fmt.Println(s.Name, attrs.Encoded(attribute.DefaultEncoder()))
	}
	// Output: SELECT orders gen_ai.agent.name=support-agent,session.id=a1b2c3d4
}
