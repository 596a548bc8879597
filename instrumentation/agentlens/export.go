package agentlens

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// maxRequestBytes is about how large an export becomes before it is split.
// Collectors refuse requests above 20 MiB unless they are told otherwise.
const maxRequestBytes = 4 << 20

// pipeline is a provider of our own with what stands behind it.
type pipeline struct {
	*sdktrace.TracerProvider
	queue    *queue
	exporter *exporter
}

// shutdown exports what is queued. When ctx ends first, what is left is lost.
// The provider itself is not shut down: it would start and end spans without a
// word to the queue, which has to count them.
func (p *pipeline) shutdown(ctx context.Context) error {
	err := bounded(ctx, "shut down", p.queue.Shutdown)
	p.exporter.cancel()
	p.exporter.losses.abandon(err)
	return err
}

// newPipeline returns a provider that exports to the configured endpoint and
// counts what it loses. It touches nothing global.
func newPipeline(ctx context.Context, c *config, l *losses) (*pipeline, error) {
	endpoint := c.endpoint
	if endpoint == "" {
		var err error
		if endpoint, err = endpointFromEnv(); err != nil {
			return nil, err
		}
	}
	if c.apiKey != DefaultAPIKey && sendsInClear(endpoint) {
		c.logger.WarnContext(ctx, "agentlens: the API key is sent over plain HTTP; use https", "endpoint", endpoint)
	}
	client, err := newHTTPClient(c)
	if err != nil {
		return nil, err
	}
	otlp, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(endpoint),
		otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
	)
	if err != nil {
		return nil, fmt.Errorf("set up the OTLP exporter: %w", err)
	}
	res, err := newResource(c)
	if err != nil {
		return nil, err
	}
	x := &exporter{otlp: otlp, client: client, losses: l}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	var sessionOpts []SpanProcessorOption
	if c.baggage {
		sessionOpts = append(sessionOpts, WithBaggage())
	}
	q := &queue{
		losses: l,
		max:    int64(c.maxQueueSize),
		SpanProcessor: sdktrace.NewBatchSpanProcessor(x,
			sdktrace.WithMaxExportBatchSize(c.batchSize),
			sdktrace.WithBatchTimeout(c.flushInterval),
			// The mark that a flush puts into the queue needs room too.
			sdktrace.WithMaxQueueSize(c.maxQueueSize+1),
			// The attempts have a timeout each.
			sdktrace.WithExportTimeout(0),
		),
	}
	return &pipeline{queue: q, exporter: x, TracerProvider: sdktrace.NewTracerProvider(
		sdktrace.WithResource(res),
		sdktrace.WithSpanProcessor(NewSpanProcessor(sessionOpts...)),
		sdktrace.WithSpanProcessor(q),
	)}, nil
}

func newHTTPClient(c *config) (*http.Client, error) {
	timeout, err := exportTimeoutFromEnv()
	if err != nil {
		return nil, err
	}
	tlsConfig, err := tlsFromEnv()
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: &retryTransport{
			base: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				DialContext:         (&net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}).DialContext,
				TLSClientConfig:     tlsConfig,
				TLSHandshakeTimeout: timeout,
				ForceAttemptHTTP2:   true,
				MaxIdleConns:        10,
				IdleConnTimeout:     90 * time.Second,
			},
			apiKey:     c.apiKey,
			maxRetries: c.maxRetries,
			interval:   c.retryInterval,
			timeout:    timeout,
		},
		// A redirect would take the API key to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func newResource(c *config) (*resource.Resource, error) {
	res := resource.Default()
	var err error
	if c.resource != nil {
		if res, err = resource.Merge(res, c.resource); err != nil {
			return nil, fmt.Errorf("WithResource: %w", err)
		}
	}
	if c.serviceName != "" {
		name := resource.NewSchemaless(attribute.String(semconv.ServiceName, c.serviceName))
		if res, err = resource.Merge(res, name); err != nil {
			return nil, fmt.Errorf("WithServiceName: %w", err)
		}
	}
	return res, nil
}

// queue keeps more spans than the batch processor can hold away from it: that
// one would drop them without a word.
type queue struct {
	sdktrace.SpanProcessor
	losses *losses
	max    int64
}

// OnStart counts a span that will be exported. The root of a session is counted
// when the session is one: those that are refused leave a root behind that
// nobody ends or misses.
func (q *queue) OnStart(_ context.Context, span sdktrace.ReadWriteSpan) {
	if span.SpanContext().IsSampled() && !isRoot(span) {
		q.losses.start()
	}
}

// isRoot reports whether the span is a session's root, the only span of the
// SDK's that has no parent.
func isRoot(span sdktrace.ReadOnlySpan) bool {
	return span.InstrumentationScope().Name == semconv.ScopeName && !span.Parent().IsValid()
}

// OnEnd queues a span, or counts it as lost when the queue is full.
func (q *queue) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	if !q.losses.enter(q.max) {
		return
	}
	q.SpanProcessor.OnEnd(span)
}

// exporter exports on a lifetime of its own, which ends with the shutdown: a
// request must neither outlive that nor end with a caller who stopped waiting.
type exporter struct {
	otlp   *otlptrace.Exporter
	client *http.Client
	losses *losses
	ctx    context.Context
	cancel context.CancelFunc
}

// ExportSpans sends the spans in as many requests as their size asks for. What
// fails is counted; the error is told by Flush, EndSession and Shutdown, and
// not to OpenTelemetry's global error handler as well.
func (x *exporter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for len(spans) > 0 {
		n := fitting(spans)
		err := x.ctx.Err()
		if err == nil {
			err = x.otlp.ExportSpans(x.ctx, spans[:n])
		}
		x.losses.leave(n, err)
		spans = spans[n:]
	}
	return nil
}

// Shutdown closes the connections.
func (x *exporter) Shutdown(ctx context.Context) error {
	err := x.otlp.Shutdown(ctx)
	x.client.CloseIdleConnections()
	return err
}

// fitting returns how many of the spans go into one request: at least one.
func fitting(spans []sdktrace.ReadOnlySpan) int {
	size := 0
	for i, span := range spans {
		size += 256
		for _, kv := range span.Attributes() {
			size += len(kv.Key) + 16
			if kv.Value.Type() == attribute.STRING {
				size += len(kv.Value.AsString())
			}
		}
		if size > maxRequestBytes {
			return max(1, i)
		}
	}
	return len(spans)
}
