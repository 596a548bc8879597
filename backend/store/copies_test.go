package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// Spans of one call: l1 and l2 are libraries', own is AgentLens's SDK's.
func l1() wire.Event {
	return wire.Event{
		EventType: "llm_call", SessionID: "s", EventID: "l1", Timestamp: second(2), Model: "gpt-4o-2024", Provider: "openai",
		TokensIn: analysis.Some[int64](10), TokensOut: analysis.Some[int64](5), CacheReadTokens: analysis.Some[int64](4),
		CostUSD: analysis.Some(0.25), InputData: json.RawMessage(`"<why>"`),
	}
}

func l2() wire.Event {
	return wire.Event{
		EventType: "llm_call", SessionID: "s", EventID: "l2", Timestamp: second(3), Model: "m",
		TokensIn: analysis.Some[int64](10), ReasoningTokens: analysis.Some[int64](1), OutputData: json.RawMessage(`"l2"`),
	}
}

func own() wire.Event {
	return wire.Event{
		EventType: "llm_call", SessionID: "s", EventID: "own", Timestamp: second(4), DurationMS: analysis.Some(500.0), Model: "gpt-4o",
		TokensIn: analysis.Some[int64](10), CostUSD: analysis.Some(0.5), DecisionTrace: &wire.DecisionTrace{Reasoning: "so"},
	}
}

func replacing(e wire.Event, ids ...string) wire.Event {
	e.Replaces = ids
	return e
}

func partOf(e wire.Event, ids ...string) wire.Event {
	e.PartOf = ids
	return e
}

func inSession(e wire.Event, session, trace string) wire.Event {
	e.SessionID, e.TraceID = session, trace
	return e
}

// tool is an event of that id that uses a tool.
func tool(id string, input, output string) wire.Event {
	return wire.Event{EventType: "tool_call", SessionID: "s", EventID: id, Timestamp: second(5), ToolCall: &wire.ToolCall{
		ID: id, Name: "search", Input: json.RawMessage(input), Output: json.RawMessage(output),
	}}
}

// In whatever order the spans of a call come, and however often, the one event
// of it is the same, and so is all that is counted.
func TestCopiesInAnyOrder(t *testing.T) {
	s := open(t)
	filled := func(e wire.Event) wire.Event { // by l1
		e.Provider, e.TokensOut, e.CacheReadTokens = "openai", analysis.Some[int64](5), analysis.Some[int64](4)
		e.CostUSD, e.InputData = analysis.Some(0.25), json.RawMessage(`"<why>"`)
		return e
	}
	filled2 := func(e wire.Event) wire.Event { // and by l2
		e = filled(e)
		e.ReasoningTokens, e.OutputData = analysis.Some[int64](1), json.RawMessage(`"l2"`)
		return e
	}
	for name, c := range map[string]struct{ in, want []wire.Event }{
		"the SDK's in place of the library's": {[]wire.Event{l1(), replacing(own(), "l1")}, []wire.Event{filled(own())}},
		"the library's a part of the SDK's":   {[]wire.Event{own(), partOf(l1(), "own")}, []wire.Event{filled(own())}},
		"two libraries, then the SDK": {
			[]wire.Event{l1(), partOf(l2(), "l1"), replacing(own(), "l1", "l2")}, []wire.Event{filled2(own())},
		},
		"the SDK between":  {[]wire.Event{l1(), replacing(own(), "l1"), partOf(l2(), "l1", "own")}, []wire.Event{filled2(own())}},
		"the SDK at first": {[]wire.Event{own(), partOf(l1(), "own"), partOf(l2(), "own", "l1")}, []wire.Event{filled2(own())}},
		"one that came with a copy of its own": {
			[]wire.Event{own(), partOf(l2(), "gone", "own")}, []wire.Event{func() wire.Event {
				e := own()
				e.ReasoningTokens, e.OutputData = analysis.Some[int64](1), json.RawMessage(`"l2"`)
				e.CostUSD = analysis.Some(0.5)
				return e
			}()},
		},
		"a part joins two events": {[]wire.Event{l1(), own(), partOf(l2(), "l1", "own")}, []wire.Event{func() wire.Event {
			e := l1()
			e.DurationMS, e.OutputData, e.ReasoningTokens = analysis.Opt[float64]{}, json.RawMessage(`"l2"`), analysis.Some[int64](1)
			return e
		}()}},
		"parts of an event that never comes": {[]wire.Event{partOf(l1(), "own"), partOf(l2(), "own", "l1")}, nil},
		"in a circle":                        {[]wire.Event{replacing(l1(), "own"), replacing(own(), "l1")}, []wire.Event{l1()}},
		"in the session of its trace": {
			[]wire.Event{inSession(l1(), "t", "t"), inSession(replacing(own(), "l1"), "s", "t"), inSession(l2(), "t", "t")},
			[]wire.Event{inSession(filled(own()), "s", "t"), inSession(l2(), "t", "t")},
		},
		"with its part in the session of its trace": {
			[]wire.Event{inSession(l1(), "t", "t"), inSession(partOf(l2(), "l1"), "t", "t"), inSession(replacing(own(), "l1", "l2"), "s", "t")},
			[]wire.Event{inSession(filled2(own()), "s", "t")},
		},
		"a tool": {
			[]wire.Event{tool("l1", `{"q":1}`, `"found"`), replacing(tool("own", `{"q":"one"}`, ``), "l1")}, []wire.Event{tool("own", `{"q":"one"}`, `"found"`)},
		},
		"taken out of another call in the session of its trace": {
			[]wire.Event{inSession(l1(), "t", "t"), inSession(replacing(l2(), "l1"), "t", "t"), inSession(replacing(own(), "l1"), "s", "t")},
			[]wire.Event{inSession(filled(own()), "s", "t"), inSession(l2(), "t", "t")},
		},
		"an event that comes as a part too": {[]wire.Event{l1(), partOf(l1(), "own"), partOf(l2(), "l1")}, []wire.Event{func() wire.Event {
			e := l1()
			e.OutputData, e.ReasoningTokens = json.RawMessage(`"l2"`), analysis.Some[int64](1)
			return e
		}()}},
		"behind an event that never comes": {[]wire.Event{l1(), replacing(l2(), "l1"), partOf(l2(), "own")}, []wire.Event{filled(l2())}},
		"others beside":                    {[]wire.Event{l1(), l2(), replacing(own(), "l1")}, []wire.Event{l2(), filled(own())}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, order := range permutations(len(c.in)) {
				for _, again := range []int{-1, order[0]} {
					empty(t, s)
					for _, i := range append(slices.Clone(order), again) {
						if i < 0 {
							continue
						}
						ingest(t, s, c.in[i])
						clear(s.recent) // as a restart does
					}
					require.Equal(t, texts(t, c.want), texts(t, listed(t, s)), "%v %d", order, again)
					requireStates(t, s)
					kept := sumRows(t, s)
					require.NoError(t, s.rebuild(context.Background()))
					require.Equal(t, sumRows(t, s), kept, "the sums are those of what is listed: %v %d", order, again)
					usage, err := s.UsageByModel(context.Background(), Range{})
					require.NoError(t, err)
					var events int64
					for _, u := range usage {
						events += u.Events
					}
					require.EqualValues(t, len(c.want), events)
				}
			}
		})
	}
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, rest := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(rest), at, n-1))
		}
	}
	return all
}

// listed returns the events of sessions s and t.
func listed(t *testing.T, s *Store) (all []wire.Event) {
	t.Helper()
	w := writer{ctx: context.Background(), stmts: &s.stmts, recent: map[string]*session{}, touched: map[string]*session{}}
	require.NoError(t, s.writeTx(w.ctx, func(tx *sql.Tx) error {
		w.tx = tx
		for _, id := range []string{"s", "t"} {
			found, err := s.Events(w.ctx, id, 100, 0)
			if err != nil {
				require.ErrorIs(t, err, ErrNotFound)
				continue
			}
			sess, err := w.session(id)
			require.NoError(t, err)
			require.EqualValues(t, len(found), sess.events)
			for i := range found {
				e, err := w.row(sess, found[i].ID)
				require.NoError(t, err)
				all = append(all, *e)
			}
		}
		return nil
	}))
	return all
}

func texts(t *testing.T, events []wire.Event) []string {
	t.Helper()
	out := []string{}
	for i := range events {
		text, err := json.Marshal(&events[i])
		require.NoError(t, err)
		out = append(out, string(text))
	}
	return out
}

// The place of an event among those of its time does not change with a copy.
func TestCopiesKeepTheOrderOfArrival(t *testing.T) {
	s := open(t)
	beside := l2()
	beside.Timestamp = own().Timestamp
	ingest(t, s, own(), beside)
	ingest(t, s, partOf(l1(), "own"))
	got, err := s.Events(context.Background(), "s", 10, 0)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, "own", got[0].ID)
	require.EqualValues(t, 5, got[0].TokensOut.V, "filled")
}

// A batch of which a part cannot be stored leaves nothing behind of the rest.
func TestCopiesOfABatchThatFails(t *testing.T) {
	s := open(t)
	ingest(t, s, l1())
	bad := l2()
	bad.ToolCall = &wire.ToolCall{Name: "x", DurationMS: analysis.Some(math.Inf(1))}
	_, err := s.Ingest(context.Background(), []wire.Event{replacing(own(), "l1"), bad})
	require.Error(t, err)
	got, err := s.Events(context.Background(), "s", 10, 0)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, "l1", got[0].ID)
	ingest(t, s, replacing(own(), "l1"))
	require.Equal(t, []string{"own"}, []string{listed(t, s)[0].EventID})
}

// However many spans say that they tell one call, few are looked at for each,
// and one of them is the event.
func TestCopiesBeyondWhatOneCallHas(t *testing.T) {
	for name, next := range map[string]func(e wire.Event, n int) wire.Event{
		"parts of one":            func(e wire.Event, _ int) wire.Event { return partOf(e, "e0") },
		"one for all":             func(e wire.Event, _ int) wire.Event { return replacing(e, "e0") },
		"each for the one before": func(e wire.Event, n int) wire.Event { return replacing(e, fmt.Sprint("e", n-1)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			for n := range 3 * maxGroup {
				e := l1()
				e.EventID = fmt.Sprint("e", n)
				if n > 0 {
					e = next(e, n)
				}
				ingest(t, s, e)
			}
			require.NotEmpty(t, listed(t, s))
			requireStates(t, s)
			tx, err := s.write.Begin()
			require.NoError(t, err)
			defer tx.Rollback()
			w := &writer{ctx: context.Background(), tx: tx, stmts: &s.stmts, now: s.now().UnixMicro(), touched: map[string]*session{}, recent: map[string]*session{}}
			sess, err := w.session("s")
			require.NoError(t, err)
			g, err := w.group(sess, "e0")
			require.NoError(t, err)
			require.Len(t, g.copies, maxGroup)
			require.LessOrEqual(t, len(g.links), 2*maxGroup)
		})
	}
}

// What cannot be told from the rest when an event goes is made anew.
func TestCopiesOfLongSessions(t *testing.T) {
	s := open(t)
	var batch []wire.Event
	for i := range analysis.MaxNames + 4 {
		e := l2()
		e.EventID, e.Model, e.DurationMS = fmt.Sprint("e", i), fmt.Sprintf("m%03d", i), analysis.Some(float64(i))
		batch = append(batch, e)
	}
	last, other := l1(), l1()
	last.Model, other.Model, other.EventID = "z", "z", "other"
	ingest(t, s, append(batch, last, other)...)
	ingest(t, s, replacing(own(), "l1"))
	requireStates(t, s)
	kept := sumRows(t, s)
	require.NoError(t, s.rebuild(context.Background()))
	require.Equal(t, sumRows(t, s), kept)
	sessions, _, err := s.Sessions(context.Background(), SessionQuery{Model: "z", Limit: 10})
	require.NoError(t, err)
	require.Len(t, sessions, 1, "another event has the model still")
}

// What only the event knew that went is not known any more.
func TestCopiesLeaveWhatIsTold(t *testing.T) {
	s := open(t)
	first := wire.Event{EventType: "decision", SessionID: "t", EventID: "first", Timestamp: second(1)}
	ingest(t, s, first, inSession(l1(), "t", "t"))
	requireStates(t, s)
	ingest(t, s, inSession(replacing(own(), "l1"), "s", "t"))
	requireStates(t, s)
	left, err := s.Session(context.Background(), "t")
	require.NoError(t, err)
	require.False(t, left.CostUSD.OK)
	require.False(t, left.TokensIn.OK)
}

func TestStateForgets(t *testing.T) {
	first := figures{at: 1, tokensIn: analysis.Some[int64](1)}
	for name, c := range map[string]struct {
		f    figures
		want bool
	}{
		"an event":                      {figures{at: 3, tokensIn: analysis.Some[int64](7)}, true},
		"the first":                     {figures{at: 1}, false},
		"what began first":              {figures{at: 1001, durationMS: analysis.Some(1.0)}, false},
		"one with more than can be":     {figures{at: 3, tokensIn: analysis.Some[int64](math.MaxInt64)}, false},
		"one with more out than can be": {figures{at: 3, tokensOut: analysis.Some[int64](math.MaxInt64)}, false},
	} {
		var s state
		s.event(&first)
		s.event(&c.f)
		require.Equal(t, c.want, s.forget(&c.f), name)
	}
}

// BenchmarkCopies stores calls of one session that an earlier batch has told, by
// how many events the session has and how many of the calls come in a batch.
func BenchmarkCopies(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		for _, size := range []int{50, 1} {
			b.Run(fmt.Sprintf("events=%d/batch=%d", n, size), func(b *testing.B) {
				s := open(b)
				numbered := func(e wire.Event, session, i int) wire.Event {
					e.SessionID, e.EventID, e.Timestamp = fmt.Sprint("s", session), fmt.Sprint(e.EventID, i), second(i)
					return e
				}
				session, at := 0, n
				for b.Loop() {
					if at+size > n { // all are told: another session
						b.StopTimer()
						session, at = session+1, 0
						var before []wire.Event
						for i := range n {
							before = append(before, numbered(l1(), session, i))
						}
						ingest(b, s, before...)
						b.StartTimer()
					}
					var more []wire.Event
					for range size {
						more = append(more, replacing(numbered(own(), session, at), fmt.Sprint("l1", at)))
						at++
					}
					ingest(b, s, more...)
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/call")
			})
		}
	}
}
