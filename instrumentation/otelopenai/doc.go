// Package otelopenai writes an OpenTelemetry span for each call that
// github.com/openai/openai-go makes to a model: chat completions, responses,
// completions and embeddings, streamed or not. Realtime sessions do not go
// through the SDK's middlewares, so there are no spans of them: trace those with
// agentlens's StartLLM.
//
//	client := openai.NewClient(option.WithMiddleware(otelopenai.Middleware()))
//
// The middleware has the signature of the SDK's option.Middleware and imports
// nothing of the SDK, so that it serves every version of it.
//
// # What the caller sees
//
// The same as without it: bodies pass byte for byte as they arrive, errors and
// panics pass as they are, and nothing is sent to the provider that would not be
// sent anyway, no trace context either. The SDK does not replay a request body
// after refreshing an X.509 workload identity when any middleware is installed.
//
// # What the span says
//
// "chat {model}", kind CLIENT, from the request to the end of its answer: the
// last byte, an early Close, the end of the context, an error or a panic. It has
// the attributes of the GenAI convention. What the provider does not say is
// absent: to have the usage of a streamed chat completion, ask for it with
// stream_options.include_usage. The tool calls that an answer asks for are no
// executions of tools, and get no spans.
//
// A response that was made before, such as one in the background, is fetched in
// a span "fetch_response": with its status and finish reason, also when the
// response has failed and the fetch has not, and without its tokens, which the
// convention leaves to the call that made it. What is made in the background
// tells no tokens at its creation, so they are not told at all.
//
// The SDK calls a middleware once an attempt, so a call that is tried again is
// one span an attempt, with http.request.resend_count from the second on. The
// error.type of an answer of status 400 or more is the status, inside a stream
// the provider's code.
//
// The span of a call in an agentlens session goes where the session's go, and
// joins it; others go to the global TracerProvider. WithTracerProvider says
// otherwise. A provider of one's own needs agentlens's span processor for spans
// to join a session.
// A call inside agentlens's StartLLM adds its attributes to that span and starts
// none.
//
// # Content
//
// Messages are captured as WithCapture says. Without it, a call in an
// agentlens session is captured as its tracker, session or live span was told
// to, with the redactors of its tracker; else
// OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT decides, and nothing is
// captured without it.
package otelopenai
