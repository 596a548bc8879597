package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// The windows and the budget stand in the processor's configuration alone.
const oneFigureConfig = `
extensions:
  health_check: {endpoint: "localhost:${env:AGENTLENS_HEALTH_PORT}"}
  agentlens_backend: {endpoint: "localhost:${env:AGENTLENS_PORT}", directory: "${env:AGENTLENS_DATA}"}
receivers:
  agentlens:
processors:
  agentlens:
    drift: {baseline_sessions: 12, current_sessions: 6, allowed_lateness: 0s}
    forecast: {interval: 1ns, budgets: [{name: tight, agent: drifter, limit_usd: 0.05}]}
exporters:
  agentlens:
    endpoint: http://localhost:${env:AGENTLENS_PORT}
    rate_limit: {events_per_minute: 0, findings_per_minute: 0}
  otlp_http: {endpoint: "SINK", compression: none}
service:
  extensions: [health_check, agentlens_backend]
  pipelines: {traces: {receivers: [agentlens], processors: [agentlens], exporters: [agentlens, otlp_http]}}
  telemetry: {metrics: {level: none}}
`

// What the collector writes onto the spans, what the backend stores of it, what
// its API answers and what its page shows are one figure.
func TestOneFigure(t *testing.T) {
	sink := newSpanSink(t)
	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(oneFigureConfig, "SINK", sink.url, 1)), 0o600))
	c := newCollector(t, "")
	c.args = []string{"--config", file}
	c.start()
	base := c.api().BaseURL
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(base))
	require.NoError(t, err)

	const sessions = 24 // the last eight use five times the tokens
	began := time.Now().Add(-sessions * 2 * time.Second)
	r := rand.New(rand.NewPCG(3, 4))
	var ids []string
	var held []*analysis.Session
	for i := range sessions {
		tokens := 900 + r.Int64N(200)
		if i >= sessions-8 {
			tokens *= 5
		}
		// Windows are not compared twice within a second.
		at := agentlens.WithTimestamp(began.Add(time.Duration(i) * 2 * time.Second))
		ctx, s, err := tracker.StartSession(t.Context(), "drifter", at)
		require.NoError(t, err)
		_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithModel("gpt-4o"), agentlens.WithTokens(tokens, 50), agentlens.WithDurationMS(100+50*r.Float64()), at)
		require.NoError(t, err)
		require.NoError(t, s.End(ctx, at))
		ids, held = append(ids, s.ID()), append(held, s.Snapshot())
	}
	require.NoError(t, tracker.Shutdown(t.Context()))
	heldAll(t, c, held)

	var answer struct {
		Score     float64 `json:"drift_score"`
		Status    string  `json:"status"`
		Baseline  int     `json:"baseline_sessions"`
		Current   int     `json:"current_sessions"`
		Collector *struct {
			Status    string   `json:"status"`
			Score     *float64 `json:"drift_score"`
			SessionID string   `json:"session_id"`
			Differs   bool     `json:"differs"`
		} `json:"collector"`
	}
	// The findings come after the sessions.
	eventually(t, func(ctx context.Context) string {
		if err := getJSON(ctx, base+"/api/agents/drifter/drift", &answer); err != nil {
			return err.Error()
		}
		if answer.Collector == nil || sink.root(ids[sessions-1]) == nil {
			return fmt.Sprintf("nothing told of the drift: API %+v, spans %+v", answer, sink.root(ids[sessions-1]))
		}
		return ""
	})
	last := sink.root(ids[sessions-1])
	assert.Equal(t, []int{12, 6}, []int{answer.Baseline, answer.Current})
	assert.Positive(t, answer.Score)
	assert.InDelta(t, last.score, answer.Score, 1e-9, "spans and API")
	assert.Equal(t, last.status, answer.Status)
	told := sink.root(answer.Collector.SessionID)
	require.NotNil(t, told, "the session of the stored finding")
	require.NotNil(t, answer.Collector.Score)
	assert.InDelta(t, told.detected, *answer.Collector.Score, 0.005, "the stored finding, which has two decimals")
	assert.Equal(t, answer.Collector.Status != answer.Status, answer.Collector.Differs)

	page := getText(t, base+"/ui/agents/drifter")
	assert.Contains(t, page, "<dd>"+strconv.FormatFloat(last.score, 'f', 0, 64)+"<small>/100</small></dd>")
	assert.Contains(t, page, "/ui/sessions/"+answer.Collector.SessionID)

	// The budget that only the processor was told of.
	var costs struct {
		Budgets []struct {
			Name string `json:"name"`
			forecast.BudgetReport
		} `json:"budgets"`
	}
	require.NoError(t, getJSON(t.Context(), base+"/api/agents/drifter/forecast", &costs))
	require.Len(t, costs.Budgets, 1)
	assert.Equal(t, "tight", costs.Budgets[0].Name)
	assert.Equal(t, forecast.SeverityCritical, costs.Budgets[0].Severity)
	assert.Contains(t, page, "tight")
	eventually(t, func(ctx context.Context) string {
		var alerts struct {
			Events []struct {
				Rule string `json:"rule"`
			} `json:"events"`
		}
		if err := getJSON(ctx, base+"/alerts/events?agent=drifter", &alerts); err != nil {
			return err.Error()
		}
		for _, e := range alerts.Events {
			if e.Rule == "Budget tight" {
				return ""
			}
		}
		return fmt.Sprintf("the collector has not told of the budget: %+v", alerts)
	})
}

// rootFindings are what the collector wrote onto a session's root.
type rootFindings struct {
	score    float64
	status   string
	detected float64 // of the event, 0 = none
}

// spanSink is an OTLP backend that keeps the drift of session roots.
type spanSink struct {
	url   string
	mu    sync.Mutex
	roots map[string]*rootFindings
}

func newSpanSink(t *testing.T) *spanSink {
	s := &spanSink{roots: map[string]*rootFindings{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := ptraceotlp.NewExportRequest()
		if err == nil {
			err = request.UnmarshalProto(body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.keep(request.Traces())
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *spanSink) keep(td ptrace.Traces) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				score, ok := span.Attributes().Get(semconv.DriftScore)
				if !ok {
					continue
				}
				id, _ := span.Attributes().Get(semconv.SessionID)
				status, _ := span.Attributes().Get(semconv.DriftStatus)
				f := &rootFindings{score: score.Double(), status: status.Str()}
				for _, e := range span.Events().All() {
					if v, ok := e.Attributes().Get(semconv.DriftScore); ok {
						f.detected = v.Double()
					}
				}
				s.roots[id.Str()] = f
			}
		}
	}
}

func (s *spanSink) root(session string) *rootFindings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roots[session]
}

func getText(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
	return string(body)
}

func getJSON(ctx context.Context, url string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	return json.Unmarshal(body, v)
}
