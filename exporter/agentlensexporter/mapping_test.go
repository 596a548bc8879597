package agentlensexporter

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
	"github.com/agentlens/agentlens-otel/internal/wire"
	"github.com/agentlens/agentlens-otel/semconv"
)

// mapped returns the requests that spans become.
func mapped(td ptrace.Traces) []request {
	items := readItems(td)
	return buildRequests(items, newKnownSessions().observe(items))
}

// The type that the original takes, and shows as an error where the event
// failed, with the true type beside it.
func TestEventTypes(t *testing.T) {
	for _, c := range []struct {
		own      string
		fails    bool
		sent     string
		trueType string
	}{
		{"llm_call", false, "llm_call", ""},
		{"tool_call", false, "tool_call", ""},
		{"error", false, "error", ""},
		{"generic", false, "generic", ""},
		{"agent_call", false, "agent_call", ""},
		{"decision", false, "generic", "decision"},
		{"my own type", false, "generic", "my own type"},
		{"llm_call", true, "agent_error", "llm_call"},
		{"agent_call", true, "agent_error", "agent_call"},
		{"tool_call", true, "tool_error", "tool_call"},
		{"tool_error", true, "tool_error", ""},
		{"decision", true, "error", "decision"},
		{"error", true, "error", ""},
		{"session_end", false, "generic", ""},
	} {
		a, td := newAgent(1), ptrace.NewTraces()
		span := a.span(td, c.own)
		if c.fails {
			span.Status().SetCode(ptrace.StatusCodeError)
			span.Status().SetMessage("no route")
			span.Attributes().PutStr(semconv.ErrorType, "timeout")
		}
		events := mapped(td)[0].events
		require.Len(t, events, 2, c.own)
		e := events[1]
		assert.Equal(t, c.sent, e.EventType, c)
		assert.Equal(t, c.trueType, e.TrueType, c)
		if c.fails {
			assert.JSONEq(t, `{"error":{"type":"timeout","message":"no route"}}`, string(e.OutputData))
			assert.True(t, e.OutputIsError)
		} else {
			assert.Nil(t, e.OutputData)
		}
	}
}

// A request has the limits of the backend, whatever the number of sessions.
func TestRequestsFit(t *testing.T) {
	for sessions, events := range map[int]int{1: 1200, 1100: 0, 300: 3, 40: 60} {
		td := ptrace.NewTraces()
		want := map[string]bool{}
		for i := range sessions {
			a := newAgent(i)
			a.start(td)
			a.track(td, events)
			root := a.end(td)
			if i%2 == 1 { // its clock is behind
				root.SetEndTimestamp(root.StartTimestamp())
			}
			for _, id := range a.events {
				want[id] = true
			}
		}
		ended := map[string]bool{}
		for _, req := range mapped(td) {
			require.LessOrEqual(t, len(req.events), wire.MaxBatchEvents)
			started := map[string]bool{}
			for _, e := range req.events {
				switch e.EventType {
				case wire.TypeSessionStart:
					started[e.SessionID] = true
				case wire.TypeSessionEnd:
					ended[e.SessionID] = true
				default:
					require.True(t, started[e.SessionID], "an event before its session_start")
					require.False(t, ended[e.SessionID], "an event after its session_end")
					require.True(t, want[e.EventID], "an event twice")
					delete(want, e.EventID)
				}
			}
		}
		assert.Empty(t, want)
		assert.Len(t, ended, sessions)
	}
}

// Ids that the backend would not take are mapped so that each keeps its own,
// and the true one can be had back.
func TestIDs(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{
		"a1b2", "a b", "a:20b", "enc:a:20b", "enc:", "sha256:x", "é", "\xff", "user@example.com/7", "a\x00b", strings.Repeat("x", 128),
		strings.Repeat("x", 129), strings.Repeat("é", 40), strings.Repeat("é", 41), "日本語",
	} {
		sent := wireID(id)
		require.True(t, wire.ValidID(sent), "%q becomes %q", id, sent)
		other, twice := seen[sent]
		require.False(t, twice, "%q and %q both become %q", id, other, sent)
		seen[sent] = id
		switch {
		case strings.HasPrefix(sent, prefixEscaped):
			assert.Equal(t, id, unescape(t, sent))
		case strings.HasPrefix(sent, prefixHashed):
		default:
			assert.Equal(t, id, sent)
		}
		a, td := newAgent(1), ptrace.NewTraces()
		a.id = id
		a.track(td, 1)
		metadata := mapped(td)[0].events[0].Metadata
		if sent == id {
			assert.Empty(t, metadata)
		} else {
			assert.Equal(t, strings.ToValidUTF8(id, "\ufffd"), metadata[metadataTrueID])
		}
	}
}

func unescape(t *testing.T, sent string) string {
	var b strings.Builder
	rest := strings.TrimPrefix(sent, prefixEscaped)
	for len(rest) > 0 {
		if rest[0] != ':' {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		var c byte
		_, err := fmt.Sscanf(rest[1:3], "%02x", &c)
		require.NoError(t, err)
		b.WriteByte(c)
		rest = rest[3:]
	}
	return b.String()
}

// What is too long is cut here, with a mark, so that the backend puts no stub
// in its place, and the rest of the event stays.
func TestLongFields(t *testing.T) {
	huge := strings.Repeat("<p>é & \"quoted\"\n", 40_000) // 680 kB
	many := make([]any, 60_000)
	for i := range many {
		many[i] = "0123456789"
	}
	a, td := newAgent(1), ptrace.NewTraces()
	a.metadata = map[string]any{"long": strings.Repeat("m", 5000), "version": "1", "nan": "x"}
	a.start(td)
	span := a.span(td, "tool_call")
	put := func(key string, v any) {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		span.Attributes().PutStr(key, string(text))
	}
	put(semconv.EventInput, map[string]any{"prompt": huge, "id": 12345678901234567})
	put(semconv.EventOutput, map[string]any{"list": many})
	span.Attributes().PutStr(semconv.GenAIToolName, strings.Repeat("t", 3000))
	span.Attributes().PutStr(semconv.GenAIRequestModel, strings.Repeat("m", 300))
	span.Attributes().PutStr(semconv.DecisionReasoning, huge)
	put(semconv.GenAIToolCallArguments, map[string]any{"html": huge})

	reqs := mapped(td)
	require.Len(t, reqs, 1)
	require.NoError(t, reqs[0].encode(func(*wire.Event, error) { t.Error("not encoded") }))
	s := origin.New(t, origin.Config{})
	status, processed, skipped, truncated := s.Take(reqs[0].body)
	assert.Equal(t, []int{200, 2, 0, 0}, []int{status, processed, skipped, truncated})

	e := reqs[0].events[1]
	var input struct {
		Prompt string      `json:"prompt"`
		ID     json.Number `json:"id"`
	}
	require.NoError(t, json.Unmarshal(e.InputData, &input))
	assert.Contains(t, input.Prompt, "…[cut, of 680000 bytes, sha256:")
	assert.Greater(t, len(input.Prompt), 50_000, "cut no shorter than need be")
	assert.Equal(t, "12345678901234567", input.ID.String())
	assert.Contains(t, string(e.OutputData), "sha256:")
	assert.Greater(t, len(e.OutputData), 30_000)
	assert.Contains(t, e.ToolCall.Name, "sha256:")
	assert.Len(t, []rune(e.Model), wire.MaxModelChars)
	start := reqs[0].events[0]
	assert.Contains(t, start.Metadata["long"], "of 5000 bytes")
	assert.Equal(t, "1", start.Metadata["version"])

	// Refused even so, it goes with next to nothing.
	small := newRequest(reqs[0].items[1:], newKnownSessions().observe(reqs[0].items), smallField)
	require.NoError(t, small.encode(nil))
	assert.Less(t, len(small.body), 30_000)
}

// An event that is too large for a proxy on the way is cut, and dropped and
// counted when that does not suffice; others are not.
func TestTooLarge(t *testing.T) {
	s := origin.New(t, origin.Config{MaxBytes: 60_000})
	e := run(t, fast(s.URL()))
	a, td := newAgent(1), ptrace.NewTraces()
	a.start(td)
	a.track(td, 50)
	span := a.span(td, "generic")
	span.Attributes().PutStr(semconv.EventInput, `{"prompt":"`+strings.Repeat("x", 200_000)+`"}`)
	a.tracked(span, "generic")
	a.track(td, 50)
	a.end(td)
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	requireExact(t, s, a)
	assert.Zero(t, e.count("exporter_agentlens_events_dropped"))

	s = origin.New(t, origin.Config{MaxBytes: 1_000})
	e = run(t, fast(s.URL()))
	b, td := newAgent(2), ptrace.NewTraces()
	b.start(td)
	span = b.span(td, "generic")
	span.Attributes().PutStr(semconv.EventInput, `{"prompt":"`+strings.Repeat("x", 200_000)+`"}`)
	b.track(td, 2)
	b.end(td)
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	requireExact(t, s, b)
	assert.EqualValues(t, 2, e.count("exporter_agentlens_events_dropped"), "the event and the session_start before it")
}

// A span that says next to nothing gets an id, and no time that it did not
// tell.
func TestSpanWithoutIDAndTime(t *testing.T) {
	a, td := newAgent(1), ptrace.NewTraces()
	for range 2 {
		span := a.span(td, "generic")
		span.SetSpanID(pcommon.SpanID{})
		span.SetStartTimestamp(0)
		span.SetEndTimestamp(0)
	}
	events := mapped(td)[0].events
	require.Len(t, events, 3)
	assert.Nil(t, events[0].Timestamp)
	assert.Nil(t, events[1].Timestamp)
	assert.True(t, wire.ValidID(events[1].EventID))
	assert.Equal(t, events[1].EventID, events[2].EventID, "the same when it comes again")
}

// The start that the SDK told counts; until it is known, the earliest that any
// span tells.
func TestSessionStart(t *testing.T) {
	a := newAgent(1)
	known := newKnownSessions()
	start := func(build func(td ptrace.Traces)) (time.Time, map[string]any) {
		td := ptrace.NewTraces()
		build(td)
		snap := known.observe(readItems(td))[a.id]
		return snap.start.Timestamp.Of(), snap.start.Metadata
	}
	foreign := func(begin time.Duration) func(td ptrace.Traces) {
		return func(td ptrace.Traces) {
			a.scope = "other"
			a.span(td, "llm_call").SetStartTimestamp(pcommon.NewTimestampFromTime(a.startedAt.Add(begin)))
			a.scope = semconv.ScopeName
		}
	}
	at, metadata := start(foreign(time.Minute))
	assert.Equal(t, a.startedAt.Add(time.Minute), at)
	assert.Empty(t, metadata)
	at, _ = start(foreign(-time.Hour))
	assert.Equal(t, a.startedAt.Add(-time.Hour), at)
	at, metadata = start(a.start)
	assert.Equal(t, a.startedAt, at)
	assert.Equal(t, a.metadata, metadata)
	at, metadata = start(foreign(-2 * time.Hour))
	assert.Equal(t, a.startedAt, at)
	assert.Equal(t, a.metadata, metadata)
	at, _ = start(func(td ptrace.Traces) { // recorded when it was over
		a.span(td, "tool_call").SetStartTimestamp(pcommon.NewTimestampFromTime(a.startedAt.Add(-time.Hour)))
	})
	assert.Equal(t, a.startedAt, at)
}

// Totals that the processor added up lack what came after them; those of the
// SDK do not.
func TestTotalsOfLateEvents(t *testing.T) {
	for scope, late := range map[string]int64{"other": 100, semconv.ScopeName: 0} {
		a := newAgent(1)
		a.scope = scope
		known := newKnownSessions()
		first, last := ptrace.NewTraces(), ptrace.NewTraces()
		a.track(first, 1)
		a.end(first)
		a.track(last, 1)
		known.observe(readItems(first))
		for range 2 { // the second time it is tried again
			end := known.observe(readItems(last))[a.id].end
			assert.Equal(t, 100+late, end.TotalTokensIn.V, scope)
		}
	}
}
