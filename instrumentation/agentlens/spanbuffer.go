package agentlens

import (
	"context"
	"sync"
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
}

var spanBuffers = sync.Pool{New: func() any {
	return &spanBuffer{attrs: make([]attribute.KeyValue, 0, 24), opts: make([]trace.SpanStartOption, 0, 4)}
}}

func newSpanBuffer() *spanBuffer { return spanBuffers.Get().(*spanBuffer) }

func (b *spanBuffer) release() {
	clear(b.attrs) // lets go of the content
	clear(b.opts)
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
const maxSpanNames = 1024

// spanNames keeps the names of spans, so that they are not put together for
// every span.
type spanNames struct {
	mu    sync.RWMutex
	names map[[2]string]string
}

// spanName returns "operation of", and the operation alone for nothing.
func (n *spanNames) spanName(operation, of string) string {
	if of == "" {
		return operation
	}
	key := [2]string{operation, of}
	n.mu.RLock()
	name, ok := n.names[key]
	n.mu.RUnlock()
	if ok {
		return name
	}
	name = operation + " " + of
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names == nil {
		n.names = map[[2]string]string{}
	}
	if len(n.names) < maxSpanNames {
		n.names[key] = name
	}
	return name
}
