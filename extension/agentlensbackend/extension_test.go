package agentlensbackend

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/agentlens/agentlens-otel/backend"
	"github.com/agentlens/agentlens-otel/extension/agentlensbackend/internal/metadata"
)

func newExtension(t *testing.T, keys map[string]any) *backendExtension {
	t.Helper()
	all := map[string]any{"endpoint": "localhost:0", "directory": filepath.Join(t.TempDir(), "data")}
	maps.Copy(all, keys)
	cfg := load(t, all)
	ext, err := NewFactory().Create(context.Background(), extensiontest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	return ext.(*backendExtension)
}

func startExtension(t *testing.T, keys map[string]any) *backendExtension {
	t.Helper()
	e := newExtension(t, keys)
	require.NoError(t, e.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e
}

func send(t *testing.T, method, url, body string, header map[string]string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(t, err)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(got)
}

const oneSession = `{"events":[{"event_type":"session_start","session_id":"s1","agent_name":"a","timestamp":"2026-02-14T10:30:00Z"}]}`

func TestServesAndKeeps(t *testing.T) {
	dir := t.TempDir()
	e := startExtension(t, map[string]any{"directory": dir})
	url := e.url()
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	_, err := gz.Write([]byte(oneSession))
	require.NoError(t, err)
	require.NoError(t, gz.Close())
	status, text := send(t, "POST", url+"events", packed.String(), map[string]string{"Content-Encoding": "gzip"})
	require.Equal(t, 200, status, text)
	require.FileExists(t, filepath.Join(dir, backend.Database))

	status, text = send(t, "POST", url+"events", oneSession, map[string]string{"Content-Encoding": "br"})
	require.Equal(t, 400, status)
	require.JSONEq(t, `{"error":"unsupported Content-Encoding: br"}`, text)

	status, _ = send(t, "GET", url, "", nil)
	require.Equal(t, 200, status)
	require.NoError(t, e.Shutdown(context.Background()))

	again := startExtension(t, map[string]any{"directory": dir})
	status, text = send(t, "GET", again.url()+"sessions/s1", "", nil)
	require.Equal(t, 200, status, text)
	require.Contains(t, text, `"agent_name":"a"`)
}

func TestLimitsTheInflatedBody(t *testing.T) {
	e := startExtension(t, nil)
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	_, err := gz.Write([]byte(`{"events":["` + strings.Repeat("x", 11<<20) + `"]}`))
	require.NoError(t, err)
	require.NoError(t, gz.Close())
	status, text := send(t, "POST", e.url()+"events", packed.String(), map[string]string{"Content-Encoding": "gzip"})
	require.Equal(t, 413, status, text)
	require.Contains(t, text, `{"error":`)
}

func TestAsksForTheKey(t *testing.T) {
	e := startExtension(t, map[string]any{"api_key": "k"})
	status, _ := send(t, "GET", e.url()+"sessions", "", nil)
	require.Equal(t, 401, status)
	status, _ = send(t, "GET", e.url()+"sessions", "", map[string]string{"X-API-Key": "k"})
	require.Equal(t, 200, status)
	status, _ = send(t, "GET", e.url()+"health", "", nil)
	require.Equal(t, 200, status)
}

func TestBusyPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	e := newExtension(t, map[string]any{"endpoint": l.Addr().String()})
	err = e.Start(context.Background(), componenttest.NewNopHost())
	require.ErrorContains(t, err, l.Addr().String()+" is in use")
	require.ErrorContains(t, err, "`endpoint`")
	require.NoDirExists(t, e.cfg.Directory, "a collector that cannot start leaves no database")
	require.NoError(t, e.Shutdown(context.Background()))
}

func TestFailedStartFreesThePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	e := newExtension(t, map[string]any{"endpoint": addr, "directory": "/dev/null/data"})
	require.ErrorContains(t, e.Start(context.Background(), componenttest.NewNopHost()), "/dev/null")
	l, err = net.Listen("tcp", addr)
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

func TestShutdownTwiceAndWithoutStart(t *testing.T) {
	e := newExtension(t, nil)
	require.NoError(t, e.Shutdown(context.Background()))
	require.NoError(t, e.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, e.Shutdown(context.Background()))
	require.NoError(t, e.Shutdown(context.Background()))
}

// TestShutdownEndsStreams: an open page does not keep the collector from
// stopping.
func TestShutdownEndsStreams(t *testing.T) {
	e := newExtension(t, nil)
	require.NoError(t, e.Start(context.Background(), componenttest.NewNopHost()))
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(e.url() + "api/stream")
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.NoError(t, e.Shutdown(context.Background()))
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err, "the stream ended in order")
}
