package genaihttp

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// The bounds that the convention gives for durations (s) and token counts.
var (
	durationBounds = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	tokenBounds    = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
)

// metrics are the instruments of one middleware.
type metrics struct {
	duration, firstChunk           metric.Float64Histogram // of inferences
	otherDuration                  metric.Float64Histogram // of embeddings and the like
	input, output                  metric.Int64Counter
	cacheRead, cacheWrite, thought metric.Int64Counter
	perCallInput, perCallOutput    metric.Int64Histogram

	// The names up to v1.41.0; nil unless asked for.
	oldFirstChunk metric.Float64Histogram
	oldTokens     metric.Int64Histogram
	old           bool
}

func newMetrics(c *Config, scope string) *metrics {
	provider := c.MeterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	meter := provider.Meter(scope, metric.WithInstrumentationVersion(Version), metric.WithSchemaURL(semconv.GenAISchemaURL))
	seconds := func(name string) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(durationBounds...))
		if err != nil {
			otel.Handle(err)
		}
		return h
	}
	tokens := func(name string) metric.Int64Histogram {
		h, err := meter.Int64Histogram(name, metric.WithUnit("{token}"), metric.WithExplicitBucketBoundaries(tokenBounds...))
		if err != nil {
			otel.Handle(err)
		}
		return h
	}
	counter := func(name string) metric.Int64Counter {
		n, err := meter.Int64Counter(name, metric.WithUnit("{token}"))
		if err != nil {
			otel.Handle(err)
		}
		return n
	}
	m := &metrics{
		duration:      seconds(semconv.MetricInferenceDuration),
		firstChunk:    seconds(semconv.MetricInferenceFirstChunk),
		otherDuration: seconds(semconv.MetricOperationDuration),
		input:         counter(semconv.MetricInferenceInputTokens),
		output:        counter(semconv.MetricInferenceOutputTokens),
		cacheRead:     counter(semconv.MetricInferenceCacheRead),
		cacheWrite:    counter(semconv.MetricInferenceCacheWrite),
		thought:       counter(semconv.MetricInferenceReasoning),
		perCallInput:  tokens(semconv.MetricOperationInputTokens),
		perCallOutput: tokens(semconv.MetricOperationOutputTokens),
		old:           c.OldMetrics,
	}
	if m.old {
		m.oldFirstChunk = seconds(semconv.MetricOperationFirstChunk)
		m.oldTokens = tokens(semconv.MetricTokenUsage)
	}
	return m
}

func (m *metrics) enabled(ctx context.Context) bool { return m.duration.Enabled(ctx) }

// record adds a call that has ended.
func (m *metrics) record(op *operation) {
	ctx, call := op.ctx, op.call
	if ctx == nil || !m.enabled(ctx) {
		return
	}
	attrs := make([]attribute.KeyValue, 0, 8)
	attrs = append(attrs,
		attribute.String(semconv.GenAIOperationName, call.Operation),
		attribute.String(semconv.GenAIProviderName, call.Provider))
	if call.Model != "" {
		attrs = append(attrs, attribute.String(semconv.GenAIRequestModel, call.Model))
	}
	if call.ResponseModel != "" {
		attrs = append(attrs, attribute.String(semconv.GenAIResponseModel, call.ResponseModel))
	}
	attrs = append(attrs, op.server...)
	withError := attrs[:len(attrs):len(attrs)]
	if call.ErrorType != "" {
		withError = append(withError, attribute.String(semconv.ErrorType, call.ErrorType))
	}
	labels, failed := metric.WithAttributes(attrs...), metric.WithAttributes(withError...)
	took := time.Since(op.start).Seconds()
	inference := !call.Apart && call.Operation != semconv.OperationEmbeddings

	if inference {
		m.duration.Record(ctx, took, failed)
	}
	if m.old || !inference {
		m.otherDuration.Record(ctx, took, failed)
	}
	if op.streamed && op.firstChunk > 0 && inference {
		m.firstChunk.Record(ctx, op.firstChunk.Seconds(), labels)
		if m.old {
			m.oldFirstChunk.Record(ctx, op.firstChunk.Seconds(), labels)
		}
	}
	if m.old {
		m.recordOldTokens(ctx, attrs, "input", call.Usage.Input)
		m.recordOldTokens(ctx, attrs, "output", call.Usage.Output)
	}
	if !inference {
		return
	}
	modality := metric.WithAttributes(attribute.String(semconv.GenAITokenModality, "unknown"))
	add := func(c metric.Int64Counter, n analysis.Opt[int64]) {
		if n.OK {
			c.Add(ctx, n.V, labels, modality)
		}
	}
	add(m.input, call.Usage.Input)
	add(m.output, call.Usage.Output)
	add(m.cacheRead, call.Usage.CacheRead)
	add(m.cacheWrite, call.Usage.CacheWrite)
	add(m.thought, call.Usage.Reasoning)
	if n := call.Usage.Input; n.OK {
		m.perCallInput.Record(ctx, n.V, failed)
	}
	if n := call.Usage.Output; n.OK {
		m.perCallOutput.Record(ctx, n.V, failed)
	}
}

func (m *metrics) recordOldTokens(ctx context.Context, attrs []attribute.KeyValue, kind string, n analysis.Opt[int64]) {
	if n.OK {
		m.oldTokens.Record(ctx, n.V, metric.WithAttributes(append(attrs[:len(attrs):len(attrs)], attribute.String(semconv.GenAITokenType, kind))...))
	}
}
