package genaihttp

import (
	"os"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Version is the version of the instrumentation scopes.
const Version = "0.1.0"

// CaptureEnv names the environment variable that sets the default Capture.
const CaptureEnv = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

// Capture says how much of the messages goes onto a span.
type Capture uint8

const (
	// CaptureNone: nothing of them.
	CaptureNone Capture = iota
	// CaptureMetadata: roles, kinds of parts, names and ids of tools; no text,
	// no arguments, no results.
	CaptureMetadata
	// CaptureFull: all of it, up to 256 KiB an attribute.
	CaptureFull
)

// CaptureFromEnv returns what CaptureEnv says, CaptureNone when it says nothing
// that is known. EVENT_ONLY is none: the middlewares write no events.
func CaptureFromEnv() Capture {
	switch strings.ToLower(os.Getenv(CaptureEnv)) {
	case "full", "true", "1", "span_only", "span_and_event":
		return CaptureFull
	case "metadata":
		return CaptureMetadata
	default:
		return CaptureNone
	}
}

// Config is what the options of a middleware set.
type Config struct {
	TracerProvider trace.TracerProvider // nil is the global one at the time of each call
	MeterProvider  metric.MeterProvider // nil is the global one
	Capture        Capture
	// Redact returns what goes onto the span in place of a text: the attribute,
	// the key of the innermost member that holds the text, and the text. An
	// error or a panic drops the content of the attribute.
	Redact Redactor
	// OldMetrics also records the metrics under their names up to v1.41.0.
	OldMetrics bool
	// Provider overrides gen_ai.provider.name.
	Provider string
	// Propagator carries the trace context where a protocol has room for it; nil
	// is W3C's trace context, without baggage.
	Propagator propagation.TextMapPropagator
}

// Option sets something of a Config.
type Option func(*Config)

// NewConfig applies the options to the defaults.
func NewConfig(opts []Option) Config {
	c := Config{Capture: CaptureFromEnv()}
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	return c
}

// WithTracerProvider sets where the spans go.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(c *Config) { c.TracerProvider = p }
}

// WithMeterProvider sets where the metrics go.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(c *Config) { c.MeterProvider = p }
}

// WithCapture sets how much of the messages goes onto a span.
func WithCapture(capture Capture) Option {
	return func(c *Config) { c.Capture = capture }
}

// Redactor is the type of Config.Redact.
type Redactor = func(attribute, key, text string) (string, error)

// WithRedactor sets Config.Redact.
func WithRedactor(redact Redactor) Option {
	return func(c *Config) { c.Redact = redact }
}

// WithProviderName sets gen_ai.provider.name.
func WithProviderName(name string) Option {
	return func(c *Config) { c.Provider = name }
}

// WithOldMetrics also records the metrics under their names up to v1.41.0.
func WithOldMetrics() Option {
	return func(c *Config) { c.OldMetrics = true }
}

// WithPropagator sets what carries the trace context.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(c *Config) { c.Propagator = p }
}

// Tracer returns the tracer of a scope.
func (c *Config) Tracer(scope, schemaURL string) trace.Tracer {
	provider := c.TracerProvider
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	return provider.Tracer(scope, trace.WithInstrumentationVersion(Version), trace.WithSchemaURL(schemaURL))
}
