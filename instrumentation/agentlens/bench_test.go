package agentlens_test

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// BenchmarkTrack compares an LLM call that is tracked with a span written by
// hand that has the same attributes.
func BenchmarkTrack(b *testing.B) {
	provider := sdktrace.NewTracerProvider()
	b.Run("Track", func(b *testing.B) {
		tracker, err := agentlens.NewTracker(b.Context(), agentlens.WithTracerProvider(provider))
		if err != nil {
			b.Fatal(err)
		}
		ctx, s, err := tracker.StartSession(b.Context(), "agent")
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Track(ctx, agentlens.EventLLMCall, agentlens.WithModel("gpt-4o"), agentlens.WithProvider("openai"),
				agentlens.WithTokens(1200, 350), agentlens.WithDuration(time.Second)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Span", func(b *testing.B) {
		tracer := provider.Tracer("hand")
		ctx, _ := tracer.Start(b.Context(), "invoke_agent agent")
		model := strings.Clone("gpt-4o") // so that the span's name is not a constant
		b.ReportAllocs()
		for b.Loop() {
			end := time.Now()
			_, span := tracer.Start(ctx, "chat "+model,
				trace.WithTimestamp(end.Add(-time.Second)), trace.WithSpanKind(trace.SpanKindClient),
				trace.WithAttributes(
					attribute.String(semconv.SessionID, "0123456789abcdef"),
					attribute.String(semconv.GenAIAgentName, "agent"),
					attribute.String(semconv.EventType, "llm_call"),
					attribute.String(semconv.GenAIOperationName, semconv.OperationChat),
					attribute.String(semconv.GenAIProviderName, "openai"),
					attribute.String(semconv.GenAIRequestModel, model),
					attribute.Int64(semconv.GenAIUsageInputTokens, 1200),
					attribute.Int64(semconv.GenAIUsageOutputTokens, 350),
				))
			span.End(trace.WithTimestamp(end))
		}
	})
}
