// Package console is where the examples' spans go: to a collector when one is
// named, and to the terminal, a line each.
package console

import (
	"context"
	"fmt"
	"io"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// NewTracerProvider returns a provider whose spans are printed to w, and sent to
// the OTLP endpoint, such as http://localhost:4318, unless it is empty.
func NewTracerProvider(ctx context.Context, w io.Writer, endpoint string) (*sdktrace.TracerProvider, error) {
	opts := []sdktrace.TracerProviderOption{
		// Every span under a session's context, whoever starts it, joins the session.
		sdktrace.WithSpanProcessor(agentlens.NewSpanProcessor()),
		sdktrace.WithSyncer(&printer{w: w}),
	}
	if endpoint != "" {
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint+"/v1/traces"))
		if err != nil {
			return nil, err
		}
		opts = append(opts, sdktrace.WithBatcher(exporter))
	}
	return sdktrace.NewTracerProvider(opts...), nil
}

type printer struct {
	mu sync.Mutex
	w  io.Writer
}

// shown are the attributes that a line has, in this order.
var shown = []attribute.Key{
	"session.id", "gen_ai.tool.call.id", "gen_ai.usage.input_tokens", "gen_ai.usage.cache_read.input_tokens",
	"gen_ai.usage.output_tokens", "gen_ai.response.time_to_first_chunk", "gen_ai.response.finish_reasons",
	"mcp.method.name", "error.type",
}

func (p *printer) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, span := range spans {
		set := attribute.NewSet(span.Attributes()...)
		line := fmt.Sprintf("span  %-32s %-8s trace %s", span.Name(), span.SpanKind(), span.SpanContext().TraceID().String()[:8])
		for _, key := range shown {
			if v, ok := set.Value(key); ok {
				line += fmt.Sprintf("  %s=%s", key, v.String())
			}
		}
		if _, err := fmt.Fprintln(p.w, line); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) Shutdown(context.Context) error { return nil }
