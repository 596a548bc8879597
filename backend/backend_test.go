package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client talks to a server of its own, on a database of its own.
type client struct {
	t   *testing.T
	url string
	key string
}

func start(t *testing.T, cfg Config) client {
	t.Helper()
	cfg.Directory, cfg.Version = t.TempDir(), "v1.2.3-test"
	s, err := New(context.Background(), cfg, zaptest.NewLogger(t))
	require.NoError(t, err)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		srv.Close()
		require.NoError(t, s.Close())
	})
	return client{t: t, url: srv.URL, key: cfg.APIKey}
}

// do sends a request and returns the answer, its body read.
func (c client) do(method, path, body string, change ...func(*http.Request)) (*http.Response, string) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	require.NoError(c.t, err)
	if c.key != "" {
		req.Header.Set("X-API-Key", c.key)
	}
	for _, f := range change {
		f(req)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	return res, string(got)
}

// want sends a request, checks the status and reads the answer as JSON.
func (c client) want(status int, method, path, body string, change ...func(*http.Request)) map[string]any {
	c.t.Helper()
	res, text := c.do(method, path, body, change...)
	require.Equal(c.t, status, res.StatusCode, "%s %s: %s", method, path, text)
	require.Equal(c.t, "application/json; charset=utf-8", res.Header.Get("Content-Type"))
	var got map[string]any
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	require.NoError(c.t, d.Decode(&got), text)
	return got
}

// example is a session as the SDK and the exporter send it.
const example = `{"events":[
 {"event_type":"session_start","session_id":"s1","agent_name":"research-agent-v2","timestamp":"2026-02-14T10:30:00.000000Z","metadata":{"version":"2.1.0","run":1234567890123456789}},
 {"event_type":"llm_call","session_id":"s1","event_id":"e1","timestamp":"2026-02-14T10:30:01.234000Z","model":"gpt-4-turbo","tokens_in":1200,"tokens_out":350,
  "input_data":{"prompt":"Summarize <b>this</b>"},"output_data":{"response":"…"},"duration_ms":2340.5,"cost_usd":0.0225,
  "decision_trace":{"trace_id":"d1","step":1,"reasoning":"User asked for a summary.","alternatives_considered":["gpt-3.5"],"confidence":0.75,"timestamp":"2026-02-14T10:30:01.234000Z"}},
 {"event_type":"tool_call","session_id":"s1","event_id":"e2","timestamp":"2026-02-14T10:30:02.124000Z","duration_ms":890.2,
  "tool_call":{"tool_call_id":"t1","tool_name":"web_search","tool_input":{"query":"latest"},"tool_output":{"results":[]},"timestamp":"2026-02-14T10:30:02.124000Z","duration_ms":890.2}},
 {"event_type":"generic","agentlens_event_type":"decision","session_id":"s1","event_id":"e3","timestamp":"2026-02-14T10:30:03.000000Z","tokens_in":0,"tokens_out":3},
 {"event_type":"error","session_id":"s1","event_id":"e4","timestamp":"2026-02-14T10:30:04.000000Z","error":{"type":"RateLimitError","message":"slow down"}},
 {"event_type":"session_end","session_id":"s1","ended_at":"2026-02-14T10:30:05.000000Z","status":"error","total_tokens_in":1200,"total_tokens_out":353}
]}`

func TestReadsBackWhatWasSent(t *testing.T) {
	c := start(t, Config{})
	got := c.want(200, "POST", "/events", example)
	require.Equal(t, map[string]any{"status": "ok", "processed": json.Number("6"), "skipped": json.Number("0"), "truncated_fields": json.Number("0")}, got)

	session := `{"session_id":"s1","agent_name":"research-agent-v2","started_at":"2026-02-14T10:30:00Z","ended_at":"2026-02-14T10:30:05Z","status":"error",
"metadata":{"version":"2.1.0","run":1234567890123456789},"tags":[],"total_tokens_in":1200,"total_tokens_out":353,"total_cost_usd":0.0225,"event_count":4,"error_count":1`
	_, text := c.do("GET", "/sessions", "")
	require.JSONEq(t, `{"sessions":[`+session+`}],"total":1,"limit":50,"offset":0}`, text)
	require.Contains(t, text, "1234567890123456789", "no digit of a long number is lost")

	events := `[
 {"event_id":"e1","session_id":"s1","event_type":"llm_call","timestamp":"2026-02-14T10:30:01.234Z","model":"gpt-4-turbo","tokens_in":1200,"tokens_out":350,
  "input_data":{"prompt":"Summarize <b>this</b>"},"output_data":{"response":"…"},"duration_ms":2340.5,"cost_usd":0.0225,"tool_call":null,
  "decision_trace":{"trace_id":"d1","step":1,"reasoning":"User asked for a summary.","alternatives_considered":["gpt-3.5"],"confidence":0.75,"timestamp":"2026-02-14T10:30:01.234000Z"}},
 {"event_id":"e2","session_id":"s1","event_type":"tool_call","timestamp":"2026-02-14T10:30:02.124Z","duration_ms":890.2,"model":null,"tokens_in":null,"tokens_out":null,
  "input_data":null,"output_data":null,"decision_trace":null,
  "tool_call":{"tool_call_id":"t1","tool_name":"web_search","tool_input":{"query":"latest"},"tool_output":{"results":[]},"timestamp":"2026-02-14T10:30:02.124000Z","duration_ms":890.2}},
 {"event_id":"e3","session_id":"s1","event_type":"decision","timestamp":"2026-02-14T10:30:03Z","duration_ms":null,"model":null,"tokens_in":0,"tokens_out":3,
  "input_data":null,"output_data":null,"decision_trace":null,"tool_call":null},
 {"event_id":"e4","session_id":"s1","event_type":"error","timestamp":"2026-02-14T10:30:04Z","duration_ms":null,"model":null,"tokens_in":null,"tokens_out":null,
  "input_data":null,"output_data":null,"decision_trace":null,"tool_call":null,"error":{"type":"RateLimitError","message":"slow down"}}]`
	_, text = c.do("GET", "/sessions/s1", "")
	require.JSONEq(t, session+`,"events":`+events+`,"annotations":[],"limit":1000,"offset":0}`, text)
	_, text = c.do("GET", "/sessions/s1/events", "")
	require.JSONEq(t, `{"session_id":"s1","events":`+events+`,"total":4,"limit":1000,"offset":0}`, text)

	explanation := c.want(200, "GET", "/sessions/s1/explain", "")["explanation"]
	require.Equal(t, `## Session Explanation: research-agent-v2
**Session ID:** s1
**Started:** 2026-02-14T10:30:00+00:00
**Status:** error
**Total tokens:** 1200 in / 353 out

### Event Timeline:
1. [10:30:01.234] **llm_call** (model: gpt-4-turbo)
   💡 Reasoning: User asked for a summary.
   📊 Tokens: 1200 in / 350 out
2. [10:30:02.124] **tool_call** → tool: web_search
3. [10:30:03.000] **decision**
   📊 Tokens: 0 in / 3 out
4. [10:30:04.000] **error**`, explanation)
}
