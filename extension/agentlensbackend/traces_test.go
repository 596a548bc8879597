package agentlensbackend

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

func oneSpan(t *testing.T) (asProto, asJSON string) {
	t.Helper()
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("chat gpt-4o")
	request := ptraceotlp.NewExportRequestFromTraces(td)
	p, err := request.MarshalProto()
	require.NoError(t, err)
	j, err := request.MarshalJSON()
	require.NoError(t, err)
	return string(p), string(j)
}

func pack(t *testing.T, s string) string {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	_, err := gz.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, gz.Close())
	return out.String()
}

// post sends a body to /v1/traces, and returns the answer with its body.
func post(t *testing.T, e *backendExtension, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest("POST", e.url()+"v1/traces", strings.NewReader(body))
	require.NoError(t, err)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(res.Body)
	require.NoError(t, err)
	return res, text.String()
}

func TestSpansReachTheConsumer(t *testing.T) {
	e := startExtension(t, map[string]any{"api_key": "k"})
	sink := &consumertest.TracesSink{}
	release, err := e.TakeTraces(sink)
	require.NoError(t, err)
	asProto, asJSON := oneSpan(t)
	for i, r := range []struct{ contentType, body, encoding string }{
		{protobufType, asProto, ""},
		{protobufType, pack(t, asProto), "gzip"},
		{jsonType, asJSON, ""},
		{jsonType + "; charset=utf-8", pack(t, asJSON), "gzip"},
	} {
		res, text := post(t, e, r.body, map[string]string{"Content-Type": r.contentType, "Content-Encoding": r.encoding, "X-API-Key": "k"})
		require.Equal(t, 200, res.StatusCode, text)
		require.Equal(t, i+1, sink.SpanCount(), "%+v", r)
		require.Equal(t, "chat gpt-4o", sink.AllTraces()[i].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Name())
		answer := ptraceotlp.NewExportResponse()
		if mime := res.Header.Get("Content-Type"); strings.HasPrefix(r.contentType, mime) && mime == jsonType {
			require.NoError(t, answer.UnmarshalJSON([]byte(text)))
		} else {
			require.Equal(t, protobufType, mime)
			require.NoError(t, answer.UnmarshalProto([]byte(text)))
		}
		require.Zero(t, answer.PartialSuccess().RejectedSpans())
	}
	res, _ := post(t, e, asProto, map[string]string{"Content-Type": protobufType})
	require.Equal(t, 401, res.StatusCode)
	require.Equal(t, 4, sink.SpanCount())
	release()
}

// TestRefusals: what the pipeline and the request call for, in the request's
// encoding.
func TestRefusals(t *testing.T) {
	asProto, asJSON := oneSpan(t)
	slow, err := status.New(codes.ResourceExhausted, "slow down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)})
	require.NoError(t, err)
	for name, r := range map[string]struct {
		consumer   error
		body, mime string
		encoding   string
		want       int
		code       codes.Code
		retryAfter string
		text       string
	}{
		"for good":               {consumererror.NewPermanent(errors.New("bad span")), asProto, protobufType, "", 400, codes.InvalidArgument, "", "bad span"},
		"for good, JSON":         {consumererror.NewPermanent(errors.New("bad span")), asJSON, jsonType, "", 400, codes.InvalidArgument, "", "bad span"},
		"for now":                {errors.New("memory is full"), asProto, protobufType, "", 503, codes.Unavailable, "1", "memory is full"},
		"throttled":              {slow.Err(), asJSON, jsonType, "", 429, codes.ResourceExhausted, "2", "slow down"},
		"unauthenticated":        {status.Error(codes.Unauthenticated, "who"), asProto, protobufType, "", 401, codes.Unauthenticated, "", "who"},
		"no protobuf":            {nil, "nonsense", protobufType, "", 400, codes.InvalidArgument, "", "no OTLP trace request"},
		"no JSON":                {nil, "nonsense", jsonType, "", 400, codes.InvalidArgument, "", "no OTLP trace request"},
		"another type":           {nil, asJSON, "text/plain", "", 415, codes.InvalidArgument, "", `Content-Type is "text/plain"`},
		"no type":                {nil, asJSON, "", "", 415, codes.InvalidArgument, "", "application/x-protobuf"},
		"no gzip":                {nil, asProto, protobufType, "gzip", 400, codes.InvalidArgument, "", ""},
		"an encoding of no kind": {nil, asProto, protobufType, "br", 400, codes.InvalidArgument, "", "unsupported Content-Encoding"},
		"too large":              {nil, pack(t, strings.Repeat(" ", 11<<20)), jsonType, "gzip", 413, codes.InvalidArgument, "", "larger than 10485760 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			e := startExtension(t, nil)
			_, err := e.TakeTraces(consumertest.NewErr(r.consumer))
			require.NoError(t, err)
			res, text := post(t, e, r.body, map[string]string{"Content-Type": r.mime, "Content-Encoding": r.encoding})
			require.Equal(t, r.want, res.StatusCode, text)
			require.Equal(t, r.retryAfter, res.Header.Get("Retry-After"))
			var got spb.Status
			if r.mime == protobufType {
				require.Equal(t, protobufType, res.Header.Get("Content-Type"))
				require.NoError(t, proto.Unmarshal([]byte(text), &got))
			} else {
				require.Equal(t, jsonType, res.Header.Get("Content-Type"))
				require.NoError(t, protojson.Unmarshal([]byte(text), &got))
			}
			require.Equal(t, int32(r.code), got.GetCode(), text)
			require.Contains(t, got.GetMessage(), r.text)
		})
	}
}

// TestSpansWithoutReceiver: a client retries while the collector starts and
// stops, and is told when nobody will ever take its spans.
func TestSpansWithoutReceiver(t *testing.T) {
	e := startExtension(t, nil)
	asProto, _ := oneSpan(t)
	want := func(code int, text string) {
		t.Helper()
		res, body := post(t, e, asProto, map[string]string{"Content-Type": protobufType})
		require.Equal(t, code, res.StatusCode)
		require.Contains(t, body, text)
		require.Equal(t, code == 503, res.Header.Get("Retry-After") != "")
	}
	want(503, "starting or stopping")
	require.NoError(t, e.Ready())
	want(404, "add the receiver agentlens")
	require.NoError(t, e.NotReady())
	want(503, "starting or stopping")
}

func TestOneReceiverTakesTheSpans(t *testing.T) {
	e := newExtension(t, nil)
	release, err := e.TakeTraces(consumertest.NewNop())
	require.NoError(t, err)
	_, err = e.TakeTraces(consumertest.NewNop())
	require.ErrorContains(t, err, "another receiver")
	release()
	second, err := e.TakeTraces(consumertest.NewNop())
	require.NoError(t, err)
	release() // what was released is another's now
	_, err = e.TakeTraces(consumertest.NewNop())
	require.Error(t, err)
	second()
}

// TestReleaseWaits: after a release no call of the consumer runs, and spans that
// were being taken are taken.
func TestReleaseWaits(t *testing.T) {
	e := startExtension(t, nil)
	asProto, _ := oneSpan(t)
	entered, left := make(chan struct{}), make(chan struct{})
	leave := sync.OnceFunc(func() { close(left) })
	t.Cleanup(leave) // before the extension waits for the request
	var running atomic.Int32
	next, err := consumer.NewTraces(func(context.Context, ptrace.Traces) error {
		running.Add(1)
		close(entered)
		<-left
		running.Add(-1)
		return nil
	})
	require.NoError(t, err)
	release, err := e.TakeTraces(next)
	require.NoError(t, err)
	code := make(chan int, 1)
	go func() {
		res, _ := post(t, e, asProto, map[string]string{"Content-Type": protobufType})
		code <- res.StatusCode
	}()
	<-entered
	released := make(chan int32, 1)
	go func() {
		release()
		released <- running.Load()
	}()
	select {
	case <-released:
		t.Fatal("released while the consumer runs")
	case <-time.After(20 * time.Millisecond):
	}
	leave()
	require.Zero(t, <-released)
	require.Equal(t, 200, <-code)
}
