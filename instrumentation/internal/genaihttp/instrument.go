package genaihttp

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Instrument writes a span for each call to a model that goes through it.
type Instrument struct {
	// Scope is the instrumentation scope of the spans and metrics.
	Scope string
	// Route returns what is known of a call before its body, and the reader for
	// the rest; nil for a request that calls no model.
	Route func(req *http.Request, mode capture.Mode) (*Call, Reader)
	// SDKScope is the scope under which the client library writes spans of its
	// own. When the library's span of the call goes to the same provider, its
	// span is added to, so that a call has one. Empty when the library has none.
	SDKScope string

	config  Config
	metrics *metrics
}

// New returns the instrument with the options applied.
func New(in Instrument, opts []Option) *Instrument {
	in.config = NewConfig(opts)
	in.metrics = newMetrics(&in.config, in.Scope)
	return &in
}

// maxRequest bounds how much of a request's body is read ahead.
const maxRequest = 32 << 20

// Do makes the request with next and returns what next returns, apart from a
// body that tells the span what the caller reads of it.
func (in *Instrument) Do(req *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	op, sent := in.begin(req)
	if op == nil {
		return next(req)
	}
	returned := false
	defer func() {
		if !returned {
			op.fail("panic", "")
		}
	}()
	resp, err := next(sent)
	returned = true
	if err != nil {
		op.failed(err)
	} else if resp != nil {
		op.answered(resp)
	}
	return resp, err
}

// Transport returns a RoundTripper that does the same for the requests of an
// http.Client. A nil base is http.DefaultTransport.
func (in *Instrument) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return transport{in, base}
}

type transport struct {
	in   *Instrument
	base http.RoundTripper
}

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.in.Do(req, t.base.RoundTrip)
}

// begin starts the span. It returns nil when there is nothing to tell, and the
// request is as it was.
func (in *Instrument) begin(req *http.Request) (op *operation, sent *http.Request) {
	if req == nil || req.URL == nil {
		return nil, nil
	}
	ctx := req.Context()
	policy := in.config.Policy(ctx)
	call, reader := in.route(req, policy.Mode)
	if call == nil {
		return nil, nil
	}
	op = &operation{in: in, call: call, reader: reader, policy: policy, start: time.Now()}
	sent = req
	if req.Body != nil && req.Body != http.NoBody && req.GetBody != nil {
		// GetBody says that the body is in memory: reading it waits for nobody.
		prefix, err := io.ReadAll(io.LimitReader(req.Body, maxRequest))
		shallow := *req
		sent = &shallow
		sent.Body = &replay{io.MultiReader(bytes.NewReader(prefix), failing{err}, req.Body), req.Body}
		op.guard(func() { op.readRequest(prefix) })
	}
	ctx = op.startSpan(ctx, req)
	if !op.span.IsRecording() && !in.metrics.enabled(ctx) {
		// Nobody wants to know, but what follows must not be sampled either.
		return &operation{ended: true}, sent.WithContext(ctx)
	}
	op.ctx = ctx
	return op, sent.WithContext(ctx)
}

func (in *Instrument) route(req *http.Request, mode capture.Mode) (call *Call, reader Reader) {
	defer func() {
		if recover() != nil {
			call = nil
		}
	}()
	return in.Route(req, mode)
}

// replay is a body of which a part was read ahead.
type replay struct {
	io.Reader
	io.Closer
}

// failing passes on the error, if any, that ended the reading ahead.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

func (op *operation) readRequest(body []byte) {
	s := scanner{Select: op.reader.RequestMembers()}
	s.write(body)
	op.reader.Request(op.call, &s.Members)
}

func (op *operation) startSpan(ctx context.Context, req *http.Request) context.Context {
	c, call := &op.in.config, op.call
	if c.Provider != "" {
		call.Provider = c.Provider
	}
	attrs := make([]attribute.KeyValue, 0, 8+len(call.request))
	attrs = append(attrs,
		attribute.String(semconv.GenAIOperationName, call.Operation),
		attribute.String(semconv.GenAIProviderName, call.Provider))
	name := call.Operation
	if call.Model != "" {
		name += " " + call.Model
		attrs = append(attrs, attribute.String(semconv.GenAIRequestModel, call.Model))
	}
	op.server = serverAttributes(req)
	attrs = append(attrs, op.server...)
	attrs = append(attrs, call.request...)
	if n, err := strconv.Atoi(req.Header.Get("X-Stainless-Retry-Count")); err == nil && n > 0 {
		attrs = append(attrs, attribute.Int(semconv.HTTPResendCount, n))
	}
	if !call.Apart {
		op.span = op.in.outerSpan(ctx)
	}
	if op.span != nil {
		op.shared = true
		op.span.SetAttributes(attrs...)
	} else {
		ctx, op.span = c.Tracer(ctx, op.in.Scope, semconv.GenAISchemaURL).Start(ctx, name,
			trace.WithTimestamp(op.start), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	}
	if op.span.IsRecording() {
		op.guard(func() { op.span.SetAttributes(contentAttributes(&op.policy, call, false)...) })
	}
	call.System, call.Input, call.Tools = nil, nil, nil
	return ctx
}

// outerSpan returns the span around the request that tells of this call
// already, nil when there is none: that of agentlens's StartLLM, or the client
// library's own if it goes where ours would.
func (in *Instrument) outerSpan(ctx context.Context) trace.Span {
	span := trace.SpanFromContext(ctx)
	s, ok := span.(interface {
		InstrumentationScope() instrumentation.Scope
		Attributes() []attribute.KeyValue
	})
	if !ok || !span.IsRecording() {
		return nil
	}
	switch scope := s.InstrumentationScope().Name; {
	case scope == semconv.ScopeName:
		for _, kv := range s.Attributes() {
			if kv.Key == semconv.EventType && kv.Value.AsString() == string(analysis.EventLLMCall) {
				return span
			}
		}
	case in.SDKScope != "" && strings.HasPrefix(scope, in.SDKScope):
		if p := in.config.provider(ctx); p == nil || p == span.TracerProvider() {
			return span
		}
	}
	return nil
}

func serverAttributes(req *http.Request) []attribute.KeyValue {
	host := req.URL.Hostname()
	if host == "" {
		return nil
	}
	port, err := strconv.Atoi(req.URL.Port())
	if err != nil {
		port = 443
		if req.URL.Scheme == "http" {
			port = 80
		}
	}
	return []attribute.KeyValue{attribute.String(semconv.ServerAddress, host), attribute.Int(semconv.ServerPort, port)}
}

// answered goes on with the answer's body. There is nothing more to read when
// it has none.
func (op *operation) answered(resp *http.Response) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.ended {
		return
	}
	op.status = resp.StatusCode
	if resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		op.endLocked(io.EOF)
		return
	}
	op.guard(func() { op.chooseParser(resp) })
	body := &body{rc: resp.Body, op: op}
	resp.Body = body
	op.stop = context.AfterFunc(op.ctx, func() { op.end(op.ctx.Err()) })
}

func (op *operation) chooseParser(resp *http.Response) {
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	isJSON := mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
	switch {
	case resp.Header.Get("Content-Encoding") != "":
		// The caller asked for bytes that it decodes itself.
	case resp.StatusCode >= 400:
		op.json = &scanner{Select: Select{Keep: []string{"error", "message"}}}
	case mediaType == "text/event-stream":
		op.streamed = true
		op.json = &scanner{Select: op.reader.AnswerMembers(true)}
		op.events = &events{data: op.json, dispatch: op.event}
	case isJSON:
		op.json = &scanner{Select: op.reader.AnswerMembers(false)}
	}
}
