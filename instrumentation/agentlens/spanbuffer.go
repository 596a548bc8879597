package agentlens

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The kinds of the spans written, made once.
var (
	clientKind   = trace.WithSpanKind(trace.SpanKindClient)
	internalKind = trace.WithSpanKind(trace.SpanKindInternal)
)

// spanBuffer holds what a span is started or ended with. OpenTelemetry's API
// copies the options' attributes, so that the memory can be used again.
type spanBuffer struct {
	attrs []attribute.KeyValue
	opts  []trace.SpanStartOption
	ends  [1]trace.SpanEndOption
}

var spanBuffers = sync.Pool{New: func() any {
	return &spanBuffer{attrs: make([]attribute.KeyValue, 0, 24), opts: make([]trace.SpanStartOption, 0, 4)}
}}

func newSpanBuffer() *spanBuffer { return spanBuffers.Get().(*spanBuffer) }

// release gives the buffer back. It lets go of what may be large; the names and
// numbers of an event that has no more stay until they are overwritten.
func (b *spanBuffer) release(c *eventConfig) {
	if c.hasContent() {
		clear(b.attrs)
	}
	b.attrs, b.opts = b.attrs[:0], b.opts[:0]
	spanBuffers.Put(b)
}

// start starts a span with the buffer's attributes, now when at is zero.
func (b *spanBuffer) start(ctx context.Context, t *Tracker, name string, kind trace.SpanStartOption,
	links []trace.Link, at time.Time,
) (context.Context, trace.Span) {
	b.opts = append(b.opts, kind, trace.WithAttributes(b.attrs...))
	if !at.IsZero() {
		b.opts = append(b.opts, trace.WithTimestamp(at))
	}
	if len(links) > 0 {
		b.opts = append(b.opts, trace.WithLinks(links...))
	}
	return t.tracer.Start(ctx, name, b.opts...)
}

// end ends the span at a time.
func (b *spanBuffer) end(span trace.Span, at time.Time) {
	b.ends[0] = trace.WithTimestamp(at)
	span.End(b.ends[:]...)
}

// set sets the buffer's attributes on the span. Only the SDK's spans are known
// to copy them.
func (b *spanBuffer) set(span trace.Span) {
	if _, ok := span.(sdktrace.ReadOnlySpan); ok {
		span.SetAttributes(b.attrs...)
		return
	}
	span.SetAttributes(append([]attribute.KeyValue(nil), b.attrs...)...)
}

// maxSpanNames bounds the names kept: models and tools are few.
const maxSpanNames = 256

// spanNames keeps the names of spans, so that they are not put together for
// every span. The map is replaced, never changed.
type spanNames struct {
	mu    sync.Mutex // for those who replace it
	names atomic.Pointer[map[spanNameKey]string]
}

type spanNameKey struct{ operation, of string }

// spanName returns "operation of", and the operation alone for nothing.
func (n *spanNames) spanName(operation, of string) string {
	if of == "" {
		return operation
	}
	key := spanNameKey{operation, of}
	if known := n.names.Load(); known != nil {
		if name, ok := (*known)[key]; ok {
			return name
		}
	}
	name := operation + " " + of
	n.mu.Lock()
	defer n.mu.Unlock()
	names := map[spanNameKey]string{}
	if known := n.names.Load(); known != nil {
		if len(*known) >= maxSpanNames {
			return name
		}
		names = maps.Clone(*known)
	}
	names[key] = name
	n.names.Store(&names)
	return name
}
