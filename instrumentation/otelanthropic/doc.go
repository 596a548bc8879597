// Package otelanthropic writes an OpenTelemetry span for each message that
// github.com/anthropics/anthropic-sdk-go creates, streamed or not.
//
//	client := anthropic.NewClient(option.WithMiddleware(otelanthropic.Middleware()))
//
// The middleware has the signature of the SDK's option.Middleware and imports
// nothing of the SDK, so that it serves every version of it. Give it before
// bedrock.WithConfig or vertex.WithGoogleAuth, which rewrite requests.
//
// # What the caller sees
//
// The same as without it: bodies pass byte for byte as they arrive, errors and
// panics pass as they are, and nothing is sent to the provider that would not be
// sent anyway, no trace context either.
//
// # What the span says
//
// "chat {model}", kind CLIENT, from the request to the end of its answer: the
// last byte, an early Close, the end of the context, an error or a panic. It has
// the attributes of the GenAI convention. gen_ai.usage.input_tokens includes the
// tokens read from and written to the cache, which the API counts beside them.
// Of a stream that ends early the output tokens are absent: what the API says at
// its beginning is no count. The tool calls that an answer asks for are no
// executions of tools, and get no spans.
//
// The SDK calls a middleware once an attempt, so a call that is tried again is
// one span an attempt, with http.request.resend_count from the second on. The
// error.type of an answer of status 400 or more is the status, inside a stream
// the provider's word.
//
// # Beside the SDK's own spans
//
// Recent versions of the SDK write a span of their own when a global
// TracerProvider is registered. When that span goes to the provider that the
// middleware writes to, the middleware adds its attributes to it and starts none,
// so that a call counts once. option.WithoutOpenTelemetry turns the SDK's off.
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
package otelanthropic
