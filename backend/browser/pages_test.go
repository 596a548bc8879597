package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// demoPages are the pages with the demo's data on them, by name.
func demoPages(s *site) map[string]string {
	s.t.Helper()
	ids := func(query string) (out []string) {
		res, err := http.Get(s.url + "/sessions?" + query)
		require.NoError(s.t, err)
		defer res.Body.Close()
		var list struct {
			Sessions []struct {
				ID string `json:"session_id"`
			} `json:"sessions"`
		}
		require.NoError(s.t, json.NewDecoder(res.Body).Decode(&list))
		for _, sess := range list.Sessions {
			out = append(out, sess.ID)
		}
		require.NotEmpty(s.t, out, query)
		return out
	}
	failed := ids("tag=compliance:fail&sort=events")
	research := ids("agent=research-agent&status=completed")
	return map[string]string{
		"overview": "/", "sessions": "/ui/sessions", "session": "/ui/sessions/" + failed[0],
		"agents": "/ui/agents", "agent": "/ui/agents/research-agent", "reviewer": "/ui/agents/code-reviewer?policy=strict",
		"compare":          "/ui/compare?a=" + research[len(research)-1] + "&b=" + research[0],
		"compare-versions": "/ui/compare?agent=research-agent&baseline_version=2.1.0&current_version=2.2.0",
		"alerts":           "/ui/alerts",
	}
}

// TestPages opens every page with a month of data, wide and narrow, light and
// dark: nothing is complained about in the console, no request fails or goes
// elsewhere, and no page is wider than the screen.
func TestPages(t *testing.T) {
	for _, screen := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"wide", 1440, 900, false}, {"narrow", 390, 844, true}} {
		t.Run(screen.name, func(t *testing.T) {
			s := open(t, screen.width, screen.height, screen.dark)
			for _, path := range []string{"/", "/ui/sessions", "/ui/agents", "/ui/alerts", "/ui/compare"} {
				s.visit(path)
				s.fits("empty " + path)
				s.clean("empty " + path)
			}
			fill(t, s.url, time.Now().UTC(), 12)
			for name, path := range demoPages(s) {
				s.visit(path)
				s.fits(name)
				require.Empty(t, eval[[]string](s, unnamed), "%s: what has no name cannot be spoken", name)
				require.Equal(t, int64(1), eval[int64](s, `document.querySelectorAll("h1").length`), name)
				dark := eval[bool](s, `matchMedia("(prefers-color-scheme: dark)").matches`)
				require.Equal(t, screen.dark, dark)
				s.clean(name)
			}
		})
	}
}

// unnamed lists what a screen reader could not name: controls, images, tables'
// columns, and ids that occur twice.
const unnamed = `[
  ...[...document.querySelectorAll("a, button")].filter((e) => !e.textContent.trim() && !e.getAttribute("aria-label")),
  ...[...document.querySelectorAll("input, select")].filter((e) => !e.labels.length),
  ...[...document.querySelectorAll("svg[role=img]")].filter((e) => !e.getAttribute("aria-label")),
  ...[...document.querySelectorAll("svg:not([role]):not([aria-hidden])")].filter((e) => !e.closest("svg[role]") && !e.closest("[aria-hidden]")),
  ...[...document.querySelectorAll("th")].filter((e) => !e.scope),
  ...[...document.querySelectorAll("[id]")].filter((e, i, all) => all.findIndex((o) => o.id === e.id) !== i),
].map((e) => e.outerHTML.slice(0, 120))`

// TestFilters fills the form in as a person does.
func TestFilters(t *testing.T) {
	s := open(t, 1440, 900, false)
	fill(t, s.url, time.Now().UTC(), 6)
	s.visit("/ui/sessions")
	all := eval[string](s, `document.querySelector("[data-part=totals]").textContent`)
	s.run(chromedp.SendKeys(`input[name=agent]`, "code-reviewer"), chromedp.SetValue(`select[name=status]`, "completed"), chromedp.Click(`.filters button`))
	s.eventually("the list is filtered", `location.search.includes("agent=code-reviewer") && document.querySelectorAll("tbody tr").length > 0`)
	require.True(t, eval[bool](s, `[...document.querySelectorAll("tbody tr")].every((r) => r.querySelector("a").textContent === "code-reviewer" && r.textContent.includes("completed"))`))
	require.NotEqual(t, all, eval[string](s, `document.querySelector("[data-part=totals]").textContent`))
	require.Equal(t, "code-reviewer", eval[string](s, `document.querySelector("input[name=agent]").value`), "the form keeps what was asked for")

	s.run(chromedp.SendKeys(`input[name=q]`, "no session says this"), chromedp.Click(`.filters button`))
	s.eventually("nothing is found", `document.body.textContent.includes("No session matches")`)
	s.run(chromedp.Click(`.filters .buttons a`))
	s.eventually("the filters are gone", `location.search === "" && document.querySelector("[data-part=totals]")?.textContent === `+strconv.Quote(all))
	s.run(chromedp.Click(`thead th:nth-child(8) a`))
	s.eventually("sorted by cost", `document.querySelector("th[aria-sort]")?.textContent === "Cost"`)
	s.clean("filters")
}

// TestLive: a new session, and what it goes on to do, comes by itself, and what
// a person has opened stays. The test says how long it took.
func TestLive(t *testing.T) {
	s := open(t, 1440, 900, false)
	s.visit("/ui/sessions")
	s.eventually("the stream is open", `!document.querySelector("[data-pulse]").hidden`)
	d := &demo{t: t, url: s.url}
	begin := time.Now().UTC().Add(-time.Minute)
	d.post("/events", wire.Batch{Events: []wire.Event{{EventType: wire.TypeSessionStart, SessionID: "live-1", AgentName: "newcomer", Timestamp: wire.At(begin)}}})
	took := s.eventually("the session is on the empty page", `document.querySelector("[data-key=live-1]") !== null`)
	d.post("/events", wire.Batch{Events: []wire.Event{{EventType: wire.TypeSessionStart, SessionID: "live-2", AgentName: "second", Timestamp: wire.At(begin)}}})
	took = max(took, s.eventually("the second has a row", `document.querySelector("[data-key=live-2]") !== null`))
	t.Logf("a new session was shown after %s at most", took.Round(time.Millisecond))
	s.clean("live list")

	event := func(id string, ms float64) wire.Event {
		return wire.Event{EventType: "llm_call", SessionID: "live-1", EventID: id, Timestamp: wire.At(begin.Add(time.Second)), Model: "gpt-4o", DurationMS: analysis.Some(ms), InputData: text("prompt", id)}
	}
	d.post("/events", wire.Batch{Events: []wire.Event{event("one", 10)}})
	s.visit("/ui/sessions/live-1")
	s.run(chromedp.Click(`#one summary`))
	require.True(t, eval[bool](s, `document.activeElement.blur() || document.querySelector("#one details").open`))
	s.eventually("the stream is open", `!document.querySelector("[data-pulse]").hidden`)
	d.post("/events", wire.Batch{Events: []wire.Event{event("two", 20)}})
	s.eventually("the event is there", `document.getElementById("two") !== null`)
	require.True(t, eval[bool](s, `document.querySelector("#one details").open`), "what was open stays open")
	s.clean("live session")
}

// TestReplay steps through a session with the keys and the buttons.
func TestReplay(t *testing.T) {
	s := open(t, 1440, 900, false)
	fill(t, s.url, time.Now().UTC(), 4)
	s.visit(demoPages(s)["session"])
	steps := eval[int](s, `document.querySelectorAll(".step").length`)
	require.Greater(t, steps, 3)
	current := `[...document.querySelectorAll(".step")].findIndex((e) => e.classList.contains("current"))`
	require.Equal(t, -1, eval[int](s, current))
	press := func(key string) { s.t.Helper(); s.run(chromedp.KeyEvent(key)) }
	press(kb.ArrowRight)
	press(kb.ArrowRight)
	require.Equal(t, 1, eval[int](s, current))
	require.Equal(t, steps-2, eval[int](s, `document.querySelectorAll(".step.later").length`))
	require.Equal(t, fmt.Sprintf("2 of %d", steps), eval[string](s, `document.querySelector("[data-replay-state]").textContent`))
	press(kb.Enter)
	require.True(t, eval[bool](s, `document.querySelector(".step.current details").open`))
	press(kb.ArrowLeft)
	require.Zero(t, eval[int](s, current))
	press(kb.End)
	require.Equal(t, steps-1, eval[int](s, current))
	press(kb.Home)
	s.run(chromedp.Click(`[data-step=on]`))
	require.Equal(t, 1, eval[int](s, current))
	press(kb.Escape)
	require.Equal(t, -1, eval[int](s, current))
	require.False(t, eval[bool](s, `document.querySelector(".steps").classList.contains("replaying")`))
	s.run(chromedp.Click(`[data-step=play]`))
	s.eventually("it plays by itself", current+` >= 1`)
	require.Contains(t, eval[string](s, `document.querySelector('.actions a[href^="http"]').href`), "http://localhost:16686/trace/0000")
	s.clean("replay")
}

// TestHostileText: what an agent, a tool or a person wrote is text, on every
// page.
func TestHostileText(t *testing.T) {
	s := open(t, 1440, 900, false)
	nasty := `<script>window.hit=1</script><img src=x onerror="window.hit=1">"'><svg onload=window.hit=1>{{7*7}}javascript:window.hit=1`
	d := &demo{t: t, url: s.url}
	at := wire.At(time.Now().UTC().Add(-time.Minute))
	raw := text(nasty, nasty)
	d.post("/events", wire.Batch{Events: []wire.Event{
		{EventType: wire.TypeSessionStart, SessionID: "s", AgentName: nasty, Metadata: map[string]any{nasty: nasty, "version": nasty}, Timestamp: at},
		{
			EventType: "generic", TrueType: nasty, SessionID: "s", EventID: "e", Timestamp: at, Model: nasty, Provider: nasty, InputData: raw, OutputData: raw, TraceID: nasty,
			CostUSD: analysis.Some(1.0), TokensIn: analysis.Some[int64](5), ToolCall: &wire.ToolCall{ID: nasty, Name: nasty, Input: raw, Output: raw},
			DecisionTrace: &wire.DecisionTrace{Reasoning: nasty, Alternatives: []string{nasty}}, Error: &analysis.Failure{Type: nasty, Message: nasty},
		},
		{EventType: wire.TypeSessionEnd, SessionID: "s", EndedAt: at},
		{EventType: wire.TypeSessionStart, SessionID: "s2", AgentName: nasty, Timestamp: at},
		{EventType: wire.TypeSessionEnd, SessionID: "s2", EndedAt: at},
	}})
	for _, what := range []string{nasty, "Alert (" + nasty + "): rule " + nasty + ": " + nasty, "Compliance (error): policy " + nasty + ", rule " + nasty + " failed: " + nasty} {
		for _, event := range []string{"", "e"} {
			d.post("/sessions/s/annotations", wire.Annotation{Text: what, Author: "agentlens", Type: "warning", EventID: event})
		}
	}
	d.post("/sessions/s/annotations", wire.Annotation{Text: nasty, Author: nasty[:100]})
	d.post("/sessions/s/tags", wire.Tags{Tags: []string{"compliance:fail"}})
	q := url.QueryEscape(nasty)
	for _, path := range []string{
		"/", "/ui/sessions", "/ui/sessions?q=" + q + "&agent=" + q + "&tag=" + q + "&model=" + q, "/ui/sessions?status=" + q, "/ui/sessions/s", "/ui/sessions/s#e", "/ui/sessions/" + url.PathEscape(nasty),
		"/ui/agents", "/ui/agents/" + url.PathEscape(nasty), "/ui/compare?a=s&b=s2", "/ui/compare?a=" + q + "&b=s", "/ui/compare?agent=" + q + "&baseline_version=" + q, "/ui/alerts",
	} {
		s.visit(path)
		require.False(t, eval[bool](s, `"hit" in window`), path)
		require.Zero(t, eval[int](s, `document.querySelectorAll("main script, main img, [onload], [onerror], a[href^='javascript:']").length`), path)
		require.NotContains(t, eval[string](s, `document.body.textContent`), "ZgotmplZ", path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.problems {
		require.Regexp(t, `404|400`, p, "pages that are not there, and nothing else")
	}
}
