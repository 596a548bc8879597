package otelmcp

import (
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// durationBounds are those of the convention, in seconds.
var durationBounds = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300}

// newDuration returns the histogram of the requests of one side.
func newDuration(c *genaihttp.Config, name, description string) metric.Float64Histogram {
	provider := c.MeterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	meter := provider.Meter(ScopeName, metric.WithInstrumentationVersion(genaihttp.Version), metric.WithSchemaURL(semconv.GenAISchemaURL))
	h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(durationBounds...))
	if err != nil {
		otel.Handle(err)
	}
	return h
}

// record adds a request that has ended. The ids of sessions and the URIs of
// resources make no labels: there is no end of them.
func (s *request) record() {
	duration := s.config.duration
	if !duration.Enabled(s.ctx) {
		return
	}
	attrs := make([]attribute.KeyValue, 0, len(s.attrs)+2)
	for _, kv := range s.attrs {
		if kv.Key != semconv.MCPSessionID && kv.Key != semconv.MCPResourceURI {
			attrs = append(attrs, kv)
		}
	}
	if s.code != "" {
		attrs = append(attrs, attribute.String(semconv.RPCResponseStatus, s.code))
	}
	if s.errorType != "" {
		attrs = append(attrs, attribute.String(semconv.ErrorType, s.errorType))
	}
	duration.Record(s.ctx, time.Since(s.start).Seconds(), metric.WithAttributes(attrs...))
}
