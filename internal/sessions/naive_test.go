package sessions

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Fifty draws a property are enough for every run of the tests, and -rapid.checks
// asks for more.
func init() { _ = flag.Set("rapid.checks", "50") }

// someSpans draws spans that have much to do with each other: few scopes, ids,
// models and times.
func someSpans(t *rapid.T, atMost int) []told {
	n := rapid.IntRange(1, atMost).Draw(t, "spans")
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
	of := func(values ...string) string { return values[random.IntN(len(values))] }
	spread := 1 + random.IntN(40)
	var out []told
	for i := range n {
		s := told{
			what: of("llm", "llm", "llm", "tool", "wrapper", "part"), scope: of("fw", "sdk"), trace: byte(random.IntN(2)), id: byte(i + 1),
			from: random.IntN(spread) * 100, model: of("", "m", "m-2024", "n"), answer: of("", "", "r1", "r2"), tool: of("search", "rm"),
			in: random.Int64N(3) * 60, out: random.Int64N(3) * 60, cached: random.Int64N(2) * 60, failed: random.IntN(5) == 0, session: "s",
			cost: float64(random.IntN(3)),
		}
		s.to = s.from + []int{0, 20, 100, 150, 1000, 4000}[random.IntN(6)]
		if random.IntN(2) == 0 {
			s.parent = byte(random.IntN(n) + 1)
		}
		if s.what != "wrapper" && s.what != "part" && random.IntN(3) == 0 {
			s = own(s)
		}
		out = append(out, s)
	}
	return out
}

// naive is what all spans together say of the one at position at: whether it
// repeats what spans that came before it tell, and which.
func naive(l *callLog, at int) (of []CallKey, repeats bool) {
	c := &l.list[at]
	if !c.isCall() {
		return nil, false
	}
	r := resolveAll(l)
	defer r.free()
	self, _ := r.find(c.trace, c.span)
	if r.nodes[self].wraps {
		return nil, true
	}
	for i := range r.nodes {
		if o := &r.nodes[i]; o.at < at && o.role == c.role && !o.wraps && r.root(i) == r.root(self) {
			of = append(of, CallKey{o.trace, o.span})
		}
	}
	return of, len(of) > 0
}

func sortKeys(keys []CallKey) {
	slices.SortFunc(keys, func(a, b CallKey) int {
		return cmp.Or(cmp.Compare(a.trace, b.trace), slices.Compare(a.span[:], b.span[:]))
	})
}

// A look at the calls that bear on one says the same of it as a look at all, of
// one library's calls too.
func TestRelatedCallsAreEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := newCallLog()
		oneLibrary, atMost := rapid.Bool().Draw(t, "one library"), 60
		if oneLibrary {
			atMost = indexFrom
		}
		for _, s := range someSpans(t, atMost) {
			if oneLibrary {
				s.scope = "fw"
			}
			r := s.reading()
			var c call
			if !c.read(&r, r.Start.UnixNano(), r.End.UnixNano(), newSymbols()) {
				continue
			}
			at := log.add(&c)
			copies, repeats := log.copies(at)
			of, want := naive(log, at)
			sortKeys(copies.Of)
			sortKeys(of)
			require.Equal(t, want, repeats)
			require.Equal(t, of, copies.Of)
		}
	})
}

// The order of spans that have much to do with each other changes nothing.
func TestAnyOrderSameCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var readings []spanevent.Reading
		for _, s := range someSpans(t, 60) {
			readings = append(readings, s.reading())
		}
		want := states(assembled(readings))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 4))
		random.Shuffle(len(readings), func(i, j int) { readings[i], readings[j] = readings[j], readings[i] })
		require.Equal(t, want, states(assembled(readings)))
	})
}

// To sum up what may be summed up changes nothing either.
func TestFoldingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSession("s", Service{})
		s.sum.LLMCalls = 1 // wrappers' totals are for sessions without calls
		for _, span := range someSpans(t, 60) {
			r := span.reading()
			s.observe(&r, newSymbols())
		}
		summary := func() string {
			s.Assemble()
			b, err := json.Marshal(s.Summary)
			require.NoError(t, err)
			return string(b)
		}
		want := summary()
		begin := told{}.reading().Start.UnixNano()
		for range 3 {
			if s.log != nil {
				until := begin + int64(rapid.IntRange(0, 5000).Draw(t, "until"))*1_000_000
				newer := s.log.endedAfter(until)
				s.foldUntil(until)
				require.Equal(t, newer, s.log.endedAfter(until), "the newer ones stay")
				s.tidy()
			}
			require.Equal(t, want, summary())
			s.settle()
			require.Equal(t, want, summary())
		}
	})
}

func (l *callLog) endedAfter(t int64) (n int) {
	for i := range l.list {
		if l.list[i].end > t {
			n++
		}
	}
	return n
}

// A wrapper stays as long as what it is between.
func TestFoldingKeepsWhatIsBetween(t *testing.T) {
	s := newSession("s", Service{})
	for _, span := range []told{
		{what: "llm", scope: "fw", id: 1, from: 0, to: 100, model: "m"},
		{what: "wrapper", scope: "fw", id: 2, parent: 1, from: 1, to: 50},
		{what: "llm", scope: "sdk", id: 3, parent: 2, from: 2, to: 40, model: "m", in: 120},
	} {
		r := span.reading()
		s.observe(&r, newSymbols())
	}
	s.foldUntil(told{}.reading().Start.UnixNano() + 60_000_000)
	s.Assemble()
	require.Equal(t, int64(1), s.Summary.LLMCalls)
}

// Calls that all bear on each other stay together, but not without end.
func TestRelatedCallsAreBounded(t *testing.T) {
	limits := testLimits
	limits.MaxCalls = 16
	table := NewTable(limits)
	for n := range 1000 {
		r := told{what: "llm", scope: fmt.Sprint(n), from: 0, to: 1000 + n, model: "m", answer: "one", session: "s"}.reading()
		r.SpanID = spanID(n + 1)
		table.Observe(&r, Service{}, time.Unix(0, 0), ignore, ignore)
		if log := table.shard("s").awake("s").log; log != nil {
			require.LessOrEqual(t, len(log.list), 5*limits.MaxCalls)
		}
	}
	require.Positive(t, table.finish(time.Unix(0, 0))["s"].Summary.LLMCalls)
}

// Sessions of more calls than they keep records of count each once, in any order
// within the time that calls wait for their copies.
func TestLongSessionsCountOnce(t *testing.T) {
	const calls, lateness = 400, 20
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 5))
		type arrival struct {
			at int
			r  spanevent.Reading
		}
		var spans []arrival
		add := func(second int, s told, id int) {
			s.from, s.to = s.from+second*1000, s.to+second*1000
			s.model, s.in, s.out, s.session = "m", int64(second%7+1), int64(second%5+1), "s"
			r := s.reading()
			r.SpanID, r.ParentID = spanID(id), spanID(0)
			spans = append(spans, arrival{second + random.IntN(lateness+1), r})
		}
		for n := range calls {
			// Told by the SDK, by a library, or by both.
			who := random.IntN(4)
			if who != 0 {
				add(n, own(told{what: "llm", from: 0, to: 900}), 2*n+1)
			}
			if who != 1 {
				add(n, told{what: "llm", scope: "sdk", from: 10, to: 890}, 2*n+2)
			}
		}
		slices.SortStableFunc(spans, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
		limits := testLimits
		limits.MaxCalls = 128
		table, now := NewTable(limits), spans[0].r.End.Add(calls*time.Second)
		for i := range spans {
			table.Observe(&spans[i].r, Service{}, now, ignore, ignore)
			s := table.shard("s").awake("s")
			require.LessOrEqual(t, len(s.log.list), limits.MaxCalls+limits.MaxCalls/4)
		}
		s := table.finish(now)["s"]
		require.Equal(t, int64(calls), s.Summary.LLMCalls)
		require.Equal(t, int64(calls), s.Summary.Events)
	})
}

func spanID(n int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

// However the log grows and shrinks, its index finds what is there.
func TestIndexFindsWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := newCallLog()
		for _, s := range someSpans(t, 100) {
			r := s.reading()
			var c call
			if c.read(&r, r.Start.UnixNano(), r.End.UnixNano(), newSymbols()) {
				log.add(&c)
			}
			if s.failed && s.in == 0 {
				log.keep(func(at int, _ *call) bool { return at%3 != 0 })
			}
			for i := range log.list {
				c := &log.list[i]
				require.Equal(t, i, log.find(c.trace, c.span))
				found := map[string]bool{}
				note := func(what string) func(int) { return func(at int) { found[fmt.Sprint(what, at)] = true } }
				log.children(c.trace, c.parent, note("child"))
				log.withID(c.id, note("id"))
				log.near(c, note("near"))
				require.Equal(t, !c.parent.IsEmpty(), found[fmt.Sprint("child", i)])
				require.Equal(t, c.id != 0, found[fmt.Sprint("id", i)])
				require.True(t, found[fmt.Sprint("near", i)])
			}
		}
	})
}
