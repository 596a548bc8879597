package agentlensexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/internal/wire"
	"github.com/agentlens/agentlens-otel/semconv"
)

// libraryCall appends a call as another library tells it.
func (a *agent) libraryCall(td ptrace.Traces) ptrace.Span {
	a.scope = "library"
	span := a.span(td, "")
	a.scope = semconv.ScopeName
	span.Attributes().Remove(semconv.EventType)
	span.Attributes().PutStr(semconv.GenAIOperationName, semconv.OperationChat)
	span.Attributes().PutStr(semconv.GenAIRequestModel, "gpt-4o")
	span.Attributes().PutInt(semconv.GenAIUsageInputTokens, 100)
	return span
}

// stampPart makes a span a part, as the processor does.
func stampPart(span ptrace.Span, ids ...string) {
	r := spanevent.ForScope(pcommon.NewInstrumentationScope()).Read(span)
	r.Role = spanevent.RolePart
	spanevent.Stamp(span, &r)
	if len(ids) > 0 {
		spanevent.StampPartOf(span, &r, ids)
	}
}

// A part of an event of an earlier batch goes along as a copy, which the original
// does not see; what an event replaces stands on it.
func TestCopiesGoBesideTheEvents(t *testing.T) {
	a, td := newAgent(1), ptrace.NewTraces()
	a.start(td)
	stampPart(a.libraryCall(td))
	copied := a.libraryCall(td)
	stampPart(copied, "0102030405060708", "not an id")
	spanevent.StampReplaces(a.span(td, "llm_call"), []string{"0807060504030201"})

	requests := mapped(td)
	require.Len(t, requests, 1)
	req := requests[0]
	require.Len(t, req.events, 2, "session_start and the SDK's event")
	assert.Equal(t, []string{"0807060504030201"}, req.events[1].Replaces)
	require.Len(t, req.copies, 1, "a part of this batch tells nothing more")
	c := req.copies[0]
	assert.Equal(t, []string{"0102030405060708"}, c.PartOf)
	assert.Equal(t, copied.SpanID().String(), c.EventID)
	assert.Equal(t, int64(100), c.TokensIn.Or(-1))
	assert.Equal(t, "llm_call", c.EventType)

	o := origin.New(t, origin.Config{})
	e := run(t, fast(o.URL()))
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	e.stop()
	sess := o.Sessions()[a.id]
	require.Len(t, sess.Events, 1)
	assert.Zero(t, sess.TokensIn)
	assert.Empty(t, e.logs.FilterMessage("The backend did not take all that was sent").All())
}

// Copies count towards the size of a request, and go with it in halves.
func TestRequestsWithCopiesFit(t *testing.T) {
	a, td := newAgent(1), ptrace.NewTraces()
	for range 700 {
		stampPart(a.libraryCall(td), "0102030405060708")
	}
	seen := map[string]bool{}
	items := readItems(td)
	known := newKnownSessions().observe(items)
	for _, req := range buildRequests(items, known) {
		require.LessOrEqual(t, len(req.copies), wire.MaxBatchEvents)
		halves, ok := req.halves(known)
		require.True(t, ok)
		for _, half := range halves {
			for _, c := range half.copies {
				require.False(t, seen[c.EventID])
				seen[c.EventID] = true
			}
		}
	}
	assert.Len(t, seen, 700)
}
