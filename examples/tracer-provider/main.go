// Tracer-provider adds AgentLens to an application that has OpenTelemetry set
// up already: one span processor on its provider, and the spans of its HTTP
// server, its database and its other services carry the session. Content is
// kept out of the spans but for its size, and secrets out of what remains.
//
//	go run ./examples/tracer-provider
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/examples/internal/spantree"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tracer-provider:", err)
		os.Exit(1)
	}
}

// wire is what the application propagates. That baggage is part of it does not
// send the session along: WithBaggage asks for that.
var wire = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

func run(ctx context.Context, out io.Writer) (err error) {
	// What the application has: a provider with its exporter. The line that is
	// new is the first.
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(agentlens.NewSpanProcessor(agentlens.WithBaggage())),
		sdktrace.WithSyncer(spans))
	defer func() { err = errors.Join(err, provider.Shutdown(ctx)) }()

	tracker, err := agentlens.NewTracker(ctx, agentlens.WithTracerProvider(provider),
		agentlens.WithCapture(agentlens.CaptureMetadata), agentlens.WithRedactor(agentlens.RedactSecrets))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tracker.Shutdown(ctx)) }()

	stock := httptest.NewServer(stockService(provider))
	defer stock.Close()
	if err := order(ctx, tracker, provider, stock.URL); err != nil {
		return err
	}
	ended := spans.GetSpans() // before the shutdown empties it
	spantree.Print(out, ended, semconv.SessionID, semconv.GenAIToolCallArguments+semconv.BytesSuffix)
	return nil
}

// order is a request to the application, which an agent handles.
func order(ctx context.Context, tracker *agentlens.Tracker, provider trace.TracerProvider, stockURL string) error {
	ctx, request := provider.Tracer("shop").Start(ctx, "POST /orders")
	defer request.End()
	ctx, session, err := tracker.StartSession(ctx, "order-agent", agentlens.WithSessionID("order-4711"), agentlens.WithBaggage())
	if err != nil {
		return err
	}
	toolCtx, tool := session.StartTool(ctx, "check_stock")
	tool.SetInput(map[string]string{"article": "umbrella", "customer": "jane@example.com"})
	tool.SetError(checkStock(toolCtx, provider, stockURL))
	tool.End()
	return session.End(ctx)
}

// checkStock is the application's own code, which knows nothing of sessions.
func checkStock(ctx context.Context, provider trace.TracerProvider, url string) error {
	ctx, span := provider.Tracer("shop").Start(ctx, "GET /stock", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	wire.Inject(ctx, propagation.HeaderCarrier(req.Header))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// stockService stands for another process: it has what the request brought.
func stockService(provider trace.TracerProvider) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		ctx := wire.Extract(req.Context(), propagation.HeaderCarrier(req.Header))
		ctx, span := provider.Tracer("stock").Start(ctx, "serve stock", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		_, query := provider.Tracer("database").Start(ctx, "SELECT stock")
		query.End()
	})
}
