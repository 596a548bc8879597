package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// demo makes the sessions of a month: three agents, one of which has changed
// its ways lately, one that breaks its policy now and then.
type demo struct {
	t      testing.TB
	url    string
	rand   *rand.Rand
	n      int
	events []wire.Event
	said   []func()
}

// demoAgent is how an agent behaves.
type demoAgent struct {
	name, model, cheap string
	perDay             int
	tokens             float64
	tools              []string
	task, answer       string
}

var demoAgents = []demoAgent{
	{"research-agent", "claude-sonnet-4-5", "gpt-4o-mini", 9, 5200, []string{"web_search", "fetch_page", "summarize"}, "Which papers on agent safety appeared this month?", "Three papers stand out. The first measures how often tools are misused…"},
	{"support-triage", "gpt-4o-mini", "gpt-4o-mini", 14, 1500, []string{"find_customer", "search_tickets", "send_reply"}, "My invoice of March is missing, please send it again.", "I have sent the invoice again and closed the ticket."},
	{"code-reviewer", "gpt-4o", "gpt-4o-mini", 5, 8200, []string{"read_file", "run_tests", "execute_code"}, "Review pull request 4127: retries in the exporter.", "Two remarks: the backoff has no jitter, and a test sleeps."},
}

// fill stores the sessions of the days up to now.
func fill(t testing.TB, url string, now time.Time, days int) {
	t.Helper()
	d := &demo{t: t, url: url, rand: rand.New(rand.NewPCG(1, 2))}
	for day := days; day >= 0; day-- {
		start := now.Truncate(24*time.Hour).AddDate(0, 0, -day)
		for _, a := range demoAgents {
			n := a.perDay
			if wd := start.Weekday(); wd == time.Saturday || wd == time.Sunday {
				n = (n + 3) / 4
			}
			n += d.rand.IntN(3)
			for range n {
				at := start.Add(time.Duration(8*3600+d.rand.NormFloat64()*9000+4*3600*d.rand.Float64()) * time.Second)
				if at.Before(now.Add(-5 * time.Minute)) {
					d.session(a, at, day, false)
				}
			}
		}
	}
	d.session(demoAgents[0], now.Add(-40*time.Second), 0, true)
	d.flush()
	for _, say := range d.said {
		say()
	}
}

// session makes one session.
func (d *demo) session(a demoAgent, at time.Time, daysAgo int, active bool) {
	d.n++
	id := fmt.Sprintf("%016x", uint64(d.n)*0x9e3779b97f4a7c15)
	version := "2.1.0"
	if daysAgo < 4 {
		version = "2.2.0"
	}
	trace := fmt.Sprintf("%032x", d.n)
	d.events = append(d.events, wire.Event{
		EventType: wire.TypeSessionStart, SessionID: id, AgentName: a.name, Timestamp: wire.At(at),
		Metadata: map[string]any{"version": version, "environment": "production"},
	})
	scale := 1.0
	if a.name == "research-agent" && daysAgo < 4 {
		scale = 2.1
	}
	clock := at
	steps := 2 + d.rand.IntN(4)
	bad := false
	tool, call := "", ""
	for step := range steps {
		model := a.model
		if step > 0 && d.rand.IntN(4) == 0 {
			model = a.cheap
		}
		ms := (700 + 2600*d.rand.ExpFloat64()) * (0.6 + 0.4*scale)
		clock = clock.Add(time.Duration(ms) * time.Millisecond)
		in, out := int64(a.tokens*scale*(0.5+d.rand.Float64())), int64(a.tokens*scale*(0.08+0.12*d.rand.Float64()))
		call = fmt.Sprintf("%s%02x", id[:14], 3*step)
		e := wire.Event{
			EventType: "llm_call", SessionID: id, EventID: call, Timestamp: wire.At(clock), Model: model, Provider: "openai", TraceID: trace,
			TokensIn: analysis.Some(in), TokensOut: analysis.Some(out), DurationMS: analysis.Some(ms),
			InputData: text("prompt", a.task), OutputData: text("response", a.answer),
			DecisionTrace: &wire.DecisionTrace{ID: call, Step: step + 1, Reasoning: "The request needs " + a.tools[step%len(a.tools)] + " before an answer can be given.", Alternatives: []string{"answer from memory", "ask back"}, Confidence: analysis.Some(0.6 + 0.35*d.rand.Float64())},
		}
		if model[0] == 'c' {
			e.Provider = "anthropic"
		}
		cost, ok := pricing.Default().Cost(pricing.Query{Provider: e.Provider, Model: model, At: at, Usage: pricing.Usage{InputTokens: e.TokensIn, OutputTokens: e.TokensOut}})
		if ok {
			e.CostUSD = analysis.Some(cost.TotalUSD)
		}
		d.events = append(d.events, e)
		for range 1 + d.rand.IntN(2) {
			ms := 80 + 500*d.rand.ExpFloat64()
			clock = clock.Add(time.Duration(ms) * time.Millisecond)
			name := a.tools[d.rand.IntN(len(a.tools))]
			if a.name == "code-reviewer" && name == "execute_code" && d.rand.IntN(3) > 0 {
				name = "run_tests"
			}
			toolID := fmt.Sprintf("%s%02x", id[:14], 128+len(d.events)%100)
			ev := wire.Event{
				EventType: "tool_call", SessionID: id, EventID: toolID, ParentID: call, Timestamp: wire.At(clock), DurationMS: analysis.Some(ms), TraceID: trace,
				ToolCall: &wire.ToolCall{ID: toolID, Name: name, Input: text("query", "agent safety 2026"), Output: text("results", "12 found"), DurationMS: analysis.Some(ms)},
			}
			if d.rand.IntN(60) == 0 {
				ev.Error, bad = &analysis.Failure{Type: "TimeoutError", Message: "no answer within 10 s"}, true
			}
			if name == "execute_code" {
				tool = toolID
			}
			d.events = append(d.events, ev)
		}
	}
	if !active {
		status := analysis.StatusCompleted
		if bad {
			status = analysis.StatusError
		}
		if d.rand.IntN(70) == 0 {
			status = analysis.StatusTimeout
		}
		d.events = append(d.events, wire.Event{EventType: wire.TypeSessionEnd, SessionID: id, EndedAt: wire.At(clock.Add(200 * time.Millisecond)), Status: status})
	}
	d.findings(id, tool, call, bad, daysAgo, a)
	if len(d.events) > 400 {
		d.flush()
	}
}

// findings are what the collector would have said.
func (d *demo) findings(id, tool, call string, bad bool, daysAgo int, a demoAgent) {
	note := func(tag, text, event string) {
		d.said = append(d.said, func() {
			d.post("/sessions/"+id+"/annotations", wire.Annotation{Text: text, Author: "agentlens", Type: "warning", EventID: event})
			if tag != "" {
				d.post("/sessions/"+id+"/tags", wire.Tags{Tags: []string{tag}})
			}
		})
	}
	if tool != "" {
		note("compliance:fail", "Compliance (error): policy production-policy, rule forbidden_tools failed: execute_code was used, which is forbidden", tool)
	} else {
		d.said = append(d.said, func() { d.post("/sessions/"+id+"/tags", wire.Tags{Tags: []string{"compliance:pass"}}) })
	}
	if bad {
		note("alert:Tool failures", "Alert (warning): rule Tool failures: error.type is TimeoutError", call)
	}
	if daysAgo == 0 && a.name == "research-agent" && d.rand.IntN(6) == 0 {
		note("alert:High token usage", "Alert (critical): rule High token usage: tokens_in 14210 > 12000", call)
	}
	if daysAgo == 3 && a.name == "research-agent" && d.rand.IntN(4) == 0 {
		note("drift:degraded", "Drift: degraded, score 98.60 of 100. total_tokens rose 116 %, cost_usd rose 124 %.", "")
	}
}

func (d *demo) flush() {
	for len(d.events) > 0 {
		n := min(wire.MaxBatchEvents, len(d.events))
		d.post("/events", wire.Batch{Events: d.events[:n]})
		d.events = d.events[n:]
	}
}

func (d *demo) post(path string, v any) {
	d.t.Helper()
	body, err := json.Marshal(v)
	require.NoError(d.t, err)
	res, err := http.Post(d.url+path, "application/json", bytes.NewReader(body))
	require.NoError(d.t, err)
	require.NoError(d.t, res.Body.Close())
	require.Less(d.t, res.StatusCode, 300, path)
}

func text(key, value string) json.RawMessage {
	b, _ := json.Marshal(map[string]string{key: value})
	return b
}
