// Package support is a small support agent, with the tests that its owners
// keep: that it uses its tools, stays within the company's policy, and leaks
// nothing. See agent_test.go.
//
//	go test -v ./examples/unit-test
package support

import (
	"context"
	"fmt"
	"strings"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// Model answers a prompt, and says how many tokens went in and out.
type Model func(ctx context.Context, prompt string) (answer string, in, out int64, err error)

// Agent answers questions of customers.
type Agent struct {
	Tracker *agentlens.Tracker
	Model   Model
	// Orders looks up a customer's orders.
	Orders func(ctx context.Context, customer string) ([]string, error)
}

// Answer answers one question, in a session of its own.
func (a *Agent) Answer(ctx context.Context, customer, question string) (answer string, err error) {
	ctx, session, err := a.Tracker.StartSession(ctx, "support-agent")
	if err != nil {
		return "", err
	}
	defer func() { _ = session.End(ctx, agentlens.WithError(err)) }()

	orders, err := a.lookUp(ctx, session, customer)
	if err != nil {
		return "", err
	}
	ctx, call := session.StartLLM(ctx, "example", "support-model",
		agentlens.WithReasoning("The orders are at hand; the model only has to phrase the answer."))
	defer call.EndWith(&err)
	prompt := fmt.Sprintf("%s\nOrders: %s", question, strings.Join(orders, ", "))
	call.SetInputMessages(agentlens.TextMessage("user", prompt))
	answer, in, out, err := a.Model(ctx, prompt)
	if err != nil {
		return "", err
	}
	call.SetTokens(in, out)
	call.SetOutputMessages(agentlens.TextMessage("assistant", answer))
	return answer, nil
}

func (a *Agent) lookUp(ctx context.Context, session *agentlens.Session, customer string) (orders []string, err error) {
	ctx, tool := session.StartTool(ctx, "look_up_orders")
	defer tool.EndWith(&err)
	tool.SetInput(map[string]string{"customer": customer})
	orders, err = a.Orders(ctx, customer)
	tool.SetOutput(orders)
	return orders, err
}
