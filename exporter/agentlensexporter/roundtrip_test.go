package agentlensexporter

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/backend"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/internal/roundtrip"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Through the embedded backend, what was tracked comes back unchanged: errors,
// true types and all.
func TestEmbeddedBackendGivesBackWhatWasTracked(t *testing.T) {
	server, err := backend.New(t.Context(), backend.Config{Directory: t.TempDir()}, zap.NewNop())
	require.NoError(t, err)
	front := httptest.NewServer(server.Handler())
	t.Cleanup(func() { front.Close(); _ = server.Close() })
	e := run(t, fast(front.URL))

	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(otlpInto(t, e)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = tracker.Shutdown(context.Background()) })
	ctx, session, err := tracker.StartSession(t.Context(), "agent", agentlens.WithMetadata(map[string]any{"version": "2.1.0", "tries": 3}))
	require.NoError(t, err)
	_, err = session.Track(ctx, agentlens.EventLLMCall, agentlens.WithModel("gpt-4o"), agentlens.WithTokens(100, 20),
		agentlens.WithReasoning("long context"), agentlens.WithError(errors.New("overloaded")))
	require.NoError(t, err)
	_, err = session.TrackTool(ctx, "search", map[string]any{"q": "<a> & b"}, nil, agentlens.WithError(errors.New("no route")), agentlens.WithDuration(time.Second))
	require.NoError(t, err)
	_, err = session.Track(ctx, agentlens.EventDecision, agentlens.WithReasoning("stop"), agentlens.WithOutput(map[string]any{"ok": false}))
	require.NoError(t, err)
	_, err = session.Track(ctx, "custom", agentlens.WithError(errors.New("why")))
	require.NoError(t, err)
	require.NoError(t, session.End(ctx))

	api := &roundtrip.Client{BaseURL: front.URL}
	tracked := session.Snapshot()
	require.Eventually(t, func() bool {
		held, err := api.Session(t.Context(), session.ID())
		return err == nil && held.Status == analysis.StatusCompleted && len(held.Events) == len(tracked.Events)
	}, 20*time.Second, 5*time.Millisecond)
	held, err := api.Session(t.Context(), session.ID())
	require.NoError(t, err)
	assert.Empty(t, roundtrip.Compare(tracked, held))
}

// A rule over the whole stream that fires on one agent's span and is resolved on
// another's is firing, and then is not, on the backend's page too.
func TestEmbeddedBackendKnowsTheGroupOfAnAlert(t *testing.T) {
	server, err := backend.New(t.Context(), backend.Config{Directory: t.TempDir()}, zap.NewNop())
	require.NoError(t, err)
	front := httptest.NewServer(server.Handler())
	t.Cleanup(func() { front.Close(); _ = server.Close() })
	e := run(t, fast(front.URL))
	get := func(path string) string {
		answer, err := http.Get(front.URL + path)
		require.NoError(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(body)
	}
	for i, want := range []string{"1 firing", "nothing is firing"} {
		a, td := newAgent(i), ptrace.NewTraces()
		a.name, a.startedAt = fmt.Sprint("agent-", i), time.Now()
		a.start(td)
		a.track(td, 1)
		spanevent.StampAlerts(td.ResourceSpans().At(0).ScopeSpans().At(1).Spans().At(0), []alert.Alert{{
			RuleName: "Spike", Severity: alert.SeverityCritical, Timestamp: a.now, Resolved: i == 1, Group: alert.Group{By: "none", StateID: "x"},
		}})
		require.NoError(t, e.ConsumeTraces(t.Context(), td))
		require.Eventually(t, func() bool { return strings.Contains(get("/alerts/events"), a.name) }, 20*time.Second, 5*time.Millisecond)
		assert.Contains(t, get("/ui/alerts"), want)
	}
	assert.Equal(t, 2, strings.Count(get("/alerts/events"), `"alert_group":{"by":"none","state_id":"x"}`))
}

// otlpInto returns the URL of an OTLP receiver in front of a consumer.
func otlpInto(t *testing.T, next consumer.Traces) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			gz, err := gzip.NewReader(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			in = gz
		}
		req := ptraceotlp.NewExportRequest()
		body, err := io.ReadAll(in)
		if err == nil {
			err = req.UnmarshalProto(body)
		}
		if err == nil {
			err = next.ConsumeTraces(r.Context(), req.Traces())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, _ := ptraceotlp.NewExportResponse().MarshalProto()
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
