package otelmcp

import (
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
)

// Option configures a middleware.
type Option = genaihttp.Option

// Capture says whether arguments and results go onto a span.
type Capture = genaihttp.Capture

// The capture modes. CaptureMetadata is CaptureNone here: names and ids of tools
// are always there.
const (
	CaptureNone     = genaihttp.CaptureNone
	CaptureMetadata = genaihttp.CaptureMetadata
	// CaptureFull writes arguments and results, up to 256 KiB each.
	CaptureFull = genaihttp.CaptureFull
)

// WithTracerProvider sets where the spans go. The default is the global
// provider at the time of each request.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return genaihttp.WithTracerProvider(provider)
}

// WithCapture sets whether arguments and results go onto a span.
func WithCapture(capture Capture) Option { return genaihttp.WithCapture(capture) }

// WithRedactor sets a function that arguments and results, as JSON, go through
// before they go onto a span. When it panics, they are left out.
func WithRedactor(redact func(text string) string) Option { return genaihttp.WithRedactor(redact) }

// WithPropagator sets what carries the trace context in params._meta. The
// default is W3C's trace context, without baggage.
func WithPropagator(p propagation.TextMapPropagator) Option { return genaihttp.WithPropagator(p) }
