package agentlensexporter

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/internal/wire"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Whatever the spans hold, what is sent is valid JSON that the original takes
// whole: nothing skipped, nothing cut, no event lost.
func FuzzTraces(f *testing.F) {
	marshal := func(td ptrace.Traces) {
		body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, n := range []int{0, 4, 9} {
		_, td := whole(1, n)
		marshal(td)
	}
	_, td := found(2)
	marshal(td)
	marshal(hostile(1))
	f.Fuzz(func(t *testing.T, body []byte) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
		if err != nil {
			return
		}
		checkWire(t, td)
	})
}

// hostile has every oddity in one batch, with texts of n thousandths of what is
// far too long.
func hostile(n int) ptrace.Traces {
	td := ptrace.NewTraces()
	for i, id := range []string{"\xff\xfe", "a b", "", strings.Repeat("é", 3000), "enc:x", "<script>"} {
		a := newAgent(i)
		a.id, a.name = id, id
		a.metadata = map[string]any{"nan": math.NaN(), "inf": math.Inf(1), "bad\xff": "\xff", "deep": map[string]any{"nan": math.NaN(), "long": strings.Repeat("x", 400*n)}}
		a.start(td)
		for _, eventType := range []string{"llm_call", "session_end", "\xff", strings.Repeat("t", 500), "tool_call"} {
			span := a.span(td, eventType)
			attrs := span.Attributes()
			attrs.PutStr(semconv.EventInput, "\xff"+strings.Repeat("\x00<", 200*n))
			attrs.PutStr(semconv.EventOutput, `{"a":`+strings.Repeat(`[`, 5000)+strings.Repeat(`]`, 5000)+`}`)
			attrs.PutDouble(semconv.GenAIUsageInputTokens, math.Inf(1))
			attrs.PutInt(semconv.GenAIUsageOutputTokens, math.MaxInt64)
			attrs.PutDouble(semconv.CostAmount, math.NaN())
			attrs.PutStr(semconv.GenAIRequestModel, strings.Repeat("\xf0\x9f\x98\x80", 200))
			attrs.PutStr(semconv.DecisionReasoning, strings.Repeat("\x01", 300*n))
			attrs.PutEmptySlice(semconv.DecisionAlternatives).AppendEmpty().SetStr(strings.Repeat("\"", 300*n))
			attrs.PutDouble(semconv.DecisionConfidence, math.NaN())
			attrs.PutStr(semconv.GenAIToolCallID, strings.Repeat("i", 1000))
			span.SetStartTimestamp(pcommon.Timestamp(math.MaxUint64))
			span.SetEndTimestamp(pcommon.Timestamp(uint64(i) << 61))
			span.Status().SetCode(ptrace.StatusCodeError)
			span.Status().SetMessage(strings.Repeat("\xff", 300*n))
		}
		a.end(td)
	}
	return td
}

func TestHostileTraces(t *testing.T) {
	checkWire(t, hostile(1))
	checkWire(t, hostile(1000))
}

func checkWire(t *testing.T, td ptrace.Traces) {
	items := readItems(td)
	known := newKnownSessions().observe(items)
	events := 0
	s := origin.New(t, origin.Config{})
	for todo := buildRequests(items, known); len(todo) > 0; todo = todo[1:] {
		req := &todo[0]
		require.NoError(t, req.encode(func(e *wire.Event, err error) { t.Fatalf("%s: %v", e.EventType, err) }))
		if len(req.body) > wire.MaxBatchBytes {
			halves, ok := req.halves(known)
			require.True(t, ok, "one event of %d bytes", len(req.body))
			todo = append([]request{{}}, append(halves, todo[1:]...)...)
			continue
		}
		require.True(t, json.Valid(req.body))
		require.True(t, utf8.Valid(req.body))
		status, processed, skipped, truncated := s.Take(req.body)
		require.Equal(t, 200, status)
		require.Equal(t, len(req.events), processed)
		require.Zero(t, skipped)
		require.Zero(t, truncated)
		for i := range req.items {
			if req.items[i].reading.Role == spanevent.RoleEvent {
				events++
			}
			for _, p := range postsOf(&req.items[i], true) {
				require.True(t, p.Note == nil || len([]rune(p.Note.Text)) <= wire.MaxAnnotationChars)
			}
		}
		for _, e := range req.events {
			require.True(t, wire.ValidID(e.SessionID))
			if e.EventType != wire.TypeSessionStart && e.EventType != wire.TypeSessionEnd {
				require.True(t, wire.ValidID(e.EventID))
			}
			for _, data := range [][]byte{e.InputData, e.OutputData} {
				require.LessOrEqual(t, len(data), wire.MaxFieldBytes)
			}
		}
	}
	want := 0
	for i := range items {
		if items[i].reading.Role == spanevent.RoleEvent {
			want++
		}
	}
	require.Equal(t, want, events)
}
