package agentlens_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// benchmark is an LLM call recorded in four ways, with the same attributes: by
// Track and by hand after it was over, and live and by hand while it runs.
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
			attribute.String(semconv.SessionID, "0123456789abcdef"),
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
	_, span := b.tracer.Start(b.ctx, "chat "+b.model, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String(semconv.SessionID, "0123456789abcdef"),
			attribute.String(semconv.GenAIAgentName, "agent"),
			attribute.String(semconv.EventType, "llm_call"),
			attribute.String(semconv.GenAIOperationName, semconv.OperationChat),
			attribute.String(semconv.GenAIProviderName, "openai"),
			attribute.String(semconv.GenAIRequestModel, b.model),
		))
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

// liveContent is live with messages, which capture none does not record.
func (b *benchmark) liveContent() {
	_, call := b.s.StartLLM(b.ctx, "openai", b.model)
	call.SetInputMessages(conversation...)
	call.SetTokens(1200, 350)
	call.SetResponse("resp-1", b.model)
	call.SetOutputMessages(conversation...)
	call.End()
}

var conversation = []agentlens.Message{agentlens.TextMessage("user", "What is the weather in Oslo?")}

// The four side by side, in one run.
func BenchmarkLLMCall(b *testing.B) {
	for _, c := range []struct {
		name string
		with func(*benchmark)
		how  sdktrace.Sampler
		mode agentlens.CaptureMode
	}{
		{"Track/AgentLens", (*benchmark).track, sdktrace.AlwaysSample(), agentlens.CaptureFull},
		{"Track/ByHand", (*benchmark).trackByHand, sdktrace.AlwaysSample(), agentlens.CaptureFull},
		{"Live/AgentLens", (*benchmark).live, sdktrace.AlwaysSample(), agentlens.CaptureFull},
		{"Live/ByHand", (*benchmark).liveByHand, sdktrace.AlwaysSample(), agentlens.CaptureFull},
		{"LiveNotSampled/AgentLens", (*benchmark).live, sdktrace.NeverSample(), agentlens.CaptureFull},
		{"LiveNotSampled/ByHand", (*benchmark).liveByHand, sdktrace.NeverSample(), agentlens.CaptureFull},
		{"LiveMessages/Full", (*benchmark).liveContent, sdktrace.AlwaysSample(), agentlens.CaptureFull},
		{"LiveMessages/None", (*benchmark).liveContent, sdktrace.AlwaysSample(), agentlens.CaptureNone},
	} {
		b.Run(c.name, func(b *testing.B) {
			bench := newBenchmark(b, c.how, nil, agentlens.WithCapture(c.mode))
			b.ReportAllocs()
			for b.Loop() {
				c.with(bench)
			}
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
	none := newBenchmark(t, sdktrace.AlwaysSample(), nil, agentlens.WithCapture(agentlens.CaptureNone))
	assert.LessOrEqual(t, allocs(none, (*benchmark).liveContent), allocs(none, (*benchmark).liveByHand), "capture none")
	on := newBenchmark(t, sdktrace.AlwaysSample(), nil)
	assert.LessOrEqual(t, allocs(on, (*benchmark).live), allocs(on, (*benchmark).liveByHand), "live")
}
