package agentlens

import (
	"context"
	"sync/atomic"
)

// global is the Tracker of the package's functions, the only global state.
var global atomic.Pointer[Tracker]

// Init returns a new Tracker and stores it for the package's functions. A later
// Init replaces it, without shutting it down; sessions found in a context stay
// with the Tracker that started them. After an error the stored one stays.
//
// Besides the variables that the options name, OpenTelemetry's own hold for the
// exporter that is set up: OTEL_EXPORTER_OTLP_*, OTEL_RESOURCE_ATTRIBUTES,
// OTEL_TRACES_SAMPLER, which leaves out whole sessions, and OTEL_SPAN_* limits.
func Init(ctx context.Context, opts ...Option) (*Tracker, error) {
	t, err := NewTracker(ctx, opts...)
	if err != nil {
		return nil, err
	}
	global.Store(t)
	return t, nil
}

// StartSession starts a session; see Tracker.StartSession.
func StartSession(ctx context.Context, agentName string, opts ...SessionOption) (context.Context, *Session, error) {
	return global.Load().StartSession(ctx, agentName, opts...)
}

// Track records an event; see Tracker.Track.
func Track(ctx context.Context, eventType EventType, opts ...EventOption) (Event, error) {
	return global.Load().Track(ctx, eventType, opts...)
}

// TrackTool records a tool call; see Tracker.TrackTool.
func TrackTool(ctx context.Context, name string, input, output any, opts ...EventOption) (Event, error) {
	return global.Load().TrackTool(ctx, name, input, output, opts...)
}

// Explain tells a session as Markdown; see Tracker.Explain.
func Explain(ctx context.Context, opts ...ExplainOption) (string, error) {
	return global.Load().Explain(ctx, opts...)
}

// EndSession ends a session and delivers what is buffered; see Tracker.EndSession.
func EndSession(ctx context.Context, opts ...EndOption) error {
	return global.Load().EndSession(ctx, opts...)
}

// Flush delivers what is buffered; see Tracker.Flush.
func Flush(ctx context.Context) error { return global.Load().Flush(ctx) }

// Shutdown ends all sessions, delivers what is buffered and stops; see
// Tracker.Shutdown.
func Shutdown(ctx context.Context) error { return global.Load().Shutdown(ctx) }
