package sessions

import (
	"hash/maphash"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unique"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

// fullSession has something other than the zero value in each of its fields.
func fullSession() *Session {
	at := time.Date(2026, 11, 22, 8, 0, 0, 123_456_789, time.UTC)
	s := newSession("s-1", Service{Name: "bot", Version: "2", Attributes: "\n\"team=a\"\n"})
	s.TraceID, s.RootID = pcommon.TraceID{1, 2, 3}, pcommon.SpanID{4, 5}
	s.RootSeen, s.Completed, s.ByIdle, s.rootFailed = true, true, true, true
	s.Revision, s.Verdict = 3, math.MaxUint64
	s.agentRank, s.rootRank, s.agentStart, s.rootEnd = agentLabelled, rootUnknown, -5, math.MaxInt64
	s.started, s.first, s.last = at.UnixNano()+1, at.UnixNano(), at.UnixNano()+7e9
	s.arrived = 90 * time.Second
	s.sum = analysis.Summary{
		SessionID: "s-1b", AgentName: "support-bot", Status: analysis.StatusError,
		StartedAt: at, EndedAt: at.Add(time.Hour), FirstEvent: time.Date(1385, 1, 1, 0, 0, 0, 9, time.UTC), LastEvent: at.Add(-time.Nanosecond),
		EventTypes: analysis.Counts{List: []analysis.Count{{Name: "custom", N: 1}, {Name: "llm_call", N: 1 << 40}}, Other: 2},
		Models:     analysis.Counts{List: []analysis.Count{{Name: "gpt-4o", N: 3}}, Other: 4},
		Tools:      analysis.Counts{List: []analysis.Count{{Name: "support-bot", N: 5}}, Other: 6},
		CostUSD:    analysis.Sum{Hi: -1, Lo: 7},
		Durations: analysis.Durations{
			N: 8, Sum: analysis.Sum{Hi: 9, Lo: math.MaxUint64}, Exact: []float64{0.1, 1e300}, Sketch: []analysis.Bucket{{Index: math.MinInt32, N: 1}, {Index: 2100, N: 2}},
		},
	}
	for i, n := range countsOf(&s.sum) {
		*n = int64(i) + 1
	}
	s.log = newCallLog()
	s.log.add(&call{
		trace: 1, span: pcommon.SpanID{1}, parent: pcommon.SpanID{2}, start: at.UnixNano(), end: at.UnixNano() - 1, id: 3,
		name: nameOf("gpt-4o"), answered: nameOf("gpt-4o-2026"), in: 4, out: 5, costUSD: 0.1, scope: 6, has: 7, is: isOwn, role: rolePart, kind: kindTool,
		more: &moreOfCall{cacheRead: 8, cacheWrite: 9, reasoning: 10, durationMS: 0.5, other: nameOf("search")},
	})
	s.log.add(&call{trace: 1, span: pcommon.SpanID{3}, parent: pcommon.SpanID{2}, scope: 6})
	return s
}

// packed returns a session as it comes back from rest.
func packed(t require.TestingT, s *Session) *Session {
	back := packedWith(s, newSymbols())
	full := newSymbols()
	full.names, full.services = make([]name, maxSymbols), make([]unique.Handle[Service], maxSymbols)
	require.Equal(t, back.state(time.Time{}), packedWith(s, full).state(time.Time{}))
	return back
}

func packedWith(s *Session, y *symbols) *Session {
	p := packer{symbols: y}
	p.session(s)
	back := unpackInto(&Session{}, s.Key, p.b, y)
	back.arrived = s.arrived
	return back
}

func TestPackLosesNothing(t *testing.T) {
	s := fullSession()
	made := time.Unix(0, 0)
	require.Equal(t, s.state(made), packed(t, s).state(made))

	empty := newSession("", Service{})
	require.Equal(t, empty.state(made), packed(t, empty).state(made))
	empty.sum.Durations.Sketch = []analysis.Bucket{}
	require.NotNil(t, packed(t, empty).sum.Durations.Sketch, "a sketch without buckets")
}

// Each figure alone is something that was counted.
func TestPackKnowsEveryCount(t *testing.T) {
	var sum analysis.Summary
	require.False(t, hasCounted(&sum))
	for i, n := range countsOf(&sum) {
		*n = -1
		require.True(t, hasCounted(&sum), "the %d.", i)
		*n = 0
	}
}

// A field that is added must be packed too, and be in fullSession.
func TestPackKnowsEveryField(t *testing.T) {
	s := fullSession()
	notPacked := map[string]bool{"Summary": true, "prev": true, "next": true, "list": true, "spare": true, "assembled": true, "hash": true, "slot": true}
	zeroFields(t, reflect.ValueOf(*s), notPacked)
	zeroFields(t, reflect.ValueOf(s.sum), nil)
	zeroFields(t, reflect.ValueOf(s.sum.Durations), nil)
	zeroFields(t, reflect.ValueOf(s.service.Value()), nil)
	zeroFields(t, reflect.ValueOf(s.log.list[0]), map[string]bool{"links": true})
	zeroFields(t, reflect.ValueOf(*s.log.list[0].more), nil)
	// All but the index and the trim follow from the calls.
	back := packed(t, s).log
	back.woken = s.log.woken
	assert.Equal(t, *s.log, *back)
}

func zeroFields(t *testing.T, v reflect.Value, but map[string]bool) {
	t.Helper()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !but[name] {
			assert.False(t, v.Field(i).IsZero(), "%s.%s", v.Type(), name)
		}
	}
}

// Sessions of any calls come back as they were, and go on as they would have,
// also in the memory of another.
func TestPackAnySession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, p := newSessionIndex(maphash.MakeSeed()), packer{symbols: newSymbols()}
		x.reuse(fullSession())
		s := newSession("s", Service{Name: "bot"})
		for _, span := range someSpans(t, 40) {
			r := span.reading()
			s.observe(&r, newSymbols())
			if rapid.IntRange(0, 3).Draw(t, "rest") == 0 {
				back := packed(t, s)
				require.Equal(t, s.state(time.Time{}), back.state(time.Time{}))
				if s.log != nil {
					require.Equal(t, s.log.foreign, back.log.foreign)
					require.Equal(t, s.log.index == nil, back.log.index == nil)
				}
				p.b = p.b[:0]
				p.session(s)
				again := unpackInto(x.empty(), s.Key, p.b, p.symbols)
				again.arrived = s.arrived
				require.Equal(t, s.state(time.Time{}), again.state(time.Time{}))
				if s.log != nil {
					kept := *again.log
					kept.list, kept.index, kept.woken = back.log.list, back.log.index, back.log.woken
					require.Equal(t, *back.log, kept)
				}
				// A summary in the memory of another's is the same, too.
				back.Assemble()
				again.Assemble()
				require.Equal(t, back.Summary, again.Summary)
				x.reuse(s)
				s = again
			}
		}
	})
}

// Calls that a session woke with are packed as they came, but for those with names
// that have no number, whatever came since.
func TestPackAgain(t *testing.T) {
	long := func(c string) string { return strings.Repeat(c, maxSymbol+1) }
	for name, c := range map[string]struct{ model, answered, tool string }{
		"of a known model":          {model: "m", answered: "m-1"},
		"of a model without number": {model: long("m")},
		"of an answer without":      {model: "m", answered: long("a")},
		"of another call's model":   {model: long("n")},
		"with a tool":               {model: "m", tool: "t"},
		"with a tool without":       {model: "m", tool: long("t")},
	} {
		t.Run(name, func(t *testing.T) {
			y := newSymbols()
			s := newSession("s", Service{})
			for i, model := range []string{c.model, long("n"), c.model, "m", long("m"), long("o")} {
				r := told{what: "llm", scope: "sdk", id: byte(i + 1), from: i * 100, to: i*100 + 50, model: model, session: "s"}.reading()
				if model == c.model {
					r.Event.ResponseModel, r.Event.ToolCall = c.answered, &analysis.ToolCall{Name: c.tool}
				}
				s.observe(&r, y)
				back := packedWith(s, y)
				require.Equal(t, s.state(time.Time{}), back.state(time.Time{}))
				s = back
			}
		})
	}
}

func BenchmarkPack(b *testing.B) {
	s := newSession("0123456789abcdef", Service{Name: "bot"})
	for _, r := range sdkSession("0123456789abcdef", 8, 1) {
		s.observe(&r, newSymbols())
	}
	p := packer{symbols: newSymbols()}
	b.Run("pack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.b = p.b[:0]
			p.session(s)
		}
		b.ReportMetric(float64(len(p.b)), "B")
	})
	b.Run("unpack", func(b *testing.B) {
		b.ReportAllocs()
		x := newSessionIndex(maphash.MakeSeed())
		for b.Loop() {
			x.reuse(unpackInto(x.empty(), s.Key, p.b, p.symbols))
		}
	})
}
