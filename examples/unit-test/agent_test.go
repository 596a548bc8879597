package support_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	support "github.com/agentlens/agentlens-otel/examples/unit-test"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlenstest"
)

// policy is what the company asks of every session of the agent.
var policy = &compliance.Policy{Name: "support", Rules: []compliance.Rule{
	{Kind: compliance.MaxTokens, Limit: new(5000.0)},
	{Kind: compliance.AllowedModels, Models: []string{"support-model"}},
	{Kind: compliance.RequiredTools, Tools: []string{"look_up_orders"}},
	{Kind: compliance.RequireReasoning},
	{Kind: compliance.MaxErrorRate, Limit: new(0.0)},
}}

var leaks = []alert.Rule{{
	Name: "social security number in an answer", Severity: "critical",
	Condition: alert.PatternCondition("output_data", `\b\d{3}-\d{2}-\d{4}\b`),
}}

func newAgent(rec *agentlenstest.Recorder, answer string, tokens int64) *support.Agent {
	return &support.Agent{
		Tracker: rec.Tracker(),
		Model: func(context.Context, string) (string, int64, int64, error) {
			return answer, tokens, tokens / 10, nil
		},
		Orders: func(_ context.Context, customer string) ([]string, error) {
			if customer == "" {
				return nil, errors.New("no customer")
			}
			return []string{"umbrella", "boots"}, nil
		},
	}
}

func TestAnswerKeepsThePolicy(t *testing.T) {
	rec := agentlenstest.New(t)
	_, err := newAgent(rec, "Your umbrella is on its way.", 400).Answer(t.Context(), "jane", "Where is my umbrella?")
	require.NoError(t, err)

	session := rec.RequireSession("support-agent")
	session.RequireStatus(analysis.StatusCompleted)
	tool := session.RequireTool("look_up_orders")
	require.JSONEq(t, `{"customer":"jane"}`, string(tool.ToolCall.Input))
	session.RequireCompliant(policy)
	session.RequireNoAlerts(leaks)
}

// A policy that nothing can break protects nobody.
func TestPolicyIsBroken(t *testing.T) {
	rec := agentlenstest.New(t)
	_, err := newAgent(rec, "An essay.", 9000).Answer(t.Context(), "jane", "Tell me everything.")
	require.NoError(t, err)
	rec.RequireSession("support-agent").RequireViolation(policy, compliance.MaxTokens)
}

func TestLeakIsSeen(t *testing.T) {
	rec := agentlenstest.New(t)
	_, err := newAgent(rec, "It is 536-90-4399.", 400).Answer(t.Context(), "jane", "What is my number?")
	require.NoError(t, err)
	rec.RequireSession("support-agent").RequireAlert(leaks, leaks[0].Name)
}

func TestFailureIsRecorded(t *testing.T) {
	rec := agentlenstest.New(t)
	_, err := newAgent(rec, "", 0).Answer(t.Context(), "", "Who am I?")
	require.Error(t, err)
	session := rec.RequireSession("support-agent")
	session.RequireStatus(analysis.StatusError)
	require.Equal(t, "no customer", session.RequireTool("look_up_orders").Error.Message)
}
