// Package agentlens records what an AI agent does as OpenTelemetry spans: its
// sessions, LLM calls, tool calls, decisions and errors.
//
// Init connects to an OTLP endpoint, usually the AgentLens collector.
// StartSession begins a session, Track and TrackTool record what has happened
// in it, Explain tells it as Markdown, EndSession ends it and delivers what is
// still buffered. The functions work on the Tracker that Init stored; the same
// are methods on Tracker and on Session.
//
// What happens over time is recorded live: StartLLM, StartTool, StartDecision,
// StartStep and StartAgent return a context and a Span, whose setters say what
// it turns out to be and whose End records it. WrapTool and WrapAgent do that
// for a function.
//
//	ctx, call := session.StartLLM(ctx, "openai", "gpt-4o")
//	defer call.EndWith(&err)
//
// A session is one trace. Its root span is "invoke_agent {agent}", and every
// event is a child span with the attributes of OpenTelemetry's GenAI convention
// where it has them, and agentlens.* where it has not. So any tracing backend
// shows the sessions, and the AgentLens collector analyses them. Nothing global
// of OpenTelemetry is read or set.
//
// # Goroutines and processes
//
// The context carries the session and the span; what gets it nests under them,
// in whatever goroutine. Detach keeps both for work that outlives a request,
// WithLinks ties a span to those it joins. A provider with NewSpanProcessor, as
// that of Init is, stamps the session on the spans of other libraries too.
// Trace context propagates as ever; WithBaggage sends the session along.
// Summary, Snapshot and Explain know what went through this package, not what
// other libraries write: that the collector knows.
//
// # Content and privacy
//
// Inputs, outputs, messages and reasoning that are handed over are captured
// unless WithCapture, or OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
// says otherwise. WithRedactor sees them first; RedactSecrets is one.
// WithMaxContentBytes bounds them. What these say holds for the spans of the
// middlewares too, in a context of the session; when nobody says what to
// capture, middlewares take no content.
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
// Flush, EndSession and Shutdown as a *LostSpansError. What a live span cannot
// return as an error is counted in Stats and logged.
//
// The package imports analysis, semconv and OpenTelemetry's API, SDK and
// OTLP/HTTP exporter, and nothing of the collector. Agents import it.
package agentlens
