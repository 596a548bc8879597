package agentlenstest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlenstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The example is a test.
func TestResearch(t *testing.T) { testResearch(t) }

// agent does what an agent does: it asks a model, uses a tool, and lets a
// library that knows nothing of sessions ask another model.
func agent(t testing.TB, rec *agentlenstest.Recorder, name string) *agentlens.Session {
	t.Helper()
	ctx, s, err := rec.Tracker().StartSession(context.Background(), name, agentlens.WithMetadata(map[string]any{"version": "2"}))
	require.NoError(t, err)
	_, call := s.StartLLM(ctx, "openai", "gpt-4o", agentlens.WithReasoning("asked to"))
	call.SetTokens(1000, 200)
	call.End()
	toolCtx, tool := s.StartTool(ctx, "search")
	tool.SetInput(map[string]string{"q": "536-90-4399"})
	_, lib := rec.TracerProvider().Tracer("library").Start(toolCtx, "chat", trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.request.model", "small"),
		attribute.Int("gen_ai.usage.input_tokens", 7), attribute.Int("gen_ai.usage.output_tokens", 3)))
	lib.End()
	tool.SetError(errors.New("no network"))
	tool.End()
	require.NoError(t, s.End(ctx))
	return s
}

func TestRecorder(t *testing.T) {
	rec := agentlenstest.New(t)
	assert.Empty(t, rec.Sessions())
	s := agent(t, rec, "researcher")
	got := rec.RequireSession("researcher")
	assert.Equal(t, s.ID(), got.ID)
	assert.Equal(t, map[string]any{"version": "2"}, got.Metadata)
	got.RequireStatus(analysis.StatusCompleted)
	assert.Equal(t, int64(1007), got.TotalTokensIn)
	assert.Equal(t, int64(203), got.Summary.TokensOut)
	assert.Equal(t, []string{"gpt-4o", "small"}, got.Summary.Models.Names())
	assert.Len(t, got.Events, 3)
	assert.Positive(t, got.RequireModel("gpt-4o").CostUSD.V)
	assert.Equal(t, "asked to", got.RequireModel("gpt-4o").DecisionTrace.Reasoning)
	assert.Equal(t, "no network", rec.RequireTool("search").Error.Message)
	assert.JSONEq(t, `{"q":"536-90-4399"}`, string(got.RequireTool("search").ToolCall.Input))

	policy := &compliance.Policy{Name: "p", Rules: []compliance.Rule{
		{Kind: compliance.MaxTokens, Limit: new(2000.0)},
		{Kind: compliance.ForbiddenTools, Tools: []string{"rm"}},
		{Kind: compliance.MaxErrorRate, Limit: new(0.1), Severity: compliance.SeverityWarning},
	}}
	report := got.RequireCompliant(policy)
	assert.Equal(t, 2, report.Passed)
	assert.Equal(t, compliance.SeverityWarning, got.RequireViolation(policy, compliance.MaxErrorRate).Severity)
	rec.RequireCompliant(policy)
	calm := []alert.Rule{{Name: "large", Condition: alert.ThresholdCondition("tokens_in", ">", 5000), Severity: "warning"}}
	got.RequireNoAlerts(calm)
	rec.RequireNoAlerts(calm)
	leak := []alert.Rule{{Name: "ssn", Condition: alert.PatternCondition("tool_input", `\b\d{3}-\d{2}-\d{4}\b`), Severity: "critical"}}
	assert.Equal(t, alert.Severity("critical"), got.RequireAlert(leak, "ssn").Severity)
}

// What is asked for and is not so fails the test, and says what there was.
func TestRecorderFails(t *testing.T) {
	rec := agentlenstest.New(t)
	strict := &compliance.Policy{Name: "strict", Rules: []compliance.Rule{{Kind: compliance.MaxTokens, Limit: new(10.0)}}}
	broken := &compliance.Policy{Name: "broken", Rules: []compliance.Rule{{Kind: "max_fun"}}}
	tokens := []alert.Rule{{Name: "tokens", Condition: alert.ThresholdCondition("tokens_in", ">", 500), Severity: "warning"}}
	none := []alert.Rule{{Name: "none", Condition: alert.ThresholdCondition("tokens_in", ">", 1e9), Severity: "warning"}}
	for i, check := range []func(r *agentlenstest.Recorder){
		func(r *agentlenstest.Recorder) { r.RequireSession("researcher") },
		func(r *agentlenstest.Recorder) { r.RequireTool("search") },
		func(r *agentlenstest.Recorder) { r.RequireCompliant(compliance.Permissive()) },
		func(r *agentlenstest.Recorder) { r.RequireNoAlerts(none) },
	} {
		assert.NotEmpty(t, failure(t, rec, check), "without a session: %d", i)
	}
	agent(t, rec, "researcher")
	for want, check := range map[string]func(r *agentlenstest.Recorder){
		"tools [search]":      func(r *agentlenstest.Recorder) { r.RequireSession("writer") },
		`no call of tool "x"`: func(r *agentlenstest.Recorder) { r.RequireTool("x") },
		"tools: [search]":     func(r *agentlenstest.Recorder) { r.RequireSession("researcher").RequireTool("x") },
		"models: [gpt-4o small]": func(r *agentlenstest.Recorder) {
			r.RequireSession("researcher").RequireModel("x")
		},
		"max_tokens":      func(r *agentlenstest.Recorder) { r.RequireCompliant(strict) },
		"load the policy": func(r *agentlenstest.Recorder) { r.RequireCompliant(broken) },
		"does not break": func(r *agentlenstest.Recorder) {
			r.RequireSession("researcher").RequireViolation(strict, compliance.MaxEvents)
		},
		"1 alerts":         func(r *agentlenstest.Recorder) { r.RequireNoAlerts(tokens) },
		"does not fire":    func(r *agentlenstest.Recorder) { r.RequireSession("researcher").RequireAlert(none, "none") },
		"load the rules":   func(r *agentlenstest.Recorder) { r.RequireNoAlerts([]alert.Rule{{Name: "bad"}}) },
		"status of the se": func(r *agentlenstest.Recorder) { r.RequireSession("researcher").RequireStatus(analysis.StatusError) },
	} {
		assert.Contains(t, failure(t, rec, check), want)
	}
	agent(t, rec, "researcher")
	assert.Contains(t, failure(t, rec, func(r *agentlenstest.Recorder) { r.RequireSession("researcher") }), "2 sessions")
}

// failing is a test that may fail.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) }
func (f *failing) FailNow()                          { runtime.Goexit() }

// failure returns what the check tells the test that it fails, empty when it
// passes.
func failure(t *testing.T, rec *agentlenstest.Recorder, check func(*agentlenstest.Recorder)) string {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(rec.For(f))
	}()
	<-done
	return f.text
}

// A session that goes on has what has ended in it so far.
func TestRecorderWhileRunning(t *testing.T) {
	rec := agentlenstest.New(t, agentlens.WithCapture(agentlens.CaptureNone))
	ctx, s, err := rec.Tracker().StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, tool := s.StartTool(ctx, "t")
	got := rec.RequireSession("agent")
	got.RequireStatus(analysis.StatusActive)
	assert.Empty(t, got.Events)
	tool.End()
	assert.Len(t, rec.RequireSession("agent").Events, 1)
	assert.Equal(t, s.Snapshot().Events, rec.RequireSession("agent").Events)
	require.NoError(t, s.End(ctx))
}

// Sessions of many goroutines, and of the package's functions.
func TestRecorderOfManySessions(t *testing.T) {
	rec := agentlenstest.New(t)
	_, err := agentlens.Init(t.Context(), agentlens.WithTracerProvider(rec.TracerProvider()))
	require.NoError(t, err)
	var wg sync.WaitGroup
	run := agentlens.WrapAgent("wrapped", func(ctx context.Context, n int) (int, error) {
		_, tool := agentlens.StartTool(ctx, "count")
		tool.End()
		return n, nil
	})
	for i := range 50 {
		wg.Go(func() {
			_, err := run(context.Background(), i)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	all := rec.Sessions()
	require.Len(t, all, 50)
	for _, s := range all {
		assert.Equal(t, int64(1), s.Summary.ToolCalls)
	}
	require.NoError(t, agentlens.Shutdown(t.Context()))
}
