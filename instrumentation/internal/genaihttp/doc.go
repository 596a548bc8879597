// Package genaihttp writes the span of a call to a model that goes over HTTP.
// It is what otelopenai, otelanthropic and otelgenai have in common.
//
// An Instrument stands between a client and its transport. It reads the request
// before it goes out and the answer as the caller reads it, byte for byte and
// without holding anything back; a Reader of the provider's package says what
// the JSON means. JSON and event streams are split as they arrive and only the
// selected members are kept, so that memory is bounded whatever the size of an
// answer. A panic or an error in here never reaches the caller.
//
// All of it is done within the caller's Read, so it has to be little: what is in
// each event of a stream is read with a Cursor, without an allocation, and
// encoding/json decodes the rest. BenchmarkStream says what a stream costs:
//
//	go test ./instrumentation/... -run '^$' -bench Stream
//
// It imports analysis, semconv and OpenTelemetry's API; no SDK of a provider.
package genaihttp
