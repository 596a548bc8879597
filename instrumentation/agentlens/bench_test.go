package agentlens_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// benchmark records calls of a model in a session, and by hand beside it.
type benchmark struct {
	ctx    context.Context
	s      *agentlens.Session
	tracer trace.Tracer
	// model is no constant, so that the span's name is none.
	model string
}

func newBenchmark(t testing.TB, sampler sdktrace.Sampler, with []sdktrace.TracerProviderOption, opts ...agentlens.Option) *benchmark {
	provider := sdktrace.NewTracerProvider(append(with, sdktrace.WithSampler(sampler))...)
	t.Cleanup(func() { _ = provider.Shutdown(context.WithoutCancel(t.Context())) })
	tracker, err := agentlens.NewTracker(t.Context(), append(opts, agentlens.WithTracerProvider(provider))...)
	require.NoError(t, err)
	b := &benchmark{tracer: provider.Tracer("hand"), model: strings.Clone("gpt-4o")}
	b.ctx, b.s, err = tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	return b
}

// pair is a call recorded by AgentLens and by hand, with the same spans.
type pair struct {
	name         string
	with, byHand func(*benchmark)
}

var pairs = []pair{
	{"Track", (*benchmark).track, (*benchmark).trackByHand},
	{"Live", (*benchmark).live, (*benchmark).liveByHand},
	{"TrackContent", (*benchmark).trackContent, (*benchmark).trackContentByHand},
	{"LiveContent", (*benchmark).liveContent, (*benchmark).liveContentByHand},
}

func (b *benchmark) track() {
	_, err := b.s.Track(b.ctx, agentlens.EventLLMCall, agentlens.WithModel(b.model), agentlens.WithProvider("openai"),
		agentlens.WithTokens(1200, 350), agentlens.WithDuration(time.Second))
	if err != nil {
		panic(err)
	}
}

func (b *benchmark) trackByHand() {
	end := time.Now()
	_, span := b.tracer.Start(b.ctx, "chat "+b.model,
		trace.WithTimestamp(end.Add(-time.Second)), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String(semconv.SessionID, b.s.ID()),
			attribute.String(semconv.GenAIAgentName, "agent"),
			attribute.String(semconv.EventType, "llm_call"),
			attribute.String(semconv.GenAIOperationName, semconv.OperationChat),
			attribute.String(semconv.GenAIProviderName, "openai"),
			attribute.String(semconv.GenAIRequestModel, b.model),
			attribute.Int64(semconv.GenAIUsageInputTokens, 1200),
			attribute.Int64(semconv.GenAIUsageOutputTokens, 350),
		))
	span.End(trace.WithTimestamp(end))
}

func (b *benchmark) live() {
	_, call := b.s.StartLLM(b.ctx, "openai", b.model)
	call.SetTokens(1200, 350)
	call.SetResponse("resp-1", b.model)
	call.End()
}

func (b *benchmark) liveByHand() {
	_, span := b.startByHand()
	if span.IsRecording() {
		span.SetAttributes(
			attribute.Int64(semconv.GenAIUsageInputTokens, 1200),
			attribute.Int64(semconv.GenAIUsageOutputTokens, 350),
			attribute.String(semconv.GenAIResponseID, "resp-1"),
			attribute.String(semconv.GenAIResponseModel, b.model),
		)
	}
	span.End()
}

func (b *benchmark) startByHand() (context.Context, trace.Span) {
	return b.tracer.Start(b.ctx, "chat "+b.model, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String(semconv.SessionID, b.s.ID()),
			attribute.String(semconv.GenAIAgentName, "agent"),
			attribute.String(semconv.EventType, "llm_call"),
			attribute.String(semconv.GenAIOperationName, semconv.OperationChat),
			attribute.String(semconv.GenAIProviderName, "openai"),
			attribute.String(semconv.GenAIRequestModel, b.model),
		))
}

var (
	prompt = map[string]any{"prompt": "What is the weather in Oslo?", "temperature": 0.2}
	reply  = map[string]any{"text": "Cold & bright."}
)

const reasoning = "The tool knows the weather; the user's city is given."

// trackContent is track with content, and with a reason, which is a child span
// too.
func (b *benchmark) trackContent() {
	_, err := b.s.Track(b.ctx, agentlens.EventLLMCall, agentlens.WithModel(b.model), agentlens.WithProvider("openai"),
		agentlens.WithTokens(1200, 350), agentlens.WithDuration(time.Second),
		agentlens.WithInput(prompt), agentlens.WithOutput(reply),
		agentlens.WithDecision(agentlens.DecisionTrace{ID: "0123456789abcdef", Step: 1, Reasoning: reasoning}))
	if err != nil {
		panic(err)
	}
}

func (b *benchmark) trackContentByHand() {
	end := time.Now()
	ctx, span := b.tracer.Start(b.ctx, "chat "+b.model,
		trace.WithTimestamp(end.Add(-time.Second)), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String(semconv.SessionID, b.s.ID()),
			attribute.String(semconv.GenAIAgentName, "agent"),
			attribute.String(semconv.EventType, "llm_call"),
			attribute.String(semconv.GenAIOperationName, semconv.OperationChat),
			attribute.String(semconv.GenAIProviderName, "openai"),
			attribute.String(semconv.GenAIRequestModel, b.model),
			attribute.Int64(semconv.GenAIUsageInputTokens, 1200),
			attribute.Int64(semconv.GenAIUsageOutputTokens, 350),
			attribute.String(semconv.DecisionID, "0123456789abcdef"),
			attribute.Int(semconv.DecisionStep, 1),
			attribute.String(semconv.DecisionReasoning, reasoning),
			attribute.String(semconv.EventInput, encoded(prompt)),
			attribute.String(semconv.EventOutput, encoded(reply)),
		))
	_, part := b.tracer.Start(ctx, semconv.SpanDecision, trace.WithTimestamp(end), trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(
			attribute.String(semconv.SessionID, b.s.ID()),
			attribute.String(semconv.GenAIAgentName, "agent"),
			attribute.String(semconv.EventType, semconv.EventTypePart),
			attribute.String(semconv.DecisionID, "0123456789abcdef"),
			attribute.Int(semconv.DecisionStep, 1),
			attribute.String(semconv.DecisionReasoning, reasoning),
		))
	part.End(trace.WithTimestamp(end))
	span.End(trace.WithTimestamp(end))
}

var conversation = []agentlens.Message{agentlens.TextMessage("user", "What is the weather in Oslo?")}

// liveContent is live with messages, which capture none does not record.
func (b *benchmark) liveContent() {
	_, call := b.s.StartLLM(b.ctx, "openai", b.model)
	call.SetInputMessages(conversation...)
	call.SetTokens(1200, 350)
	call.SetResponse("resp-1", b.model)
	call.SetOutputMessages(conversation...)
	call.End()
}

func (b *benchmark) liveContentByHand() {
	_, span := b.startByHand()
	if span.IsRecording() {
		span.SetAttributes(
			attribute.Int64(semconv.GenAIUsageInputTokens, 1200),
			attribute.Int64(semconv.GenAIUsageOutputTokens, 350),
			attribute.String(semconv.GenAIResponseID, "resp-1"),
			attribute.String(semconv.GenAIResponseModel, b.model),
			attribute.String(semconv.GenAIInputMessages, encoded(conversation)),
			attribute.String(semconv.GenAIOutputMessages, encoded(conversation)),
		)
	}
	span.End()
}

// encoded returns the JSON of v as AgentLens writes it: "<" and "&" as they are.
func encoded(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// What is compared is the same: names, kinds, attributes and child spans.
func TestPairsAreTheSame(t *testing.T) {
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			rec := tracetest.NewSpanRecorder()
			b := newBenchmark(t, sdktrace.AlwaysSample(), []sdktrace.TracerProviderOption{sdktrace.WithSpanProcessor(rec)})
			written := func(f func(*benchmark)) map[string]any {
				rec.Reset()
				f(b)
				spans := map[string]any{}
				for _, span := range rec.Ended() {
					spans[span.SpanKind().String()+" "+span.Name()] = attribute.NewSet(span.Attributes()...)
				}
				return spans
			}
			with := written(p.with)
			assert.Equal(t, written(p.byHand), with)
			assert.NotEmpty(t, with)
		})
	}
}

// What is not recorded costs no allocation beyond those of a span by hand.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocs := func(b *benchmark, f func(*benchmark)) float64 {
		for range 2 * agentlens.DefaultMaxEvents { // until memory for events grows no more
			f(b)
		}
		return testing.AllocsPerRun(1000, func() { f(b) })
	}
	off := newBenchmark(t, sdktrace.NeverSample(), nil)
	assert.LessOrEqual(t, allocs(off, (*benchmark).live), allocs(off, (*benchmark).liveByHand), "not sampled")
	assert.LessOrEqual(t, allocs(off, (*benchmark).liveContent), allocs(off, (*benchmark).liveContentByHand), "not sampled, with content")
	assert.LessOrEqual(t, allocs(off, (*benchmark).track), allocs(off, (*benchmark).trackByHand), "not sampled, tracked")
	none := newBenchmark(t, sdktrace.AlwaysSample(), nil, agentlens.WithCapture(agentlens.CaptureNone))
	assert.LessOrEqual(t, allocs(none, (*benchmark).liveContent), allocs(none, (*benchmark).liveByHand), "capture none")
	on := newBenchmark(t, sdktrace.AlwaysSample(), nil)
	assert.LessOrEqual(t, allocs(on, (*benchmark).live), allocs(on, (*benchmark).liveByHand), "live")
	assert.LessOrEqual(t, allocs(on, (*benchmark).track), allocs(on, (*benchmark).trackByHand), "tracked")
}
