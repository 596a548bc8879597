package main

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Every event in the JSON file is a span that the endpoint got.
func TestQuickstartSendsWhatItWrites(t *testing.T) {
	var (
		mu  sync.Mutex
		ids = map[string]bool{}
	)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		var export coltracepb.ExportTraceServiceRequest
		assert.NoError(t, proto.Unmarshal(body, &export))
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range export.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, span := range ss.Spans {
					ids[hex.EncodeToString(span.SpanId)] = true
				}
			}
		}
	}))
	defer server.Close()

	file := filepath.Join(t.TempDir(), "sessions.json")
	require.NoError(t, run(t.Context(), server.URL, file))

	b, err := os.ReadFile(file)
	require.NoError(t, err)
	var sessions []analysis.Session
	require.NoError(t, json.Unmarshal(b, &sessions))
	require.Len(t, sessions, 4)
	events := 0
	for _, s := range sessions {
		assert.NotEqual(t, analysis.StatusActive, s.Status)
		for _, e := range s.Events {
			assert.True(t, ids[e.ID], "event %s of %s", e.ID, s.AgentName)
			events++
		}
	}
	assert.Equal(t, 4+3+3+2, events)
}
