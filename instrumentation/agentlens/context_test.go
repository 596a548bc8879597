package agentlens_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// newJoined returns a tracker on a caller's provider that has the processor.
func newJoined(t testing.TB, opts ...agentlens.SpanProcessorOption) recorded {
	t.Helper()
	r := recorded{recorder: tracetest.NewSpanRecorder()}
	r.provider = sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(agentlens.NewSpanProcessor(append(opts, nil)...)), sdktrace.WithSpanProcessor(r.recorder))
	var err error
	r.Tracker, err = agentlens.NewTracker(t.Context(), agentlens.WithTracerProvider(r.provider))
	require.NoError(t, err)
	return r
}

// Spans of other libraries join the session of their context, with what they do
// not say themselves.
func TestSpanProcessorStampsOthers(t *testing.T) {
	r := newJoined(t)
	lib := r.TracerProvider().Tracer("library")
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	subCtx, sub := s.StartAgent(ctx, "helper")
	for _, c := range []struct {
		name string
		ctx  context.Context
		own  []attribute.KeyValue
		want []attribute.KeyValue
	}{
		{"GET", ctx, nil, []attribute.KeyValue{attribute.String("session.id", s.ID()), attribute.String("gen_ai.agent.name", "agent")}},
		{
			"chat m", ctx,
			[]attribute.KeyValue{attribute.String("gen_ai.agent.name", "theirs")},
			[]attribute.KeyValue{attribute.String("gen_ai.agent.name", "theirs"), attribute.String("session.id", s.ID())},
		},
		{
			"browser", ctx,
			[]attribute.KeyValue{attribute.String("session.id", "tab")},
			[]attribute.KeyValue{
				attribute.String("session.id", "tab"), attribute.String("agentlens.session.id", s.ID()),
				attribute.String("gen_ai.agent.name", "agent"),
			},
		},
		{"SELECT", subCtx, nil, []attribute.KeyValue{
			attribute.String("session.id", s.ID()), attribute.String("gen_ai.agent.name", "helper"),
			attribute.String("agentlens.agent.name", "agent"),
		}},
		{"outside", t.Context(), nil, nil},
	} {
		_, span := lib.Start(c.ctx, c.name, trace.WithAttributes(c.own...))
		span.End()
		assert.Equal(t, c.want, r.named(t, c.name).Attributes(), c.name)
	}
	sub.End()
	require.NoError(t, s.End(ctx))
	requireIdentity(t, r.named(t, "invoke_agent agent"), s.ID(), "agent", "session")
}

// The provider that Init sets up has the processor.
func TestOwnProviderStamps(t *testing.T) {
	col := newCollector(t, nil)
	tracker, _ := newExporting(t, col.url)
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, span := tracker.TracerProvider().Tracer("library").Start(ctx, "GET")
	span.End()
	require.NoError(t, s.End(ctx))
	assert.Equal(t, s.ID(), attributes(col.named(t, "GET").Attributes)["session.id"])
}

// service is a process that starts a span for each request.
func service(t testing.TB, opts ...agentlens.SpanProcessorOption) (recorded, string) {
	r := newJoined(t, opts...)
	prop := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		ctx := prop.Extract(req.Context(), propagation.HeaderCarrier(req.Header))
		_, span := r.provider.Tracer("server").Start(ctx, "serve")
		span.End()
		w.Header().Set("Baggage-Seen", req.Header.Get("baggage"))
	}))
	t.Cleanup(server.Close)
	return r, server.URL
}

// call sends the context's identity with a request, and returns the baggage
// that arrived.
func call(t testing.TB, ctx context.Context, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}).Inject(ctx, propagation.HeaderCarrier(req.Header))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	http.DefaultClient.CloseIdleConnections()
	return resp.Header.Get("Baggage-Seen")
}

// W3C trace context joins the trace; the session's identity travels only where
// that is asked for, and never to a provider of models.
func TestAcrossProcesses(t *testing.T) {
	remote, url := service(t, agentlens.WithBaggage())
	r := newJoined(t)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	stepCtx, step := s.StartStep(ctx, "step")
	assert.Empty(t, call(t, stepCtx, url))
	served := remote.recorder.Ended()[0]
	assert.Equal(t, step.SpanContext().SpanID(), served.Parent().SpanID())
	assert.Equal(t, step.SpanContext().TraceID(), served.SpanContext().TraceID())
	assert.Empty(t, served.Attributes())

	member, err := baggage.NewMember("tenant", "blue")
	require.NoError(t, err)
	theirs, err := baggage.New(member)
	require.NoError(t, err)
	ctx, s, err = r.StartSession(baggage.ContextWithBaggage(t.Context(), theirs), "agent ä", agentlens.WithBaggage())
	require.NoError(t, err)
	toolCtx, _ := s.StartTool(ctx, "t")
	assert.Contains(t, call(t, toolCtx, url), "agentlens.session.id="+s.ID())
	assert.Equal(t, []attribute.KeyValue{attribute.String("session.id", s.ID()), attribute.String("gen_ai.agent.name", "agent ä")},
		remote.recorder.Ended()[1].Attributes())
	llmCtx, _ := s.StartLLM(toolCtx, "openai", "m")
	assert.Equal(t, "tenant=blue", call(t, llmCtx, url), "the caller's own baggage stays")
	assert.Equal(t, "tenant=blue", call(t, agentlens.WithoutBaggage(ctx), url))
	plain := t.Context()
	assert.Equal(t, plain, agentlens.WithoutBaggage(plain))

	// A service that does not ask for it takes nothing from baggage, and nobody
	// takes an id that is none.
	deaf, url := service(t)
	call(t, ctx, url)
	assert.Empty(t, deaf.recorder.Ended()[0].Attributes())
	bad, err := baggage.NewMemberRaw("agentlens.session.id", "a b")
	require.NoError(t, err)
	forged, err := baggage.New(bad)
	require.NoError(t, err)
	_, span := remote.provider.Tracer("x").Start(baggage.ContextWithBaggage(t.Context(), forged), "forged")
	span.End()
	assert.Empty(t, remote.named(t, "forged").Attributes())
}

// A tracker with the option does both for all of its sessions.
func TestTrackerWithBaggage(t *testing.T) {
	col := newCollector(t, nil)
	tracker, _ := newExporting(t, col.url, agentlens.WithBaggage())
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	assert.Equal(t, s.ID(), baggage.FromContext(ctx).Member("agentlens.session.id").Value())
	remote := baggage.ContextWithBaggage(t.Context(), baggage.FromContext(ctx))
	_, span := tracker.TracerProvider().Tracer("x").Start(remote, "served")
	span.End()
	require.NoError(t, s.End(ctx))
	assert.Equal(t, s.ID(), attributes(col.named(t, "served").Attributes)["session.id"])
}
