package agentlensreceiver

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/agentlens/agentlens-otel/extension/agentlensbackend"
	"github.com/agentlens/agentlens-otel/receiver/agentlensreceiver/internal/metadata"
)

// host is a component.Host with extensions.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

var backendID = component.MustNewID("agentlens_backend")

// startBackend starts the real extension, and returns a host with it and the URL
// of its spans.
func startBackend(t *testing.T) (host, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := l.Addr().String()
	require.NoError(t, l.Close())
	factory := agentlensbackend.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"endpoint": endpoint, "directory": t.TempDir()}).Unmarshal(cfg))
	ext, err := factory.Create(context.Background(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return host{backendID: ext}, "http://" + endpoint + "/v1/traces"
}

func newReceiver(t *testing.T, set receiver.Settings, sink *consumertest.TracesSink) receiver.Traces {
	t.Helper()
	factory := NewFactory()
	r, err := factory.CreateTraces(context.Background(), set, factory.CreateDefaultConfig(), sink)
	require.NoError(t, err)
	return r
}

func send(t *testing.T, url string) int {
	t.Helper()
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range 3 {
		spans.AppendEmpty().SetName(fmt.Sprint("span ", i))
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Post(url, "application/x-protobuf", bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// TestTakesTheExtensionsSpans: between Start and Shutdown what is posted to the
// extension reaches the pipeline, and is counted as any receiver's spans.
func TestTakesTheExtensionsSpans(t *testing.T) {
	h, url := startBackend(t)
	telemetry := componenttest.NewTelemetry()
	defer func() { require.NoError(t, telemetry.Shutdown(context.Background())) }()
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	sink := &consumertest.TracesSink{}
	r := newReceiver(t, set, sink)
	require.Equal(t, 503, send(t, url))

	require.NoError(t, r.Start(context.Background(), h))
	require.Equal(t, 200, send(t, url))
	require.Equal(t, 3, sink.SpanCount())
	_, err := telemetry.GetMetric("otelcol_receiver_accepted_spans")
	require.NoError(t, err)

	require.NoError(t, r.Shutdown(context.Background()))
	require.NoError(t, r.Shutdown(context.Background()))
	require.Equal(t, 503, send(t, url))
	require.Equal(t, 3, sink.SpanCount())

	again := newReceiver(t, receivertest.NewNopSettings(metadata.Type), sink)
	require.NoError(t, again.Start(context.Background(), h))
	require.Equal(t, 200, send(t, url))
	other := newReceiver(t, receivertest.NewNopSettings(metadata.Type), sink)
	require.ErrorContains(t, other.Start(context.Background(), h), "another receiver")
	require.NoError(t, other.Shutdown(context.Background()))
	require.Equal(t, 200, send(t, url), "the one that could not start takes nothing away")
	require.NoError(t, again.Shutdown(context.Background()))
}

func TestStartWithoutItsExtension(t *testing.T) {
	r := newReceiver(t, receivertest.NewNopSettings(metadata.Type), &consumertest.TracesSink{})
	require.ErrorContains(t, r.Start(context.Background(), host{}), "service::extensions")
	require.ErrorContains(t, r.Start(context.Background(), host{backendID: struct{ component.Component }{}}), "want an agentlens_backend extension")
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestConfig(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, confmap.Validate(cfg))
	require.Equal(t, backendID, cfg.Extension)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"extension": "agentlens_backend/second"}).Unmarshal(cfg))
	require.Equal(t, "agentlens_backend/second", cfg.Extension.String())
	require.ErrorContains(t, confmap.Validate(&Config{}), "`extension` is empty")
	require.ErrorContains(t, confmap.NewFromStringMap(map[string]any{"extensions": "x"}).Unmarshal(cfg), "extensions")
}
