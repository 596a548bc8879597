package sessions

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// told is a span of a foreign library. Times are in milliseconds; a count of 0
// is absent.
type told struct {
	what          string // llm, embed, tool, wrapper, part
	scope         string
	trace         byte
	id, parent    byte
	from, to      int
	model, answer string // answer is the response id, or the tool call's
	in, out       int64
	cached, why   int64
	tool          string
	failed        bool
	session       string
	cumulative    bool
	cost          float64
	own           bool // AgentLens's SDK wrote it
}

func (s told) reading() spanevent.Reading {
	base := time.Unix(1_795_000_000, 0).UTC()
	r := spanevent.Reading{
		Scope: s.scope, TraceID: pcommon.TraceID{s.trace + 1}, SpanID: pcommon.SpanID{s.id}, SessionID: s.session, Cumulative: s.cumulative, Own: s.own,
		Start: base.Add(time.Duration(s.from) * time.Millisecond), End: base.Add(time.Duration(s.to) * time.Millisecond),
	}
	if s.parent != 0 {
		r.ParentID = pcommon.SpanID{s.parent}
	}
	e := &r.Event
	e.Timestamp, e.Model = r.End, s.model
	e.TokensIn, e.TokensOut, e.CacheReadTokens, e.ReasoningTokens = known(s.in), known(s.out), known(s.cached), known(s.why)
	if s.cost > 0 {
		e.CostUSD = analysis.Some(s.cost)
	}
	if s.failed {
		e.Error = &analysis.Failure{Type: "x"}
	}
	switch s.what {
	case "llm":
		r.Role, e.Type, e.ResponseID = spanevent.RoleEvent, analysis.EventLLMCall, s.answer
	case "tool":
		r.Role, e.Type = spanevent.RoleEvent, analysis.EventToolCall
		e.ToolCall = &analysis.ToolCall{Name: s.tool, ID: s.answer}
	case "embed":
		r.Role, e.Type = spanevent.RoleEvent, semconv.OperationEmbeddings
	case "wrapper":
		r.Role = spanevent.RoleWrapper
	case "part":
		r.Role = spanevent.RolePart
	}
	return r
}

func known(n int64) analysis.Opt[int64] {
	if n == 0 {
		return analysis.Opt[int64]{}
	}
	return analysis.Some(n)
}

type sums struct {
	calls, errors, in, out, tools int64
}

func TestCallsCountOnce(t *testing.T) {
	for name, c := range map[string]struct {
		spans []told
		want  sums
	}{
		"a framework's span around the SDK's": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "gpt-4o", in: 120, out: 18, cached: 64},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "gpt-4o-2024-08-06", answer: "r1", in: 120, out: 18},
		}, sums{1, 0, 120, 18, 0}},
		"wrappers between them": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "openai/gpt-4o"},
			{what: "wrapper", scope: "fw", id: 2, parent: 1, from: 1, to: 99},
			{what: "wrapper", scope: "fw", id: 3, parent: 2, from: 2, to: 98},
			{what: "llm", scope: "sdk", id: 4, parent: 3, from: 5, to: 95, model: "gpt-4o", in: 120, out: 18},
		}, sums{1, 0, 120, 18, 0}},
		"of one scope, as call_llm and generate_content": {[]told{
			{what: "llm", scope: "adk", id: 1, from: 0, to: 100, model: "gemini", in: 120, out: 13},
			{what: "llm", scope: "adk", id: 2, parent: 1, from: 5, to: 95, model: "gemini", in: 120, out: 18, why: 5},
		}, sums{1, 0, 120, 18, 0}},
		"three layers": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18},
			{what: "llm", scope: "gateway", id: 2, parent: 1, from: 1, to: 99, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 3, parent: 2, from: 2, to: 98, model: "m", in: 120, out: 18},
		}, sums{1, 0, 120, 18, 0}},
		"client and server of one request, by response id": {[]told{
			{what: "llm", scope: "sdk", id: 1, from: 0, to: 100, model: "claude", answer: "msg_1", in: 120, out: 18},
			{what: "llm", scope: "platform", trace: 1, id: 2, from: 300, to: 350, model: "claude-x", answer: "msg_1", in: 24, out: 18},
		}, sums{1, 0, 120, 18, 0}},
		"two traces, no id in common": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 85, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", trace: 1, id: 2, from: 8, to: 77, model: "m", answer: "r1", in: 120, out: 18},
		}, sums{1, 0, 120, 18, 0}},
		"one failure told three times": {[]told{
			{what: "wrapper", scope: "fw", id: 1, from: 0, to: 30, failed: true},
			{what: "llm", scope: "fw", id: 2, parent: 1, from: 1, to: 29, model: "m", failed: true},
			{what: "llm", scope: "sdk", id: 3, parent: 2, from: 3, to: 28, model: "m", failed: true},
		}, sums{1, 1, 0, 0, 0}},
		"a retry within an answered call": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 1, to: 20, model: "m", failed: true},
			{what: "llm", scope: "sdk", id: 3, parent: 1, from: 30, to: 99, model: "m", answer: "r1", in: 120, out: 18},
		}, sums{1, 0, 120, 18, 0}},
		"retries that all failed": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m", failed: true},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 1, to: 20, model: "m", failed: true},
			{what: "llm", scope: "sdk", id: 3, parent: 1, from: 30, to: 99, model: "m", failed: true},
		}, sums{1, 1, 0, 0, 0}},
		"an inference span around two calls is a wrapper": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 200, model: "m", in: 330, out: 60},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 1, to: 90, model: "m", answer: "r1", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 3, parent: 1, from: 100, to: 199, model: "m", answer: "r2", in: 210, out: 42},
		}, sums{2, 0, 330, 60, 0}},
		"so it is without counts of its own": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 200, model: "m"},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 1, to: 90, model: "m", answer: "r1", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 3, parent: 1, from: 100, to: 199, model: "m", answer: "r2", in: 210, out: 42},
		}, sums{2, 0, 330, 60, 0}},
		"two equal calls within a span that tells one of them": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 200, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 1, to: 90, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 3, parent: 1, from: 100, to: 199, model: "m", in: 120, out: 18},
		}, sums{2, 0, 240, 36, 0}},
		"two calls without ids within a span without counts": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 200, model: "m"},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 1, to: 90, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 3, parent: 1, from: 100, to: 199, model: "m", in: 210, out: 42},
		}, sums{2, 0, 330, 60, 0}},
		"two libraries within a third": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 1, to: 99, model: "m", in: 120, out: 18},
			{what: "llm", scope: "other", id: 3, parent: 1, from: 2, to: 98, model: "m", in: 120, out: 18},
		}, sums{1, 0, 120, 18, 0}},
		"a span without an id is nobody's parent": {[]told{
			{what: "llm", scope: "sdk", id: 0, from: 0, to: 100, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 2, from: 1, to: 99, model: "m", in: 120, out: 18},
		}, sums{2, 0, 240, 36, 0}},
		"a call around another, each with its id, are two": {[]told{
			{what: "llm", scope: "ls", id: 1, from: 0, to: 200, model: "m", answer: "r2", in: 210, out: 42},
			{what: "llm", scope: "ls", id: 2, parent: 1, from: 1, to: 90, model: "m", answer: "r1", in: 120, out: 18},
		}, sums{2, 0, 330, 60, 0}},
		"an agent as a tool is not the call that asked for it": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 200, model: "m", in: 120, out: 18},
			{what: "tool", scope: "fw", id: 2, parent: 1, from: 10, to: 190, tool: "expert"},
			{what: "llm", scope: "fw", id: 3, parent: 2, from: 20, to: 180, model: "m", in: 120, out: 18},
		}, sums{2, 0, 240, 36, 1}},
		"other models are other calls": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "gpt-4o", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "claude", in: 120, out: 18},
		}, sums{2, 0, 240, 36, 0}},
		"parallel calls of one library, alike in all": {[]told{
			{what: "llm", scope: "sdk", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 2, from: 1, to: 99, model: "m", in: 120, out: 18},
		}, sums{2, 0, 240, 36, 0}},
		"parallel calls, each told by two libraries": {[]told{
			{what: "llm", scope: "fw", trace: 0, id: 1, from: 0, to: 100, model: "m", in: 120, out: 18},
			{what: "llm", scope: "fw", trace: 1, id: 2, from: 2, to: 103, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", trace: 2, id: 3, from: 1, to: 99, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", trace: 3, id: 4, from: 3, to: 102, model: "m", in: 120, out: 18},
		}, sums{2, 0, 240, 36, 0}},
		"one after the other": {[]told{
			{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 2, from: 200, to: 300, model: "m", in: 120, out: 18},
		}, sums{2, 0, 240, 36, 0}},
		"a test server that repeats its ids": {[]told{
			{what: "llm", scope: "sdk", id: 1, from: 0, to: 100, model: "m", answer: "chatcmpl-123", in: 120, out: 18},
			{what: "llm", scope: "sdk", id: 2, from: 200, to: 300, model: "m", answer: "chatcmpl-123", in: 120, out: 18},
		}, sums{2, 0, 240, 36, 0}},
		"wrappers' totals repeat": {[]told{
			{what: "wrapper", scope: "fw", id: 1, from: 0, to: 200, in: 330, out: 60},
			{what: "llm", scope: "fw", id: 2, parent: 1, from: 1, to: 90, model: "m", in: 120, out: 18},
		}, sums{1, 0, 120, 18, 0}},
		"and count where there are no calls, the outermost": {[]told{
			{what: "wrapper", scope: "fw", id: 1, from: 0, to: 200, in: 330, out: 60},
			{what: "wrapper", scope: "fw", id: 2, parent: 1, from: 1, to: 199},
			{what: "wrapper", scope: "fw", id: 3, parent: 2, from: 1, to: 90, in: 120, out: 18},
			{what: "wrapper", scope: "fw", trace: 1, id: 4, from: 300, to: 400, in: 10, out: 1},
		}, sums{0, 0, 340, 61, 0}},
		"running totals, the largest": {[]told{
			{what: "wrapper", scope: "strands", id: 1, from: 0, to: 200, in: 330, out: 60, cumulative: true},
			{what: "wrapper", scope: "strands", trace: 1, id: 2, from: 300, to: 400, in: 340, out: 61, cumulative: true},
		}, sums{0, 0, 340, 61, 0}},
		"totals of a wrapper around embeddings": {[]told{
			{what: "wrapper", scope: "ai", id: 1, from: 0, to: 100, in: 24},
			{what: "embed", scope: "ai", id: 2, parent: 1, from: 5, to: 95, in: 24},
		}, sums{0, 0, 24, 0, 0}},
		"a tool, its MCP client and server": {[]told{
			{what: "tool", scope: "fw", id: 1, from: 0, to: 50, tool: "search", answer: "c1"},
			{what: "tool", scope: "mcp", id: 2, parent: 1, from: 5, to: 45, tool: "search"},
			{what: "tool", scope: "server", id: 3, parent: 2, from: 10, to: 40, tool: "search", failed: true},
		}, sums{0, 1, 0, 0, 1}},
		"one tool call id, two traces": {[]told{
			{what: "tool", scope: "fw", id: 1, from: 0, to: 50, tool: "search", answer: "c1"},
			{what: "tool", scope: "sdk", trace: 1, id: 2, from: 5, to: 45, tool: "mcp__web__search", answer: "c1"},
		}, sums{0, 0, 0, 0, 1}},
		"ids that a model uses again": {[]told{
			{what: "tool", scope: "fw", id: 1, from: 0, to: 50, tool: "search", answer: "0"},
			{what: "tool", scope: "fw", id: 2, from: 100, to: 150, tool: "search", answer: "0"},
		}, sums{0, 0, 0, 0, 2}},
		"a tool within another": {[]told{
			{what: "tool", scope: "fw", id: 1, from: 0, to: 50, tool: "research"},
			{what: "tool", scope: "fw", id: 2, parent: 1, from: 5, to: 45, tool: "search"},
		}, sums{0, 0, 0, 0, 2}},
		"a part tells that its tool failed": {[]told{
			{what: "tool", scope: "cc", id: 1, from: 0, to: 50, tool: "search"},
			{what: "part", scope: "cc", id: 2, parent: 1, from: 5, to: 45, failed: true},
		}, sums{0, 1, 0, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 1))
			for range 20 {
				random.Shuffle(len(c.spans), func(i, j int) { c.spans[i], c.spans[j] = c.spans[j], c.spans[i] })
				var readings []spanevent.Reading
				for _, s := range c.spans {
					s.session = "s"
					readings = append(readings, s.reading())
				}
				sum := assembled(readings)["s"].Summary
				assert.Equal(t, c.want, sums{sum.LLMCalls, sum.Errors, sum.TokensIn, sum.TokensOut, sum.ToolCalls})
			}
		})
	}
}

// The cost of a call is that of the span that knows its usage best.
func TestCostOfACallToldTwice(t *testing.T) {
	sum := assembled([]spanevent.Reading{
		told{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18, cost: 0.5, session: "s"}.reading(),
		told{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "m", in: 120, out: 18, cached: 64, cost: 0.25, session: "s"}.reading(),
	})["s"].Summary
	assert.InDelta(t, 0.25, sum.CostUSD.Float64(), 1e-15)
	assert.Equal(t, int64(1), sum.Priced)
	assert.Equal(t, int64(64), sum.CacheReadTokens)
}

// A copy that comes second is a part of what was told, whichever it is.
func TestRepeatsBecomeParts(t *testing.T) {
	spans := []told{
		{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18, session: "s"},
		{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "m", in: 120, out: 18, session: "s"},
	}
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		table := NewTable(testLimits)
		var roles []spanevent.Role
		for _, i := range order {
			r := spans[i].reading()
			table.Observe(&r, Service{}, time.Unix(0, 0), ignore, ignore)
			roles = append(roles, r.Role)
		}
		assert.Equal(t, []spanevent.Role{spanevent.RoleEvent, spanevent.RolePart}, roles)
		for n, i := range order {
			r := spans[i].reading()
			table.Observe(&r, Service{}, time.Unix(0, 0), ignore, ignore)
			assert.Equal(t, roles[n], r.Role, "sent again")
		}
	}
}

func TestLateBinding(t *testing.T) {
	call := told{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "m", in: 120, out: 18}
	root := told{what: "wrapper", scope: "fw", id: 1, from: 0, to: 100, session: "s"}
	unnamed := root
	unnamed.session = ""

	t.Run("the root names the session last", func(t *testing.T) {
		got := assembled([]spanevent.Reading{call.reading(), root.reading()})
		assert.Len(t, got, 1)
		assert.Equal(t, int64(1), got["s"].Summary.LLMCalls)
		assert.True(t, got["s"].RootSeen)
		assert.Equal(t, analysis.StatusCompleted, got["s"].Summary.Status)
	})
	t.Run("no span names one", func(t *testing.T) {
		got := assembled([]spanevent.Reading{call.reading(), unnamed.reading()})
		s := got[call.reading().TraceID.String()]
		assert.Len(t, got, 1)
		assert.Equal(t, int64(1), s.Summary.LLMCalls)
		assert.False(t, s.ByIdle, "its root completed it")
		assert.Equal(t, 100*time.Millisecond, s.Summary.EndedAt.Sub(s.Summary.StartedAt))
	})
	t.Run("a session named after its trace was completed takes it in", func(t *testing.T) {
		late := told{what: "tool", scope: "fw", id: 3, parent: 1, from: 10, to: 20, tool: "t", session: "s"}
		got := assembled([]spanevent.Reading{call.reading(), unnamed.reading(), late.reading()})
		assert.Len(t, got, 1)
		assert.Equal(t, int64(1), got["s"].Summary.LLMCalls)
		assert.Equal(t, int64(1), got["s"].Summary.ToolCalls)
	})
	t.Run("of two sessions that a trace names, the earlier has its nameless spans", func(t *testing.T) {
		other := told{what: "wrapper", scope: "fw", id: 4, from: 50, to: 90, session: "t"}
		for _, order := range [][]told{{root, call, other}, {other, call, root}, {call, other, root}, {other, root, call}} {
			var readings []spanevent.Reading
			for _, s := range order {
				readings = append(readings, s.reading())
			}
			got := assembled(readings)
			assert.Equal(t, int64(1), got["s"].Summary.LLMCalls)
			assert.Zero(t, got["t"].Summary.LLMCalls)
		}
	})
	t.Run("a failed root makes a failed session", func(t *testing.T) {
		failed := unnamed
		failed.failed = true
		got := assembled([]spanevent.Reading{call.reading(), failed.reading()})
		assert.Equal(t, analysis.StatusError, got[call.reading().TraceID.String()].Summary.Status)
	})
}

// The agent of a session is the one named first in time; what is only a label
// counts where no span names an agent, and the session's own word over all.
func TestAgentOfASession(t *testing.T) {
	span := func(id byte, from int, name, label string) spanevent.Reading {
		r := told{what: "wrapper", id: id, from: from, to: from + 10, session: "s"}.reading()
		r.AgentName, r.AgentLabel = name, label
		return r
	}
	own := span(9, 500, "own", "")
	own.Role, own.Own = spanevent.RoleSession, true
	for _, c := range []struct {
		spans []spanevent.Reading
		want  string
	}{
		{[]spanevent.Reading{span(1, 20, "second", ""), span(2, 10, "first", ""), span(3, 0, "", "label")}, "first"},
		{[]spanevent.Reading{span(1, 20, "", "later"), span(2, 10, "", "earlier")}, "earlier"},
		{[]spanevent.Reading{span(1, 20, "other", ""), own}, "own"},
		{[]spanevent.Reading{span(1, 20, "", "")}, ""},
	} {
		assert.Equal(t, c.want, assembled(c.spans)["s"].Summary.AgentName)
		slices.Reverse(c.spans)
		assert.Equal(t, c.want, assembled(c.spans)["s"].Summary.AgentName)
	}
}
