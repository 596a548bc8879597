package sessions

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// own makes the span one of AgentLens's SDK.
func own(s told) told {
	s.own, s.scope = true, "agentlens"
	if s.what == "tool" && s.answer == "" {
		s.answer = "made up by the SDK"
	}
	return s
}

// ownCases are calls that AgentLens's SDK tells too, or does not.
var ownCases = map[string]struct {
	spans []told
	want  sums
}{
	"StartLLM around an instrumented call": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 100, model: "gpt-4o", in: 120, out: 18}),
		{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "gpt-4o-2024-08-06", answer: "r1", in: 120, out: 18, cached: 64},
	}, sums{1, 0, 120, 18, 0}},
	"and without usage of its own": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 100, model: "gpt-4o"}),
		{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "gpt-4o", answer: "r1", in: 120, out: 18},
	}, sums{1, 0, 120, 18, 0}},
	"with a wrapper between": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 100, model: "gpt-4o", in: 120, out: 18}),
		{what: "wrapper", scope: "fw", id: 2, parent: 1, from: 1, to: 99, in: 120, out: 18},
		{what: "llm", scope: "fw", id: 3, parent: 2, from: 5, to: 95, model: "gpt-4o", in: 120, out: 18},
	}, sums{1, 0, 120, 18, 0}},
	"between two libraries": {[]told{
		{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 2, parent: 1, from: 1, to: 99, model: "m", in: 120, out: 18}),
		{what: "llm", scope: "sdk", id: 3, parent: 2, from: 2, to: 98, model: "m", in: 120, out: 18},
	}, sums{1, 0, 120, 18, 0}},
	"around two calls it is a wrapper": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 200, model: "m", in: 330, out: 60}),
		{what: "llm", scope: "sdk", id: 2, parent: 1, from: 1, to: 90, model: "m", answer: "r1", in: 120, out: 18},
		{what: "llm", scope: "sdk", id: 3, parent: 1, from: 100, to: 199, model: "m", answer: "r2", in: 210, out: 42},
	}, sums{2, 0, 330, 60, 0}},
	"a framework's span around two that were tracked": {[]told{
		{what: "llm", scope: "fw", id: 1, from: 0, to: 200, model: "m"},
		own(told{what: "llm", id: 2, parent: 1, from: 1, to: 90, model: "m", in: 120, out: 18}),
		own(told{what: "llm", id: 3, parent: 1, from: 100, to: 199, model: "m", in: 210, out: 42}),
	}, sums{2, 0, 330, 60, 0}},
	"a failed attempt and an answer, both tracked": {[]told{
		{what: "llm", scope: "fw", id: 1, from: 0, to: 200, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 2, parent: 1, from: 1, to: 90, model: "m", failed: true}),
		own(told{what: "llm", id: 3, parent: 1, from: 100, to: 199, model: "m", in: 120, out: 18}),
	}, sums{2, 1, 120, 18, 0}},
	"so they are within one that was tracked": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 200, model: "m"}),
		own(told{what: "llm", id: 2, parent: 1, from: 1, to: 90, model: "m", in: 120, out: 18}),
		own(told{what: "llm", id: 3, parent: 1, from: 100, to: 199, model: "m", in: 210, out: 42}),
	}, sums{3, 0, 330, 60, 0}},
	"a part of what was tracked": {[]told{
		own(told{what: "tool", id: 1, from: 0, to: 50, tool: "search"}),
		own(told{what: "part", id: 2, parent: 1, from: 5, to: 45, failed: true}),
	}, sums{0, 0, 0, 0, 1}},
	"what the SDK tells, one within the other, are two": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18}),
		own(told{what: "llm", id: 2, parent: 1, from: 1, to: 99, model: "m", in: 120, out: 18}),
	}, sums{2, 0, 240, 36, 0}},
	"and of one answer": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 100, model: "m", answer: "r", in: 120, out: 18}),
		own(told{what: "llm", id: 2, from: 1, to: 99, model: "m", answer: "r", in: 120, out: 18}),
	}, sums{2, 0, 240, 36, 0}},
	"tracked beside, its duration known": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", answer: "r1", in: 120, out: 18},
		own(told{what: "llm", id: 2, from: 30, to: 1025, model: "m", in: 120, out: 18}),
	}, sums{1, 0, 120, 18, 0}},
	"tracked beside, its duration unknown": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", answer: "r1", in: 120, out: 18},
		own(told{what: "llm", id: 2, from: 1025, to: 1025, model: "m", in: 120, out: 18}),
	}, sums{1, 0, 120, 18, 0}},
	"tracked beside in another trace": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", in: 120, out: 18},
		own(told{what: "llm", trace: 1, id: 2, from: 30, to: 1025, model: "m", in: 120, out: 18}),
	}, sums{1, 0, 120, 18, 0}},
	"tracked by the response id, whenever": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", answer: "r1", in: 120, out: 18},
		own(told{what: "llm", trace: 1, id: 2, from: 9000, to: 9000, model: "m", answer: "r1", in: 120, out: 18}),
	}, sums{1, 0, 120, 18, 0}},
	"too late for the same call": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 2, from: 1600, to: 1600, model: "m", in: 120, out: 18}),
	}, sums{2, 0, 240, 36, 0}},
	"other usage": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 2, from: 30, to: 1025, model: "m", in: 121, out: 18}),
	}, sums{2, 0, 241, 36, 0}},
	"another model": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "gpt-4o", in: 120, out: 18},
		own(told{what: "llm", id: 2, from: 30, to: 1025, model: "claude", in: 120, out: 18}),
	}, sums{2, 0, 240, 36, 0}},
	"half a usage is not enough beside": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 2, from: 30, to: 1025, model: "m", out: 18}),
	}, sums{2, 0, 120, 36, 0}},
	"two in a row with the same usage, one instrumented, one tracked": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 2, from: 1010, to: 2010, model: "m", in: 120, out: 18}),
	}, sums{2, 0, 240, 36, 0}},
	"two in a row with the same usage, each told twice": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 2, from: 1001, to: 1001, model: "m", in: 120, out: 18}),
		{what: "llm", scope: "sdk", id: 3, from: 1002, to: 2002, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 4, from: 2003, to: 2003, model: "m", in: 120, out: 18}),
	}, sums{2, 0, 240, 36, 0}},
	"two in parallel with the same usage, each told twice": {[]told{
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 1000, model: "m", in: 120, out: 18},
		{what: "llm", scope: "sdk", id: 2, from: 400, to: 1400, model: "m", in: 120, out: 18},
		own(told{what: "llm", id: 3, from: 10, to: 1010, model: "m", in: 120, out: 18}),
		own(told{what: "llm", id: 4, from: 410, to: 1410, model: "m", in: 120, out: 18}),
	}, sums{2, 0, 240, 36, 0}},
	"two in a row that only the SDK tells": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 1000, model: "m", in: 120, out: 18}),
		own(told{what: "llm", id: 2, from: 1001, to: 2001, model: "m", in: 120, out: 18}),
	}, sums{2, 0, 240, 36, 0}},
	"a failure told by both": {[]told{
		own(told{what: "llm", id: 1, from: 0, to: 100, model: "m", failed: true}),
		{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "m", failed: true},
	}, sums{1, 1, 0, 0, 0}},
	"StartTool around MCP's client and server": {[]told{
		own(told{what: "tool", id: 1, from: 0, to: 50, tool: "search"}),
		{what: "tool", scope: "mcp", id: 2, parent: 1, from: 5, to: 45, tool: "search"},
		{what: "tool", scope: "server", id: 3, parent: 2, from: 10, to: 40, tool: "search", failed: true},
	}, sums{0, 1, 0, 0, 1}},
	"the server in a trace of its own": {[]told{
		own(told{what: "tool", id: 1, from: 0, to: 50, tool: "search"}),
		{what: "tool", scope: "mcp", id: 2, parent: 1, from: 5, to: 45, tool: "search", answer: "c1"},
		{what: "tool", scope: "server", trace: 1, id: 3, from: 10, to: 40, tool: "search"},
	}, sums{0, 0, 0, 0, 1}},
	"only the server is traced": {[]told{
		own(told{what: "tool", id: 1, from: 0, to: 50, tool: "search"}),
		{what: "tool", scope: "server", trace: 1, id: 3, from: 10, to: 40, tool: "search"},
	}, sums{0, 0, 0, 0, 1}},
	"TrackTool beside": {[]told{
		{what: "tool", scope: "mcp", id: 1, from: 0, to: 50, tool: "mcp__web__search", answer: "c1"},
		own(told{what: "tool", id: 2, from: 60, to: 60, tool: "search"}),
	}, sums{0, 0, 0, 0, 1}},
	"two tools one after the other": {[]told{
		own(told{what: "tool", id: 1, from: 0, to: 50, tool: "search"}),
		{what: "tool", scope: "mcp", id: 2, from: 60, to: 110, tool: "search"},
	}, sums{0, 0, 0, 0, 2}},
	"another tool within": {[]told{
		own(told{what: "tool", id: 1, from: 0, to: 50, tool: "research"}),
		{what: "tool", scope: "mcp", id: 2, parent: 1, from: 5, to: 45, tool: "search"},
	}, sums{0, 0, 0, 0, 2}},
}

// In whatever order the spans come, in one batch or in many, before a restart
// or after it, or sent again, a call counts once.
func TestOwnAndForeignCallsCountOnce(t *testing.T) {
	for name, c := range ownCases {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 1))
			for n := range 20 {
				random.Shuffle(len(c.spans), func(i, j int) { c.spans[i], c.spans[j] = c.spans[j], c.spans[i] })
				var readings []spanevent.Reading
				for _, s := range c.spans {
					s.session = "s"
					readings = append(readings, s.reading())
				}
				assert.Equal(t, c.want, sumsOf(assembled(readings)["s"]))
				if n < 2 { // a snapshot takes long
					assert.Equal(t, c.want, sumsOf(interrupted(t, readings, 1+random.IntN(len(readings)))["s"]), "restarted")
				}
			}
		})
	}
}

func sumsOf(s *Session) sums {
	return sums{s.Summary.LLMCalls, s.Summary.Errors, s.Summary.TokensIn, s.Summary.TokensOut, s.Summary.ToolCalls}
}

// interrupted returns the sessions of a stream in which a table was put to rest
// and restored.
func interrupted(t testing.TB, readings []spanevent.Reading, cut int) map[string]*Session {
	now := time.Unix(0, 0)
	first, second := NewTable(testLimits), NewTable(testLimits)
	for _, r := range readings[:cut] {
		first.Observe(&r, Service{}, now, ignore, ignore)
	}
	var snapshot bytes.Buffer
	require.NoError(t, first.Snapshot(&snapshot))
	require.NoError(t, second.Restore(&snapshot))
	for _, r := range readings[cut-1:] {
		second.Observe(&r, Service{}, now, ignore, ignore)
	}
	return second.finish(now)
}

// The SDK's span says what was called and for how long, the other what it used.
func TestOwnSpanIsTheWitness(t *testing.T) {
	spans := []told{
		own(told{what: "llm", id: 2, parent: 1, from: 10, to: 90, model: "alias", in: 120, out: 18, cost: 0.5}),
		{what: "llm", scope: "sdk", id: 1, from: 0, to: 100, model: "alias-2024", in: 120, out: 18, cached: 64, cost: 0.25},
	}
	for range 2 {
		slices.Reverse(spans)
		var readings []spanevent.Reading
		for _, s := range spans {
			s.session = "s"
			r := s.reading()
			r.Event.DurationMS = analysis.Some(float64(s.to - s.from))
			if s.own {
				r.Event.DecisionTrace = &analysis.DecisionTrace{Reasoning: "because"}
			}
			readings = append(readings, r)
		}
		sum := assembled(readings)["s"].Summary
		assert.Equal(t, []string{"alias"}, sum.Models.Names())
		assert.Equal(t, []float64{80}, sum.Durations.Exact)
		assert.Equal(t, int64(64), sum.CacheReadTokens)
		assert.Equal(t, int64(1), sum.Reasoned)
		assert.InDelta(t, 0.25, sum.CostUSD.Float64(), 1e-15, "reckoned from the cached tokens too")
	}
}

// Tracked without its duration, a call has that of the span beside it.
func TestDurationOfATrackedCall(t *testing.T) {
	foreign := told{what: "llm", scope: "sdk", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18, session: "s"}.reading()
	foreign.Event.DurationMS = analysis.Some(100.0)
	tracked := own(told{what: "llm", id: 2, from: 101, to: 101, model: "m", in: 120, out: 18, session: "s"}).reading()
	sum := assembled([]spanevent.Reading{foreign, tracked})["s"].Summary
	assert.Equal(t, []float64{100}, sum.Durations.Exact)
	assert.Equal(t, int64(1), sum.LLMCalls)
	assert.Equal(t, foreign.Start, sum.FirstEvent)
	assert.Equal(t, foreign.End, sum.LastEvent)
}

// Of the spans of one call that come together the SDK's is the event and knows
// all that any of them does; of those that come apart, the first.
func TestPreferOwn(t *testing.T) {
	foreign := told{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "gpt-4o", answer: "r1", in: 120, out: 18, cached: 64, cost: 0.25, session: "s"}
	around := own(told{what: "llm", id: 1, from: 0, to: 100, model: "gpt-4o", session: "s"})
	roles := func(told []Told) (out []spanevent.Role) {
		for i := range told {
			out = append(out, told[i].Reading.Role)
		}
		return out
	}
	event, part := spanevent.RoleEvent, spanevent.RolePart
	for name, c := range map[string]struct {
		spans       []told
		apart, both []spanevent.Role
	}{
		"the foreign first": {[]told{foreign, around}, []spanevent.Role{event, part}, []spanevent.Role{part, event}},
		"the own first":     {[]told{around, foreign}, []spanevent.Role{event, part}, []spanevent.Role{event, part}},
	} {
		t.Run(name, func(t *testing.T) {
			table := NewTable(testLimits)
			// Sent again, they are what they were.
			for range 2 {
				readings := []spanevent.Reading{c.spans[0].reading(), c.spans[1].reading()}
				together := make([]Told, 2)
				for i := range readings {
					together[i] = Told{Reading: &readings[i], Copies: table.Observe(&readings[i], Service{}, time.Unix(0, 0), ignore, ignore)}
					if readings[i].Event.CostUSD.OK {
						together[i].CostSource = "provider"
					}
				}
				assert.Equal(t, c.apart, roles(together))
				PreferOwn(together)
				require.Equal(t, c.both, roles(together))
				for i := range together {
					if e := &readings[i].Event; together[i].Reading.Role == event {
						assert.Equal(t, []int{1 - i}, together[i].From)
						assert.Equal(t, analysis.Some[int64](120), e.TokensIn)
						assert.Equal(t, analysis.Some[int64](64), e.CacheReadTokens)
						assert.Equal(t, analysis.Some(0.25), e.CostUSD)
						assert.Equal(t, "provider", together[i].CostSource)
					} else {
						assert.True(t, together[i].Copies.Priced || i == 0, "its cost is told")
					}
				}
			}
		})
	}
	t.Run("one that came before stays the event", func(t *testing.T) {
		table := NewTable(testLimits)
		first, second := foreign.reading(), around.reading()
		table.Observe(&first, Service{}, time.Unix(0, 0), ignore, ignore)
		together := []Told{{Reading: &second, Copies: table.Observe(&second, Service{}, time.Unix(0, 0), ignore, ignore)}}
		PreferOwn(together)
		assert.Equal(t, part, second.Role)
		assert.Equal(t, []CallKey{KeyOf(&first)}, together[0].Copies.Of)
		assert.True(t, together[0].Copies.Priced)
	})
}

// Own calls wait for their copies as long as these may come, and no longer.
func TestOwnCallsWaitForCopies(t *testing.T) {
	foreign := told{what: "llm", scope: "sdk", id: 2, parent: 1, from: 5, to: 95, model: "m", in: 120, out: 18, session: "s"}
	around := own(told{what: "llm", id: 1, from: 0, to: 100, model: "m", in: 120, out: 18, session: "s"})
	now := time.Unix(1_795_000_000, 0)
	observe := func(table *Table, now time.Time, spans ...told) {
		for _, s := range spans {
			r := s.reading()
			table.Observe(&r, Service{}, now, ignore, ignore)
		}
	}
	calls := func(table *Table) (n, records int64) {
		room := int64(0)
		table.Each(func(s *Session) {
			n, room = n+s.Summary.LLMCalls, room+int64(s.room())
			if s.log != nil {
				records += int64(len(s.log.list))
			}
		})
		assert.Equal(t, room, table.records.Load())
		return n, records
	}
	window := int(copyWindow / time.Millisecond)
	later := own(told{what: "llm", id: 9, from: window - 1000, to: window, model: "m", in: 1, out: 1, session: "s"})

	t.Run("while the session goes on", func(t *testing.T) {
		table := NewTable(testLimits)
		observe(table, now.Add(time.Hour), around, later, foreign)
		n, records := calls(table)
		assert.Equal(t, []int64{2, 3}, []int64{n, records})
	})
	t.Run("until it has gone on for long", func(t *testing.T) {
		table := NewTable(testLimits)
		later := later
		later.from, later.to = 2*window-1000, 2*window
		observe(table, now.Add(time.Hour), around, later)
		n, records := calls(table)
		assert.Equal(t, []int64{2, 1}, []int64{n, records})
		observe(table, now.Add(time.Hour), foreign)
		n, _ = calls(table)
		assert.Equal(t, int64(3), n, "too late: it counts again")
	})
	t.Run("until it is quiet", func(t *testing.T) {
		limits := testLimits
		limits.IdleTimeout = time.Hour
		table := NewTable(limits)
		observe(table, now, around)
		table.Sweep(now.Add(copyWindow-1), ignore)
		n, records := calls(table)
		assert.Equal(t, []int64{1, 1}, []int64{n, records})
		table.Sweep(now.Add(copyWindow), ignore)
		n, records = calls(table)
		assert.Equal(t, []int64{1, 0}, []int64{n, records})
	})
	t.Run("again and again", func(t *testing.T) {
		limits := testLimits
		limits.IdleTimeout = time.Hour
		table, now := NewTable(limits), now
		other := own(told{what: "llm", trace: 1, id: 8, from: 0, to: 100, model: "m", session: "t"})
		for i := range 3 {
			around.id, other.id = byte(10+i), byte(20+i)
			observe(table, now, around, other)
			now = now.Add(copyWindow)
			table.Sweep(now, ignore)
			_, records := calls(table)
			assert.Zero(t, records)
		}
	})
	t.Run("with a copy as long as that stays", func(t *testing.T) {
		limits := testLimits
		limits.IdleTimeout = time.Hour
		table := NewTable(limits)
		observe(table, now, foreign, around)
		table.Sweep(now.Add(copyWindow), ignore)
		n, records := calls(table)
		assert.Equal(t, []int64{1, 2}, []int64{n, records})
		observe(table, now, told{what: "llm", scope: "third", id: 3, parent: 2, from: 6, to: 94, model: "m", in: 120, out: 18, session: "s"})
		n, _ = calls(table)
		assert.Equal(t, int64(1), n)
	})
	t.Run("so many at the most", func(t *testing.T) {
		table := NewTable(testLimits)
		for i := range 200 {
			observe(table, now, own(told{what: "llm", id: byte(i + 1), from: i, to: i + 1, model: "m", in: 1, out: 1, session: "s"}))
			_, records := calls(table)
			require.LessOrEqual(t, records, int64(maxLone))
		}
		n, _ := calls(table)
		assert.Equal(t, int64(200), n)
	})
	t.Run("so many at the most, though they end together", func(t *testing.T) {
		table := NewTable(testLimits)
		for i := range 200 {
			observe(table, now, own(told{what: "llm", id: byte(i + 1), from: 0, to: 1, model: "m", in: 1, out: 1, session: "s"}))
		}
		n, records := calls(table)
		assert.LessOrEqual(t, records, int64(maxLone))
		assert.Equal(t, int64(200), n)
	})
}

// What AgentLens's SDK alone has told adds up to the same resolved or not.
func TestOwnCallsNeedNoResolving(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSession("s", Service{})
		call := own(told{what: "llm", id: 99, model: "m", in: 1}).reading()
		s.observe(&call, newSymbols())
		for _, span := range someSpans(t, 30) {
			r := own(span).reading()
			s.observe(&r, newSymbols())
		}
		require.Zero(t, s.log.foreign)
		want := &analysis.Summary{SessionID: s.sum.SessionID, AgentName: s.sum.AgentName, Status: s.sum.Status}
		want.Merge(&s.sum)
		r := resolveAll(s.log)
		defer r.free()
		r.groups(func(group []int) { want.Observe(r.merged(group)) })
		s.Assemble()
		require.Equal(t, want, s.Summary)
	})
}
