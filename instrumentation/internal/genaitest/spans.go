package genaitest

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Recorder is a TracerProvider that keeps the spans that have ended.
type Recorder struct {
	*sdktrace.TracerProvider
	spans *tracetest.InMemoryExporter
}

// NewRecorder returns an empty one.
func NewRecorder() *Recorder {
	spans := tracetest.NewInMemoryExporter()
	return &Recorder{sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)), spans}
}

// Spans returns the spans that have ended, and forgets them.
func (r *Recorder) Spans() tracetest.SpanStubs {
	spans := r.spans.GetSpans()
	r.spans.Reset()
	return spans
}

// Wait returns the spans once n of them have ended, and forgets them.
func (r *Recorder) Wait(t testing.TB, n int) tracetest.SpanStubs {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.spans.GetSpans()) >= n }, 10*time.Second, time.Millisecond)
	return r.Spans()
}

// One returns the only span that has ended, and forgets it.
func (r *Recorder) One(t testing.TB) tracetest.SpanStub {
	t.Helper()
	spans := r.Spans()
	require.Len(t, spans, 1)
	return spans[0]
}

// Attributes returns the span's attributes by key.
func Attributes(span tracetest.SpanStub) map[string]any {
	m := make(map[string]any, len(span.Attributes))
	for _, kv := range span.Attributes {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	return m
}

// Read returns what the collector reads in the span.
func Read(t testing.TB, span tracetest.SpanStub) spanevent.Reading {
	t.Helper()
	s := ptrace.NewSpan()
	s.SetName(span.Name)
	s.SetTraceID(pcommon.TraceID(span.SpanContext.TraceID()))
	s.SetSpanID(pcommon.SpanID(span.SpanContext.SpanID()))
	s.SetParentSpanID(pcommon.SpanID(span.Parent.SpanID()))
	s.SetKind(ptrace.SpanKind(span.SpanKind))
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(span.StartTime))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(span.EndTime))
	if span.Status.Code == codes.Error {
		s.Status().SetCode(ptrace.StatusCodeError)
		s.Status().SetMessage(span.Status.Description)
	}
	for _, kv := range span.Attributes {
		value := kv.Value.AsInterface()
		if kv.Value.Type() == attribute.STRINGSLICE {
			list := s.Attributes().PutEmptySlice(string(kv.Key))
			for _, v := range kv.Value.AsStringSlice() {
				list.AppendEmpty().SetStr(v)
			}
			continue
		}
		require.NoError(t, s.Attributes().PutEmpty(string(kv.Key)).FromRaw(value))
	}
	scope := pcommon.NewInstrumentationScope()
	scope.SetName(span.InstrumentationScope.Name)
	return spanevent.ForScope(scope).Read(s)
}

// Deps returns the modules that the package in a directory needs, by the
// packages it compiles, without the standard library.
func Deps(t testing.TB, dir string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", dir).Output()
	require.NoError(t, err)
	seen := map[string]bool{}
	var modules []string
	for _, m := range strings.Fields(string(out)) {
		if !seen[m] {
			seen[m] = true
			modules = append(modules, m)
		}
	}
	return modules
}

// NewDiscarder returns a provider that records spans and forgets them, for
// benchmarks.
func NewDiscarder() *sdktrace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(discard{}))
}

type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }
