package agentlenstest_test

import (
	"context"
	"testing"

	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlenstest"
)

// research is the code under test: an agent that uses a tool and a model.
func research(ctx context.Context, tracker *agentlens.Tracker, question string) error {
	ctx, session, err := tracker.StartSession(ctx, "research-agent")
	if err != nil {
		return err
	}
	_, tool := session.StartTool(ctx, "web_search")
	tool.SetInput(question)
	tool.End()
	_, call := session.StartLLM(ctx, "openai", "gpt-4o")
	call.SetReasoning("One page is enough.")
	call.SetTokens(1200, 350)
	call.End()
	return session.End(ctx)
}

var (
	policy = &compliance.Policy{Name: "research", Rules: []compliance.Rule{
		{Kind: compliance.MaxTokens, Limit: new(5000.0)},
		{Kind: compliance.RequiredTools, Tools: []string{"web_search"}},
		{Kind: compliance.RequireReasoning},
	}}
	rules = []alert.Rule{{
		Name: "long answer", Severity: "warning",
		Condition: alert.ThresholdCondition("tokens_out", ">", 1000),
	}}
)

// testResearch is the unit test.
func testResearch(t *testing.T) {
	rec := agentlenstest.New(t)
	if err := research(t.Context(), rec.Tracker(), "Which fjord is the longest?"); err != nil {
		t.Fatal(err)
	}
	session := rec.RequireSession("research-agent")
	session.RequireTool("web_search")
	session.RequireCompliant(policy)
	session.RequireNoAlerts(rules)
}

// A policy and alert rules as a unit test: testResearch is TestResearch in a
// package of one's own.
func Example() {}
