package sessions

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// states renders sessions for comparison: what they add up to, and what the
// processor says of them.
func states(sessions map[string]*Session) string {
	var lines []string
	for key, s := range sessions {
		sum, err := json.Marshal(s.Summary)
		if err != nil {
			panic(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s trace=%s root=%s seen=%v\n", key, sum, s.TraceID, s.RootID, s.RootSeen))
	}
	slices.Sort(lines)
	return fmt.Sprint(lines)
}

// sdkSession is a session as AgentLens's SDK writes it: events, each with its
// own span, then the root.
func sdkSession(id string, events int, seed uint64) []spanevent.Reading {
	random := rand.New(rand.NewPCG(seed, 1))
	at := time.Unix(1_795_000_000, 0).UTC()
	trace := pcommon.TraceID{byte(seed), 1, 2, 3}
	root := pcommon.SpanID{byte(seed), 0xff}
	reading := func(n int, role spanevent.Role) spanevent.Reading {
		at = at.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
		return spanevent.Reading{
			Role: role, Own: true, Dialect: "agentlens", TraceID: trace, SpanID: pcommon.SpanID{byte(seed), byte(n), byte(n >> 8), 1, 0, 0, 0, byte(n)},
			ParentID: root, Start: at, End: at.Add(time.Duration(random.IntN(500)) * time.Millisecond), SessionID: id, AgentName: "agent",
		}
	}
	var out []spanevent.Reading
	for n := range events {
		r := reading(n, spanevent.RoleEvent)
		r.Event = analysis.Event{
			ID: r.SpanID.String(), SessionID: id, Type: analysis.EventLLMCall, Timestamp: r.End, Model: "gpt-4o",
			TokensIn: analysis.Some(random.Int64N(1000)), TokensOut: analysis.Some(random.Int64N(1000)),
			CostUSD: analysis.Some(random.Float64()), DurationMS: analysis.Some(random.Float64() * 1000),
		}
		if random.IntN(5) == 0 {
			r.Event.Error = &analysis.Failure{Type: "timeout"}
		}
		out = append(out, r)
	}
	end := reading(0, spanevent.RoleSession)
	end.SpanID, end.ParentID = root, pcommon.SpanID{}
	end.Session = spanevent.SessionFacts{StartedAt: out[0].Start, EndedAt: at, Status: analysis.StatusCompleted}
	return append(out, end)
}

// stream is every capture and some sessions of the SDK, interleaved as they
// came.
func stream(t testing.TB) []spanevent.Reading {
	var out []spanevent.Reading
	for i, name := range captureNames(t) {
		readings := readCapture(t, name)
		for j := range readings {
			// The captures share a session id and some traces; keep them apart.
			if readings[j].SessionID != "" {
				readings[j].SessionID = name + "/" + readings[j].SessionID
			}
			readings[j].TraceID[0] ^= byte(i + 1)
		}
		out = append(out, readings...)
	}
	for seed := range uint64(3) {
		out = append(out, sdkSession(fmt.Sprintf("sdk-%d", seed), 40, seed)...)
	}
	return out
}

// What sessions add up to depends neither on the order of the spans nor on how
// often each is sent.
func TestAnyOrderSameSessions(t *testing.T) {
	readings := stream(t)
	want := states(assembled(readings))
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		shuffled := slices.Clone(readings)
		for range rapid.IntRange(0, 50).Draw(t, "repeated") {
			shuffled = append(shuffled, readings[random.IntN(len(readings))])
		}
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		require.Equal(t, want, states(assembled(shuffled)))
	})
}

// The readings of a batch are bound before any is observed; where the stream is
// cut into batches changes nothing.
func TestAnyCutSameSessions(t *testing.T) {
	readings := stream(t)
	want := states(assembled(readings))
	rapid.Check(t, func(t *rapid.T) {
		table, now := NewTable(testLimits), time.Unix(0, 0)
		for rest := slices.Clone(readings); len(rest) > 0; {
			batch := rest[:rapid.IntRange(1, len(rest)).Draw(t, "batch")]
			rest = rest[len(batch):]
			binder, of := table.Binder(), make([]*spanevent.Reading, len(batch))
			for i := range batch {
				of[i] = &batch[i]
				binder.Bind(of[i])
			}
			binder.Observe(ignored(of...), now)
		}
		require.Equal(t, want, states(table.finish(now)))
	})
}

// Many goroutines may observe the spans of one stream.
func TestConcurrentObserve(t *testing.T) {
	readings := stream(t)
	want := states(assembled(readings))
	table, now := NewTable(testLimits), time.Unix(0, 0)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < len(readings); i += 4 { // each span twice
				r := readings[i%len(readings)]
				table.Observe(&r, Service{}, now, ignore, ignore)
			}
		})
	}
	wg.Wait()
	for i := range readings {
		r := readings[i]
		table.Observe(&r, Service{}, now, ignore, ignore)
	}
	assert.Equal(t, want, states(table.finish(now)))
}

// The spans of a trace that name no session are all in the one that another
// names, of several in that which the earliest names, however closely they come.
func TestConcurrentBinding(t *testing.T) {
	const traces = 2_000
	for _, c := range []struct {
		names [2]string
		want  map[string]int64
	}{
		{[2]string{"", "s"}, map[string]int64{"s": 4 * traces}},
		{[2]string{"early", "late"}, map[string]int64{"early": 3 * traces, "late": traces}},
	} {
		table, now := NewTable(testLimits), time.Unix(0, 0)
		// Both begin a trace at the same time: who waits for the other is awake.
		var at [traces]atomic.Int32
		var wg sync.WaitGroup
		for of, session := range c.names {
			wg.Go(func() {
				for n := range traces {
					at[n].Add(1)
					for at[n].Load() < 2 {
						runtime.Gosched()
					}
					var batch [2]*spanevent.Reading
					binder := table.Binder()
					for i := range batch {
						start := now.Add(time.Duration(n)*time.Second + time.Duration(of))
						batch[i] = &spanevent.Reading{
							Role: spanevent.RoleEvent, Dialect: "agentlens", Start: start, End: start,
							TraceID: pcommon.TraceID{byte(n), byte(n >> 8), 2: 1}, SpanID: pcommon.SpanID{byte(of + 1), byte(i)},
							Event: analysis.Event{Type: analysis.EventToolCall, ToolCall: &analysis.ToolCall{Name: "search"}, Timestamp: start},
						}
						if i == 0 {
							batch[i].SessionID = session
						}
						binder.Bind(batch[i])
					}
					binder.Observe(ignored(batch[:]...), now)
				}
			})
		}
		wg.Wait()
		table.checkCounts(t)
		require.Zero(t, table.unnamed.Load())
		calls := map[string]int64{}
		table.Each(func(s *Session) { calls[s.Key] = s.Summary.ToolCalls })
		require.Equal(t, c.want, calls)
	}
}

// A session of more spans than it keeps records of counts each call once, as
// long as copies come close together.
func TestBoundedRecordsCountOnce(t *testing.T) {
	limits := testLimits
	limits.MaxCalls = 16
	table, now := NewTable(limits), time.Unix(0, 0)
	at := time.Unix(1_795_000_000, 0).UTC()
	const n = 500
	for i := range n {
		for copy, scope := range []string{"framework", "sdk"} {
			r := spanevent.Reading{
				Role: spanevent.RoleEvent, Scope: scope, TraceID: pcommon.TraceID{byte(i), byte(i >> 8), byte(copy), 1},
				SpanID: pcommon.SpanID{byte(i), byte(i >> 8), byte(copy), 1, 0, 0, 0, byte(i)},
				Start:  at, End: at.Add(time.Second), SessionID: "long",
				Event: analysis.Event{Type: analysis.EventLLMCall, Model: "m", TokensIn: analysis.Some[int64](10), TokensOut: analysis.Some[int64](1)},
			}
			table.Observe(&r, Service{}, now, ignore, ignore)
		}
		at = at.Add(2 * time.Second)
	}
	s := table.finish(now)["long"]
	assert.Equal(t, int64(s.room()), table.records.Load())
	assert.Equal(t, int64(n), s.Summary.LLMCalls)
	assert.Equal(t, int64(10*n), s.Summary.TokensIn)
	assert.LessOrEqual(t, len(s.log.list), limits.MaxCalls)
}

// More traces than are remembered: a span whose trace was forgotten since its
// batch was bound is taken in all the same.
func TestForgottenTrace(t *testing.T) {
	limits := testLimits
	limits.MaxSessions = 1
	table, now := NewTable(limits), time.Unix(0, 0)
	named := told{what: "wrapper", id: 1, from: 0, to: 100, session: "s"}.reading()
	call := told{what: "llm", id: 2, parent: 1, from: 5, to: 95, model: "m", in: 120}.reading()
	other := told{what: "wrapper", trace: 1, id: 3, from: 0, to: 100, session: "t"}.reading()
	table.Bind(&named)
	table.Bind(&call)
	table.Bind(&other)
	table.Observe(&call, Service{}, now, func(s *Session, _ Event) { assert.Equal(t, "s", s.Key) }, ignore)
}

// However many sessions there are, the table keeps no more records than it may,
// and forgets none of what they counted.
func TestRecordsAreBounded(t *testing.T) {
	limits := testLimits
	limits.MaxRecords = 1000
	table, now := NewTable(limits), time.Unix(0, 0)
	for session := range 20 {
		for n := range 200 {
			r := told{what: "llm", scope: "sdk", trace: byte(session), id: byte(n), from: n * 10, to: n*10 + 5, model: "m", in: 1, session: fmt.Sprint(session)}.reading()
			table.Observe(&r, Service{}, now, ignore, ignore)
		}
	}
	var held, calls int64
	table.Each(func(s *Session) {
		held += int64(s.room())
		calls += s.Summary.LLMCalls
	})
	assert.Equal(t, held, table.records.Load())
	assert.LessOrEqual(t, held, limits.MaxRecords+20*2*fewCalls)
	assert.Equal(t, int64(20*200), calls)
	table.Sweep(now.Add(limits.IdleTimeout), ignore)
	table.Sweep(now.Add(limits.Retention), ignore)
	assert.Zero(t, table.records.Load())
}
