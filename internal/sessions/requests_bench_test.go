package sessions

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// requests are those of sessions that come in two halves: ten sessions of six spans
// together, and hundreds of others before their other halves.
type requests struct {
	random   *rand.Rand
	readings []spanevent.Reading
	tool     analysis.ToolCall
	decision analysis.DecisionTrace
	// open are the sessions of which the first half came.
	open []halfSession
	made int
}

// halfSession is one that AgentLens's SDK tells, or another library.
type halfSession struct {
	key   string
	trace [16]byte
	root  [8]byte
	own   bool
	at    time.Time
}

const (
	sessionsOfRequest = 10
	spansOfHalf       = 6
	requestsBetween   = 300
)

func newRequests() *requests {
	return &requests{random: rand.New(rand.NewPCG(1, 1)), tool: analysis.ToolCall{Name: "search"}, decision: analysis.DecisionTrace{Reasoning: "-"}}
}

// next makes the readings of the next request: of new sessions, or the other halves
// of those that have been open longest.
func (q *requests) next() {
	q.readings = q.readings[:0]
	first := q.made%2 == 0 || len(q.open) < requestsBetween*sessionsOfRequest
	for i := range sessionsOfRequest {
		if first {
			q.open = append(q.open, q.session(i%2 == 0))
		}
		s := &q.open[len(q.open)-1]
		if !first {
			s = &q.open[0]
			q.open = q.open[1:]
		}
		for n := range spansOfHalf {
			q.readings = append(q.readings, q.reading(s, n, first))
		}
	}
	q.made++
}

func (q *requests) session(own bool) halfSession {
	s := halfSession{root: q.id(), own: own, at: time.Unix(1_790_000_000+int64(q.made), 0), key: fmt.Sprintf("%016x", q.random.Uint64())}
	copy(s.trace[:8], binary.BigEndian.AppendUint64(nil, q.random.Uint64()))
	copy(s.trace[8:], binary.BigEndian.AppendUint64(nil, q.random.Uint64()))
	if !own {
		s.key = fmt.Sprintf("%08x-%04x-4000-8000-%012x", q.random.Uint32(), q.random.Uint32N(1<<16), q.random.Uint64N(1<<48))
	}
	return s
}

func (q *requests) id() (id [8]byte) {
	binary.LittleEndian.PutUint64(id[:], q.random.Uint64())
	return id
}

// reading is the n-th of a half: calls of a model and of a tool in turns, with a
// decision between them, after the span that begins the session or before its root.
func (q *requests) reading(s *halfSession, n int, first bool) spanevent.Reading {
	start := s.at.Add(time.Duration(n) * time.Second)
	r := spanevent.Reading{
		Role: spanevent.RoleEvent, Own: s.own, Scope: "instrumentation", TraceID: s.trace, SpanID: q.id(), ParentID: s.root,
		SessionID: s.key, AgentName: "support", Start: start, End: start.Add(900 * time.Millisecond),
	}
	e := &r.Event
	e.SessionID, e.Timestamp, e.DurationMS = s.key, r.End, analysis.Some(900.0)
	switch around := n == 0 && first || n == spansOfHalf-1 && !first; {
	case around && !s.own:
		r.Role = spanevent.RoleWrapper
	case around && first:
		r.Role, r.Session = spanevent.RoleSessionStart, spanevent.SessionFacts{StartedAt: start}
	case around:
		r.Role, r.Session = spanevent.RoleSession, spanevent.SessionFacts{StartedAt: s.at, EndedAt: r.End}
		r.SpanID, r.ParentID = s.root, [8]byte{}
	case n == 3:
		r.Role, e.DecisionTrace = spanevent.RolePart, &q.decision
	case n%2 == 0:
		e.Type, e.ToolCall = analysis.EventToolCall, &q.tool
	default:
		e.Type, e.Model, e.ResponseModel = analysis.EventLLMCall, "gpt-4o", "gpt-4o-2024-08-06"
		e.TokensIn, e.TokensOut, e.CostUSD = analysis.Some(int64(100+n)), analysis.Some(int64(n+1)), analysis.Some(0.25)
		if !s.own {
			e.ResponseID = fmt.Sprintf("chatcmpl-%x", q.id())
		}
	}
	return r
}

// The time of a span of requests whose sessions and traces have left the processor's
// cache since their first half, as what else is done to a request drives them out.
func BenchmarkRequests(b *testing.B) {
	limits := testLimits
	limits.MaxSessions, limits.MaxSpanIDs = 100_000, 1_000_000
	table, q, now, service := NewTable(limits), newRequests(), time.Unix(1_800_000_000, 0), Service{Name: "svc", Version: "1"}
	batch := &Batch{
		Size:     sessionsOfRequest * spansOfHalf,
		Reading:  func(i int) *spanevent.Reading { return &q.readings[i] },
		Service:  func(int) Service { return service },
		Observed: func(int, *Session, Event, Copies) {},
		Evicted:  func(int, *Session, Event) {},
	}
	others := make([]byte, 2<<20)
	run := func() time.Duration {
		q.next()
		for i := 0; i < len(others); i += 64 {
			others[i]++
		}
		began := time.Now()
		binder := table.Binder()
		for i := range q.readings {
			binder.Bind(&q.readings[i])
		}
		binder.Observe(batch, now)
		table.Rest(now)
		return time.Since(began)
	}
	for range 20 * requestsBetween {
		run()
	}
	var spent time.Duration
	spans := 0
	for b.Loop() {
		spent += run()
		spans += batch.Size
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(spans), "ns/span")
}
