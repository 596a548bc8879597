// Package agentlens records what an AI agent does as OpenTelemetry spans: its
// sessions, LLM calls, tool calls, decisions and errors.
//
// Init connects to an OTLP endpoint, usually the AgentLens collector.
// StartSession begins a session, Track and TrackTool record what has happened
// in it, Explain tells it as Markdown, EndSession ends it and delivers what is
// still buffered. The functions work on the Tracker that Init stored; the same
// are methods on Tracker and on Session.
//
// A session is one trace. Its root span is "invoke_agent {agent}", and every
// event is a child span with the attributes of OpenTelemetry's GenAI convention
// where it has them, and agentlens.* where it has not. So any tracing backend
// shows the sessions, and the AgentLens collector analyses them. Nothing global
// of OpenTelemetry is read or set.
//
// # Which session
//
// A call that takes a session finds it by WithSessionID, else in its context
// (StartSession returns one that holds the session), else takes the session
// that was started last and is still active.
//
// # What can go wrong
//
// No function panics, and none blocks longer than its context. Bad input is an
// error that names the field: a *FieldError for a negative token count, or a
// duration that is negative or not a number. The others are ErrNotInitialized,
// ErrShutdown, ErrNoSession, ErrSessionNotFound and ErrSessionEnded. Spans that
// could not be delivered are counted, logged at most once a minute, and told by
// Flush, EndSession and Shutdown as a *LostSpansError.
//
// The package imports analysis, semconv and OpenTelemetry's API, SDK and
// OTLP/HTTP exporter, and nothing of the collector. Agents import it.
package agentlens
