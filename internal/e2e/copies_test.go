package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// copiesCase is a call that AgentLens's SDK and other libraries tell.
type copiesCase struct {
	// tracked and instrumented add to the spans of the SDK and of the libraries.
	tracked, instrumented func(pcommon.Map)
	// late leaves out the span that announces the session, so that a library's is
	// in the session of its trace until the SDK's names it.
	late bool
	want heldEvent
}

// heldEvent is an event as the backend tells of it.
type heldEvent struct {
	ID     string   `json:"event_id"`
	Model  string   `json:"model"`
	In     int64    `json:"tokens_in"`
	Out    int64    `json:"tokens_out"`
	Cached int64    `json:"cache_read_tokens"`
	Cost   usd      `json:"cost_usd"`
	Input  jsonText `json:"input_data"`
	Output jsonText `json:"output_data"`
}

func usage(in, out, cached int64) func(pcommon.Map) {
	return func(a pcommon.Map) {
		a.PutInt(semconv.GenAIUsageInputTokens, in)
		a.PutInt(semconv.GenAIUsageOutputTokens, out)
		if cached > 0 {
			a.PutInt(semconv.GenAIUsageCacheReadTokens, cached)
		}
	}
}

func text(key, value string) func(pcommon.Map) {
	return func(a pcommon.Map) { a.PutStr(key, value) }
}

func both(f, g func(pcommon.Map)) func(pcommon.Map) {
	return func(a pcommon.Map) { f(a); g(a) }
}

// gpt-4o: 2.50 USD a million in, 1.25 cached, 10 out.
const (
	plainCost  usd = 1000*2.5e-6 + 100*10e-6
	cachedCost usd = 600*2.5e-6 + 400*1.25e-6 + 100*10e-6
)

var copiesCases = map[string]copiesCase{
	"both know the usage": {
		tracked: both(usage(1000, 100, 0), text(semconv.EventOutput, `"42"`)), instrumented: usage(1000, 100, 0),
		want: heldEvent{In: 1000, Out: 100, Cost: plainCost, Output: `"42"`},
	},
	"only the library knows the usage": {
		tracked: text(semconv.EventOutput, `"42"`), instrumented: usage(1000, 100, 0),
		want: heldEvent{In: 1000, Out: 100, Cost: plainCost, Output: `"42"`},
	},
	"only the SDK knows the usage": {
		tracked: usage(1000, 100, 0), instrumented: text(semconv.GenAIInputMessages, `["why"]`),
		want: heldEvent{In: 1000, Out: 100, Cost: plainCost, Input: `{"input":["why"]}`},
	},
	"the library knows more of it": {
		tracked: usage(1000, 100, 0), instrumented: both(usage(1000, 100, 400), text(semconv.GenAIInputMessages, `["why"]`)),
		want: heldEvent{In: 1000, Out: 100, Cached: 400, Cost: cachedCost, Input: `{"input":["why"]}`},
	},
	"the SDK knows more of it": {
		tracked: usage(1000, 100, 400), instrumented: usage(1000, 100, 0),
		want: heldEvent{In: 1000, Out: 100, Cached: 400, Cost: cachedCost},
	},
	"the library's session is not known yet": {
		tracked: usage(1000, 100, 0), instrumented: usage(1000, 100, 0), late: true,
		want: heldEvent{In: 1000, Out: 100, Cost: plainCost},
	},
}

// The spans by the first byte of their ids.
const (
	own     = 20
	library = 1
	inner   = 2 // a second library's, within that of the first
	root    = 99
)

// copiesOrders are the batches in which the spans of a call come.
var copiesOrders = []struct {
	name    string
	batches [][]byte
}{
	{"one batch", [][]byte{{library, own, root}}},
	{"one batch of three", [][]byte{{library, inner, own, root}}},
	{"the library first", [][]byte{{library}, {own}, {root}}},
	{"the SDK first", [][]byte{{own}, {library}, {root}}},
	{"after the end", [][]byte{{own, root}, {library}}},
	{"the SDK at last", [][]byte{{library, root}, {own}}},
	{"two libraries first", [][]byte{{library}, {inner}, {own, root}}},
	{"the SDK before two", [][]byte{{own}, {inner}, {library}, {root}}},
	{"the SDK between two", [][]byte{{library}, {own}, {inner}, {root}}},
	{"two libraries in one", [][]byte{{library, inner}, {own}, {root}}},
	{"the SDK with the second", [][]byte{{library}, {inner, own}, {root}}},
}

// A call that the SDK tells beside another library is one event in the backend,
// with all that either knows: whichever span comes first, in one batch or in
// several, in whatever order these reach the backend and how often.
func TestCopiesAreOneEvent(t *testing.T) {
	for _, d := range []struct {
		name    string
		restart bool
		at      func(n int) []int
	}{
		{"in order", false, func(n int) []int { return indexes(n, func(i int) int { return i }) }},
		{"in reverse, the backend restarted between", true, func(n int) []int { return indexes(n, func(i int) int { return n - 1 - i }) }},
		{"twice", false, func(n int) []int { return indexes(2*n, func(i int) int { return i % n }) }},
		{"each again, the backend restarted between", true, func(n int) []int { return indexes(2*n, func(i int) int { return i / 2 }) }},
	} {
		for name, c := range copiesCases {
			t.Run(name+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				r := newRoad(t)
				steps := 0
				outs := make([][]ptrace.Traces, len(copiesOrders))
				for i, order := range copiesOrders {
					outs[i] = r.process(&copiedCall{c, byte(i)}, order.batches)
					steps = max(steps, len(d.at(len(order.batches))))
				}
				for k := range steps {
					if d.restart && k > 0 {
						r.restart()
					}
					for _, out := range outs {
						if at := d.at(len(out)); k < len(at) {
							r.deliver(out[at[k]])
						}
					}
				}
				for i, order := range copiesOrders {
					t.Run(order.name, func(t *testing.T) { (&copiedCall{c, byte(i)}).check(t, r.front.URL) })
				}
				c.checkSums(t, r.front.URL)
			})
		}
	}
}

func indexes(n int, f func(int) int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// copiedCall is the call of one session.
type copiedCall struct {
	copiesCase
	n byte
}

func (c *copiedCall) session() string { return fmt.Sprint("copies-", c.n) }

func (c *copiedCall) id(which byte) pcommon.SpanID { return pcommon.SpanID{which, c.n} }

// span appends one of the spans to a batch.
func (c *copiedCall) span(td ptrace.Traces, which byte) ptrace.Span {
	scope := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	s := scope.Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{7, c.n})
	s.SetSpanID(c.id(which))
	attrs := s.Attributes()
	begin, duration := time.Now().Add(-time.Minute).Truncate(time.Second), time.Second
	if which != root {
		s.SetName("chat gpt-4o")
		attrs.PutStr(semconv.GenAIOperationName, semconv.OperationChat)
		attrs.PutStr(semconv.GenAIRequestModel, "gpt-4o")
	}
	switch which {
	case library, inner:
		s.SetParentSpanID(c.id(map[byte]byte{library: own, inner: library}[which]))
		scope.Scope().SetName(fmt.Sprint("library-", which))
		c.instrumented(attrs)
		begin, duration = begin.Add(time.Duration(which)*time.Millisecond), time.Duration(102-2*int(which))*time.Millisecond
	case own:
		s.SetParentSpanID(c.id(root))
		attrs.PutStr(semconv.EventType, "llm_call")
		c.tracked(attrs)
		duration = 102 * time.Millisecond
	default:
		s.SetName("invoke_agent a")
		attrs.PutStr(semconv.EventType, semconv.EventTypeSession)
	}
	if which == own || which == root {
		scope.Scope().SetName(semconv.ScopeName)
		attrs.PutStr(semconv.SessionID, c.session())
		attrs.PutStr(semconv.GenAIAgentName, "a")
	}
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(begin))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(begin.Add(duration)))
	return s
}

// process returns what comes out of the processor for each batch.
func (r *road) process(c *copiedCall, batches [][]byte) []ptrace.Traces {
	if !c.late {
		r.feed(func(td ptrace.Traces) {
			s := c.span(td, root)
			s.SetSpanID(c.id(98))
			s.SetParentSpanID(c.id(root))
			s.SetName(semconv.SpanSessionStart)
			s.Attributes().PutStr(semconv.EventType, semconv.EventTypeSessionStart)
		})
	}
	var outs []ptrace.Traces
	for _, spans := range batches {
		outs = append(outs, r.feed(func(td ptrace.Traces) {
			for _, which := range spans {
				c.span(td, which)
			}
		}))
	}
	return outs
}

// check asks the backend for the session wherever its events are listed.
func (c *copiedCall) check(t *testing.T, url string) {
	want := []heldEvent{c.want}
	want[0].ID, want[0].Model = c.id(own).String(), "gpt-4o"
	var session struct {
		Events []heldEvent `json:"events"`
		Count  int64       `json:"event_count"`
		In     int64       `json:"total_tokens_in"`
		Out    int64       `json:"total_tokens_out"`
		Cost   usd         `json:"total_cost_usd"`
	}
	get := func(path string) { require.NoError(t, getJSON(t.Context(), url+path, &session), path) }
	get("/sessions/" + c.session())
	assert.Equal(t, want, session.Events)
	assert.Equal(t, []any{int64(1), c.want.In, c.want.Out, c.want.Cost}, []any{session.Count, session.In, session.Out, session.Cost})
	for _, path := range []string{"/sessions/" + c.session() + "/export", "/events?session_id=" + c.session()} {
		session.Events = nil
		get(path)
		assert.Equal(t, want, session.Events, path)
	}
	page := getText(t, url+"/ui/sessions/"+c.session())
	assert.Contains(t, page, c.id(own).String())
	assert.NotContains(t, page, c.id(library).String())
	assert.NotContains(t, page, c.id(inner).String())
}

// checkSums asks for the sums over the calls of all sessions.
func (c *copiesCase) checkSums(t *testing.T, url string) {
	type sums struct {
		In   int64 `json:"total_tokens_in"`
		Out  int64 `json:"total_tokens_out"`
		Cost usd   `json:"total_cost_usd"`
	}
	n := int64(len(copiesOrders))
	want := sums{n * c.want.In, n * c.want.Out, usd(n) * c.want.Cost}
	var analytics struct {
		Overview struct {
			sums
			Events int64 `json:"total_events"`
		} `json:"overview"`
		Models []struct {
			sums
			Calls int64 `json:"call_count"`
		} `json:"model_usage"`
		Types []struct {
			Count int64 `json:"count"`
		} `json:"event_types"`
	}
	require.NoError(t, getJSON(t.Context(), url+"/analytics", &analytics))
	require.Len(t, analytics.Models, 1)
	require.Len(t, analytics.Types, 1)
	var overview struct {
		Sessions struct {
			sums
			Events int64 `json:"events"`
		} `json:"sessions"`
	}
	require.NoError(t, getJSON(t.Context(), url+"/api/overview", &overview))
	for what, got := range map[string]sums{
		"analytics": analytics.Overview.sums, "model": analytics.Models[0].sums, "overview": overview.Sessions.sums,
	} {
		assert.Equal(t, want.In, got.In, what)
		assert.Equal(t, want.Out, got.Out, what)
		assert.InDelta(t, float64(want.Cost), float64(got.Cost), 1e-9, what)
	}
	assert.Equal(t, []int64{n, n, n, n}, []int64{analytics.Overview.Events, analytics.Models[0].Calls, analytics.Types[0].Count, overview.Sessions.Events})
}

// usd is an amount to the billionth of a dollar, for sums of floats differ in
// the last digit.
type usd float64

func (u *usd) UnmarshalJSON(b []byte) error {
	var v float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*u = usd(math.Round(v*1e9) / 1e9)
	return nil
}

// jsonText is JSON as it stands, empty for null.
type jsonText string

func (j *jsonText) UnmarshalJSON(b []byte) error {
	if string(b) != "null" {
		*j = jsonText(b)
	}
	return nil
}
