// Package otelmcp writes an OpenTelemetry span for each request of the Model
// Context Protocol, with github.com/modelcontextprotocol/go-sdk, at the client
// and at the server. A call of a tool is an execute_tool of the GenAI
// convention.
//
//	client.AddSendingMiddleware(otelmcp.ClientMiddleware())
//	server.AddReceivingMiddleware(otelmcp.ServerMiddleware())
//
// # The client
//
// "tools/call {tool}", kind CLIENT, from the request to its answer, further
// rounds for the same call included. The trace context goes along in
// params._meta, in a copy: the caller's parameters stay as they are. No baggage
// goes unless WithPropagator says so. When the call runs inside a span that is
// this tool's execute_tool already, that span gets the attributes and no second
// one is started.
//
// # The server
//
// "tools/call {tool}", kind SERVER, child of the span that params._meta names,
// else of the one in the context. When there are both, the latter is linked.
//
// # Failures
//
// error.type is the code of the JSON-RPC error, or tool_error when the result of
// a tool says that it failed. At the server, the client's mistakes, such as an
// unknown tool, are no errors.
//
// # Metrics
//
// mcp.client.operation.duration and mcp.server.operation.duration, histograms in
// seconds, by method, tool or prompt, protocol version, JSON-RPC code and
// error.type. Notifications, which have no answer, are not told.
//
// # Content
//
// Arguments and results are captured as WithCapture says. Without it, a request in an
// agentlens session is captured as its tracker, session or live span was told
// to, with the redactors of its tracker; else
// OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT decides, and nothing is
// captured without it.
package otelmcp
