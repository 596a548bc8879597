package genaihttp

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
)

// Version is the version of the instrumentation scopes.
const Version = "0.1.0"

// Config is what the options of a middleware set.
type Config struct {
	TracerProvider trace.TracerProvider // nil is the session's of each call, else the global one
	MeterProvider  metric.MeterProvider // nil is the global one
	// Capture is what the options say of content; Policy adds the rest.
	Capture capture.Policy
	// OldMetrics also records the metrics under their names up to v1.41.0.
	OldMetrics bool
	// Provider overrides gen_ai.provider.name.
	Provider string
	// Propagator carries the trace context where a protocol has room for it; nil
	// is W3C's trace context, without baggage.
	Propagator propagation.TextMapPropagator

	fromEnv capture.Mode
}

// Option sets something of a Config.
type Option func(*Config)

// NewConfig applies the options to the defaults.
func NewConfig(opts []Option) Config {
	c := Config{Capture: capture.Policy{MaxBytes: maxContent}}
	var ok bool
	if c.fromEnv, ok = capture.FromEnv(); !ok {
		otel.Handle(fmt.Errorf("%s: %q, want %s: no content is captured", capture.Env, os.Getenv(capture.Env), capture.EnvValues))
	}
	if c.fromEnv == capture.Unset {
		c.fromEnv = capture.None
	}
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	return c
}

// Policy returns what is captured of a call in ctx: what the options say, else
// the session of ctx, else capture.Env, else nothing.
func (c *Config) Policy(ctx context.Context) capture.Policy { return c.Capture.In(ctx, c.fromEnv) }

// WithTracerProvider sets where the spans go.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(c *Config) { c.TracerProvider = p }
}

// WithMeterProvider sets where the metrics go.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(c *Config) { c.MeterProvider = p }
}

// WithCapture sets how much of the content goes onto a span.
func WithCapture(mode capture.Mode) Option {
	return func(c *Config) { c.Capture.Mode = mode }
}

// WithRedactor adds redactors.
func WithRedactor(redactors ...capture.Redactor) Option {
	return func(c *Config) {
		for _, r := range redactors {
			if r != nil {
				c.Capture.Redactors = append(c.Capture.Redactors, r)
			}
		}
	}
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

// Tracer returns the tracer of a scope for a span in ctx.
func (c *Config) Tracer(ctx context.Context, scope, schemaURL string) trace.Tracer {
	provider := c.provider(ctx)
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	return provider.Tracer(scope, trace.WithInstrumentationVersion(Version), trace.WithSchemaURL(schemaURL))
}

// provider returns the provider given, else that of the session in ctx; nil is
// the global one.
func (c *Config) provider(ctx context.Context) trace.TracerProvider {
	if c.TracerProvider != nil {
		return c.TracerProvider
	}
	if session, ok := ctx.Value(capture.Key{}).(interface{ TracerProvider() trace.TracerProvider }); ok {
		return session.TracerProvider()
	}
	return nil
}
