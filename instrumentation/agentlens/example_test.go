package agentlens_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// The calls that an agent makes: one Init, then sessions and what happens in
// them. WithTracerProvider keeps the example off the network.
func Example() {
	ctx := context.Background()
	_, err := agentlens.Init(ctx, agentlens.WithTracerProvider(sdktrace.NewTracerProvider()))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = agentlens.Shutdown(ctx) }()

	ctx, session, err := agentlens.StartSession(ctx, "research-agent-v2",
		agentlens.WithMetadata(map[string]any{"version": "2.1.0", "environment": "production"}))
	if err != nil {
		log.Fatal(err)
	}

	_, err = agentlens.Track(ctx, agentlens.EventLLMCall,
		agentlens.WithInput(map[string]any{"prompt": "Summarize this article", "article_url": "https://..."}),
		agentlens.WithOutput(map[string]any{"response": "The article discusses..."}),
		agentlens.WithModel("gpt-4-turbo"),
		agentlens.WithTokens(1200, 350),
		agentlens.WithReasoning("User asked for a summary. Using GPT-4 Turbo for long context."),
		agentlens.WithDurationMS(2340.5),
	)
	if err != nil {
		log.Fatal(err)
	}

	_, err = agentlens.TrackTool(ctx, "web_search",
		map[string]any{"query": "latest AI safety papers 2026"},
		map[string]any{"results": []any{}},
		agentlens.WithDurationMS(890.2),
	)
	if err != nil {
		log.Fatal(err)
	}

	if err := agentlens.EndSession(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Summary().EventTypes.Names(), session.Summary().Tokens(), "tokens")
	// Output: [llm_call tool_call] 1550 tokens
}

// Two sessions at once: each belongs to the context that StartSession returned.
func ExampleTracker_StartSession() {
	ctx := context.Background()
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithTracerProvider(sdktrace.NewTracerProvider()))
	if err != nil {
		log.Fatal(err)
	}
	ctxA, a, _ := tracker.StartSession(ctx, "agent-a")
	ctxB, b, _ := tracker.StartSession(ctx, "agent-b")
	_, _ = tracker.Track(ctxA, agentlens.EventLLMCall, agentlens.WithModel("gpt-4"), agentlens.WithTokens(100, 50))
	_, _ = tracker.TrackTool(ctxB, "search", nil, nil)
	_ = tracker.EndSession(ctx, agentlens.WithSessionID(a.ID()))
	_ = b.End(ctxB)
	fmt.Println(a.Summary().Models.Names(), b.Summary().Tools.Names())
	// Output: [gpt-4] [search]
}

func ExampleSession_Explain() {
	ctx := context.Background()
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithTracerProvider(sdktrace.NewTracerProvider()))
	if err != nil {
		log.Fatal(err)
	}
	ctx, session, _ := tracker.StartSession(ctx, "research-agent-v2", agentlens.WithSessionID("a1b2c3d4"))
	_, _ = session.Track(ctx, agentlens.EventDecision, agentlens.WithDecision(agentlens.DecisionTrace{
		Reasoning:    "One source is enough.",
		Alternatives: []string{"search again"},
		Confidence:   analysis.Some(0.8),
	}))
	explanation, _ := session.Explain(ctx)
	title, _, _ := strings.Cut(explanation, "\n")
	fmt.Println(title)
	fmt.Println(explanation[strings.LastIndex(explanation, "\n")+1:])
	// Output:
	// ## Session Explanation: research-agent-v2
	//    💡 Reasoning: One source is enough.
}
