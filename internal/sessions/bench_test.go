package sessions

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// spanKinds are who may tell of calls: AgentLens's SDK, another library, or two
// others, each of them every call.
var spanKinds = []string{"sdk", "foreign", "twice"}

// feeder makes the spans of sessions: of three, two are calls of a model and one
// is of a tool, a second apart. A root of the SDK ends a session of it.
type feeder struct {
	table *Table
	kind  string
	spans uint64
	r     spanevent.Reading
	tool  analysis.ToolCall
}

func newFeeder(table *Table, kind string) *feeder { return &feeder{table: table, kind: kind} }

// feed adds the n-th event of a session.
func (f *feeder) feed(session, n int, key string, now time.Time) {
	end := time.Unix(1_790_000_000+int64(n), 0)
	f.observe(session, key, end, now, f.kind, 0)
	if f.kind == "twice" {
		f.observe(session, key, end.Add(time.Millisecond), now, "framework", 1)
	}
}

func (f *feeder) observe(session int, key string, end, now time.Time, scope string, layer uint64) {
	f.spans++
	r := &f.r
	*r = spanevent.Reading{
		Role: spanevent.RoleEvent, Own: f.kind == "sdk", Scope: scope, Start: end.Add(-900 * time.Millisecond), End: end, SessionID: key,
		AgentName: "support",
	}
	binary.BigEndian.PutUint64(r.TraceID[:], uint64(session)+1)
	binary.LittleEndian.PutUint64(r.SpanID[:], f.spans)
	binary.LittleEndian.PutUint64(r.ParentID[:], 1<<40+layer)
	e := &r.Event
	e.SessionID, e.Timestamp, e.DurationMS = key, end, analysis.Some(float64(r.End.Sub(r.Start))/float64(time.Millisecond))
	if end.Unix()%3 == 2 {
		f.tool = analysis.ToolCall{Name: "search"}
		e.Type, e.ToolCall = analysis.EventToolCall, &f.tool
	} else {
		e.Type, e.Model, e.ResponseModel = analysis.EventLLMCall, "gpt-4o", "gpt-4o-2024-08-06"
		e.TokensIn, e.TokensOut, e.CostUSD = analysis.Some(end.Unix()%1000+1), analysis.Some(end.Unix()%300+1), analysis.Some(0.25)
	}
	f.table.Observe(r, Service{Name: "svc", Version: "1"}, now, ignore, ignore)
	if f.spans%spansOfRequest == 0 {
		f.table.Rest(now)
	}
}

// spansOfRequest is how many spans a request has: then sessions are put to rest.
const spansOfRequest = 64

// end ends a session with its root.
func (f *feeder) end(session, n int, key string, now time.Time) {
	f.spans++
	f.r = spanevent.Reading{Role: spanevent.RoleSession, Own: true, SessionID: key, Start: time.Unix(1_790_000_000, 0), End: time.Unix(1_790_000_000+int64(n), 0)}
	f.r.Session = spanevent.SessionFacts{StartedAt: f.r.Start, EndedAt: f.r.End}
	binary.BigEndian.PutUint64(f.r.TraceID[:], uint64(session)+1)
	binary.LittleEndian.PutUint64(f.r.SpanID[:], f.spans)
	f.table.Observe(&f.r, Service{}, now, ignore, ignore)
}

// The time of a span in sessions of 10 to 10,000 events, the verdict at their end
// included. A hundred sessions are open at once.
func BenchmarkSessionLength(b *testing.B) {
	const open = 100
	for _, kind := range spanKinds {
		for _, events := range []int{10, 100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/events=%d", kind, events), func(b *testing.B) {
				limits := testLimits
				limits.MaxSessions, limits.MaxSpanIDs = 10*open, 100_000
				f := newFeeder(NewTable(limits), kind)
				var keys [open]string
				now := time.Unix(1_800_000_000, 0)
				for i := 0; b.Loop(); i++ {
					session, n := i%open, i/open%(events+1)
					id := (i/open/(events+1))*open + session
					if n == 0 {
						keys[session] = fmt.Sprint("session-", id)
					}
					if n < events {
						f.feed(id, n, keys[session], now)
					} else {
						f.end(id, n, keys[session], now)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(f.spans), "ns/span")
			})
		}
	}
}

// The time of a span and the memory of a session when many are open, each with 8
// events. The bytes are those of all that the table holds, of which a session's
// share is the last span ids, one a session: quiet is when no copies are waited
// for any more, fresh when none has been given up.
func BenchmarkOpenSessions(b *testing.B) {
	for _, kind := range spanKinds {
		for _, open := range []int{1000, 10_000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/open=%d", kind, open), func(b *testing.B) {
				const events = 8
				limits := testLimits
				limits.MaxSessions, limits.MaxSpanIDs, limits.IdleTimeout = 2*open, open, time.Hour
				empty := heapInUse()
				f := newFeeder(NewTable(limits), kind)
				keys := make([]string, open)
				now := time.Unix(1_800_000_000, 0)
				for i := range keys {
					keys[i] = fmt.Sprintf("session-%016x", i)
					for n := range events {
						f.feed(i, n, strings.Clone(keys[i]), now)
					}
				}
				fresh := heapInUse()
				now = now.Add(copyWindow)
				f.table.Sweep(now, ignore)
				quiet := heapInUse()
				// The keys here are not the table's.
				names := int64(open * (16 + 24))
				random := rand.New(rand.NewPCG(1, 1))
				f.spans = 1 << 32
				more := make([]uint16, open)
				for b.Loop() {
					i := random.IntN(open)
					f.feed(i, events+int(more[i]), keys[i], now)
					more[i]++
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(f.spans-1<<32), "ns/span")
				b.ReportMetric(float64(fresh-empty-names)/float64(open), "fresh-B/session")
				b.ReportMetric(float64(quiet-empty-names)/float64(open), "quiet-B/session")
				runtime.KeepAlive(f)
			})
		}
	}
}

// The id of a new span, when as many are remembered as by default, which are more
// than the processor's cache holds. Of the traces that are on their way each has
// some spans in a request.
func BenchmarkSpanSet(b *testing.B) {
	const remembered = 1_000_000
	for _, c := range []struct{ traces, spans, inRequest int }{
		{1, 1, 1}, {10_000, 12, 1}, {10_000, 12, 6}, {10_000, 50, 5}, {100, 10_000, 6}, {10_000, 10_000, 1}, {10_000, 10_000, 6},
	} {
		b.Run(fmt.Sprintf("traces=%d/spans=%d/request=%d", c.traces, c.spans, c.inRequest), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 1))
			empty := heapInUse()
			table := NewTable(Limits{MaxSessions: 1000, MaxSpanIDs: remembered})
			type trace struct {
				k    spanKey
				left int
			}
			traces := make([]trace, c.traces)
			begin := func(t *trace, left int) {
				t.left = left
				binary.LittleEndian.PutUint64(t.k.Trace[:], random.Uint64())
				binary.LittleEndian.PutUint64(t.k.Trace[8:], random.Uint64())
			}
			for i := range traces {
				begin(&traces[i], c.spans*i/len(traces))
			}
			n := 0
			add := func() {
				t := &traces[n/c.inRequest%len(traces)]
				n++
				if t.left == 0 {
					begin(t, c.spans)
				}
				t.left--
				binary.LittleEndian.PutUint64(t.k.Span[:], random.Uint64())
				if !table.traces.addSpan(t.k) {
					b.Fatal("taken for one that was there")
				}
			}
			for range 2 * remembered {
				add()
			}
			held := heapInUse() - empty
			for b.Loop() {
				add()
			}
			b.ReportMetric(float64(held)/remembered, "B/id")
		})
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The 200th of calls that run at once in one session.
func BenchmarkObserveParallel(b *testing.B) {
	s := newSession("s", Service{})
	for i := range 200 {
		r := told{what: "llm", scope: "sdk", id: byte(i + 1), from: i, to: 1000 - i, model: "m", in: 120, out: 18, session: "s"}.reading()
		var c call
		c.read(&r, r.Start.UnixNano(), r.End.UnixNano(), newSymbols())
		s.keep(&c)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, repeats := s.log.copies(199); repeats {
			b.Fatal("taken for a repetition")
		}
	}
}

// A call told by two libraries, resolved when the session of twenty calls ends.
func BenchmarkAssemble(b *testing.B) {
	s := newSession("s", Service{})
	for i := range 20 {
		for copy, scope := range []string{"fw", "sdk"} {
			r := told{what: "llm", scope: scope, trace: byte(copy), id: byte(i + 1), from: i * 100, to: i*100 + 50, model: "m", in: 120, out: 18, session: "s"}.reading()
			var c call
			c.read(&r, r.Start.UnixNano(), r.End.UnixNano(), newSymbols())
			s.keep(&c)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Assemble()
	}
}
