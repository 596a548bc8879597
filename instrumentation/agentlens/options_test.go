package agentlens_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

func TestBadOptions(t *testing.T) {
	for field, opts := range map[string][]agentlens.Option{
		"WithAPIKey":        {agentlens.WithAPIKey("a\nb")},
		"WithEndpoint":      {agentlens.WithEndpoint("localhost:4318")},
		"WithBatchSize":     {agentlens.WithBatchSize(0)},
		"WithFlushInterval": {agentlens.WithFlushInterval(0)},
		"WithMaxRetries":    {agentlens.WithMaxRetries(-1)},
		"WithMaxQueueSize":  {agentlens.WithMaxQueueSize(0)},
		"WithServiceName":   {agentlens.WithServiceName("")},
		"WithLogger":        {agentlens.WithLogger(nil)},
		"WithMaxEvents":     {agentlens.WithMaxEvents(-1)},
		"WithTracerProvider": {
			agentlens.WithTracerProvider(nil),
		},
	} {
		_, err := agentlens.NewTracker(t.Context(), opts...)
		requireField(t, field, err)
	}
	for _, url := range []string{"", "ftp://x", "http://", "http://h?q=1", "http://h#f", "http://u:secret@h", "http://h:port"} {
		_, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(url))
		requireField(t, "WithEndpoint", err)
		assert.NotContains(t, err.Error(), "secret")
	}
	_, err := agentlens.NewTracker(t.Context(), agentlens.WithBatchSize(11), agentlens.WithMaxQueueSize(10))
	requireField(t, "WithBatchSize", err)
	_, err = agentlens.NewTracker(t.Context(), agentlens.WithAPIKey("secret\x7f"))
	assert.NotContains(t, err.Error(), "secret")

	r := newRecorded(t, nil)
	_, err = agentlens.NewTracker(t.Context(), agentlens.WithTracerProvider(r.provider), agentlens.WithMaxRetries(1))
	requireField(t, "WithMaxRetries", err)
}

func TestBadEnvironment(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(notPEM, []byte("no"), 0o600))
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":        "localhost:4318",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "nonsense",
		"OTEL_EXPORTER_OTLP_TIMEOUT":         "10s",
		"OTEL_EXPORTER_OTLP_CERTIFICATE":     notPEM,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := agentlens.NewTracker(t.Context())
			requireField(t, name, err)
		})
	}
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", filepath.Join(t.TempDir(), "missing"))
	_, err := agentlens.NewTracker(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE")
}

// Where the spans go: by option, else by variable, else to the default.
func TestEndpoint(t *testing.T) {
	col := newCollector(t, nil)
	other := newCollector(t, nil)
	for _, c := range []struct {
		name   string
		env    map[string]string
		option string
		path   string
	}{
		{name: "option", option: col.url, path: "/v1/traces"},
		{name: "option with slash", option: col.url + "/", path: "/v1/traces"},
		{name: "option with path", option: col.url + "/otlp/spans", path: "/otlp/spans"},
		{
			name: "option over variables", option: col.url, path: "/v1/traces",
			env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": other.url, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": other.url},
		},
		{name: "variable", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": col.url}, path: "/v1/traces"},
		{name: "variable with base path", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": col.url + "/base/"}, path: "/base/v1/traces"},
		{
			name: "variable for traces", path: "/spans",
			env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": other.url, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": col.url + "/spans"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue")
			before := col.requestCount()
			var opts []agentlens.Option
			if c.option != "" {
				opts = append(opts, agentlens.WithEndpoint(c.option))
			}
			tracker, err := agentlens.NewTracker(t.Context(), opts...)
			require.NoError(t, err)
			require.NoError(t, oneSession(t, tracker))
			require.NoError(t, tracker.Shutdown(t.Context()))
			r := col.request(t, before)
			assert.Equal(t, c.path, r.URL.Path)
			assert.Equal(t, "blue", r.Header.Get("X-Tenant"))
			assert.Equal(t, "default", r.Header.Get("X-API-Key"))
		})
	}
	assert.Zero(t, other.requestCount())
}

// A key among the variable's headers is not replaced by the default one.
func TestAPIKeyFromHeaders(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=from-env")
	col := newCollector(t, nil)
	for i, c := range []struct {
		opts []agentlens.Option
		want string
	}{{nil, "from-env"}, {[]agentlens.Option{agentlens.WithAPIKey("from-option")}, "from-option"}} {
		tracker, _ := newExporting(t, col.url, c.opts...)
		require.NoError(t, oneSession(t, tracker))
		assert.Equal(t, []string{c.want}, col.request(t, i).Header["X-Api-Key"])
	}
}

func TestKeyInClearWarns(t *testing.T) {
	for _, c := range []struct {
		url, key string
		warns    bool
	}{
		{"http://collector.example.com:4318", "secret", true},
		{"http://10.0.0.1:4318", "secret", true},
		{"http://collector.example.com:4318", "default", false},
		{"https://collector.example.com", "secret", false},
		{"http://localhost:4318", "secret", false},
		{"http://127.0.0.9", "secret", false},
		{"http://[::1]:4318", "secret", false},
	} {
		_, logs := newExporting(t, c.url, agentlens.WithAPIKey(c.key))
		if c.warns {
			assert.Contains(t, logs.String(), "plain HTTP", c.url)
		} else {
			assert.Empty(t, logs.String(), c.url)
		}
		assert.NotContains(t, logs.String(), "secret")
	}
}

func TestResource(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "from=env,team=env")
	col := newCollector(t, nil)
	tracker, _ := newExporting(t, col.url, agentlens.WithServiceName("svc"),
		agentlens.WithResource(resource.NewSchemaless(attribute.String("team", "option"))))
	require.NoError(t, oneSession(t, tracker))
	got := attributes(col.resource.Attributes)
	assert.Equal(t, "svc", got["service.name"])
	assert.Equal(t, "option", got["team"])
	assert.Equal(t, "opentelemetry", got["telemetry.sdk.name"])
}

// The certificate variables hold for HTTPS, and a certificate that is not
// trusted is not tried again.
func TestTLS(t *testing.T) {
	requests := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		requests++
	}))
	handshakes := 0
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		handshakes++
		return nil, nil
	}}
	server.StartTLS()
	defer server.Close()

	tracker, _ := newExporting(t, server.URL, agentlens.WithMaxRetries(5))
	lost := requireLost(t, 3, oneSession(t, tracker))
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, lost.Err, &unknown)
	assert.Equal(t, 1, handshakes)

	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, block, 0o600))
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", ca)
	tracker, _ = newExporting(t, server.URL)
	require.NoError(t, oneSession(t, tracker))
	assert.Equal(t, 1, requests)
}

// The timeout of the environment bounds one attempt.
func TestAttemptTimeout(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "20")
	col := newCollector(t, func(n int, _ http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		<-r.Context().Done()
		return true
	})
	tracker, _ := newExporting(t, col.url)
	begin := time.Now()
	require.NoError(t, oneSession(t, tracker))
	assert.Less(t, time.Since(begin), 8*time.Second, "without it an attempt takes 10")
	assert.Equal(t, 2, col.requestCount())
}
