package agentlens_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector is an OTLP/HTTP endpoint that keeps what it gets.
type collector struct {
	url string

	mu       sync.Mutex
	requests []*http.Request
	spans    []*tracepb.Span
	scopes   []*tracepb.ScopeSpans
	resource *resourcepb.Resource
}

// newCollector starts an endpoint. first, if not nil, may answer a request
// itself and say so; n counts the requests from 1.
func newCollector(t testing.TB, first func(n int, w http.ResponseWriter, r *http.Request) bool) *collector {
	t.Helper()
	c := &collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.requests = append(c.requests, r)
		n := len(c.requests)
		c.mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // The client went away.
		}
		if first != nil && first(n, w, r) {
			return
		}
		var export coltracepb.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &export); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, rs := range export.ResourceSpans {
			c.resource = rs.Resource
			for _, ss := range rs.ScopeSpans {
				c.scopes = append(c.scopes, ss)
				c.spans = append(c.spans, ss.Spans...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collector) requestCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.requests)
}

func (c *collector) request(t testing.TB, i int) *http.Request {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Greater(t, len(c.requests), i)
	return c.requests[i]
}

func (c *collector) all() []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*tracepb.Span(nil), c.spans...)
}

// named returns the only span of that name.
func (c *collector) named(t testing.TB, name string) *tracepb.Span {
	t.Helper()
	var found []*tracepb.Span
	for _, span := range c.all() {
		if span.Name == name {
			found = append(found, span)
		}
	}
	require.Len(t, found, 1, "spans named %q", name)
	return found[0]
}

// attributes returns attributes by key, as Go values.
func attributes(kvs []*commonpb.KeyValue) map[string]any {
	m := make(map[string]any, len(kvs))
	for _, kv := range kvs {
		m[kv.Key] = anyValue(kv.Value)
	}
	return m
}

func anyValue(v *commonpb.AnyValue) any {
	switch v := v.Value.(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_BoolValue:
		return v.BoolValue
	case *commonpb.AnyValue_IntValue:
		return v.IntValue
	case *commonpb.AnyValue_DoubleValue:
		return v.DoubleValue
	case *commonpb.AnyValue_ArrayValue:
		var list []any
		for _, item := range v.ArrayValue.Values {
			list = append(list, anyValue(item))
		}
		return list
	}
	return nil
}

func hexID(span *tracepb.Span) string { return hex.EncodeToString(span.SpanId) }
