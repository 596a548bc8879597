package agentlens_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// recorded is a tracker on a provider that records.
type recorded struct {
	*agentlens.Tracker
	recorder *tracetest.SpanRecorder
	provider *sdktrace.TracerProvider
}

func newRecorded(t testing.TB, limits *sdktrace.SpanLimits, opts ...agentlens.Option) recorded {
	t.Helper()
	r := recorded{recorder: tracetest.NewSpanRecorder()}
	providerOpts := []sdktrace.TracerProviderOption{sdktrace.WithSpanProcessor(r.recorder)}
	if limits != nil {
		providerOpts = append(providerOpts, sdktrace.WithRawSpanLimits(*limits))
	}
	r.provider = sdktrace.NewTracerProvider(providerOpts...)
	var err error
	r.Tracker, err = agentlens.NewTracker(t.Context(), append(opts, agentlens.WithTracerProvider(r.provider))...)
	require.NoError(t, err)
	return r
}

// named returns the only ended span of that name.
func (r recorded) named(t testing.TB, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	var found []sdktrace.ReadOnlySpan
	for _, span := range r.recorder.Ended() {
		if span.Name() == name {
			found = append(found, span)
		}
	}
	require.Len(t, found, 1, "spans named %q", name)
	return found[0]
}

// content returns a span's attributes without the three of identity.
func content(span sdktrace.ReadOnlySpan) map[string]any {
	m := map[string]any{}
	for _, kv := range span.Attributes() {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	for _, key := range []string{semconv.SessionID, semconv.GenAIAgentName, semconv.EventType} {
		delete(m, key)
	}
	return m
}

func requireIdentity(t testing.TB, span sdktrace.ReadOnlySpan, session, agent, eventType string) {
	t.Helper()
	require.GreaterOrEqual(t, len(span.Attributes()), 3)
	require.Equal(t, []attribute.KeyValue{
		attribute.String("session.id", session),
		attribute.String("gen_ai.agent.name", agent),
		attribute.String("agentlens.event.type", eventType),
	}, span.Attributes()[:3], "span %s", span.Name())
}

type part struct {
	name    string
	content map[string]any
}

// Every row of the mapping. ids stand for the random ids of tool calls and
// decision traces.
func TestEventSpans(t *testing.T) {
	const toolID, decisionID = "TOOL", "DECISION"
	for _, c := range []struct {
		name    string
		typ     agentlens.EventType
		opts    []agentlens.EventOption
		span    string
		kind    trace.SpanKind
		status  sdktrace.Status
		content map[string]any
		parts   []part
	}{
		{
			name: "llm call",
			typ:  agentlens.EventLLMCall,
			opts: []agentlens.EventOption{
				agentlens.WithInput(map[string]any{"prompt": "a < b"}), agentlens.WithOutput([]int{1, 2}),
				agentlens.WithModel("gpt-4o"), agentlens.WithResponseModel("gpt-4o-2024-08-06"), agentlens.WithProvider("openai"), agentlens.WithResponseID("resp-1"),
				agentlens.WithTokens(12, 0), agentlens.WithCacheTokens(5, 6), agentlens.WithReasoningTokens(7),
			},
			span: "chat gpt-4o", kind: trace.SpanKindClient,
			content: map[string]any{
				"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
				"gen_ai.provider.name": "openai", "gen_ai.response.id": "resp-1",
				"gen_ai.usage.input_tokens": int64(12), "gen_ai.usage.output_tokens": int64(0),
				"gen_ai.usage.cache_read.input_tokens": int64(5), "gen_ai.usage.cache_write.input_tokens": int64(6),
				"gen_ai.usage.reasoning.output_tokens": int64(7),
				"agentlens.event.input":                `{"prompt":"a < b"}`, "agentlens.event.output": "[1,2]",
			},
		},
		{
			name: "llm call of which nothing is known",
			typ:  agentlens.EventLLMCall,
			span: "chat", kind: trace.SpanKindClient,
			content: map[string]any{"gen_ai.operation.name": "chat"},
		},
		{
			name: "llm call with reasoning and a tool",
			typ:  agentlens.EventLLMCall,
			opts: []agentlens.EventOption{
				agentlens.WithModel("m"), agentlens.WithReasoning("why"), agentlens.WithTokensOut(3),
				agentlens.WithTool("search", map[string]any{"q": 1}, "found"),
			},
			span: "chat m", kind: trace.SpanKindClient,
			content: map[string]any{
				"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.output_tokens": int64(3),
				"agentlens.decision.id": decisionID, "agentlens.decision.step": int64(1), "agentlens.decision.reasoning": "why",
				"agentlens.tool.name": "search", "agentlens.tool.call.id": toolID,
				"agentlens.tool.call.arguments": `{"q":1}`, "agentlens.tool.call.result": `"found"`,
			},
			parts: []part{
				{"execute_tool search", map[string]any{
					"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.id": toolID,
					"gen_ai.tool.call.arguments": `{"q":1}`, "gen_ai.tool.call.result": `"found"`,
				}},
				{"decision", map[string]any{
					"agentlens.decision.id": decisionID, "agentlens.decision.step": int64(1), "agentlens.decision.reasoning": "why",
				}},
			},
		},
		{
			name: "tool call",
			typ:  agentlens.EventToolCall,
			opts: []agentlens.EventOption{
				agentlens.WithTool("search", map[string]any{"q": "x"}, nil), agentlens.WithToolCallID("call-1"),
				agentlens.WithReasoning("look it up"), agentlens.WithInput("also this"),
			},
			span: "execute_tool search", kind: trace.SpanKindInternal,
			content: map[string]any{
				"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.id": "call-1",
				"gen_ai.tool.call.arguments": `{"q":"x"}`, "agentlens.event.input": `"also this"`,
				"agentlens.decision.id": decisionID, "agentlens.decision.step": int64(1), "agentlens.decision.reasoning": "look it up",
			},
			parts: []part{{"decision", map[string]any{
				"agentlens.decision.id": decisionID, "agentlens.decision.step": int64(1), "agentlens.decision.reasoning": "look it up",
			}}},
		},
		{
			name: "tool call without a name",
			typ:  agentlens.EventToolCall,
			span: "execute_tool", kind: trace.SpanKindInternal,
			content: map[string]any{"gen_ai.operation.name": "execute_tool"},
		},
		{
			name: "decision",
			typ:  agentlens.EventDecision,
			opts: []agentlens.EventOption{
				agentlens.WithReasoning("kept"),
				agentlens.WithDecision(agentlens.DecisionTrace{
					ID: "d-1", Step: 4, Alternatives: []string{"a", "b"}, Confidence: analysis.Some(0.0),
				}),
			},
			span: "decision", kind: trace.SpanKindInternal,
			content: map[string]any{
				"agentlens.decision.id": "d-1", "agentlens.decision.step": int64(4), "agentlens.decision.reasoning": "kept",
				"agentlens.decision.alternatives": []string{"a", "b"}, "agentlens.decision.confidence": 0.0,
			},
		},
		{
			name: "error",
			typ:  agentlens.EventError,
			opts: []agentlens.EventOption{agentlens.WithError(fmt.Errorf("while reading: %w", context.DeadlineExceeded))},
			span: "error", kind: trace.SpanKindInternal,
			status:  sdktrace.Status{Code: codes.Error, Description: "while reading: context deadline exceeded"},
			content: map[string]any{"error.type": "context.deadlineExceededError"},
		},
		{
			name: "error without an error",
			typ:  agentlens.EventError,
			span: "error", kind: trace.SpanKindInternal,
			status:  sdktrace.Status{Code: codes.Error},
			content: map[string]any{"error.type": "_OTHER"},
		},
		{
			name: "failed tool call",
			typ:  agentlens.EventToolCall,
			opts: []agentlens.EventOption{agentlens.WithTool("rm", nil, nil), agentlens.WithToolCallID("c"), agentlens.WithError(errors.New("refused"))},
			span: "execute_tool rm", kind: trace.SpanKindInternal,
			status: sdktrace.Status{Code: codes.Error, Description: "refused"},
			content: map[string]any{
				"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "rm", "gen_ai.tool.call.id": "c",
				"error.type": "*errors.errorString",
			},
		},
		{
			name: "type of one's own, with the figures of a model",
			typ:  "plan_step",
			opts: []agentlens.EventOption{
				agentlens.WithModel("m"), agentlens.WithTokens(1, 2), agentlens.WithCacheTokens(3, 4), agentlens.WithReasoningTokens(5),
			},
			span: "plan_step", kind: trace.SpanKindInternal,
			content: map[string]any{
				"agentlens.event.model": "m", "agentlens.event.tokens.input": int64(1), "agentlens.event.tokens.output": int64(2),
				"agentlens.event.tokens.cache_read": int64(3), "agentlens.event.tokens.cache_write": int64(4),
				"agentlens.event.tokens.reasoning": int64(5),
			},
		},
		{
			name: "no type",
			span: "generic", kind: trace.SpanKindInternal, content: map[string]any{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorded(t, nil)
			ctx, s, err := r.StartSession(t.Context(), "agent")
			require.NoError(t, err)
			e, err := r.Track(ctx, c.typ, append(c.opts, agentlens.WithDurationMS(1.5))...)
			require.NoError(t, err)
			require.NoError(t, s.End(ctx))

			withIDs := func(m map[string]any) map[string]any {
				for key, v := range m {
					switch v {
					case toolID:
						m[key] = e.ToolCall.ID
					case decisionID:
						m[key] = e.DecisionTrace.ID
					}
				}
				return m
			}
			root := r.named(t, "invoke_agent agent")
			span := r.named(t, c.span)
			requireIdentity(t, span, s.ID(), "agent", string(e.Type))
			assert.Equal(t, withIDs(c.content), content(span))
			assert.Equal(t, c.kind, span.SpanKind())
			assert.Equal(t, c.status, span.Status())
			assert.Equal(t, root.SpanContext().SpanID(), span.Parent().SpanID())
			assert.Equal(t, root.SpanContext().TraceID(), span.SpanContext().TraceID())
			assert.Equal(t, span.SpanContext().SpanID().String(), e.ID)
			assert.True(t, span.EndTime().Equal(e.Timestamp))
			assert.Equal(t, 1500*time.Microsecond, span.EndTime().Sub(span.StartTime()))

			for _, p := range c.parts {
				got := r.named(t, p.name)
				requireIdentity(t, got, s.ID(), "agent", "part")
				assert.Equal(t, withIDs(p.content), content(got))
				assert.Equal(t, trace.SpanKindInternal, got.SpanKind())
				assert.Equal(t, span.SpanContext().SpanID(), got.Parent().SpanID())
				assert.True(t, got.StartTime().Equal(e.Timestamp))
				assert.True(t, got.EndTime().Equal(e.Timestamp))
			}
			assert.Len(t, r.recorder.Ended(), 3+len(c.parts), "root, start, event and its parts")
		})
	}
}

func TestSessionSpans(t *testing.T) {
	r := newRecorded(t, nil)
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.FixedZone("", 5400))
	callerCtx, caller := r.provider.Tracer("caller").Start(t.Context(), "request")
	ctx, s, err := r.StartSession(callerCtx, "", agentlens.WithTimestamp(start), agentlens.WithConversationID("conv"),
		agentlens.WithMetadata(map[string]any{
			"version": "2.1.0", "retries": 3, "ratio": 1.0, "ok": true, "nothing": nil,
			"when": start, "tags": []string{"a", "b"}, "big": uint64(1 << 63),
		}))
	require.NoError(t, err)
	for _, opt := range []agentlens.EventOption{agentlens.WithTokens(10, 4), agentlens.WithTokensIn(5)} {
		_, err = r.Track(ctx, agentlens.EventLLMCall, opt)
		require.NoError(t, err)
	}
	end := start.Add(time.Hour)
	require.NoError(t, r.EndSession(ctx, agentlens.WithTimestamp(end), agentlens.WithError(errors.New("gave up"))))

	metadata := map[string]any{
		"agentlens.session.metadata.version": "2.1.0", "agentlens.session.metadata.retries": int64(3),
		"agentlens.session.metadata.ratio": 1.0, "agentlens.session.metadata.ok": true,
		"agentlens.session.metadata.when": "2026-03-01T10:00:00+01:30", "agentlens.session.metadata.tags": `["a","b"]`,
		"agentlens.session.metadata.big": float64(1 << 63),
	}
	begin := r.named(t, "agentlens.session.start")
	requireIdentity(t, begin, s.ID(), "default-agent", "session_start")
	assert.Equal(t, metadata, content(begin))
	assert.True(t, begin.StartTime().Equal(start))
	assert.True(t, begin.EndTime().Equal(start))

	root := r.named(t, "invoke_agent default-agent")
	assert.Equal(t, root.SpanContext().SpanID(), begin.Parent().SpanID())
	requireIdentity(t, root, s.ID(), "default-agent", "session")
	assert.Regexp(t, "^[0-9a-f]{16}$", s.ID())
	want := map[string]any{
		"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": "conv", "agentlens.session.status": "error",
		"agentlens.session.tokens.input": int64(15), "agentlens.session.tokens.output": int64(4), "error.type": "*errors.errorString",
	}
	for key, v := range metadata {
		want[key] = v
	}
	assert.Equal(t, want, content(root))
	assert.Equal(t, trace.SpanKindInternal, root.SpanKind())
	assert.Equal(t, sdktrace.Status{Code: codes.Error, Description: "gave up"}, root.Status())
	assert.True(t, root.StartTime().Equal(start))
	assert.True(t, root.EndTime().Equal(end))
	assert.False(t, root.Parent().IsValid())
	require.Len(t, root.Links(), 1)
	assert.Equal(t, caller.SpanContext(), root.Links()[0].SpanContext)

	snapshot := s.Snapshot()
	assert.Equal(t, map[string]any{
		"version": "2.1.0", "retries": int64(3), "ratio": 1.0, "ok": true, "when": "2026-03-01T10:00:00+01:30",
		"tags": []any{"a", "b"}, "big": float64(1 << 63),
	}, snapshot.Metadata)
	assert.Equal(t, int64(15), snapshot.TotalTokensIn)
	assert.True(t, snapshot.EndedAt.Equal(end))
}

func TestWithoutSessionStart(t *testing.T) {
	r := newRecorded(t, nil, agentlens.WithoutSessionStart())
	ctx, _, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	require.NoError(t, r.EndSession(ctx))
	require.Len(t, r.recorder.Ended(), 1)
	root := r.recorder.Ended()[0]
	assert.Empty(t, root.Links())
	assert.Equal(t, map[string]any{
		"gen_ai.operation.name": "invoke_agent", "agentlens.session.status": "completed",
		"agentlens.session.tokens.input": int64(0), "agentlens.session.tokens.output": int64(0),
	}, content(root))
}

// The parent is the span in ctx if it is in the session's trace, else the root.
func TestEventParents(t *testing.T) {
	r := newRecorded(t, nil)
	tracer := r.provider.Tracer("caller")
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	stepCtx, step := tracer.Start(ctx, "step")
	otherCtx, _ := tracer.Start(t.Context(), "other trace")

	_, err = s.Track(stepCtx, "in step")
	require.NoError(t, err)
	_, err = s.Track(otherCtx, "in other")
	require.NoError(t, err)
	_, err = s.Track(t.Context(), "unmeasured")
	require.NoError(t, err)
	require.NoError(t, s.End(ctx))

	root := r.named(t, "invoke_agent agent").SpanContext().SpanID()
	assert.Equal(t, step.SpanContext().SpanID(), r.named(t, "in step").Parent().SpanID())
	assert.Equal(t, root, r.named(t, "in other").Parent().SpanID())
	unmeasured := r.named(t, "unmeasured")
	assert.Equal(t, root, unmeasured.Parent().SpanID())
	assert.Equal(t, unmeasured.StartTime(), unmeasured.EndTime())
}

// The attribute limit takes content, never identity or the outcome.
func TestAttributeLimitSparesIdentity(t *testing.T) {
	limits := sdktrace.NewSpanLimits()
	limits.AttributeCountLimit = 7
	r := newRecorded(t, &limits)
	metadata := map[string]any{}
	for i := range 50 {
		metadata[fmt.Sprint(i)] = i
	}
	ctx, s, err := r.StartSession(t.Context(), "agent", agentlens.WithMetadata(metadata))
	require.NoError(t, err)
	_, err = s.TrackTool(ctx, "tool", 1, 2, agentlens.WithReasoning("r"), agentlens.WithModel("m"), agentlens.WithTokens(1, 2))
	require.NoError(t, err)
	require.NoError(t, s.End(ctx))
	for name, typ := range map[string]string{
		"invoke_agent agent": "session", "agentlens.session.start": "session_start", "execute_tool tool": "tool_call", "decision": "part",
	} {
		span := r.named(t, name)
		requireIdentity(t, span, s.ID(), "agent", typ)
		assert.LessOrEqual(t, len(span.Attributes()), 7, name)
	}
	assert.Equal(t, "completed", content(r.named(t, "invoke_agent agent"))["agentlens.session.status"])
}

// Events say what their spans say, down to the nanosecond, and steps are counted.
func TestEventFields(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))

	e, err := s.TrackTool(ctx, "tool", map[string]int{"a": 1}, nil, agentlens.WithTimestamp(at), agentlens.WithDuration(0),
		agentlens.WithReasoning("first"))
	require.NoError(t, err)
	assert.Equal(t, agentlens.Event{
		ID: e.ID, SessionID: s.ID(), Type: agentlens.EventToolCall, Timestamp: at.UTC(), DurationMS: analysis.Some(1e-6),
		ToolCall: &agentlens.ToolCall{
			ID: e.ToolCall.ID, Name: "tool", Input: json.RawMessage(`{"a":1}`), Timestamp: at.UTC(), DurationMS: analysis.Some(1e-6),
		},
		DecisionTrace: &agentlens.DecisionTrace{ID: e.DecisionTrace.ID, Step: 1, Reasoning: "first", Timestamp: at.UTC()},
	}, e)
	assert.Regexp(t, "^[0-9a-f]{16}$", e.ToolCall.ID)

	e, err = s.Track(ctx, agentlens.EventDecision, agentlens.WithReasoning("second"))
	require.NoError(t, err)
	assert.Equal(t, 2, e.DecisionTrace.Step)
	assert.False(t, e.DurationMS.OK)
	assert.Equal(t, int64(2), s.Summary().Events)
	require.NoError(t, s.End(ctx))
}
