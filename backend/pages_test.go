package backend

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// page gets a page, checks that it is whole HTML without script or style of its
// own, and returns its text with runs of white space as one space.
func (c client) page(status int, path string) string {
	c.t.Helper()
	res, body := c.do("GET", path, "")
	require.Equal(c.t, status, res.StatusCode, body)
	require.Equal(c.t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
	doc, err := html.Parse(strings.NewReader(body))
	require.NoError(c.t, err)
	var text []string
	for n := range doc.Descendants() {
		switch n.Type {
		case html.TextNode:
			text = append(text, n.Data)
		case html.ElementNode:
			require.NotContains(c.t, []string{"style", "iframe", "object", "base"}, n.Data)
			if n.Data == "script" {
				require.Nil(c.t, n.FirstChild, "scripts are files")
			}
			for _, a := range n.Attr {
				require.False(c.t, strings.HasPrefix(a.Key, "on") || a.Key == "style", "attribute %s of %s", a.Key, n.Data)
				if a.Key == "href" || a.Key == "src" {
					require.Regexp(c.t, `^(/|\?|#)`, a.Val, "links stay here")
				}
			}
		}
	}
	return strings.Join(strings.Fields(strings.Join(text, " ")), " ")
}

func TestPages(t *testing.T) {
	c := start(t, Config{})
	for _, path := range []string{"/", "/ui/sessions", "/ui/agents"} {
		empty := c.page(200, path)
		require.Contains(t, empty, "No sessions yet", path)
		require.Contains(t, empty, "http://localhost:4318")
	}
	require.Contains(t, c.page(200, "/ui/alerts"), "Nothing has fired")
	require.Contains(t, c.page(200, "/ui/compare"), "What changed?")

	c.want(200, "POST", "/events", example)
	c.want(200, "POST", "/sessions/s1/tags", `{"tags":["compliance:fail"]}`)
	c.want(201, "POST", "/sessions/s1/annotations", `{"text":"too many tokens","type":"warning"}`)
	c.want(201, "POST", "/sessions/s1/annotations", `{"text":"the tool is forbidden","type":"bug","event_id":"e2"}`)
	c.want(201, "POST", "/sessions/s1/annotations", `{"text":"of an event not here","event_id":"e99"}`)

	list := c.page(200, "/ui/sessions")
	require.Contains(t, list, "research-agent-v2 s1 error 2026-02-14 10:30:00 5.00 s 4 1 1 200 / 353 $0.0225 compliance:fail")
	require.Contains(t, list, "1 sessions · 4 events · 1 200 tokens in, 353 out · $0.0225")
	require.Contains(t, list, "UTC")
	require.Contains(t, c.page(200, "/ui/sessions?status=active"), "No session matches")
	require.Contains(t, c.page(200, "/ui/sessions?model=gpt-4-turbo&tool=web_search&q=2.1"), "research-agent-v2")
	require.Contains(t, c.page(400, "/ui/sessions?status=x"), "status is")
	require.Contains(t, c.page(200, "/?days=400"), "research-agent-v2 1 1 1 200 / 353 $0.0225")
	require.Contains(t, c.page(200, "/ui/agents?days=400"), "research-agent-v2")

	detail := c.page(200, "/ui/sessions/s1")
	for _, want := range []string{
		"version 2.1.0", "run 1234567890123456789", "2026-02-14 10:30:05", "too many tokens", "of an event not here",
		"gpt-4-turbo llm call llm_call gpt-4-turbo, 2.34 s 2.34 s 1 200 / 350 $0.0225 Time 10:30:01.234 Type llm_call",
		"User asked for a summary. confidence 75 % considered: gpt-3.5", "web_search tool call note", "bug the tool is forbidden",
		"Time 10:30:03.000 Type decision Tokens in / out 0 / 3", "RateLimitError: slow down", "Session Explanation: research-agent-v2",
	} {
		require.Contains(t, detail, want)
	}
	require.Equal(t, 1, strings.Count(detail, "the tool is forbidden"), "a finding of an event is there, and nowhere else")
	require.Contains(t, c.page(404, "/ui/sessions/unknown"), "Session not found")
}

func TestPagesShowTheUnknownAsUnknown(t *testing.T) {
	c := start(t, Config{})
	c.want(200, "POST", "/events", `{"events":[{"event_type":"session_start","session_id":"s","agent_name":"a","timestamp":"2026-02-14T10:30:00Z"}]}`)
	require.Contains(t, c.page(200, "/ui/sessions"), "a s active 2026-02-14 10:30:00 – 0 0 – / – – –")
	detail := c.page(200, "/ui/sessions/s")
	require.Contains(t, detail, "Took – Events 0 Errors 0 Tokens in / out – / – Cost – Ended –")
	require.Contains(t, detail, "No events yet")
}

func TestPagesEscape(t *testing.T) {
	c := start(t, Config{})
	nasty := `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	c.want(200, "POST", "/events", strings.ReplaceAll(`{"events":[
{"event_type":"session_start","session_id":"s","agent_name":"NASTY","metadata":{"NASTY":"NASTY"},"timestamp":"2026-02-14T10:30:00Z"},
{"event_type":"generic","agentlens_event_type":"NASTY","session_id":"s","event_id":"e","model":"NASTY","input_data":{"NASTY":"NASTY"},"output_data":"NASTY",
 "tool_call":{"tool_name":"NASTY","tool_input":"NASTY"},"decision_trace":{"reasoning":"NASTY","alternatives_considered":["NASTY"]},"error":{"type":"NASTY","message":"NASTY"}}]}`,
		"NASTY", strings.ReplaceAll(nasty, `"`, `\"`)))
	c.want(201, "POST", "/sessions/s/annotations", `{"text":"<script>alert(2)</script>","author":"<b>"}`)
	require.Contains(t, c.page(200, "/ui/sessions"), nasty)
	for _, path := range []string{"/?days=400", "/ui/agents?days=400", "/ui/agents/" + url.PathEscape(nasty), "/ui/compare?agent=" + url.QueryEscape(nasty), "/ui/alerts"} {
		c.page(200, path)
	}
	detail := c.page(200, "/ui/sessions/s")
	require.GreaterOrEqual(t, strings.Count(detail, "<script>alert(1)</script>"), 8, "shown, as text")
	require.Contains(t, detail, "<script>alert(2)</script>")
}

func TestPagesLinkTheirParts(t *testing.T) {
	c := start(t, Config{})
	for i := range 3 {
		c.want(200, "POST", "/events", fmt.Sprintf(`{"events":[{"event_type":"session_start","session_id":"s%d","timestamp":"2026-02-14T10:30:0%dZ"}]}`, i, i))
	}
	_, body := c.do("GET", "/ui/sessions?status=active&limit=1&offset=1", "")
	require.Contains(t, body, `href="?limit=1&amp;offset=0&amp;status=active"`)
	require.Contains(t, body, `href="?limit=1&amp;offset=2&amp;status=active"`)
	require.Contains(t, c.page(200, "/ui/sessions?limit=1&offset=1"), "2–2 of 3")
	require.NotContains(t, c.page(200, "/ui/sessions?limit=3"), "Next →")
}
