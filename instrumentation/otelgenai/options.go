package otelgenai

import (
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
)

// Option configures the middleware.
type Option = genaihttp.Option

// CaptureMode says how much of the content goes onto a span: of messages,
// instructions, tool definitions and what tools are called with. It is that of
// package agentlens.
type CaptureMode = capture.Mode

// The capture modes. The default is what the live span, session or tracker
// around the call was told, then what
// OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says (none, metadata, full,
// or the convention's SPAN_ONLY and the like), else CaptureNone.
const (
	// CaptureNone leaves content out.
	CaptureNone = capture.None
	// CaptureMetadata writes how much content there was: under the key of its
	// attribute with ".bytes" its length in bytes of JSON.
	CaptureMetadata = capture.Metadata
	// CaptureFull writes the content, up to 256 KiB an attribute.
	CaptureFull = capture.Full
)

// WithTracerProvider sets where the spans go. The default is the provider of the
// agentlens session that a call is made in, else the global one at that time.
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

// WithCapture sets how much of the content goes onto a span, whatever a session
// says.
func WithCapture(mode CaptureMode) Option { return genaihttp.WithCapture(mode) }

// WithRedactor adds redactors, which see every text of the content, and the
// messages of errors, before they go onto a span: RedactSecrets, that of package
// agentlens, or one of your own. In an agentlens session they come after those
// of its tracker. An error or a panic drops the whole content of the attribute,
// which agentlens.content.dropped then names.
func WithRedactor(redactors ...Redactor) Option { return genaihttp.WithRedactor(redactors...) }

// Redactor returns what is captured in place of a text. It is that of package
// agentlens.
type Redactor = capture.Redactor

// Content is what a Redactor is given: Attribute is the key of the attribute,
// Key that of the innermost JSON member that holds the text, Text the text.
type Content = capture.Content

// RedactSecrets is a Redactor for secrets and personal numbers in known forms;
// see that of package agentlens.
func RedactSecrets(c Content) (string, error) { return capture.RedactSecrets(c) }

// WithProviderName sets gen_ai.provider.name. The default is told by the host.
func WithProviderName(name string) Option { return genaihttp.WithProviderName(name) }
