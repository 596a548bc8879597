// Package otelgenai writes an OpenTelemetry span for each call that
// google.golang.org/genai makes to a model, of the Gemini API or of Vertex AI:
// generated content, streamed or not, and embeddings.
//
//	client, err := genai.NewClient(ctx, &genai.ClientConfig{
//		APIKey:     key,
//		HTTPClient: otelgenai.HTTPClient(nil),
//	})
//
// The SDK has no middleware, but takes an http.Client. With Vertex AI, note that
// a ClientConfig that brings a client must bring its credentials too:
// ClientConfig.UseDefaultCredentials sets the default ones. Live sessions do not
// go over HTTP and have no spans. The package imports nothing of the SDK.
//
// # What the caller sees
//
// The same as without it: bodies pass byte for byte as they arrive, errors and
// panics pass as they are, and nothing is sent to the provider that would not be
// sent anyway, no trace context either.
//
// # What the span says
//
// "generate_content {model}", kind CLIENT, from the request to the end of its
// answer: the last byte, an early Close, the end of the context, an error or a
// panic. It has the attributes of the GenAI convention. Output tokens include
// the thoughts, which the API counts beside the candidates. The function calls
// that an answer asks for are no executions of tools, and get no spans. Each
// attempt is a span.
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
package otelgenai
