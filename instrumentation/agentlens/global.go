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

// StartLLM starts a request to a model; see Session.StartLLM. Before Init, and
// without a session in ctx, the span is nil and the caller's code runs the same.
func StartLLM(ctx context.Context, provider, model string, opts ...EventOption) (context.Context, *Span) {
	return global.Load().StartLLM(ctx, provider, model, opts...)
}

// StartTool starts a tool call; see Session.StartTool.
func StartTool(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	return global.Load().StartTool(ctx, name, opts...)
}

// StartDecision starts a decision; see Session.StartDecision.
func StartDecision(ctx context.Context, opts ...EventOption) (context.Context, *Span) {
	return global.Load().StartDecision(ctx, opts...)
}

// StartStep starts a step of the agent's work; see Session.StartStep.
func StartStep(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	return global.Load().StartStep(ctx, name, opts...)
}

// StartAgent starts the work of a sub-agent; see Session.StartAgent.
func StartAgent(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	return global.Load().StartAgent(ctx, name, opts...)
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
