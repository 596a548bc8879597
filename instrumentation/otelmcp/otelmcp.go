package otelmcp

import (
	"context"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// ScopeName is the instrumentation scope of the spans.
const ScopeName = "github.com/agentlens/agentlens-otel/instrumentation/otelmcp"

// ClientMiddleware returns what AddSendingMiddleware of an mcp.Client takes.
func ClientMiddleware(opts ...Option) mcp.Middleware {
	c := newConfig(opts, semconv.MetricMCPClientDuration, "Duration of MCP requests, from the sending to the response")
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			session, ok := req.GetSession().(*mcp.ClientSession)
			if !ok || strings.HasPrefix(method, "notifications/") {
				return next(ctx, method, req)
			}
			s := c.startClient(ctx, method, req, session)
			defer s.end()
			result, err := next(s.ctx, method, c.propagated(s.ctx, req, session))
			s.settle(result, err, isClientError)
			return result, err
		}
	}
}

// ServerMiddleware returns what AddReceivingMiddleware of an mcp.Server takes.
func ServerMiddleware(opts ...Option) mcp.Middleware {
	c := newConfig(opts, semconv.MetricMCPServerDuration, "Duration of MCP requests, from the receipt to the result")
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			session, ok := req.GetSession().(*mcp.ServerSession)
			if !ok || strings.HasPrefix(method, "notifications/") {
				return next(ctx, method, req)
			}
			s := c.startServer(ctx, method, req, session)
			defer s.end()
			result, err := next(s.ctx, method, req)
			s.settle(result, err, isServerError)
			return result, err
		}
	}
}

type config struct {
	genaihttp.Config
	duration metric.Float64Histogram
}

func newConfig(opts []Option, metricName, description string) *config {
	c := &config{Config: genaihttp.NewConfig(opts)}
	c.duration = newDuration(&c.Config, metricName, description)
	if c.Propagator == nil {
		c.Propagator = propagation.TraceContext{}
	}
	return c
}

func (c *config) startClient(ctx context.Context, method string, req mcp.Request, session *mcp.ClientSession) *request {
	name, target, attrs := describe(method, req)
	if id := session.ID(); id != "" {
		attrs = append(attrs, attribute.String(semconv.MCPSessionID, id))
	}
	if init := session.InitializeResult(); init != nil {
		attrs = append(attrs, attribute.String(semconv.MCPProtocolVersion, init.ProtocolVersion))
	}
	s := &request{config: c, ctx: ctx, policy: c.Policy(ctx), attrs: attrs, start: time.Now()}
	if span := trace.SpanFromContext(ctx); method == methodCallTool && executes(span, target) {
		s.span, s.shared = span, true
		span.SetAttributes(attrs...)
	} else {
		s.ctx, s.span = c.tracer(ctx).Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	}
	s.arguments(req)
	return s
}

func (c *config) startServer(ctx context.Context, method string, req mcp.Request, session *mcp.ServerSession) *request {
	name, _, attrs := describe(method, req)
	if id := session.ID(); id != "" {
		attrs = append(attrs, attribute.String(semconv.MCPSessionID, id))
	}
	if init := session.InitializeParams(); init != nil {
		attrs = append(attrs, attribute.String(semconv.MCPProtocolVersion, init.ProtocolVersion))
	}
	start := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attrs...)}
	local := trace.SpanContextFromContext(ctx)
	ctx = c.Propagator.Extract(ctx, carrier(metaOf(req.GetParams())))
	if remote := trace.SpanContextFromContext(ctx); local.IsValid() && !remote.Equal(local) {
		start = append(start, trace.WithLinks(trace.Link{SpanContext: local}))
	}
	s := &request{config: c, policy: c.Policy(ctx), attrs: attrs, start: time.Now()}
	s.ctx, s.span = c.tracer(ctx).Start(ctx, name, start...)
	s.arguments(req)
	return s
}

func (c *config) tracer(ctx context.Context) trace.Tracer {
	return c.Tracer(ctx, ScopeName, semconv.GenAISchemaURL)
}

const methodCallTool = "tools/call"

// describe returns the span's name, what the request is aimed at, and the
// attributes that say so.
func describe(method string, req mcp.Request) (name, target string, attrs []attribute.KeyValue) {
	attrs = make([]attribute.KeyValue, 0, 6)
	attrs = append(attrs, attribute.String(semconv.MCPMethodName, method))
	key := semconv.GenAIToolName
	switch p := req.GetParams().(type) {
	case *mcp.CallToolParams:
		if p != nil {
			target = p.Name
		}
	case *mcp.CallToolParamsRaw:
		if p != nil {
			target = p.Name
		}
	case *mcp.GetPromptParams:
		if p != nil {
			key, target = semconv.GenAIPromptName, p.Name
		}
	case *mcp.ReadResourceParams:
		if p != nil {
			return method, "", append(attrs, attribute.String(semconv.MCPResourceURI, p.URI))
		}
	}
	if method == methodCallTool {
		attrs = append(attrs, attribute.String(semconv.GenAIOperationName, semconv.OperationExecuteTool))
	}
	if target == "" {
		return method, "", attrs
	}
	return method + " " + target, target, append(attrs, attribute.String(key, target))
}

// executes reports whether the span is the execution of the tool already.
func executes(span trace.Span, tool string) bool {
	s, ok := span.(interface{ Attributes() []attribute.KeyValue })
	if !ok || !span.IsRecording() {
		return false
	}
	operation, name := "", tool
	for _, kv := range s.Attributes() {
		switch kv.Key {
		case semconv.GenAIOperationName:
			operation = kv.Value.AsString()
		case semconv.GenAIToolName:
			name = kv.Value.AsString()
		}
	}
	return operation == semconv.OperationExecuteTool && (name == tool || strings.HasSuffix(name, "__"+tool))
}

// propagated returns the request with the trace context in a copy of its
// parameters: they are the caller's, who may use them again.
func (c *config) propagated(ctx context.Context, req mcp.Request, session *mcp.ClientSession) mcp.Request {
	context := carrier{}
	c.Propagator.Inject(ctx, context)
	v := reflect.ValueOf(req.GetParams())
	if len(context) == 0 || v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return req
	}
	replica := reflect.New(v.Elem().Type())
	replica.Elem().Set(v.Elem())
	params, ok := replica.Interface().(mcp.Params)
	if !ok {
		return req
	}
	meta := maps.Clone(params.GetMeta())
	if meta == nil {
		meta = map[string]any{}
	}
	maps.Copy(meta, context)
	params.SetMeta(meta)
	return &mcp.ClientRequest[mcp.Params]{Session: session, Params: params}
}

// metaOf returns params._meta; nil when there is none.
func metaOf(params mcp.Params) map[string]any {
	if v := reflect.ValueOf(params); v.Kind() != reflect.Pointer || v.IsNil() {
		return nil
	}
	return params.GetMeta()
}

// carrier is the _meta of a request.
type carrier map[string]any

func (c carrier) Get(key string) string {
	s, _ := c[key].(string)
	return s
}

func (c carrier) Set(key, value string) { c[key] = value }

func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}
