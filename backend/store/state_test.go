package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

func TestSessionFromReports(t *testing.T) {
	type events = []wire.Event
	start := func(at int, name string, metadata map[string]any) wire.Event {
		return wire.Event{EventType: wire.TypeSessionStart, SessionID: "s", Timestamp: second(at), AgentName: name, Metadata: metadata}
	}
	end := func(at int, status analysis.Status) wire.Event {
		return wire.Event{EventType: wire.TypeSessionEnd, SessionID: "s", EndedAt: second(at), Status: status}
	}
	call := func(id string, at int, in, out int64) wire.Event {
		return wire.Event{EventType: "llm_call", SessionID: "s", EventID: id, Timestamp: second(at), TokensIn: analysis.Some(in), TokensOut: analysis.Some(out)}
	}
	totals := func(e wire.Event, in, out int64) wire.Event {
		e.TotalTokensIn, e.TotalTokensOut = analysis.Some(in), analysis.Some(out)
		return e
	}
	slow := call("slow", 10, 1, 1)
	slow.DurationMS = analysis.Some(4000.0)

	none := analysis.Opt[int64]{}
	for _, c := range []struct {
		name       string
		in         events
		agent      string
		started    int // seconds
		ended      int // seconds; 0 = not
		status     analysis.Status
		tin, tout  analysis.Opt[int64]
		events     int64
		wantErrors int64
	}{
		{"first seen through an event", events{call("a", 3, 5, 7)}, DefaultAgentName, 3, 0, "active", analysis.Some[int64](5), analysis.Some[int64](7), 1, 0},
		{"a measured event starts before its time", events{slow}, DefaultAgentName, 6, 0, "active", analysis.Some[int64](1), analysis.Some[int64](1), 1, 0},
		{"a late start mends name and time", events{call("a", 3, 5, 7), start(1, "agent", nil)}, "agent", 1, 0, "active", analysis.Some[int64](5), analysis.Some[int64](7), 1, 0},
		{"the earliest of several starts", events{start(4, "late", nil), start(2, "early", nil), start(3, "mid", nil)}, "early", 2, 0, "active", none, none, 0, 0},
		{"a real name beats the default", events{start(1, DefaultAgentName, nil), start(2, "", nil), start(3, "agent", nil)}, "agent", 1, 0, "active", none, none, 0, 0},
		{"unknown tokens are not 0", events{{EventType: "error", SessionID: "s", EventID: "x", Timestamp: second(2)}}, DefaultAgentName, 2, 0, "active", none, none, 1, 1},
		{"an end before its start", events{end(9, "completed"), start(1, "agent", nil)}, "agent", 1, 9, "completed", none, none, 0, 0},
		{"totals given count, whatever comes late", events{call("a", 3, 5, 7), totals(end(9, ""), 50, 70), call("b", 4, 1, 1)}, DefaultAgentName, 3, 9, "completed", analysis.Some[int64](50), analysis.Some[int64](70), 2, 0},
		{"totals of 0 are totals", events{call("a", 3, 5, 7), totals(end(9, ""), 0, 0)}, DefaultAgentName, 3, 9, "completed", analysis.Some[int64](0), analysis.Some[int64](0), 1, 0},
		{"a repeated event counts once", events{call("a", 3, 5, 7), call("a", 3, 5, 7)}, DefaultAgentName, 3, 0, "active", analysis.Some[int64](5), analysis.Some[int64](7), 1, 0},
		{"a timeout yields to the agent's end", events{start(1, "agent", nil), end(5, "error"), end(60, "timeout")}, "agent", 1, 5, "error", none, none, 0, 0},
		{"the later of two ends", events{end(5, "error"), end(8, "completed"), end(6, "error")}, DefaultAgentName, 8, 8, "completed", none, none, 0, 0},
		{"at one moment, error over completed", events{end(5, "error"), end(5, "completed")}, DefaultAgentName, 5, 5, "error", none, none, 0, 0},
		{"an end at a time nobody told", events{call("a", 3, 5, 7), {EventType: wire.TypeSessionEnd, SessionID: "s"}}, DefaultAgentName, 3, 3, "completed", analysis.Some[int64](5), analysis.Some[int64](7), 1, 0},
		{"sums stay at the largest number", events{call("a", 3, math.MaxInt64, 1), call("b", 4, math.MaxInt64, 1)}, DefaultAgentName, 3, 0, "active", analysis.Some[int64](math.MaxInt64), analysis.Some[int64](2), 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			s.now = func() time.Time { return second(-1).Time }
			for _, e := range c.in {
				ingest(t, s, e)
			}
			got, err := s.Session(context.Background(), "s")
			require.NoError(t, err)
			require.Equal(t, c.agent, got.AgentName)
			require.Equal(t, second(c.started).Time, got.StartedAt)
			require.Equal(t, c.ended != 0, got.EndedAt.OK)
			if c.ended != 0 {
				require.Equal(t, second(c.ended).Time, got.EndedAt.V)
			}
			require.Equal(t, c.status, got.Status)
			require.Equal(t, c.tin, got.TokensIn)
			require.Equal(t, c.tout, got.TokensOut)
			require.Equal(t, c.events, got.EventCount)
			require.Equal(t, c.wantErrors, got.ErrorCount)
		})
	}
}

// The order and the number of deliveries must not show in what is stored: that
// is what lets an exporter retry.
func TestAnyOrderAndRepetitionStoresTheSame(t *testing.T) {
	s := open(t)
	s.now = func() time.Time { return second(-1).Time }
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		batches := rapid.SliceOfN(rapid.SliceOfN(genEntry(), 1, 6), 1, 6).Draw(t, "batches")
		deliveries := rapid.Permutation(slices.Concat(indexes(len(batches)),
			rapid.SliceOfN(rapid.IntRange(0, len(batches)-1), 0, 4).Draw(t, "repeated"))).Draw(t, "deliveries")

		plain, mixed := fmt.Sprint("plain", run, "-"), fmt.Sprint("mixed", run, "-")
		for i := range batches {
			deliver(t, s, plain, batches[i])
		}
		for _, i := range deliveries {
			deliver(t, s, mixed, batches[i])
		}
		for _, id := range []string{"a", "b"} {
			require.Equal(t, dump(t, s, plain, id), dump(t, s, mixed, id))
		}
	})
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// genEntry draws an entry of session a or b from so few values that entries
// meet. What an event holds is a function of its id, as with a true repetition.
func genEntry() *rapid.Generator[wire.Event] {
	return rapid.Custom(func(t *rapid.T) wire.Event {
		e := wire.Event{SessionID: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "session"), Timestamp: second(rapid.IntRange(0, 2).Draw(t, "at"))}
		total := func(name string) analysis.Opt[int64] {
			n := rapid.Int64Range(-1, 5).Draw(t, name)
			return analysis.Opt[int64]{V: n, OK: n >= 0}
		}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			e.EventType = wire.TypeSessionStart
			e.AgentName = rapid.SampledFrom([]string{"", DefaultAgentName, "one", "two"}).Draw(t, "agent")
			e.Metadata = rapid.MapOfN(rapid.SampledFrom([]string{"k", "l"}), rapid.Map(rapid.IntRange(0, 2), func(n int) any { return n }), 0, 2).Draw(t, "metadata")
		case 1:
			e.EventType, e.EndedAt, e.Timestamp = wire.TypeSessionEnd, e.Timestamp, nil
			e.Status = rapid.SampledFrom([]analysis.Status{"", "completed", "error", "timeout"}).Draw(t, "status")
			e.TotalTokensIn, e.TotalTokensOut = total("in"), total("out")
		default:
			n := rapid.IntRange(0, 7).Draw(t, "event")
			e.EventID, e.Timestamp = fmt.Sprint("e", n), second(n/2)
			e.EventType = []string{"llm_call", "error", "generic"}[n%3]
			if n%2 == 0 {
				e.TokensIn, e.CostUSD = analysis.Some(int64(n)), analysis.Some(0.1*float64(n))
			}
			if n%3 == 0 {
				e.DurationMS = analysis.Some(1000 * float64(n))
			}
			switch n {
			case 5:
				e.PartOf = []string{"e4"}
			case 6:
				e.Replaces, e.TraceID = []string{"e1", "e3"}, "b"
			case 7:
				e.Replaces = []string{"e5", "e6"}
			}
		}
		return e
	})
}

func deliver(t require.TestingT, s *Store, prefix string, batch []wire.Event) {
	batch = slices.Clone(batch)
	for i := range batch {
		batch[i].SessionID = prefix + batch[i].SessionID
		if batch[i].TraceID != "" {
			batch[i].TraceID = prefix + batch[i].TraceID
		}
	}
	_, err := s.Ingest(context.Background(), batch)
	require.NoError(t, err)
}

// dump returns all that is stored of a session but the order and times of
// arrival.
func dump(t require.TestingT, s *Store, prefix, id string) string {
	d, err := s.Detail(context.Background(), prefix+id, 1000, 0)
	if err != nil {
		require.ErrorIs(t, err, ErrNotFound)
		return ""
	}
	d.ID = id
	for i := range d.Events {
		d.Events[i].SessionID, d.Events[i].TraceID = id, ""
	}
	slices.SortFunc(d.Events, func(a, b Event) int { return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.ID, b.ID)) })
	text, err := json.Marshal(d)
	require.NoError(t, err)
	return string(text)
}
