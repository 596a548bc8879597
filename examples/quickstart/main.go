// Quickstart records the sessions of a few small agents, as an agent of yours
// would: LLM calls with reasoning, tool calls, a decision, an error, two
// sessions at once, and one that breaks a policy.
//
//	go run ./examples/quickstart -endpoint http://localhost:4318
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

func main() {
	endpoint := flag.String("endpoint", agentlens.DefaultEndpoint, "OTLP/HTTP `URL` of the collector")
	jsonFile := flag.String("json", "", "also write the sessions with all events to this `file`")
	flag.Parse()

	if err := run(context.Background(), *endpoint, *jsonFile); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, endpoint, jsonFile string) (err error) {
	_, err = agentlens.Init(ctx, agentlens.WithEndpoint(endpoint), agentlens.WithServiceName("quickstart"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, agentlens.Shutdown(ctx)) }()

	researched, err := research(ctx)
	if err != nil {
		return err
	}
	pair, err := twoAtOnce(ctx)
	if err != nil {
		return err
	}
	broken, err := breakPolicy(ctx)
	if err != nil {
		return err
	}
	if jsonFile == "" {
		return nil
	}
	return writeJSON(jsonFile, researched, pair[0], pair[1], broken)
}

// research is one session from start to end, with the package's functions.
func research(ctx context.Context) (*agentlens.Session, error) {
	ctx, session, err := agentlens.StartSession(ctx, "research-agent-v2",
		agentlens.WithMetadata(map[string]any{"version": "2.1.0", "environment": "production"}))
	if err != nil {
		return nil, err
	}

	err = show(agentlens.Track(ctx, agentlens.EventLLMCall,
		agentlens.WithInput(map[string]any{"prompt": "Summarize this article", "article_url": "https://example.com/ai-safety"}),
		agentlens.WithOutput(map[string]any{"response": "The article discusses how agents are kept in bounds."}),
		agentlens.WithProvider("openai"),
		agentlens.WithModel("gpt-4-turbo"),
		agentlens.WithTokens(1200, 350),
		agentlens.WithReasoning("User asked for a summary. Using GPT-4 Turbo for long context."),
		agentlens.WithDurationMS(2340.5)))
	if err != nil {
		return nil, err
	}

	err = show(agentlens.TrackTool(ctx, "web_search",
		map[string]any{"query": "latest AI safety papers 2026"},
		map[string]any{"results": []map[string]string{{"title": "Agents under audit", "url": "https://example.com/audit"}}},
		agentlens.WithDurationMS(890.2)))
	if err != nil {
		return nil, err
	}

	err = show(agentlens.Track(ctx, agentlens.EventDecision,
		agentlens.WithOutput(map[string]any{"choice": "answer now"}),
		agentlens.WithDecision(agentlens.DecisionTrace{
			Reasoning:    "One paper answers the question; another search would cost more than it adds.",
			Alternatives: []string{"search again", "ask the user"},
			Confidence:   analysis.Some(0.8),
		})))
	if err != nil {
		return nil, err
	}

	err = show(agentlens.Track(ctx, agentlens.EventError,
		agentlens.WithInput(map[string]any{"url": "https://example.com/audit.pdf"}),
		agentlens.WithError(fmt.Errorf("fetch paper: %w", context.DeadlineExceeded)),
		agentlens.WithDuration(5*time.Second)))
	if err != nil {
		return nil, err
	}

	explanation, err := agentlens.Explain(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Printf("\n%s\n\n", explanation)
	return session, agentlens.EndSession(ctx)
}

// twoAtOnce runs two sessions from two goroutines, with the methods of Session.
func twoAtOnce(ctx context.Context) (sessions [2]*agentlens.Session, err error) {
	var (
		wg   sync.WaitGroup
		errs [2]error
	)
	for i, agent := range []string{"agent-a", "agent-b"} {
		wg.Go(func() { sessions[i], errs[i] = answer(ctx, agent) })
	}
	wg.Wait()
	return sessions, errors.Join(errs[:]...)
}

func answer(ctx context.Context, agent string) (*agentlens.Session, error) {
	ctx, session, err := agentlens.StartSession(ctx, agent)
	if err != nil {
		return nil, err
	}
	for question := 1; question <= 3; question++ {
		err := show(session.Track(ctx, agentlens.EventLLMCall,
			agentlens.WithInput(map[string]any{"question": question}),
			agentlens.WithProvider("anthropic"),
			agentlens.WithModel("claude-3-5-sonnet-20241022"),
			agentlens.WithTokens(int64(400*question), 120),
			agentlens.WithCacheTokens(256, 0),
			agentlens.WithReasoning("The question is within what the agent knows."),
			agentlens.WithDurationMS(640)))
		if err != nil {
			return nil, err
		}
	}
	return session, session.End(ctx)
}

// breakPolicy does what the demo's policy forbids: a model that is not allowed
// and a tool that executes code. It ends with an error.
func breakPolicy(ctx context.Context) (*agentlens.Session, error) {
	ctx, session, err := agentlens.StartSession(ctx, "code-runner",
		agentlens.WithMetadata(map[string]any{"environment": "staging", "retries": 2}))
	if err != nil {
		return nil, err
	}
	err = show(session.Track(ctx, agentlens.EventLLMCall,
		agentlens.WithInput(map[string]any{"prompt": "Compute the figures with a script"}),
		agentlens.WithModel("unvetted-model"),
		agentlens.WithTokens(60_000, 4_000),
		agentlens.WithDurationMS(9120)))
	if err != nil {
		return nil, err
	}
	err = show(session.TrackTool(ctx, "execute_code",
		map[string]any{"language": "python", "code": "import os; os.listdir('/')"}, nil,
		agentlens.WithError(errors.New("sandbox refused the call")),
		agentlens.WithDurationMS(12.4)))
	if err != nil {
		return nil, err
	}
	return session, session.End(ctx, agentlens.WithStatus(agentlens.StatusError))
}

// show prints an event that was tracked.
func show(e agentlens.Event, err error) error {
	if err != nil {
		return err
	}
	line := fmt.Sprintf("session %s  event %s  %-9s", e.SessionID, e.ID, e.Type)
	if e.Model != "" {
		line += "  " + e.Model
	}
	if e.ToolCall != nil {
		line += "  " + e.ToolCall.Name
	}
	if e.Error != nil {
		line += "  failed: " + e.Error.Message
	}
	fmt.Println(line)
	return nil
}

// writeJSON writes what the SDK knows of the sessions, for comparison with what
// a backend holds.
func writeJSON(file string, sessions ...*agentlens.Session) error {
	list := make([]*analysis.Session, len(sessions))
	for i, s := range sessions {
		list[i] = s.Snapshot()
	}
	b, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o600)
}
