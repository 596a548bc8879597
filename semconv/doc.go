// Package semconv holds every attribute key, span name, event name and metric
// name that AgentLens writes or reads under its own or OpenTelemetry's names.
//
// The GenAI keys are constants of our own: the Go semconv packages carry GenAI
// keys only up to v1.41.0, and the convention has since moved on. A table test
// holds the shared subset against go.opentelemetry.io/otel/semconv/v1.41.0.
// Keys that belong to one foreign dialect live with that dialect's reader in
// internal/spanevent.
//
// The package imports nothing. The SDK, internal/spanevent, the processor and
// the exporter use it.
package semconv
