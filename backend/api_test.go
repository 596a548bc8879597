package backend

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

func TestErrors(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", example)
	long := strings.Repeat("x", 5000)
	for _, r := range []struct {
		method, path, body string
		status             int
		want               string // part of the error
	}{
		{"GET", "/nothing", "", 404, "/nothing"},
		{"POST", "/nothing", "", 404, "/nothing"},
		{"DELETE", "/sessions", "", 405, "GET"},
		{"DELETE", "/events", "", 405, "POST"},
		{"PUT", "/sessions/s1/tags", "", 405, "DELETE, GET, HEAD, POST"},
		{"GET", "/sessions/unknown", "", 404, "Session not found"},
		{"GET", "/sessions/unknown/events", "", 404, "Session not found"},
		{"GET", "/sessions/unknown/explain", "", 404, "Session not found"},
		{"GET", "/sessions/unknown/tags", "", 404, "Session not found"},
		{"GET", "/sessions/unknown/annotations", "", 404, "Session not found"},
		{"POST", "/sessions/unknown/tags", `{"tags":["a"]}`, 404, "Session not found"},
		{"POST", "/sessions/unknown/annotations", `{"text":"a"}`, 404, "Session not found"},
		{"GET", "/sessions?limit=x", "", 400, `limit is "x"`},
		{"GET", "/sessions?limit=0", "", 400, `limit is "0"`},
		{"GET", "/sessions?offset=-1", "", 400, `offset is "-1"`},
		{"GET", "/sessions?limit=99999999999", "", 400, "limit"},
		{"GET", "/sessions?status=done", "", 400, `status is "done"`},
		{"GET", "/sessions/s1?offset=1.5", "", 400, "offset"},
		{"GET", "/sessions/s1/events?limit=ten", "", 400, "limit"},
		{"POST", "/events", ``, 400, "body"},
		{"POST", "/events", `{"events":`, 400, "body"},
		{"POST", "/events", `[]`, 400, "body"},
		{"POST", "/events", `{}`, 400, "events is missing"},
		{"POST", "/events", `{"events":null}`, 400, "events is missing"},
		{"POST", "/events", `{"events":{}}`, 400, "body"},
		{"POST", "/events", `{"events":[` + strings.Repeat("{},", 500) + `{}]}`, 413, "Batch too large"},
		{"POST", "/events", `{"events":["` + strings.Repeat("x", wire.MaxBatchBytes) + `"]}`, 413, "too large"},
		{"GET", "/sessions/unknown/events/search", "", 404, "Session not found"},
		{"GET", "/sessions/s1/events/search?has_tools=maybe", "", 400, "has_tools is"},
		{"GET", "/sessions/s1/events/search?min_tokens=-1", "", 400, "min_tokens is"},
		{"GET", "/sessions/s1/events/search?min_duration_ms=NaN", "", 400, "min_duration_ms is"},
		{"GET", "/sessions/s1/events/search?after=noon", "", 400, "after is"},
		{"GET", "/sessions/s1/events/search?q=" + strings.Repeat("a+", 21), "", 400, "q is 21 words"},
		{"GET", "/sessions/by-tag/%3Cb%3E", "", 400, `tags[0] is "<b>"`},
		{"POST", "/sessions/by-tag/x", "", 404, "/sessions/by-tag/x"},
		{"PUT", "/sessions/s1/annotations/1", `{"text":"x"}`, 404, "Annotation not found"},
		{"PUT", "/sessions/s1/annotations/x", `{"text":"x"}`, 404, "Annotation not found"},
		{"PUT", "/sessions/s1/annotations/1", `{}`, 400, "nothing to change"},
		{"PUT", "/sessions/s1/annotations/1", `{"type":"rant"}`, 400, "type is"},
		{"GET", "/alerts/rules?enabled=x", "", 400, "enabled is"},
		{"POST", "/alerts/rules", `{"metric":"event_count","operator":">","threshold":1}`, 400, "name is empty"},
		{"POST", "/alerts/rules", `{"name":"n","metric":"mood","operator":">","threshold":1}`, 400, `metric is "mood"`},
		{"POST", "/alerts/rules", `{"name":"n","metric":"event_count","operator":"~","threshold":1}`, 400, `operator is "~"`},
		{"POST", "/alerts/rules", `{"name":"n","metric":"event_count","operator":">"}`, 400, "threshold is missing"},
		{"POST", "/alerts/rules", `{"name":"n","metric":"event_count","operator":">","threshold":"many"}`, 400, "threshold is a JSON string"},
		{"POST", "/alerts/rules", `{"name":"n","metric":"event_count","operator":">","threshold":1,"agent_filter":5}`, 400, "agent_filter is"},
		{"PUT", "/alerts/rules/1", `{"threshold":1}`, 404, "Rule not found"},
		{"DELETE", "/alerts/rules/x", "", 404, "Rule not found"},
		{"PUT", "/alerts/events/1/acknowledge", "", 404, "Alert event not found"},
		{"PUT", "/alerts/events/rule-x/acknowledge", "", 404, "Alert event not found"},
		{"GET", "/alerts/events?acknowledged=x", "", 400, "acknowledged is"},
		{"POST", "/sessions/s1/tags", `{"tags":[]}`, 400, "tags"},
		{"POST", "/sessions/s1/tags", `{"tags":"a"}`, 400, "tags is a JSON string"},
		{"POST", "/sessions/s1/tags", `nonsense`, 400, "JSON"},
		{"POST", "/sessions/s1/tags", `{"tags":["ok","<b>"]}`, 400, `tags[1] is "<b>"`},
		{"POST", "/sessions/s1/tags", `{"tags":["` + long[:65] + `"]}`, 400, "tags[0]"},
		{"POST", "/sessions/s1/tags", `{"tags":["  "]}`, 400, "tags[0]"},
		{"POST", "/sessions/s1/tags", `{"tags":["` + strings.Repeat("x", maxFindingBytes) + `"]}`, 413, "too large"},
		{"POST", "/sessions/s1/annotations", `{}`, 400, "text"},
		{"POST", "/sessions/s1/annotations", `{"text":" "}`, 400, "text"},
		{"POST", "/sessions/s1/annotations", `{"text":"` + long[:4001] + `"}`, 400, "4001 characters"},
		{"POST", "/sessions/s1/annotations", `{"text":"a","author":"` + long[:129] + `"}`, 400, "author"},
		{"POST", "/sessions/s1/annotations", `{"text":"a","type":"rant"}`, 400, `type is "rant"`},
		{"POST", "/sessions/s1/annotations", `{"text":"a","event_id":"e 1"}`, 400, `event_id is "e 1"`},
	} {
		got := c.want(r.status, r.method, r.path, r.body)
		require.Len(t, got, 1, r.path)
		require.Contains(t, got["error"], r.want, "%s %s", r.method, r.path)
	}
	require.Equal(t, json.Number("1"), c.want(200, "GET", "/sessions", "")["total"], "no refused request left anything")
	require.Empty(t, c.want(200, "GET", "/sessions/s1", "")["tags"])
}

func TestContentEncoding(t *testing.T) {
	c := start(t, Config{})
	pack := func(s string) string {
		var b bytes.Buffer
		gz := gzip.NewWriter(&b)
		_, err := gz.Write([]byte(s))
		require.NoError(t, err)
		require.NoError(t, gz.Close())
		return b.String()
	}
	encoded := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Encoding", name) }
	}
	got := c.want(200, "POST", "/events", pack(example), encoded("gzip"))
	require.Equal(t, json.Number("6"), got["processed"])
	c.want(200, "POST", "/events", example, encoded("identity"))

	bomb := pack(`{"events":["` + strings.Repeat("x", wire.MaxBatchBytes) + `"]}`)
	require.Less(t, len(bomb), 100_000)
	c.want(413, "POST", "/events", bomb, encoded("gzip"))
	c.want(400, "POST", "/events", example, encoded("gzip"))
	c.want(400, "POST", "/events", pack(example)[:100], encoded("gzip"))
	require.Contains(t, c.want(415, "POST", "/events", example, encoded("br"))["error"], `"br"`)
}

func TestBadEntriesCostNoOther(t *testing.T) {
	c := start(t, Config{})
	long := strings.Repeat("é", 200_000)
	for i, r := range []struct {
		name, entry        string
		skipped, truncated int
		reason             string
	}{
		{"fine", `{"event_type":"llm_call","session_id":"s"}`, 0, 0, ""},
		{"decision", `{"event_type":"decision","session_id":"s"}`, 0, 0, ""},
		{"unknown field", `{"event_type":"generic","session_id":"s","more":{"a":[1]}}`, 0, 0, ""},
		{"null data", `{"event_type":"generic","session_id":"s","input_data":null,"tool_call":null,"tokens_in":null}`, 0, 0, ""},
		{"naive time", `{"event_type":"generic","session_id":"s","timestamp":"2026-02-14T10:30:00.5"}`, 0, 0, ""},
		{"no object", `"text"`, 1, 0, `entry is "\"text\""`},
		{"null", `null`, 1, 0, "session_id"},
		{"no session", `{"event_type":"generic"}`, 1, 0, "session_id"},
		{"bad session", `{"event_type":"generic","session_id":"a b"}`, 1, 0, `session_id is "a b"`},
		{"long session", `{"event_type":"generic","session_id":"` + long[:258] + `"}`, 1, 0, "session_id"},
		{"numeric session", `{"event_type":"generic","session_id":5}`, 1, 1, "session_id"},
		{"no type", `{"session_id":"s"}`, 1, 0, "event_type"},
		{"unknown type", `{"event_type":"dance","session_id":"s"}`, 1, 0, `event_type is "dance"`},
		{"hidden start", `{"event_type":"generic","session_id":"s","agentlens_event_type":"session_start"}`, 0, 1, "agentlens_event_type"},
		{"fraction of a token", `{"event_type":"generic","session_id":"s","tokens_in":1.5}`, 0, 1, "tokens_in"},
		{"negative tokens", `{"event_type":"generic","session_id":"s","tokens_in":-1,"tokens_out":-2}`, 0, 2, "tokens_in is -1"},
		{"negative total", `{"event_type":"session_end","session_id":"s","total_tokens_in":-1}`, 0, 1, "total_tokens_in is -1"},
		{"negative duration", `{"event_type":"generic","session_id":"s","duration_ms":-1,"tool_call":{"tool_name":"t","duration_ms":-1}}`, 0, 2, "duration_ms is -1"},
		{"too dear", `{"event_type":"generic","session_id":"s","cost_usd":1e300}`, 0, 1, "cost_usd"},
		{"too sure", `{"event_type":"generic","session_id":"s","decision_trace":{"reasoning":"r","confidence":1.5}}`, 0, 1, "confidence"},
		{"bad time", `{"event_type":"generic","session_id":"s","timestamp":"yesterday"}`, 0, 1, "timestamp"},
		{"bad status", `{"event_type":"session_end","session_id":"s","status":"done"}`, 0, 1, `status is "done"`},
		{"long model", `{"event_type":"generic","session_id":"s","model":"` + long[:2*wire.MaxModelChars] + `x"}`, 0, 1, "model cut"},
		{"model of the full length", `{"event_type":"generic","session_id":"s","model":"` + long[:2*wire.MaxModelChars] + `"}`, 0, 0, ""},
		{"long input", `{"event_type":"generic","session_id":"s","input_data":"` + long + `"}`, 0, 1, "input_data replaced"},
		{"long reasoning", `{"event_type":"generic","session_id":"s","decision_trace":{"reasoning":"` + long + `"}}`, 0, 1, "reasoning cut"},
		{"long metadata", `{"event_type":"session_start","session_id":"s","metadata":{"a":["` + long + `"],"b":1}}`, 0, 1, "metadata replaced"},
		{"invalid UTF-8", "{\"event_type\":\"generic\",\"session_id\":\"s\",\"input_data\":\"\xff\"}", 0, 0, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			id := fmt.Sprint("s", i)
			body := strings.ReplaceAll(`{"events":[{"event_type":"generic","session_id":"s","event_id":"other"},`+r.entry+`]}`,
				`"session_id":"s"`, `"session_id":"`+id+`"`)
			got := c.want(200, "POST", "/events", body)
			require.Equal(t, json.Number(fmt.Sprint(2-r.skipped)), got["processed"])
			require.Equal(t, json.Number(fmt.Sprint(r.skipped)), got["skipped"])
			require.Equal(t, json.Number(fmt.Sprint(r.truncated)), got["truncated_fields"])
			if r.reason == "" {
				require.NotContains(t, got, "reasons")
			} else {
				require.Contains(t, got["reasons"].([]any)[0], "events[1]")
				require.Contains(t, fmt.Sprint(got["reasons"]), r.reason)
			}
			c.want(200, "GET", "/sessions/"+id, "")
			c.want(200, "GET", "/sessions", "")
			c.want(200, "GET", "/sessions/"+id+"/explain", "")
			res, _ := c.do("GET", "/ui/sessions/"+id, "")
			require.Equal(t, 200, res.StatusCode)
		})
	}
}

func TestEventsWithoutID(t *testing.T) {
	c := start(t, Config{})
	count := func() json.Number { return c.want(200, "GET", "/sessions/s", "")["event_count"].(json.Number) }
	timed := `{"event_type":"generic","session_id":"s","timestamp":"2026-02-14T10:30:00Z"}`
	twice := `{"events":[` + timed + `,` + timed + `]}`
	c.want(200, "POST", "/events", twice)
	require.Equal(t, json.Number("2"), count(), "two like events of one batch are two")
	c.want(200, "POST", "/events", twice)
	require.Equal(t, json.Number("2"), count(), "the batch again adds none")
	c.want(200, "POST", "/events", `{"events":[{"event_type":"session_start","session_id":"s"} ,
 `+timed+`]}`)
	require.Equal(t, json.Number("2"), count(), "nor does one of them at another place")
	c.want(200, "POST", "/events", `{"events":[{"event_type":"generic","session_id":"s"}]}`)
	c.want(200, "POST", "/events", `{"events":[{"event_type":"generic","session_id":"s"}]}`)
	require.Equal(t, json.Number("4"), count(), "without time and id nothing tells a repetition")
}

func TestTagsAreASet(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", example)
	c.want(200, "POST", "/sessions/s1/tags", `{"tags":["compliance:fail","b"]}`)
	got := c.want(200, "POST", "/sessions/s1/tags", `{"tags":[" b ","a b/c.d_e-f"]}`)
	want := []any{"a b/c.d_e-f", "b", "compliance:fail"}
	require.Equal(t, map[string]any{"session_id": "s1", "tags": want, "added": json.Number("1")}, got, "b was there")
	require.Equal(t, map[string]any{"session_id": "s1", "tags": want}, c.want(200, "GET", "/sessions/s1/tags", ""))
	require.Equal(t, want, c.want(200, "GET", "/sessions/s1", "")["tags"])

	var more []string
	for i := range wire.MaxTagsPerSession - 2 {
		more = append(more, fmt.Sprintf("%q", fmt.Sprint("t", i)))
	}
	require.Contains(t, c.want(400, "POST", "/sessions/s1/tags", `{"tags":[`+strings.Join(more, ",")+`]}`)["error"], "20")
	require.Equal(t, want, c.want(200, "GET", "/sessions/s1/tags", "")["tags"], "all or none")
	c.want(200, "POST", "/sessions/s1/tags", `{"tags":[`+strings.Join(more[1:], ",")+`]}`)
	require.Len(t, c.want(200, "GET", "/sessions/s1/tags", "")["tags"], wire.MaxTagsPerSession)
}

func TestAnAnnotationIsThereOnce(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", example)
	body := `{"text":"max_tokens: 1553 of 1000","author":"agentlens","type":"warning","event_id":"e1"}`
	first := c.want(201, "POST", "/sessions/s1/annotations", body)
	require.Equal(t, first, c.want(200, "POST", "/sessions/s1/annotations", body))
	require.Equal(t, "warning", first["type"])
	for _, other := range []string{
		`{"text":"other","author":"agentlens","type":"warning","event_id":"e1"}`,
		`{"text":"max_tokens: 1553 of 1000","author":"me","type":"warning","event_id":"e1"}`,
		`{"text":"max_tokens: 1553 of 1000","author":"agentlens","type":"bug","event_id":"e1"}`,
		`{"text":"max_tokens: 1553 of 1000","author":"agentlens"}`,
	} {
		c.want(201, "POST", "/sessions/s1/annotations", other)
	}
	got := c.want(200, "GET", "/sessions/s1/annotations", "")
	require.Equal(t, json.Number("5"), got["total"])
	all := got["annotations"].([]any)
	require.Equal(t, first, all[0])
	require.Equal(t, "note", all[4].(map[string]any)["type"])
	require.NotContains(t, all[4], "event_id")
	require.Equal(t, all, c.want(200, "GET", "/sessions/s1", "")["annotations"])
}

func TestAnAnnotationChanges(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", example)
	a := c.want(201, "POST", "/sessions/s1/annotations", `{"text":"slow"}`)
	c.want(201, "POST", "/sessions/s1/annotations", `{"text":"fast"}`)
	path := "/sessions/s1/annotations/" + a["annotation_id"].(string)
	require.Equal(t, []any{"system", "note"}, []any{a["author"], a["type"]})
	require.Contains(t, c.want(409, "PUT", path, `{"text":"fast"}`)["error"], "the same annotation")
	got := c.want(200, "PUT", path, `{"text":"slower","type":"bug"}`)
	require.Equal(t, []any{"slower", "system", "bug"}, []any{got["text"], got["author"], got["type"]})
	list := c.want(200, "GET", "/sessions/s1/annotations?type=bug,insight", "")
	require.Equal(t, []any{got}, list["annotations"])
	require.Equal(t, map[string]any{"bug": json.Number("1"), "note": json.Number("1")}, list["type_breakdown"])
	page := c.want(200, "GET", "/sessions/s1/annotations?limit=1&offset=1", "")
	require.Equal(t, []any{json.Number("2"), json.Number("1")}, []any{page["total"], page["returned"]})
}

// TestAlertsOfBothKinds: what the collector found and what a rule of the API
// fired are in one list, which pages as one, and on the page of alerts.
func TestAlertsOfBothKinds(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", strings.ReplaceAll(example, "2026-02-14", time.Now().UTC().Format(time.DateOnly)))
	c.want(201, "POST", "/sessions/s1/annotations", `{"text":"Alert (critical): rule Spike: 6 > 5","author":"agentlens","type":"warning","event_id":"e1"}`)
	c.want(201, "POST", "/alerts/rules", `{"name":"Sessions <b>","metric":"session_count","operator":">=","threshold":1,"window_minutes":9999,"agent_filter":null}`)
	require.Equal(t, json.Number("1"), c.want(200, "POST", "/alerts/evaluate", "")["fired"])
	names := func(path string) (out []any) {
		list := c.want(200, "GET", path, "")
		require.Equal(t, json.Number("2"), list["total"])
		for _, e := range list["events"].([]any) {
			out = append(out, e.(map[string]any)["rule_name"])
		}
		return out
	}
	both := names("/alerts/events")
	require.ElementsMatch(t, []any{"Sessions <b>", "Spike"}, both)
	require.Equal(t, both, append(names("/alerts/events?limit=1"), names("/alerts/events?limit=1&offset=1")...))
	for _, e := range c.want(200, "GET", "/alerts/events", "")["events"].([]any) {
		c.want(200, "PUT", "/alerts/events/"+e.(map[string]any)["alert_id"].(string)+"/acknowledge", "")
	}
	require.Equal(t, json.Number("0"), c.want(200, "GET", "/alerts/events?acknowledged=false", "")["total"])
	page := c.page(200, "/ui/alerts")
	require.Contains(t, page, "Sessions <b> session_count is 1, >= 1 over 9999 minutes")
	require.NotContains(t, page, "on this page")
	require.Contains(t, c.page(200, "/ui/alerts?limit=1"), "fired once on this page")
	c.want(201, "POST", "/sessions/s1/annotations", `{"text":"Alert (critical): rule Spike: 7 > 5","author":"agentlens","type":"warning","event_id":"e1"}`)
	_, html := c.do("GET", "/ui/alerts?limit=1&agent=research-agent-v2", "")
	require.Contains(t, html, "?agent=research-agent-v2&amp;limit=1&amp;offset=1", "the next page is of the same agent")
	c.want(201, "POST", "/sessions/s1/annotations", `{"text":"Alert resolved: rule Spike: 5","author":"agentlens","type":"warning","event_id":"e1"}`)
	require.NotContains(t, c.page(200, "/ui/alerts?offset=100&agent=research-agent-v2"), "Nothing has fired", "but on other pages")
}

// TestAnAlertIsResolvedInItsGroup: a rule over the whole stream that fired on
// one agent's span and is resolved on another's fires no more, for the API and
// on the page; in the state of another collector it still does.
func TestAnAlertIsResolvedInItsGroup(t *testing.T) {
	c := start(t, Config{})
	today := strings.ReplaceAll(example, "2026-02-14", time.Now().UTC().Format(time.DateOnly))
	c.want(200, "POST", "/events", today)
	c.want(200, "POST", "/events", strings.NewReplacer("s1", "s2", "research-agent", "other-agent").Replace(today))
	tell := func(session, text, state string) map[string]any {
		return c.want(201, "POST", "/sessions/"+session+"/annotations", `{"text":"`+text+`","author":"agentlens","type":"warning","event_id":"e1",`+
			`"alert_group":{"by":"none","state_id":"`+state+`"}}`)
	}
	firing := func() (out []any) {
		list := c.want(200, "GET", "/alerts/events", "")
		for _, e := range list["events"].([]any) {
			if e := e.(map[string]any); e["firing"].(bool) {
				out = append(out, e["session_id"])
			}
		}
		require.Equal(t, json.Number(strconv.Itoa(min(1, len(out)))), list["firing_rules"])
		return out
	}
	fired := tell("s1", "Alert (critical): rule Spike: 6 > 5", "left")
	require.Equal(t, map[string]any{"by": "none", "state_id": "left"}, fired["alert_group"])
	require.Equal(t, []any{fired}, c.want(200, "GET", "/sessions/s1/annotations", "")["annotations"])
	require.Equal(t, []any{"s1"}, firing())
	require.Contains(t, c.page(200, "/ui/alerts"), "1 firing")

	tell("s2", "Alert resolved: rule Spike: 6 > 5", "right")
	require.Equal(t, []any{"s1"}, firing())
	tell("s2", "Alert resolved: rule Spike: 6 < 5", "left")
	require.Empty(t, firing())
	require.Contains(t, c.page(200, "/ui/alerts"), "nothing is firing")

	for field, value := range map[string]string{"by": "team", "value": strings.Repeat("x", wire.MaxStringChars+1), "state_id": "<b>"} {
		group := map[string]string{"by": "none", field: value}
		body, err := json.Marshal(map[string]any{"text": "t", "alert_group": group})
		require.NoError(t, err)
		require.Contains(t, c.want(400, "POST", "/sessions/s1/annotations", string(body))["error"], "alert_group."+field)
	}
}

func TestPaging(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", example)
	got := c.want(200, "GET", "/sessions/s1/events?limit=2&offset=1", "")
	require.Equal(t, json.Number("4"), got["total"])
	var ids []any
	for _, e := range got["events"].([]any) {
		ids = append(ids, e.(map[string]any)["event_id"])
	}
	require.Equal(t, []any{"e2", "e3"}, ids)
	require.Equal(t, json.Number("1000"), c.want(200, "GET", "/sessions?limit=2000000", "")["limit"])
	require.Empty(t, c.want(200, "GET", "/sessions?status=active", "")["sessions"])
	require.Len(t, c.want(200, "GET", "/sessions?status=error", "")["sessions"], 1)
}

func TestHealth(t *testing.T) {
	c := start(t, Config{APIKey: "k"})
	got := c.want(200, "GET", "/health", "")
	require.Equal(t, "ok", got["status"])
	require.Equal(t, "v1.2.3-test", got["version"])
}
