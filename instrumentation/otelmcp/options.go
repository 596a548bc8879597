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

// WithPropagator sets what carries the trace context in params._meta. The
// default is W3C's trace context, without baggage.
func WithPropagator(p propagation.TextMapPropagator) Option { return genaihttp.WithPropagator(p) }
