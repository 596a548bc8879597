package agentlens

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// MetricNames says which release of the GenAI convention metrics are named by.
type MetricNames string

const (
	// MetricsV141 are the names that most backends know:
	// gen_ai.client.operation.duration, gen_ai.client.token.usage and
	// gen_ai.client.operation.time_to_first_chunk.
	MetricsV141 MetricNames = "v1.41"
	// MetricsLatest are those of the convention's development: inferences under
	// gen_ai.client.inference.*, with token counters beside the histograms, and
	// gen_ai.execute_tool.duration and gen_ai.invoke_agent.duration.
	MetricsLatest MetricNames = "latest"
)

// WithMeterProvider records the GenAI convention's client metrics of what is
// tracked. Without it no metrics are recorded. None has a session id.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return option(func(c *config) error {
		if provider == nil {
			return &FieldError{Field: "WithMeterProvider", Value: nil, Want: "a provider"}
		}
		c.meterProvider = provider
		return nil
	})
}

// WithMetricNames sets by which names metrics are recorded, one or both. The
// default is MetricsV141. The names are disjoint, but for the duration of
// operations that are no inference, which is recorded once.
func WithMetricNames(names ...MetricNames) Option {
	return option(func(c *config) error {
		if len(names) == 0 {
			return &FieldError{Field: "WithMetricNames", Value: "empty", Want: "MetricsV141, MetricsLatest or both"}
		}
		for _, n := range names {
			if n != MetricsV141 && n != MetricsLatest {
				return &FieldError{Field: "WithMetricNames", Value: fmt.Sprintf("%q", n), Want: "MetricsV141, MetricsLatest or both"}
			}
		}
		c.metricNames = names
		return nil
	})
}

// Bucket boundaries of the convention.
var (
	durationBounds = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	agentBounds    = []float64{0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6}
	tokenBounds    = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
)

// metrics are the instruments of a tracker; nil records nothing.
type metrics struct {
	v141, latest bool

	operationDuration, firstChunk metric.Float64Histogram
	tokenUsage                    metric.Int64Histogram

	inferenceDuration, inferenceFirstChunk metric.Float64Histogram
	toolDuration, agentDuration            metric.Float64Histogram
	inputTokens, outputTokens              metric.Int64Histogram
	usage                                  [5]metric.Int64Counter // in the order of usageNames
}

var usageNames = [5]string{
	semconv.MetricInferenceInputTokens, semconv.MetricInferenceOutputTokens,
	semconv.MetricInferenceCacheRead, semconv.MetricInferenceCacheWrite, semconv.MetricInferenceReasoning,
}

func newMetrics(c *config) (*metrics, error) {
	if c.meterProvider == nil {
		return nil, nil
	}
	meter := c.meterProvider.Meter(semconv.ScopeName,
		metric.WithInstrumentationVersion(Version), metric.WithSchemaURL(semconv.GenAISchemaURL))
	var failed error
	keep := func(err error) {
		if failed == nil && err != nil {
			failed = fmt.Errorf("set up metrics: %w", err)
		}
	}
	seconds := func(name, description string, bounds []float64) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(bounds...))
		keep(err)
		return h
	}
	tokens := func(name, description string) metric.Int64Histogram {
		h, err := meter.Int64Histogram(name, metric.WithUnit("{token}"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(tokenBounds...))
		keep(err)
		return h
	}
	m := &metrics{v141: slices.Contains(c.metricNames, MetricsV141), latest: slices.Contains(c.metricNames, MetricsLatest)}
	m.operationDuration = seconds(semconv.MetricOperationDuration, "Duration of GenAI operations", durationBounds)
	if m.v141 {
		m.tokenUsage = tokens(semconv.MetricTokenUsage, "Tokens used by a GenAI operation")
		m.firstChunk = seconds(semconv.MetricOperationFirstChunk, "Time until the first chunk of a streamed answer", durationBounds)
	}
	if m.latest {
		m.inferenceDuration = seconds(semconv.MetricInferenceDuration, "Duration of inferences", durationBounds)
		m.inferenceFirstChunk = seconds(semconv.MetricInferenceFirstChunk, "Time until the first chunk of a streamed answer", durationBounds)
		m.toolDuration = seconds(semconv.MetricExecuteToolDuration, "Duration of tool calls", durationBounds)
		m.agentDuration = seconds(semconv.MetricInvokeAgentDuration, "Duration of the runs of agents", agentBounds)
		m.inputTokens = tokens(semconv.MetricOperationInputTokens, "Input tokens of an inference")
		m.outputTokens = tokens(semconv.MetricOperationOutputTokens, "Output tokens of an inference")
		for i, name := range usageNames {
			var err error
			m.usage[i], err = meter.Int64Counter(name, metric.WithUnit("{token}"), metric.WithDescription("Tokens used by inferences"))
			keep(err)
		}
	}
	return m, failed
}

// record records an event that is over, if it is a request to a model or a tool
// call.
func (m *metrics) record(ctx context.Context, c *eventConfig) {
	if m == nil {
		return
	}
	e := &c.event
	switch {
	case c.isInference():
		m.recordInference(ctx, c)
	case e.Type == EventToolCall && m.latest && e.ToolCall != nil && e.DurationMS.OK:
		attrs := append(make([]attribute.KeyValue, 0, 3),
			attribute.String(semconv.GenAIOperationName, semconv.OperationExecuteTool),
			attribute.String(semconv.GenAIToolName, e.ToolCall.Name))
		m.toolDuration.Record(ctx, e.DurationMS.V/1000, metric.WithAttributes(appendErrorType(attrs, e.Error)...))
	}
}

// recordAgent records a run of an agent.
func (m *metrics) recordAgent(ctx context.Context, agent string, took time.Duration, failure *analysis.Failure) {
	if m == nil || !m.latest {
		return
	}
	attrs := append(make([]attribute.KeyValue, 0, 3),
		attribute.String(semconv.GenAIOperationName, semconv.OperationInvokeAgent),
		attribute.String(semconv.GenAIAgentName, agent))
	m.agentDuration.Record(ctx, took.Seconds(), metric.WithAttributes(appendErrorType(attrs, failure)...))
}

func (m *metrics) recordInference(ctx context.Context, c *eventConfig) {
	e := &c.event
	attrs := append(make([]attribute.KeyValue, 0, 8), attribute.String(semconv.GenAIOperationName, c.operationName()))
	attrs = appendText(attrs, semconv.GenAIProviderName, e.Provider)
	attrs = appendText(attrs, semconv.GenAIRequestModel, e.Model)
	attrs = appendText(attrs, semconv.GenAIResponseModel, e.ResponseModel)
	for _, kv := range c.extra.attrs {
		if kv.Key == semconv.ServerAddress || kv.Key == semconv.ServerPort {
			attrs = append(attrs, kv)
		}
	}
	of := metric.WithAttributes(attrs...)
	withError := metric.WithAttributes(appendErrorType(attrs, e.Error)...)
	isEmbedding := c.operation == semconv.OperationEmbeddings || c.operation == semconv.OperationRetrieval
	if e.DurationMS.OK {
		if m.v141 || isEmbedding {
			m.operationDuration.Record(ctx, e.DurationMS.V/1000, withError)
		}
		if m.latest && !isEmbedding {
			m.inferenceDuration.Record(ctx, e.DurationMS.V/1000, withError)
		}
	}
	if m.v141 {
		m.recordV141(ctx, c, of)
	}
	if m.latest && !isEmbedding {
		m.recordLatest(ctx, c, of, withError)
	}
}

func (m *metrics) recordV141(ctx context.Context, c *eventConfig, of metric.MeasurementOption) {
	e := &c.event
	if e.TokensIn.OK {
		m.tokenUsage.Record(ctx, e.TokensIn.V, of, inputType)
	}
	if e.TokensOut.OK {
		m.tokenUsage.Record(ctx, e.TokensOut.V, of, outputType)
	}
	if c.firstChunkIn > 0 {
		m.firstChunk.Record(ctx, c.firstChunkIn.Seconds(), of)
	}
}

func (m *metrics) recordLatest(ctx context.Context, c *eventConfig, of, withError metric.MeasurementOption) {
	e := &c.event
	if e.TokensIn.OK {
		m.inputTokens.Record(ctx, e.TokensIn.V, withError)
	}
	if e.TokensOut.OK {
		m.outputTokens.Record(ctx, e.TokensOut.V, withError)
	}
	if c.firstChunkIn > 0 {
		m.inferenceFirstChunk.Record(ctx, c.firstChunkIn.Seconds(), of)
	}
	for i, n := range [5]analysis.Opt[int64]{e.TokensIn, e.TokensOut, e.CacheReadTokens, e.CacheWriteTokens, e.ReasoningTokens} {
		if n.OK {
			m.usage[i].Add(ctx, n.V, of, unknownModality)
		}
	}
}

var (
	inputType       = metric.WithAttributes(attribute.String(semconv.GenAITokenType, semconv.TokenTypeInput))
	outputType      = metric.WithAttributes(attribute.String(semconv.GenAITokenType, semconv.TokenTypeOutput))
	unknownModality = metric.WithAttributes(attribute.String(semconv.GenAITokenModality, semconv.TokenModalityUnknown))
)

func appendErrorType(attrs []attribute.KeyValue, failure *analysis.Failure) []attribute.KeyValue {
	if failure == nil {
		return attrs
	}
	return append(attrs[:len(attrs):len(attrs)], attribute.String(semconv.ErrorType, failure.Type))
}
