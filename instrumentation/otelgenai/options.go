package otelgenai

import (
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
)

// Option configures the middleware.
type Option = genaihttp.Option

// Capture says how much of the messages goes onto a span.
type Capture = genaihttp.Capture

// The capture modes. The default is what
// OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says (none, metadata, full,
// or the convention's SPAN_ONLY and the like), else CaptureNone.
const (
	// CaptureNone leaves messages out.
	CaptureNone = genaihttp.CaptureNone
	// CaptureMetadata writes roles, kinds of parts, and names and ids of tools,
	// without any content.
	CaptureMetadata = genaihttp.CaptureMetadata
	// CaptureFull writes everything, up to 256 KiB an attribute.
	CaptureFull = genaihttp.CaptureFull
)

// WithTracerProvider sets where the spans go. The default is the global
// provider at the time of each call.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return genaihttp.WithTracerProvider(provider)
}

// WithMeterProvider sets where the metrics go. The default is the global one.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return genaihttp.WithMeterProvider(provider)
}

// WithOldMetrics also records the metrics under their names up to v1.41.0 of
// the convention, such as gen_ai.client.token.usage.
func WithOldMetrics() Option { return genaihttp.WithOldMetrics() }

// WithCapture sets how much of the messages goes onto a span.
func WithCapture(capture Capture) Option { return genaihttp.WithCapture(capture) }

// WithRedactor sets a function that returns what goes onto a span in place of a
// text: it gets the attribute, the key of the innermost JSON member that holds
// the text, and the text. An error or a panic drops the whole content of the
// attribute, which agentlens.content.dropped then names. For that of agentlens:
//
//	func(attribute, key, text string) (string, error) {
//		return agentlens.RedactSecrets(agentlens.Content{Attribute: attribute, Key: key, Text: text})
//	}
func WithRedactor(redact func(attribute, key, text string) (string, error)) Option {
	return genaihttp.WithRedactor(redact)
}

// WithProviderName sets gen_ai.provider.name. The default is told by the host.
func WithProviderName(name string) Option { return genaihttp.WithProviderName(name) }
