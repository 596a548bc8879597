package agentlensbackend

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// tracesPath is OTLP/HTTP's own path for spans.
const tracesPath = "/v1/traces"

// retryAfter is when a client should come back that came before the pipelines
// are up, after they went down, or whose spans the pipeline refused for now
// without saying for how long.
const retryAfter = time.Second

// traces serves OTLP/HTTP for spans: it decodes a request and calls the consumer
// of the receiver that has taken it. The zero traces has none.
type traces struct {
	// mu is held for reading by each call of next, so that whoever takes next
	// away knows that no call runs afterwards.
	mu   sync.RWMutex
	next consumer.Traces
	// ready says that all pipelines are up: a receiver that has not come by
	// then does not come.
	ready atomic.Bool
}

var _ extensioncapabilities.PipelineWatcher = (*backendExtension)(nil)

// Ready is called by the collector when all pipelines are up.
func (e *backendExtension) Ready() error {
	e.traces.ready.Store(true)
	return nil
}

// NotReady is called by the collector before pipelines go down.
func (e *backendExtension) NotReady() error {
	e.traces.ready.Store(false)
	return nil
}

// TakeTraces gives the spans that are posted to /v1/traces to next from now on.
// The function it returns ends that: when it returns, no call of next runs, and
// none follows. It is an error when somebody else takes them.
func (e *backendExtension) TakeTraces(next consumer.Traces) (release func(), err error) {
	t := &e.traces
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next != nil {
		return nil, errors.New("another receiver takes its spans already")
	}
	t.next = next
	return sync.OnceFunc(func() {
		t.mu.Lock()
		t.next = nil
		t.mu.Unlock()
	}), nil
}

// ServeHTTP answers as OTLP/HTTP says: 200 when the pipeline has the spans, 400
// for what no pipeline would take, 429 and 503 with Retry-After for what is to
// be sent again.
func (t *traces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	enc, ok := encodings[mediaType(r)]
	if !ok {
		refuseOTLP(w, r, http.StatusUnsupportedMediaType, status.New(codes.InvalidArgument, "Content-Type is "+strconv.Quote(r.Header.Get("Content-Type"))+", want application/x-protobuf or application/json"))
		return
	}
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		refuseOTLP(w, r, http.StatusRequestEntityTooLarge, status.Newf(codes.InvalidArgument, "the body is larger than %d bytes", large.Limit))
		return
	case err != nil:
		refuseOTLP(w, r, http.StatusBadRequest, status.New(codes.InvalidArgument, "read the body: "+err.Error()))
		return
	}
	request := ptraceotlp.NewExportRequest()
	if err := enc.unmarshal(request, body); err != nil {
		refuseOTLP(w, r, http.StatusBadRequest, status.New(codes.InvalidArgument, "the body is no OTLP trace request: "+err.Error()))
		return
	}
	if s := t.consume(r, request); s != nil {
		refuseOTLP(w, r, httpStatus(s.Code()), s)
		return
	}
	answer, err := enc.marshal(ptraceotlp.NewExportResponse())
	if err != nil {
		refuseOTLP(w, r, http.StatusInternalServerError, status.New(codes.Internal, err.Error()))
		return
	}
	w.Header().Set("Content-Type", enc.contentType)
	_, _ = w.Write(answer) // a failed write means the client has gone
}

// consume hands the spans on, and returns what to answer when it cannot; nil
// when the pipeline has them.
func (t *traces) consume(r *http.Request, request ptraceotlp.ExportRequest) *status.Status {
	t.mu.RLock()
	defer t.mu.RUnlock()
	switch {
	case t.next == nil && t.ready.Load():
		return status.New(codes.Unimplemented, "this collector takes no spans here: add the receiver agentlens to a traces pipeline, or send OTLP to its otlp receiver")
	case t.next == nil:
		return status.New(codes.Unavailable, "the collector is starting or stopping")
	case request.Traces().SpanCount() == 0:
		return nil
	}
	err := t.next.ConsumeTraces(r.Context(), request.Traces())
	if err == nil {
		return nil
	}
	if s, ok := status.FromError(err); ok {
		return s
	}
	if consumererror.IsPermanent(err) {
		return status.New(codes.InvalidArgument, err.Error())
	}
	return status.New(codes.Unavailable, err.Error())
}

// httpStatus returns OTLP/HTTP's status for a code of gRPC, as the collector's
// OTLP receiver has it: retryable ones are 429 and 503.
func httpStatus(c codes.Code) int {
	switch c {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unimplemented:
		return http.StatusNotFound
	default:
		return http.StatusInternalServerError
	}
}

// refuseOTLP answers with a google.rpc.Status in the encoding of the request,
// JSON when it has none of OTLP's.
func refuseOTLP(w http.ResponseWriter, r *http.Request, code int, s *status.Status) {
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		seconds := int64((retryDelay(s) + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.FormatInt(max(1, seconds), 10))
	}
	enc, ok := encodings[mediaType(r)]
	if !ok {
		enc = encodings["application/json"]
	}
	body, err := enc.status(s.Proto())
	if err != nil { // a text that is not UTF-8
		code, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", enc.contentType)
	w.WriteHeader(code)
	_, _ = w.Write(body) // a failed write means the client has gone
}

// retryDelay is what the pipeline asks for, else retryAfter.
func retryDelay(s *status.Status) time.Duration {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok && info.GetRetryDelay() != nil {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return retryAfter
}

// encoding is one of the two that OTLP/HTTP has.
type encoding struct {
	contentType string
	unmarshal   func(ptraceotlp.ExportRequest, []byte) error
	marshal     func(ptraceotlp.ExportResponse) ([]byte, error)
	status      func(proto.Message) ([]byte, error)
}

var encodings = map[string]encoding{
	"application/x-protobuf": {"application/x-protobuf", ptraceotlp.ExportRequest.UnmarshalProto, ptraceotlp.ExportResponse.MarshalProto, proto.Marshal},
	"application/json":       {"application/json", ptraceotlp.ExportRequest.UnmarshalJSON, ptraceotlp.ExportResponse.MarshalJSON, protojson.Marshal},
}

func mediaType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}
