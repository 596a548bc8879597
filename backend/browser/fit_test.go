package browser

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// cutOff lists the texts of a page that do not fit: those that reach beyond the
// screen, or beyond a box that hides what is too long. Tables
// may scroll where the screen is narrow, but not a comparison.
const cutOff = `[...document.querySelectorAll("main *")].filter((e) => {
  const box = e.getBoundingClientRect();
  if (!e.textContent.trim() || !box.width || e.closest("svg, .quiet, input, select, datalist, td .badge")) return false;
  if (e.closest(".scroll")) return (innerWidth > 760 || e.querySelector(".compare")) && e.matches(".scroll") && e.scrollWidth > e.clientWidth + 1;
  return box.right > innerWidth + 1 || getComputedStyle(e).overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1 ||
    getComputedStyle(e).display === "block" && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && !e.querySelector("svg");
}).map((e) => e.outerHTML.slice(0, 160))`

// fits requires that nothing of the page is out of sight.
func (s *site) fits(name string) {
	s.t.Helper()
	width := eval[int64](s, `innerWidth`)
	require.LessOrEqual(s.t, eval[int64](s, `document.documentElement.scrollWidth`), width, "%s is wider than the screen", name)
	require.Empty(s.t, eval[[]string](s, cutOff), "%s is cut off", name)
}

// TestLongNames: names as long as the backend takes them, without a place to
// break, stay within their boxes on every page.
func TestLongNames(t *testing.T) {
	for _, width := range []int64{390, 1440} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			s := open(t, width, 900, false)
			d := &demo{t: t, url: s.url}
			word := func(letter string, n int) string { return letter + strings.Repeat("abcdefghij", n)[:n-1] }
			agent, model, session, event := word("A", 200), word("m", 128), word("s", 128), word("e", 128)
			text := word("t", 300)
			at := time.Now().UTC().Add(-time.Hour)
			for i := range 12 {
				id := fmt.Sprint(session[:120], i)
				at := at.Add(time.Duration(i) * time.Minute)
				d.events = append(d.events,
					wire.Event{EventType: wire.TypeSessionStart, SessionID: id, AgentName: agent, Timestamp: wire.At(at), Metadata: map[string]any{"version": fmt.Sprint(text[:100], i/6), text[:100]: text}},
					wire.Event{
						EventType: "llm_call", SessionID: id, EventID: event, Timestamp: wire.At(at.Add(time.Second)), Model: model, Provider: text[:128],
						TokensIn: analysis.Some[int64](1_234_567_890), TokensOut: analysis.Some[int64](123_456_789), DurationMS: analysis.Some(900.0), CostUSD: analysis.Some(1234.5),
						Error: &analysis.Failure{Type: text, Message: text}, DecisionTrace: &wire.DecisionTrace{ID: "d", Step: 1, Reasoning: text, Alternatives: []string{text, text}},
						ToolCall: &wire.ToolCall{ID: "t", Name: text},
					},
					wire.Event{EventType: wire.TypeSessionEnd, SessionID: id, EndedAt: wire.At(at.Add(time.Minute)), Status: analysis.StatusError})
			}
			d.flush()
			first := session[:120] + "0"
			for _, what := range []string{"Alert (critical): rule " + text + ": " + text, "Compliance (error): policy " + text + ", rule " + text + " failed: " + text, "Budget: " + text + " (monthly, 500 USD): " + text, text} {
				for _, on := range []string{"", event} {
					d.post("/sessions/"+first+"/annotations", wire.Annotation{Text: what, Author: "agentlens", Type: "warning", EventID: on})
				}
			}
			d.post("/sessions/"+first+"/tags", wire.Tags{Tags: []string{word("g", 64), "compliance:fail"}})
			q := url.QueryEscape(agent)
			for _, path := range []string{
				"/", "/ui/sessions", "/ui/sessions?agent=" + q, "/ui/sessions/" + first, "/ui/agents", "/ui/agents/" + url.PathEscape(agent) + "?policy=strict", "/ui/alerts",
				"/ui/compare?a=" + first + "&b=" + session[:120] + "1", "/ui/compare?agent=" + q,
			} {
				s.visit(path)
				eval[bool](s, `document.querySelectorAll("details").forEach((e) => { e.open = true }) ?? true`)
				s.fits(path)
			}
		})
	}
}
