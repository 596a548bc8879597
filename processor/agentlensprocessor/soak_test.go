package agentlensprocessor

import (
	"encoding/binary"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// TestSoak keeps sessions open under steady spans and looks at the memory: `make
// soak`. Half of the sessions are the SDK's, half another library's; of each
// three spans two are calls of a model and one of a tool. It runs for
// AGENTLENS_SOAK, a duration, once all that may fill has filled, with 100,000
// sessions, or 10,000 when that is less than half a minute; without it it is
// left out.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("AGENTLENS_SOAK"))
	if err != nil {
		t.Skip("AGENTLENS_SOAK is not set: run make soak")
	}
	// How many events fill a session: its exact durations are full at 64, and
	// the records of calls that others tell at 256, or, as of many sessions, at
	// what is left to each of the 2,000,000 that all of them may have; that
	// takes some time to even out.
	sessions, filled := 100_000, 200
	if length < 30*time.Second {
		sessions, filled = 10_000, 300
	}
	s := &soak{sessions: sessions, h: newHarness(t, func(cfg *Config) {
		allEngines(cfg)
		cfg.MaxSessions = 2 * sessions
		cfg.MaxSpanIDs = sessions
	})}
	s.h.now = time.Now

	// One kind after the other, to tell them apart.
	const few = 8
	for kind, name := range soakKinds {
		empty := heap()
		s.rounds(t, few, kind)
		young := heap()
		s.rounds(t, filled-few, kind)
		t.Logf("%s: %d sessions, %d bytes a session at %d events, %d at %d; %d ns a span", name, sessions/2,
			2*(young-empty)/int64(sessions), few, 2*(heap()-empty)/int64(sessions), filled, s.perSpan())
	}
	s.rounds(t, 20, 0, 1)
	s.perSpan()
	warm := heap()
	for deadline := time.Now().Add(length); time.Now().Before(deadline); {
		s.rounds(t, 1, 0, 1)
	}
	spans := s.spans
	perSpan, steady := s.perSpan(), heap()
	t.Logf("%d spans in steady state: %d ns a span, heap %.1f MB, %+.2f %%", spans, perSpan, float64(steady)/1e6,
		100*(float64(steady)-float64(warm))/float64(warm))
	open, _ := s.h.table.Len()
	assert.Equal(t, sessions, open)
	assert.LessOrEqual(t, float64(steady), 1.05*float64(warm), "memory grows with the spans seen")
}

// soakKinds are who tells of the calls.
var soakKinds = []string{"SDK", "gen_ai"}

// soak feeds sessions.
type soak struct {
	h        *harness
	sessions int
	// n counts all spans, spans and busy those since perSpan, and how long they
	// took.
	n     int
	spans int
	busy  time.Duration
	round int
}

// rounds adds a span to each session of some kinds, count times.
func (s *soak) rounds(t *testing.T, count int, kinds ...int) {
	const batch = 100
	for range count {
		s.round++
		for session := 0; session < s.sessions/2; session += batch {
			for _, kind := range kinds {
				td := ptrace.NewTraces()
				scope := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
				for i := range batch {
					s.n++
					if kind == 0 {
						scope.Scope().SetName(semconv.ScopeName)
						soakSpan(scope.Spans().AppendEmpty(), session+i, s.n, s.round%3 == 2)
					} else {
						scope.Scope().SetName("opentelemetry.instrumentation.openai_v2")
						soakForeignSpan(scope.Spans().AppendEmpty(), s.sessions/2+session+i, s.n, s.round%3 == 2)
					}
				}
				begin := time.Now()
				_, err := s.h.process(t.Context(), td)
				s.busy += time.Since(begin)
				s.spans += batch
				require.NoError(t, err)
			}
		}
		s.h.sweep(t.Context())
	}
}

// perSpan returns the nanoseconds of a span since it was last asked.
func (s *soak) perSpan() int64 {
	ns := s.busy.Nanoseconds() / int64(max(1, s.spans))
	s.busy, s.spans = 0, 0
	return ns
}

// soakSpan is the n-th span, one of the SDK.
func soakSpan(span ptrace.Span, session, n int, tool bool) {
	soakTimes(span, session, n)
	attrs := span.Attributes()
	attrs.PutStr(semconv.SessionID, "session-"+strconv.Itoa(session))
	attrs.PutStr(semconv.GenAIAgentName, "agent-"+strconv.Itoa(session%50))
	if tool {
		attrs.PutStr(semconv.EventType, "tool_call")
	} else {
		attrs.PutStr(semconv.EventType, "llm_call")
	}
	soakCall(span, n, tool)
}

// soakForeignSpan is the n-th span, one in the current convention.
func soakForeignSpan(span ptrace.Span, session, n int, tool bool) {
	soakTimes(span, session, n)
	span.Attributes().PutStr(semconv.GenAIConversationID, "session-"+strconv.Itoa(session))
	span.Attributes().PutStr(semconv.GenAIAgentName, "agent-"+strconv.Itoa(session%50))
	soakCall(span, n, tool)
	if !tool {
		span.Attributes().PutStr(semconv.GenAIResponseModel, "gpt-4o-2024-08-06")
		span.Attributes().PutStr(semconv.GenAIResponseID, "chatcmpl-"+strconv.Itoa(n))
	}
}

func soakTimes(span ptrace.Span, session, n int) {
	var trace pcommon.TraceID
	binary.BigEndian.PutUint64(trace[:], uint64(session)+1)
	var id pcommon.SpanID
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	span.SetTraceID(trace)
	span.SetSpanID(id)
	span.SetParentSpanID(pcommon.SpanID{255})
	end := time.Unix(1_790_000_000, int64(n)*1_000_000)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-time.Duration(n%17+1) * 100 * time.Millisecond)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
}

func soakCall(span ptrace.Span, n int, tool bool) {
	attrs := span.Attributes()
	if tool {
		span.SetName("execute_tool search")
		attrs.PutStr(semconv.GenAIOperationName, semconv.OperationExecuteTool)
		attrs.PutStr(semconv.GenAIToolName, "search")
		attrs.PutStr(semconv.GenAIToolCallID, "call_"+strconv.Itoa(n))
		return
	}
	span.SetName("chat gpt-4o")
	attrs.PutStr(semconv.GenAIOperationName, semconv.OperationChat)
	attrs.PutStr(semconv.GenAIProviderName, "openai")
	attrs.PutStr(semconv.GenAIRequestModel, "gpt-4o")
	attrs.PutInt(semconv.GenAIUsageInputTokens, int64(n%1000))
	attrs.PutInt(semconv.GenAIUsageOutputTokens, int64(n%300))
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
