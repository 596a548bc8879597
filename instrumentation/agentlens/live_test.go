package agentlens_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// A live LLM call with everything: what its span says, and that the event says
// the same.
func TestLiveLLM(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	callCtx, call := s.StartLLM(ctx, "openai", "gpt-4o", agentlens.WithAttributes(attribute.Float64("gen_ai.request.temperature", 0.5)))
	require.Same(t, call, agentlens.SpanFromContext(callCtx))
	call.SetSystemInstructions(agentlens.Text("be brief"))
	call.SetInputMessages(agentlens.TextMessage("user", "Oslo < Bergen?"))
	call.FirstToken()
	call.SetOutputMessages(agentlens.Message{Role: "assistant", Parts: []agentlens.Part{
		agentlens.ReasoningPart("hm"), agentlens.ToolRequest("c1", "weather", map[string]string{"city": "Oslo"}),
	}})
	call.SetResponse("resp-1", "gpt-4o-2024-08-06")
	call.SetFinishReasons("tool_calls")
	call.SetTokens(12, 7)
	call.SetCacheTokens(5, 0)
	call.SetReasoningTokens(3)
	call.SetReasoning("asked to")
	call.End()
	call.SetTokens(1, 1)
	call.End()
	require.NoError(t, s.End(ctx))

	span := r.named(t, "chat gpt-4o")
	requireIdentity(t, span, s.ID(), "agent", "llm_call")
	assert.Equal(t, trace.SpanKindClient, span.SpanKind())
	assert.Equal(t, codes.Unset, span.Status().Code)
	got := content(span)
	first, _ := got["gen_ai.response.time_to_first_chunk"].(float64)
	assert.Greater(t, first, 0.0)
	assert.LessOrEqual(t, first, span.EndTime().Sub(span.StartTime()).Seconds())
	assert.Regexp(t, "^[0-9a-f]{16}$", got["agentlens.decision.id"])
	delete(got, "gen_ai.response.time_to_first_chunk")
	delete(got, "agentlens.decision.id")
	assert.Equal(t, map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
		"gen_ai.request.temperature": 0.5, "gen_ai.request.stream": true,
		"gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": "resp-1",
		"gen_ai.response.finish_reasons": []string{"tool_calls"},
		"gen_ai.usage.input_tokens":      int64(12), "gen_ai.usage.output_tokens": int64(7),
		"gen_ai.usage.cache_read.input_tokens": int64(5), "gen_ai.usage.cache_write.input_tokens": int64(0),
		"gen_ai.usage.reasoning.output_tokens": int64(3),
		"gen_ai.system_instructions":           `[{"type":"text","content":"be brief"}]`,
		"gen_ai.input.messages":                `[{"role":"user","parts":[{"type":"text","content":"Oslo < Bergen?"}]}]`,
		"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},` +
			`{"type":"tool_call","id":"c1","name":"weather","arguments":{"city":"Oslo"}}]}]`,
		"agentlens.decision.step": int64(1), "agentlens.decision.reasoning": "asked to",
	}, got)

	events := s.Snapshot().Events
	require.Len(t, events, 1)
	e := events[0]
	assert.Equal(t, span.SpanContext().SpanID().String(), e.ID)
	assert.True(t, e.Timestamp.Equal(span.EndTime()))
	assert.Equal(t, float64(span.EndTime().Sub(span.StartTime()))/1e6, e.DurationMS.V)
	assert.Equal(t, analysis.Some(int64(12)), e.TokensIn)
	assert.JSONEq(t, `[{"role":"user","parts":[{"type":"text","content":"Oslo < Bergen?"}]}]`, string(e.Input))
	assert.Equal(t, int64(12), s.Summary().TokensIn)
	text, err := s.Explain(ctx)
	require.NoError(t, err)
	assert.Contains(t, text, "💡 Reasoning: asked to")
	part := r.named(t, "decision")
	assert.Equal(t, span.SpanContext().SpanID(), part.Parent().SpanID())
	requireIdentity(t, part, s.ID(), "agent", "part")
}

func TestLiveToolAndDecision(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)

	toolCtx, tool := r.StartTool(ctx, "search", agentlens.WithToolCallID("c1"))
	tool.SetInput(map[string]any{"q": "x"})
	_, inner := s.StartLLM(toolCtx, "", "m")
	inner.SetError(context.DeadlineExceeded)
	inner.End()
	tool.SetOutput([]int{1})
	tool.End()

	_, d := s.StartDecision(ctx, agentlens.WithReasoning("first"))
	d.SetAlternatives("a", "b")
	d.SetConfidence(0.8)
	d.SetOutput("choice")
	d.End()
	require.NoError(t, s.End(ctx))

	span := r.named(t, "execute_tool search")
	assert.Equal(t, map[string]any{
		"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.id": "c1",
		"gen_ai.tool.call.arguments": `{"q":"x"}`, "gen_ai.tool.call.result": "[1]",
	}, content(span))
	llm := r.named(t, "chat m")
	assert.Equal(t, span.SpanContext().SpanID(), llm.Parent().SpanID())
	assert.Equal(t, sdktrace.Status{Code: codes.Error, Description: "context deadline exceeded"}, llm.Status())
	assert.Equal(t, "context.deadlineExceededError", content(llm)["error.type"])
	decision := content(r.named(t, "decision"))
	delete(decision, "agentlens.decision.id")
	assert.Equal(t, map[string]any{
		"agentlens.decision.step": int64(1), "agentlens.decision.reasoning": "first",
		"agentlens.decision.alternatives": []string{"a", "b"}, "agentlens.decision.confidence": 0.8,
		"agentlens.event.output": `"choice"`,
	}, decision)
	sum := s.Summary()
	assert.Equal(t, int64(3), sum.Events)
	assert.Equal(t, int64(1), sum.Errors)
	assert.Equal(t, int64(1), sum.Reasoned)
	assert.Equal(t, []string{"search"}, sum.Tools.Names())
}

// Steps and sub-agents show in the trace and count as no events. Under a
// sub-agent the spans bear its name, and the session stays that of its agent.
func TestStepsAndSubAgents(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "planner")
	require.NoError(t, err)
	stepCtx, step := s.StartStep(ctx, "gather")
	subCtx, sub := s.StartAgent(stepCtx, "researcher")
	_, call := agentlens.StartLLM(subCtx, "openai", "m")
	call.End()
	_, err = s.Track(subCtx, "note")
	require.NoError(t, err)
	sub.SetInput("question")
	sub.SetOutput("answer")
	sub.SetError(errors.New("gave up"))
	sub.End()
	_, err = s.Track(stepCtx, "after")
	require.NoError(t, err)
	step.End()
	assert.Equal(t, agentlens.StatusActive, s.Summary().Status)
	require.NoError(t, s.End(ctx))

	parent := func(name string) string {
		id := r.named(t, name).Parent().SpanID()
		for _, span := range r.recorder.Ended() {
			if span.SpanContext().SpanID() == id {
				return span.Name()
			}
		}
		return ""
	}
	assert.Equal(t, "invoke_agent planner", parent("gather"))
	assert.Equal(t, "gather", parent("invoke_agent researcher"))
	assert.Equal(t, "invoke_agent researcher", parent("chat m"))
	assert.Equal(t, "invoke_agent researcher", parent("note"))
	assert.Equal(t, "gather", parent("after"))

	agent := r.named(t, "invoke_agent researcher")
	assert.Equal(t, []attribute.KeyValue{
		attribute.String("session.id", s.ID()), attribute.String("gen_ai.agent.name", "researcher"),
		attribute.String("agentlens.agent.name", "planner"), attribute.String("agentlens.event.type", "part"),
		attribute.String("gen_ai.operation.name", "invoke_agent"), attribute.String("error.type", "*errors.errorString"),
		attribute.String("agentlens.event.input", `"question"`), attribute.String("agentlens.event.output", `"answer"`),
	}, agent.Attributes())
	assert.Equal(t, "researcher", attributeOf(r.named(t, "chat m"), "gen_ai.agent.name"))
	assert.Equal(t, "researcher", attributeOf(r.named(t, "note"), "gen_ai.agent.name"))
	assert.Equal(t, "planner", attributeOf(r.named(t, "after"), "gen_ai.agent.name"))
	assert.Equal(t, int64(3), s.Summary().Events)
	assert.Zero(t, s.Summary().Errors)
}

func attributeOf(span sdktrace.ReadOnlySpan, key attribute.Key) any {
	for _, kv := range span.Attributes() {
		if kv.Key == key {
			return kv.Value.AsInterface()
		}
	}
	return nil
}

// Without a session, a tracker or a span everything runs, and does nothing.
func TestLiveIsSafeOnNil(t *testing.T) {
	agentlens.ResetGlobal()
	t.Cleanup(agentlens.ResetGlobal)
	var s *agentlens.Session
	var tracker *agentlens.Tracker
	ctx := t.Context()
	for _, start := range []func() (context.Context, *agentlens.Span){
		func() (context.Context, *agentlens.Span) { return s.StartLLM(ctx, "p", "m") },
		func() (context.Context, *agentlens.Span) { return s.StartTool(ctx, "t") },
		func() (context.Context, *agentlens.Span) { return s.StartDecision(ctx) },
		func() (context.Context, *agentlens.Span) { return s.StartStep(ctx, "s") },
		func() (context.Context, *agentlens.Span) { return s.StartAgent(ctx, "a") },
		func() (context.Context, *agentlens.Span) { return tracker.StartLLM(ctx, "p", "m") },
		func() (context.Context, *agentlens.Span) { return agentlens.StartTool(ctx, "t") },
		func() (context.Context, *agentlens.Span) { return agentlens.StartLLM(ctx, "p", "m") },
		func() (context.Context, *agentlens.Span) { return agentlens.StartDecision(ctx) },
		func() (context.Context, *agentlens.Span) { return agentlens.StartStep(ctx, "s") },
		func() (context.Context, *agentlens.Span) { return agentlens.StartAgent(ctx, "a") },
	} {
		got, sp := start()
		require.Nil(t, sp)
		require.Equal(t, ctx, got)
		sp.SetInput(1)
		sp.SetOutput(1)
		sp.SetInputMessages(agentlens.TextMessage("user", "x"))
		sp.SetOutputMessages(agentlens.TextMessage("user", "x"))
		sp.SetSystemInstructions(agentlens.Text("x"))
		sp.SetResponse("", "")
		sp.SetFinishReasons("stop")
		sp.SetTokens(1, 2)
		sp.SetTokensIn(1)
		sp.SetTokensOut(1)
		sp.SetCacheTokens(1, 2)
		sp.SetReasoningTokens(1)
		sp.FirstToken()
		sp.SetToolCallID("x")
		sp.SetReasoning("x")
		sp.SetAlternatives("x")
		sp.SetConfidence(1)
		sp.SetError(errors.New("x"))
		sp.SetAttributes(attribute.Bool("x", true))
		sp.AddLink(trace.Link{})
		require.False(t, sp.Link().SpanContext.IsValid())
		err := errors.New("x")
		sp.EndWith(&err)
		sp.End()
	}
	require.Nil(t, agentlens.SpanFromContext(ctx))
	require.Zero(t, tracker.Stats())
	_, span := tracker.TracerProvider().Tracer("x").Start(ctx, "x")
	span.End()
}

// What is refused is counted, and what cannot be is left out of an event that
// is recorded all the same.
func TestLiveRefusals(t *testing.T) {
	r := newRecorded(t, nil)
	_, none := r.StartLLM(t.Context(), "p", "m")
	assert.Nil(t, none, "no session")
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, nameless := s.StartTool(ctx, "")
	assert.Nil(t, nameless)
	_, old := s.StartTool(ctx, "t", agentlens.WithTimestamp(time.Unix(-1, 0)))
	assert.Nil(t, old)
	_, broken := s.StartTool(ctx, "t", agentlens.WithInput(panics{}))
	assert.Nil(t, broken)
	assert.Equal(t, int64(4), r.Stats().CallsRefused)

	_, call := s.StartLLM(ctx, "p", "m", agentlens.WithDuration(-5))
	call.SetTokens(-1, -2)
	call.SetCacheTokens(-1, 3)
	call.SetReasoningTokens(-1)
	call.SetConfidence(math.NaN())
	call.SetInput(panics{})
	call.SetError(panics{})
	call.End()
	assert.Equal(t, int64(4+7), r.Stats().CallsRefused)
	e := s.Snapshot().Events[0]
	require.NoError(t, e.Validate())
	assert.False(t, e.TokensIn.OK || e.TokensOut.OK || e.CacheReadTokens.OK || e.ReasoningTokens.OK || e.DecisionTrace.Confidence.OK)
	assert.Equal(t, analysis.Some(int64(3)), e.CacheWriteTokens)
	assert.Equal(t, "_OTHER", e.Error.Type)

	// A call that outlasts its session is recorded; one that starts after it not.
	_, late := s.StartTool(ctx, "late")
	require.NoError(t, s.End(ctx))
	late.End()
	assert.Equal(t, int64(2), s.Summary().Events)
	r.named(t, "execute_tool late")
	_, after := s.StartTool(ctx, "after")
	assert.Nil(t, after)
	assert.Equal(t, int64(12), r.Stats().CallsRefused)
}

func TestLiveTimes(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	begin := time.Now().Add(-time.Hour)
	_, tool := s.StartTool(ctx, "t", agentlens.WithTimestamp(begin))
	tool.End()
	span := r.named(t, "execute_tool t")
	assert.True(t, span.StartTime().Equal(begin))
	e := s.Snapshot().Events[0]
	assert.GreaterOrEqual(t, e.DurationMS.V, 3.6e6)
	assert.Equal(t, e.DurationMS, e.ToolCall.DurationMS)
	require.NoError(t, s.End(ctx))
}

// The error a function returns and its panic, which goes on.
func TestEndWith(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	use := func(name string, f func() error) (err error) {
		_, tool := s.StartTool(ctx, name)
		defer tool.EndWith(&err)
		return f()
	}
	require.NoError(t, use("good", func() error { return nil }))
	require.EqualError(t, use("bad", func() error { return errors.New("no") }), "no")
	require.PanicsWithValue(t, "boom", func() { _ = use("panics", func() error { panic("boom") }) })
	require.NoError(t, s.End(ctx))
	assert.Equal(t, codes.Unset, r.named(t, "execute_tool good").Status().Code)
	assert.Equal(t, "no", r.named(t, "execute_tool bad").Status().Description)
	panicked := r.named(t, "execute_tool panics")
	assert.Equal(t, "panic: boom", panicked.Status().Description)
	assert.Equal(t, "panic", attributeOf(panicked, "error.type"))
	assert.Equal(t, int64(2), s.Summary().Errors)
}

// What is set on a span that is not sampled is not encoded; the event counts all
// the same, with its reason.
func TestNotSampledHasNoData(t *testing.T) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithTracerProvider(provider))
	require.NoError(t, err)
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, call := s.StartLLM(ctx, "openai", "gpt-4o")
	call.SetInput(json.RawMessage("no JSON"))
	call.SetOutputMessages(agentlens.TextMessage("assistant", "hello"))
	call.SetReasoning("because")
	call.SetTokens(3, 4)
	call.End()

	events := s.Snapshot().Events
	require.Len(t, events, 1)
	assert.Nil(t, events[0].Output)
	assert.Equal(t, "because", events[0].DecisionTrace.Reasoning)
	assert.Equal(t, int64(7), s.Summary().Tokens())
	assert.Zero(t, tracker.Stats().CallsRefused)
}
