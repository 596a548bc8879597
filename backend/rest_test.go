package backend

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// keys returns the keys of a JSON object that are not there.
func missing(got map[string]any, keys ...string) (out []string) {
	for _, k := range keys {
		if _, ok := got[k]; !ok {
			out = append(out, k)
		}
	}
	return out
}

// TestOriginalShapes: the answers have the original's fields.
func TestOriginalShapes(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", example)
	c.want(200, "POST", "/events", strings.ReplaceAll(example, `"s1"`, `"s2"`))
	first := func(v any) map[string]any { return v.([]any)[0].(map[string]any) }

	found := c.want(200, "GET", "/sessions/search?q=research&agent=research-agent-v2&min_tokens=10&sort=tokens", "")
	require.Empty(t, missing(found, "sessions", "total", "limit", "offset"))
	require.Equal(t, json.Number("2"), found["total"])
	require.Empty(t, missing(first(found["sessions"]), "session_id", "agent_name", "started_at", "ended_at", "status", "metadata", "total_tokens_in", "total_tokens_out"))
	require.Equal(t, json.Number("0.045"), found["totals"].(map[string]any)["total_cost_usd"])

	events := c.want(200, "GET", "/events/search?q=article&type=llm_call", "")
	require.Equal(t, json.Number("0"), events["total"])
	events = c.want(200, "GET", "/events/search?q=summarize&session_id=s1", "")
	require.Equal(t, json.Number("1"), events["total"])
	require.Empty(t, missing(first(events["events"]), "event_id", "session_id", "event_type", "timestamp", "input_data", "output_data", "model", "tokens_in", "tokens_out", "tool_call", "decision_trace", "duration_ms"))

	a := c.want(200, "GET", "/analytics", "")
	require.Empty(t, missing(a, "overview", "duration", "top_agents", "model_usage", "event_types", "sessions_over_time", "hourly_activity"))
	over := a["overview"].(map[string]any)
	require.Equal(t, []any{json.Number("2"), json.Number("2"), json.Number("100"), json.Number("8"), json.Number("3106"), json.Number("1553")},
		[]any{over["total_sessions"], over["error_sessions"], over["error_rate"], over["total_events"], over["total_tokens"], over["avg_tokens_per_session"]})
	require.Equal(t, json.Number("5000"), a["duration"].(map[string]any)["avg_ms"])
	require.Equal(t, map[string]any{
		"model": "gpt-4-turbo", "call_count": json.Number("2"), "total_tokens": json.Number("3100"), "total_tokens_in": json.Number("2400"),
		"total_tokens_out": json.Number("700"), "avg_duration_ms": json.Number("2340.5"), "total_cost_usd": json.Number("0.045"),
	}, first(a["model_usage"]))

	costs := c.want(200, "GET", "/analytics/costs?days=400", "")
	require.Empty(t, missing(costs, "period_days", "total_cost", "avg_daily_cost", "projected_monthly_cost", "currency", "by_model", "daily_trend", "unmatched_models"))
	require.Equal(t, json.Number("0.045"), costs["total_cost"])
	require.Equal(t, map[string]any{"day": "2026-02-14", "cost": json.Number("0.045")}, first(costs["daily_trend"]))

	heat := c.want(200, "GET", "/analytics/heatmap?days=400&metric=tokens", "")
	require.Empty(t, missing(heat, "period_days", "metric", "max_value", "peak", "matrix", "cells", "day_totals", "hour_totals"))
	require.Equal(t, map[string]any{"day": json.Number("6"), "day_name": "Saturday", "hour": json.Number("10"), "value": json.Number("3106"), "intensity": json.Number("1")}, first(heat["cells"]))

	require.Empty(t, missing(c.want(200, "GET", "/alerts/events", ""), "events", "total"))
	c.want(200, "POST", "/sessions/s1/tags", `{"tags":["a","b"]}`)
	require.Equal(t, []any{map[string]any{"tag": "a", "session_count": json.Number("1")}, map[string]any{"tag": "b", "session_count": json.Number("1")}}, c.want(200, "GET", "/sessions/tags", "")["tags"])
	require.Equal(t, []any{"b"}, c.want(200, "DELETE", "/sessions/s1/tags", `{"tags":["a"]}`)["tags"])
	note := c.want(201, "POST", "/sessions/s1/annotations", `{"text":"x"}`)
	c.want(200, "DELETE", fmt.Sprint("/sessions/s1/annotations/", note["annotation_id"]), "")
	c.want(404, "DELETE", fmt.Sprint("/sessions/s1/annotations/", note["annotation_id"]), "")

	for path, text := range map[string]string{
		"/sessions/search?sort=name": "sort is", "/sessions?order=up": "order is", "/sessions?from=yesterday": "from is", "/analytics/costs?days=0": "days is",
		"/analytics/costs?days=1000": "days is", "/analytics/heatmap?metric=x": "metric is", "/events?failed=maybe": "failed is", "/sessions/s1/export?format=xml": "format is",
		"/api/agents/a/forecast?horizon=91": "days is", "/api/agents/a/forecast?method=magic": "method is", "/api/agents/a/compliance?policy=x": "policy is",
	} {
		require.Contains(t, c.want(400, "GET", path, "")["error"], text, path)
	}
}

func TestExport(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", example)
	c.want(200, "POST", "/events", `{"events":[{"event_type":"generic","session_id":"s1","event_id":"f","timestamp":"2026-02-14T10:31:00Z","tool_call":{"tool_name":"=1+1"},"error":{"message":"-2.5"}}]}`)
	res, text := c.do("GET", "/sessions/s1/export", "")
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, `attachment; filename=agentlens-research-agent-v2-s1.json`, res.Header.Get("Content-Disposition"))
	var got struct {
		Session map[string]any   `json:"session"`
		Events  []map[string]any `json:"events"`
		Summary map[string]any   `json:"summary"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &got), text)
	require.Len(t, got.Events, 5)
	require.Equal(t, "s1", got.Session["session_id"])
	require.EqualValues(t, 1553, got.Summary["total_tokens"])
	require.Equal(t, []any{"gpt-4-turbo"}, got.Summary["models_used"])

	_, text = c.do("GET", "/sessions/s1/export?format=CSV", "")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 6)
	require.Equal(t, []string{"e1", "llm_call", "2026-02-14T10:30:01.234Z", "gpt-4-turbo", "1200", "350", "2340.5", `{"prompt":"Summarize <b>this</b>"}`}, rows[1][:8])
	require.Equal(t, []string{"'=1+1"}, rows[5][9:10], "no formula")
	require.Equal(t, "-2.5", rows[5][15], "a number is one")
	c.want(404, "GET", "/sessions/none/export", "")
}

func TestCompareSessions(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", example)
	c.want(200, "POST", "/events", strings.NewReplacer(`"s1"`, `"s2"`, `"total_tokens_in":1200`, `"total_tokens_in":2400`).Replace(example))
	got := c.want(200, "POST", "/sessions/compare", `{"session_a":"s1","session_b":"s2"}`)
	require.Empty(t, missing(got, "compared_at", "session_a", "session_b", "deltas", "shared", "drift"))
	require.Equal(t, map[string]any{"absolute": json.Number("1200"), "percent": json.Number("100")}, got["deltas"].(map[string]any)["tokens_in"])
	require.Equal(t, map[string]any{"event_types": []any{"decision", "error", "llm_call", "tool_call"}, "tools": []any{"web_search"}, "models": []any{"gpt-4-turbo"}}, got["shared"])
	require.Equal(t, "not_enough_evidence", got["drift"].(map[string]any)["status"])
	for body, text := range map[string]string{
		`{}`: "Both session_a and session_b are required", `{"session_a":"s1","session_b":"s1"}`: "Cannot compare a session with itself", `{"session_a":"s1","session_b":"<b>"}`: "Invalid session ID format",
	} {
		require.Equal(t, text, c.want(400, "POST", "/sessions/compare", body)["error"])
	}
	require.Equal(t, "Session s3 not found", c.want(404, "POST", "/sessions/compare", `{"session_a":"s1","session_b":"s3"}`)["error"])
	require.Contains(t, c.page(200, "/ui/compare?a=s1&b=s2"), "Tokens in 1 200 2 400 +100.0 %")
	require.Contains(t, c.page(404, "/ui/compare?a=s1&b=s3"), "Session not found")
}

func TestPricing(t *testing.T) {
	c := start(t, Config{})
	call := func(id string) {
		c.want(200, "POST", "/events", fmt.Sprintf(`{"events":[{"event_type":"llm_call","session_id":%q,"event_id":"e","timestamp":"2026-02-14T10:30:00Z","model":"house-model","tokens_in":1000000,"tokens_out":2000000},
{"event_type":"llm_call","session_id":%q,"event_id":"f","timestamp":"2026-02-14T10:30:00Z","model":"gpt-4o","tokens_in":1000000,"tokens_out":0}]}`, id, id))
	}
	call("before")
	require.Equal(t, json.Number("2.5"), c.want(200, "GET", "/sessions/before", "")["total_cost_usd"], "the original SDK says no costs")
	require.Equal(t, []any{"house-model"}, c.want(200, "GET", "/pricing/costs/before", "")["unmatched_models"])

	require.Equal(t, map[string]any{"status": "ok", "updated": json.Number("1")}, c.want(200, "PUT", "/pricing", `{"pricing":{"house-model":{"input_cost_per_1m":2,"output_cost_per_1m":3,"currency":"USD"}}}`))
	call("after")
	require.Equal(t, json.Number("10.5"), c.want(200, "GET", "/sessions/after", "")["total_cost_usd"])
	costs := c.want(200, "GET", "/pricing/costs/before", "")
	require.Equal(t, []any{json.Number("10.5"), json.Number("4.5"), json.Number("6"), json.Number("2.5")}, []any{costs["total_cost"], costs["total_input_cost"], costs["total_output_cost"], costs["recorded_cost_usd"]})
	list := c.want(200, "GET", "/pricing", "")
	require.Equal(t, json.Number("2"), list["pricing"].(map[string]any)["house-model"].(map[string]any)["input_cost_per_1m"])
	require.Equal(t, map[string]any{"input": json.Number("2.5"), "output": json.Number("10")}, list["defaults"].(map[string]any)["gpt-4o"])

	for _, body := range []string{`{}`, `{"pricing":{"m":{"input_cost_per_1m":-1,"output_cost_per_1m":1}}}`, `{"pricing":{"m":{"input_cost_per_1m":1}}}`, `{"pricing":{"m":{"input_cost_per_1m":1,"output_cost_per_1m":1,"currency":"EUR"}}}`} {
		c.want(400, "PUT", "/pricing", body)
	}
	c.want(200, "DELETE", "/pricing/house-model", "")
	c.want(404, "DELETE", "/pricing/house-model", "")
	require.Equal(t, []any{"house-model"}, c.want(200, "GET", "/pricing/costs/before", "")["unmatched_models"])
}

func TestAgentFigures(t *testing.T) {
	c := start(t, Config{Figures: insight.Settings{Drift: drift.Rolling{BaselineSessions: 40, CurrentSessions: 20}}})
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -20)
	for i := range 60 {
		at := day.Add(time.Duration(i) * 7 * time.Hour)
		tokens, tool := 1000+7*i%13, "read"
		if i >= 40 {
			tokens, tool = 4000+7*i%13, "rm"
		}
		id := fmt.Sprintf("s%02d", i)
		c.want(200, "POST", "/events", fmt.Sprintf(`{"events":[{"event_type":"session_start","session_id":%q,"agent_name":"a b/c","timestamp":%q,"metadata":{"version":"%d"}},
{"event_type":"llm_call","session_id":%q,"event_id":"e","timestamp":%q,"model":"gpt-4o","tokens_in":%d,"tokens_out":10,"duration_ms":%d,"cost_usd":0.5,"tool_call":{"tool_name":%q}},
{"event_type":"session_end","session_id":%q,"ended_at":%q}]}`, id, at.Format(time.RFC3339), i/40, id, at.Add(time.Second).Format(time.RFC3339), tokens, 500+i, tool, id, at.Add(2*time.Second).Format(time.RFC3339)))
		if i >= 50 {
			c.want(201, "POST", "/sessions/"+id+"/annotations", `{"text":"Compliance (error): policy p, rule forbidden_tools failed: rm","author":"agentlens","type":"warning"}`)
			c.want(200, "POST", "/sessions/"+id+"/tags", `{"tags":["compliance:fail"]}`)
		}
	}
	c.want(201, "POST", "/sessions/s59/annotations", `{"text":"Alert (critical): rule Spike: 6 > 5","author":"agentlens","type":"warning","event_id":"e"}`)
	c.want(201, "POST", "/sessions/s01/annotations", `{"text":"Alert (critical): rule Old: 6 > 5","author":"agentlens","type":"warning","event_id":"e"}`)
	const agent = "/api/agents/a%20b%2Fc"

	f := c.want(200, "GET", agent+"/forecast?horizon=7&method=linear", "")
	require.Equal(t, json.Number("30"), f["total_cost_usd"])
	require.Len(t, f["forecast"].(map[string]any)["daily_predictions"], 7)
	require.Equal(t, "linear", f["forecast"].(map[string]any)["method"])

	d := c.want(200, "GET", agent+"/drift", "")
	require.Equal(t, json.Number("40"), d["baseline_sessions"])
	require.Equal(t, json.Number("20"), d["current_sessions"])
	require.Equal(t, "degraded", d["status"])
	v := c.want(200, "GET", agent+"/drift?baseline_version=0&current_version=1", "")
	require.Equal(t, d["drift_score"], v["drift_score"], "the versions are the same windows")
	since := day.Add(40 * 7 * time.Hour).Format(time.DateOnly)
	page := c.page(200, "/ui/compare?agent=a+b%2Fc&baseline_to="+since+"&current_from="+since)
	require.Contains(t, page, "from "+since+", ")
	require.Contains(t, page, "before "+since+", ")
	require.Contains(t, page, "degraded")
	require.Contains(t, c.page(200, "/ui/agents"), "a b/c")
	require.Contains(t, c.want(409, "GET", agent+"/drift?baseline_version=9&current_version=1", "")["error"], "0 in the baseline")

	p := c.want(200, "GET", agent+"/compliance?policy=strict", "")
	require.Equal(t, json.Number("10"), p["failed"])
	require.Nil(t, p["rate"], "nobody said that the others passed")
	require.Equal(t, "forbidden_tools", p["rules"].([]any)[0].(map[string]any)["rule"])
	require.Equal(t, json.Number("60"), p["check"].(map[string]any)["sessions"])

	alerts := c.want(200, "GET", "/alerts/events?limit=1", "")
	require.Equal(t, json.Number("2"), alerts["total"])
	list := c.want(200, "GET", "/api/agents", "")["agents"].([]any)
	require.Equal(t, json.Number("60"), list[0].(map[string]any)["sessions"])

	over := c.want(200, "GET", "/api/overview", "")
	require.Equal(t, "degraded", over["worst_drift"].(map[string]any)["status"])
	page = c.page(200, "/ui/agents/a%20b%2Fc?policy=strict")
	for _, want := range []string{"$30.00", "degraded", "forbidden_tools", "What policy", "version"} {
		if want == "version" {
			want = "Compare versions"
		}
		require.Contains(t, page, want)
	}
	require.Contains(t, c.page(200, "/ui/alerts"), "Spike")
	require.Contains(t, c.page(404, "/ui/agents/nobody"), "No session of an agent")
}

// TestUnpricedAgent: no cost is not a cost of nothing.
func TestUnpricedAgent(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", fmt.Sprintf(`{"events":[{"event_type":"session_start","session_id":"s","agent_name":"a"},{"event_type":"llm_call","session_id":"s","event_id":"e","timestamp":%q,"model":"unheard-of","tokens_in":5}]}`, time.Now().UTC().Format(time.RFC3339)))
	page := c.page(200, "/ui/agents/a")
	require.Contains(t, page, "No cost is known of unheard-of")
	require.Contains(t, page, "31 must have ended. So far: 0.")
}

// TestStream: a change is told to who listens, and the stream ends in order.
func TestStream(t *testing.T) {
	s, err := New(context.Background(), Config{Directory: t.TempDir()}, zap.NewNop())
	require.NoError(t, err)
	srv := httptest.NewServer(s.Handler())
	c := client{t: t, url: srv.URL}
	res, err := http.Get(srv.URL + "/api/stream")
	require.NoError(t, err)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func(prefix string) string {
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return rest
			}
		}
		t.Fatal("the stream ended")
		return ""
	}
	require.Equal(t, "1000", next("retry: "))
	c.want(200, "POST", "/events", example)
	require.Equal(t, "change", next("event: "))
	require.JSONEq(t, `{"sessions":["s1"]}`, next("data: "))
	c.want(200, "POST", "/sessions/s1/tags", `{"tags":["x"]}`)
	require.JSONEq(t, `{"sessions":["s1"]}`, next("data: "))
	s.EndStreams()
	for lines.Scan() {
	}
	require.NoError(t, lines.Err())
	late, err := http.Get(srv.URL + "/api/stream")
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, late.Body)
	require.NoError(t, err, "a stream after the end ends at once")
	require.NoError(t, late.Body.Close())
	srv.Close()
	require.NoError(t, s.Close())
}

func TestHubNamesAHundred(t *testing.T) {
	var h hub
	sub := h.subscribe()
	for i := range 300 {
		h.publish(fmt.Sprint(i))
	}
	ids, more := h.take(sub)
	require.Len(t, ids, streamIDs)
	require.True(t, more)
	ids, more = h.take(sub)
	require.Empty(t, ids)
	require.False(t, more)
	h.unsubscribe(sub)
	h.publish("x")
	require.Empty(t, sub.changed)
}

// TestTracesAreGuarded: spans are behind the key as all else, and without a
// handler there is no such resource.
func TestTracesAreGuarded(t *testing.T) {
	c := start(t, Config{APIKey: "secret", Traces: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		refuse(w, http.StatusTeapot, fmt.Sprint(string(body), err))
	})})
	require.Contains(t, c.want(401, "POST", "/v1/traces", `{}`, func(r *http.Request) { r.Header.Del("X-API-Key") })["error"], "API key")
	c.want(403, "POST", "/v1/traces", `{}`, func(r *http.Request) { r.Host = "evil.example" })
	require.Equal(t, "{}<nil>", c.want(418, "POST", "/v1/traces", `{}`)["error"])
	c.want(405, "GET", "/v1/traces", "")
	c = start(t, Config{})
	c.want(404, "POST", "/v1/traces", `{}`)
}

// endless is a body without an end.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}

func (e *endless) Close() error { return nil }

// TestReadingStops: of a body beyond the limit no more than the limit is read,
// packed or not.
func TestReadingStops(t *testing.T) {
	body := &endless{}
	req := httptest.NewRequest("POST", "/events", body)
	_, err := readBody(httptest.NewRecorder(), req, wire.MaxBatchBytes)
	require.ErrorAs(t, err, new(*http.MaxBytesError))
	require.Less(t, body.read, int64(wire.MaxBatchBytes+1<<20))

	packed := packEndless()
	req = httptest.NewRequest("POST", "/events", packed)
	req.Header.Set("Content-Encoding", "gzip")
	_, err = readBody(httptest.NewRecorder(), req, wire.MaxBatchBytes)
	require.ErrorAs(t, err, new(*http.MaxBytesError))
	require.NoError(t, packed.Close())
	require.Less(t, packed.read, int64(1<<20), "10 MB of one letter are 10 kB packed")
}

// TestDiskFull: a full disk is told as such, and nothing of the batch is there.
func TestDiskFull(t *testing.T) {
	s, err := New(context.Background(), Config{Directory: t.TempDir()}, zap.NewNop())
	require.NoError(t, err)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() { srv.Close(); require.NoError(t, s.Close()) })
	c := client{t: t, url: srv.URL}
	c.want(200, "POST", "/events", example)
	size, err := s.store.Size(context.Background())
	require.NoError(t, err)
	require.NoError(t, s.store.Limit(context.Background(), size.File+16<<10))
	big := strings.Repeat("x", 200_000)
	got := c.want(507, "POST", "/events", `{"events":[{"event_type":"generic","session_id":"new","event_id":"1","input_data":"a"},{"event_type":"generic","session_id":"new","event_id":"2","input_data":"`+big+`"}]}`)
	require.Equal(t, "disk full", got["error"])
	c.want(404, "GET", "/sessions/new", "")
	require.Equal(t, json.Number("4"), c.want(200, "GET", "/sessions/s1", "")["event_count"])
	require.NoError(t, s.store.Limit(context.Background(), 1<<40))
	c.want(200, "POST", "/events", `{"events":[{"event_type":"generic","session_id":"new","event_id":"1","input_data":"a"}]}`)
}

func TestRetentionRuns(t *testing.T) {
	c := start(t, Config{Retention: store.Retention{MaxAge: time.Hour}})
	c.want(200, "POST", "/events", example)
	require.Equal(t, json.Number("1"), c.want(200, "GET", "/sessions", "")["total"])
	s, err := New(context.Background(), Config{Directory: t.TempDir(), Retention: store.Retention{MaxAge: time.Hour}}, zap.NewNop())
	require.NoError(t, err)
	_, err = s.store.Ingest(context.Background(), []wire.Event{{EventType: "generic", SessionID: "s", EventID: "e", Timestamp: wire.At(time.Now().Add(-2 * time.Hour))}})
	require.NoError(t, err)
	s.sweep(context.Background())
	_, err = s.store.Session(context.Background(), "s")
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NoError(t, s.Close())
}

// packedEndless is a gzip stream without an end.
type packedEndless struct {
	*io.PipeReader
	read int64
}

func (p *packedEndless) Read(b []byte) (int, error) {
	n, err := p.PipeReader.Read(b)
	p.read += int64(n)
	return n, err
}

func packEndless() *packedEndless {
	r, w := io.Pipe()
	go func() {
		gz := gzip.NewWriter(w)
		_, err := io.Copy(gz, &endless{})
		w.CloseWithError(err)
	}()
	return &packedEndless{PipeReader: r}
}
