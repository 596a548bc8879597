package agentlensexporter

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
	"github.com/agentlens/agentlens-otel/semconv"
)

// epoch is when the first session of a test starts.
var epoch = time.Date(2026, 2, 14, 10, 30, 0, 123_456_000, time.UTC)

// agent writes the spans that the SDK would, and remembers what it tracked.
type agent struct {
	id, name  string
	scope     string
	trace     pcommon.TraceID
	startedAt time.Time
	now       time.Time
	events    []string
	types     []string
	tokensIn  int64
	tokensOut int64
	metadata  map[string]any
}

var lastSpan uint64

func newAgent(number int) *agent {
	a := &agent{
		id: fmt.Sprintf("%016x", 0xa9e000+number), name: "research-agent", scope: semconv.ScopeName,
		startedAt: epoch.Add(time.Duration(number) * time.Second), metadata: map[string]any{"version": "2.1.0"},
	}
	binary.BigEndian.PutUint64(a.trace[:], uint64(number+1))
	a.now = a.startedAt
	return a
}

// span appends a span of the agent's session that ends 1 ms after the last.
func (a *agent) span(td ptrace.Traces, eventType string) ptrace.Span {
	a.now = a.now.Add(time.Millisecond)
	if td.ResourceSpans().Len() == 0 {
		td.ResourceSpans().AppendEmpty()
	}
	ss := td.ResourceSpans().At(0).ScopeSpans().AppendEmpty()
	ss.Scope().SetName(a.scope)
	span := ss.Spans().AppendEmpty()
	span.SetTraceID(a.trace)
	lastSpan++
	var id pcommon.SpanID
	binary.BigEndian.PutUint64(id[:], lastSpan)
	span.SetSpanID(id)
	span.SetParentSpanID(pcommon.SpanID{1})
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(a.now))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(a.now))
	span.Attributes().PutStr(semconv.SessionID, a.id)
	span.Attributes().PutStr(semconv.GenAIAgentName, a.name)
	span.Attributes().PutStr(semconv.EventType, eventType)
	return span
}

// start announces the session.
func (a *agent) start(td ptrace.Traces) {
	span := a.span(td, semconv.EventTypeSessionStart)
	span.SetName(semconv.SpanSessionStart)
	a.now = a.startedAt
	a.begin(span)
}

func (a *agent) begin(span ptrace.Span) {
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(a.startedAt))
	for key, v := range a.metadata {
		_ = span.Attributes().PutEmpty(semconv.SessionMetadataPrefix + key).FromRaw(v)
	}
}

// track appends one event of every kind there is.
func (a *agent) track(td ptrace.Traces, n int) {
	for i := range n {
		eventType := []string{"llm_call", "tool_call", "decision", "generic"}[i%4]
		span := a.span(td, eventType)
		switch eventType {
		case "llm_call":
			a.tokensIn, a.tokensOut = a.tokensIn+100, a.tokensOut+20
			span.Attributes().PutStr(semconv.GenAIRequestModel, "gpt-4o")
			span.Attributes().PutInt(semconv.GenAIUsageInputTokens, 100)
			span.Attributes().PutInt(semconv.GenAIUsageOutputTokens, 20)
			span.Attributes().PutStr(semconv.EventInput, `{"prompt":"<why> & how?"}`)
		case "tool_call":
			span.Attributes().PutStr(semconv.GenAIToolName, "search")
			span.Attributes().PutStr(semconv.GenAIToolCallArguments, `{"q":"x"}`)
		case "decision":
			span.Attributes().PutStr(semconv.DecisionReasoning, "it is late")
		}
		a.tracked(span, eventType)
	}
}

func (a *agent) tracked(span ptrace.Span, eventType string) {
	a.events = append(a.events, span.SpanID().String())
	a.types = append(a.types, eventType)
}

// end appends the root.
func (a *agent) end(td ptrace.Traces) ptrace.Span {
	span := a.span(td, semconv.EventTypeSession)
	a.begin(span)
	span.SetParentSpanID(pcommon.SpanID{})
	span.Attributes().PutStr(semconv.SessionStatus, "completed")
	span.Attributes().PutInt(semconv.SessionTokensInput, a.tokensIn)
	span.Attributes().PutInt(semconv.SessionTokensOutput, a.tokensOut)
	return span
}

// whole returns a session of n events in one batch.
func whole(number, n int) (*agent, ptrace.Traces) {
	a, td := newAgent(number), ptrace.NewTraces()
	a.start(td)
	a.track(td, n)
	a.end(td)
	return a, td
}

// problems says what of the session the backend has not, or otherwise: events
// missing, twice or in another order, wrong totals, name, start or metadata, an
// event that came before the session_start or after the last session_end.
func (a *agent) problems(s *origin.Server) (out []string) {
	differ := func(what string, want, got any) {
		if !assert.ObjectsAreEqual(want, got) {
			out = append(out, fmt.Sprintf("session %s: %s is %v, want %v", a.id, what, got, want))
		}
	}
	held, ok := s.Sessions()[a.id]
	if !ok {
		return []string{"session " + a.id + " is not there"}
	}
	var events []string
	for i, e := range held.Events {
		events = append(events, e.ID)
		if i < len(a.types) {
			want := a.types[i]
			if trueType, ok := e.Fields["agentlens_event_type"]; ok {
				differ("true type", want, trueType)
			} else {
				differ("type", want, e.Type)
			}
		}
	}
	differ("events", a.events, events)
	differ("status", "completed", held.Status)
	differ("tokens in", a.tokensIn, held.TokensIn)
	differ("tokens out", a.tokensOut, held.TokensOut)
	differ("agent", a.name, held.AgentName)
	differ("metadata", a.metadata, held.Metadata)
	differ("start", a.startedAt, origin.Time(held.StartedAt))
	differ("end", a.now, origin.Time(held.EndedAt))
	if len(held.Log) > 0 {
		differ("first entry", "session_start", held.Log[0])
		differ("last entry", "session_end", held.Log[len(held.Log)-1])
	}
	return out
}

// requireExact waits until the backend has every session exactly as tracked.
func requireExact(t *testing.T, s *origin.Server, agents ...*agent) {
	t.Helper()
	var problems []string
	deadline := time.Now().Add(30 * time.Second)
	for {
		problems = nil
		for _, a := range agents {
			problems = append(problems, a.problems(s)...)
		}
		if len(problems) == 0 {
			return
		}
		if time.Now().After(deadline) {
			require.Empty(t, problems)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
