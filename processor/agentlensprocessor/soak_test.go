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
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// TestSoak keeps 100,000 sessions open under steady spans and looks at the
// memory: `make soak`. It runs for AGENTLENS_SOAK, a duration, and is left out
// without.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("AGENTLENS_SOAK"))
	if err != nil {
		t.Skip("AGENTLENS_SOAK is not set: run make soak")
	}
	const sessions = 100_000
	h := newHarness(t, func(cfg *Config) {
		allEngines(cfg)
		cfg.MaxSessions = 2 * sessions
		cfg.MaxSpanIDs = sessions
	})
	h.now = time.Now
	next := consumertest.NewNop()

	span := 0
	feed := func(count int) time.Duration {
		begin := time.Now()
		for range count / 100 {
			td := ptrace.NewTraces()
			scope := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
			scope.Scope().SetName(semconv.ScopeName)
			for range 100 {
				soakSpan(scope.Spans().AppendEmpty(), span%sessions, span)
				span++
			}
			out, err := h.process(t.Context(), td)
			require.NoError(t, err)
			require.NoError(t, next.ConsumeTraces(t.Context(), out))
		}
		return time.Since(begin)
	}
	empty := heap()
	// Five events in every session, and the span ids full: from there on a
	// session only grows by the durations it keeps as they are, up to 64.
	feed(5 * sessions)
	warm := heap()
	t.Logf("%d sessions open: %d bytes a session", sessions, (warm-empty)/sessions)

	spans, busy := 0, time.Duration(0)
	for deadline := time.Now().Add(length); time.Now().Before(deadline); spans += 50_000 {
		busy += feed(50_000)
	}
	steady := heap()
	t.Logf("%d spans in steady state: %d ns a span, heap %+.1f %%", spans, busy.Nanoseconds()/int64(max(1, spans)),
		100*(float64(steady)-float64(warm))/float64(warm))
	open, _ := h.table.Len()
	assert.Equal(t, sessions, open)
	const durations = 64 * 8
	assert.Less(t, float64(steady), 1.1*float64(warm)+sessions*durations, "memory grows with the spans seen")
}

func soakSpan(span ptrace.Span, session, n int) {
	var trace pcommon.TraceID
	binary.BigEndian.PutUint64(trace[:], uint64(session)+1)
	var id pcommon.SpanID
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	span.SetTraceID(trace)
	span.SetSpanID(id)
	span.SetParentSpanID(pcommon.SpanID{255})
	end := time.Unix(1_790_000_000, int64(n)*1_000_000)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-time.Second)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	span.SetName("chat gpt-4o")
	attrs := span.Attributes()
	attrs.PutStr(semconv.SessionID, "session-"+strconv.Itoa(session))
	attrs.PutStr(semconv.GenAIAgentName, "agent-"+strconv.Itoa(session%50))
	attrs.PutStr(semconv.EventType, "llm_call")
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
