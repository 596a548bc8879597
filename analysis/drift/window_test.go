package drift

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

var testStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// summaryGen draws small summaries. Few ids and few end times, so that sessions
// come again and end together.
var summaryGen = rapid.Custom(func(t *rapid.T) *analysis.Summary {
	s := analysis.NewSummary(rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e", "f", "g"}).Draw(t, "id"), "agent")
	end := testStart.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "end")) * time.Minute)
	for range rapid.IntRange(0, 6).Draw(t, "events") {
		e := analysis.Event{
			Type:      analysis.EventType(rapid.SampledFrom([]string{"llm_call", "tool_call", "error"}).Draw(t, "type")),
			Timestamp: end,
			Model:     rapid.SampledFrom([]string{"", "gpt-4o", "claude-3.5-sonnet"}).Draw(t, "model"),
			TokensIn:  analysis.Some(rapid.Int64Range(0, 5000).Draw(t, "tokens")),
		}
		if rapid.Bool().Draw(t, "measured") {
			e.DurationMS = analysis.Some(rapid.Float64Range(0, 1e5).Draw(t, "ms"))
		}
		if rapid.Bool().Draw(t, "priced") {
			e.CostUSD = analysis.Some(rapid.Float64Range(0, 1).Draw(t, "usd"))
		}
		if e.Type == analysis.EventToolCall {
			e.ToolCall = &analysis.ToolCall{Name: rapid.SampledFrom([]string{"search", "browse"}).Draw(t, "tool")}
		}
		s.Observe(&e)
	}
	s.EndedAt = end
	return s
})

func windowOfSummaries(t require.TestingT, bound int, summaries []*analysis.Summary) *Window {
	w, err := NewWindow(bound)
	require.NoError(t, err)
	for _, s := range summaries {
		require.NoError(t, w.Add(s))
	}
	return w
}

func asJSON(t require.TestingT, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// Merging the windows of any parts, in any order, is adding everything.
func TestWindowMergeEqualsAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		summaries := rapid.SliceOfN(summaryGen, 0, 30).Draw(t, "summaries")
		whole := windowOfSummaries(t, 100, summaries)

		shuffled := rapid.Permutation(summaries).Draw(t, "order")
		cut := rapid.IntRange(0, len(shuffled)).Draw(t, "cut")
		parts := windowOfSummaries(t, 100, shuffled[:cut])
		other := windowOfSummaries(t, 100, shuffled[cut:])
		before := asJSON(t, other)
		parts.Merge(other)
		assert.Equal(t, asJSON(t, whole), asJSON(t, parts))
		assert.Equal(t, before, asJSON(t, other))
	})
}

// A full window holds the newest sessions, in whatever order they came.
func TestWindowKeepsTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var summaries []*analysis.Summary
		for i := range rapid.IntRange(1, 40).Draw(t, "n") {
			s := summaryGen.Draw(t, "summary")
			s.SessionID = strconv.Itoa(i)
			summaries = append(summaries, s)
		}
		bound := rapid.IntRange(1, 12).Draw(t, "bound")
		w := windowOfSummaries(t, bound, rapid.Permutation(summaries).Draw(t, "order"))

		slices.SortFunc(summaries, func(a, b *analysis.Summary) int {
			if c := a.EndedAt.Compare(b.EndedAt); c != 0 {
				return c
			}
			return slices.Compare([]byte(a.SessionID), []byte(b.SessionID))
		})
		newest := windowOfSummaries(t, 100, summaries[max(0, len(summaries)-bound):])
		assert.Equal(t, newest.Len(), w.Len())
		newest.maxSessions = bound
		assert.Equal(t, asJSON(t, newest), asJSON(t, w))
	})
}

func summaryOfEvents(n int) *analysis.Summary {
	s := analysis.NewSummary("one", "agent")
	for range n {
		s.Observe(&analysis.Event{Type: analysis.EventGeneric, Timestamp: testStart})
	}
	return s
}

// A session that is held back, in memory used before, and written down, joins a
// window as it would have at once.
func TestAddSessionEqualsAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.IntRange(1, 5).Draw(t, "bound")
		want, err := NewWindow(bound)
		require.NoError(t, err)
		got, err := NewWindow(bound)
		require.NoError(t, err)
		var held Session
		for _, s := range rapid.SliceOfN(summaryGen, 1, 10).Draw(t, "summaries") {
			revision := rapid.Int64Range(0, 2).Draw(t, "revision")
			require.NoError(t, want.AddRevision(s, revision))
			held, err = AppendSession(held[:0], s, revision)
			require.NoError(t, err)
			alone, err := NewWindow(1)
			require.NoError(t, err)
			require.NoError(t, alone.AddRevision(s, revision))
			require.JSONEq(t, asJSON(t, alone), asJSON(t, &held), "a snapshot holds it as a window of one")
			if rapid.Bool().Draw(t, "written down") {
				text := asJSON(t, &held)
				held = nil
				require.NoError(t, json.Unmarshal([]byte(text), &held))
			}
			got.AddSession(held)
			if rapid.Bool().Draw(t, "looked at") {
				require.Equal(t, asJSON(t, want), asJSON(t, got))
			}
		}
		require.Equal(t, asJSON(t, want), asJSON(t, got))
	})
}

func TestWindowRevision(t *testing.T) {
	type add struct {
		events   int
		revision int64
	}
	for _, c := range []struct {
		name string
		adds []add
		want float64
	}{
		{"same again", []add{{3, 0}, {3, 0}}, 3},
		{"has grown", []add{{3, 0}, {5, 0}}, 5},
		{"comes late", []add{{5, 0}, {3, 0}}, 5},
		{"higher revision", []add{{5, 1}, {3, 2}}, 3},
		{"higher revision first", []add{{3, 2}, {5, 1}}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w Window
			for _, a := range c.adds {
				require.NoError(t, w.AddRevision(summaryOfEvents(a.events), a.revision))
			}
			require.Equal(t, 1, w.Len())
			assert.Equal(t, c.want, w.samples()[0].events())
		})
	}
}

func TestWindowOfSessionsWithoutID(t *testing.T) {
	var w, again Window
	for range 3 {
		require.NoError(t, w.Add(analysis.NewSummary("", "agent")))
	}
	assert.Equal(t, 3, w.Len())
	w.Merge(&w)
	assert.Equal(t, 3, w.Len(), "a window merged with itself")
	again.Merge(&w)
	again.Merge(&w)
	assert.Equal(t, 6, again.Len())
}

// What a window holds is its own: later changes of the summary do not show.
func TestWindowKeepsNoSummary(t *testing.T) {
	s := randomSummaries(1, 1, 1)[0]
	var w Window
	require.NoError(t, w.Add(s))
	before := asJSON(t, &w)
	s.Tools.Add("tool-0", 100)
	s.Models.List[0].Name = "changed"
	s.EventTypes.Add("new", 1)
	assert.Equal(t, before, asJSON(t, &w))
}

func TestWindowRefusesBadSummaries(t *testing.T) {
	for field, spoil := range map[string]func(*analysis.Summary){
		"events":          func(s *analysis.Summary) { s.Events = -1 },
		"tokens_in":       func(s *analysis.Summary) { s.TokensIn = -1 },
		"tokens_out":      func(s *analysis.Summary) { s.TokensOut = math.MinInt64 },
		"error_like":      func(s *analysis.Summary) { s.ErrorLike = -1 },
		"tool_like":       func(s *analysis.Summary) { s.ToolLike = -1 },
		"tool_error_like": func(s *analysis.Summary) { s.ToolErrorLike = -1 },
		"cost_usd":        func(s *analysis.Summary) { s.CostUSD.Add(-0.5) },
		"durations.n":     func(s *analysis.Summary) { s.Durations.N = -1 },
	} {
		t.Run(field, func(t *testing.T) {
			s := randomSummaries(1, 1, 1)[0]
			spoil(s)
			var w Window
			assertFieldError(t, w.Add(s), field)
			assert.Zero(t, w.Len())
		})
	}
	var w Window
	assertFieldError(t, w.Add(nil), "session")
	for _, n := range []int{0, -1, 1_000_001} {
		_, err := NewWindow(n)
		assertFieldError(t, err, "max_sessions")
	}
}

func assertFieldError(t *testing.T, err error, field string) {
	t.Helper()
	var fieldErr *analysis.FieldError
	require.ErrorAs(t, err, &fieldErr)
	assert.Equal(t, field, fieldErr.Field)
}

// The metrics of extreme sessions stay finite, and so do reports on them.
func TestExtremeSessions(t *testing.T) {
	extreme := func(x float64) *analysis.Summary {
		s := analysis.NewSummary("", "agent")
		s.Observe(&analysis.Event{
			Type: analysis.EventLLMCall, DurationMS: analysis.Some(x), CostUSD: analysis.Some(x),
			TokensIn: analysis.Some(int64(math.MaxInt64)), TokensOut: analysis.Some(int64(math.MaxInt64)),
		})
		return s
	}
	base := []*analysis.Summary{extreme(math.MaxFloat64), extreme(0), extreme(math.SmallestNonzeroFloat64)}
	cur := []*analysis.Summary{extreme(math.MaxFloat64), extreme(math.MaxFloat64)}
	for _, side := range [][]*analysis.Summary{base, base[1:], base[2:]} {
		r, err := Compare(side, cur)
		require.NoError(t, err)
		asJSON(t, r)
		assert.NotContains(t, r.Format(), "NaN")
		assert.NotContains(t, r.Format(), "Inf")
	}
}

func TestCostIsComparedWhenKnown(t *testing.T) {
	with := func(usd ...float64) *analysis.Summary {
		s := analysis.NewSummary("", "agent")
		for _, x := range usd {
			e := analysis.Event{Type: analysis.EventLLMCall}
			if x >= 0 {
				e.CostUSD = analysis.Some(x)
			}
			s.Observe(&e)
		}
		return s
	}
	unknown := -1.0
	r, err := Compare([]*analysis.Summary{with(0.25, 0.5), with(unknown, 9)}, []*analysis.Summary{with(1.5)})
	require.NoError(t, err)
	m := r.metric("cost_usd")
	require.NotNil(t, m)
	assert.Equal(t, 0.75, m.BaselineMean, "a session with a call of unknown price has no known cost")
	assert.Equal(t, 1.5, m.CurrentMean)

	r, err = Compare([]*analysis.Summary{with(0.25)}, []*analysis.Summary{with(unknown)})
	require.NoError(t, err)
	assert.Nil(t, r.metric("cost_usd"))
}
