package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// What is sent are the sessions it says: the processor's own reader finds in
// both halves together as many sessions, events and spans as there should be,
// all with ids of their own and times about now.
func TestRequestsHoldSessions(t *testing.T) {
	const perRequest, requests = 8, 3
	now := time.Now()
	table := sessions.NewTable(sessions.Limits{MaxSessions: 1000, IdleTimeout: time.Minute, Retention: time.Minute, MaxSpanIDs: 10_000})
	spans, ids := 0, map[pcommon.SpanID]bool{}
	parents := map[pcommon.SpanID]bool{}
	for which := range half(2) {
		p, err := newPayload(newWriter(1, Content{Min: 200, Max: 2000}), perRequest, DefaultShapes, which)
		require.NoError(t, err)
		for number := range uint64(requests) {
			p.write(number, perRequest, 0, now)
			td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(p.bytes)
			require.NoError(t, err)
			require.Equal(t, p.spans, td.SpanCount())
			for _, rs := range td.ResourceSpans().All() {
				for _, ss := range rs.ScopeSpans().All() {
					for _, span := range ss.Spans().All() {
						spans++
						require.False(t, ids[span.SpanID()], "span id %s occurs twice", span.SpanID())
						ids[span.SpanID()] = true
						if !span.ParentSpanID().IsEmpty() {
							parents[span.ParentSpanID()] = true
						}
						assert.WithinDuration(t, now, span.EndTimestamp().AsTime(), 21*time.Second)
						if r := spanevent.ForScope(ss.Scope()).Read(span); r.Role != spanevent.RoleNone {
							table.Observe(&r, sessions.Service{}, now, func(*sessions.Session, sessions.Event) {}, nil)
						}
					}
				}
			}
		}
	}
	for id := range parents {
		assert.True(t, ids[id], "a parent that is no span")
	}
	sum, events, ended := 0, int64(0), 0
	table.Each(func(s *sessions.Session) {
		sum++
		events += s.Summary.Events
		if s.Completed {
			ended++
		}
	})
	want := 0
	for i := range perRequest {
		want += DefaultShapes[i%len(DefaultShapes)].Events()
	}
	assert.Equal(t, perRequest*requests, sum)
	assert.EqualValues(t, want*requests, events)
	assert.Equal(t, perRequest/2*requests, ended, "the SDK's sessions end with their root")
	assert.Equal(t, requests*(perRequest*SpansPerSession-3*perRequest/4), spans)
}

// A round is other spans of the same sessions.
func TestRoundsAreOfTheSameSessions(t *testing.T) {
	b, err := NewBatches(2, []Shape{ShapeSDK})
	require.NoError(t, err)
	read := func(number, round int) (traces map[pcommon.TraceID]bool, ids map[pcommon.SpanID]bool) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b.Get(number, round, time.Now()))
		require.NoError(t, err)
		traces, ids = map[pcommon.TraceID]bool{}, map[pcommon.SpanID]bool{}
		for _, ss := range td.ResourceSpans().At(0).ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				traces[span.TraceID()], ids[span.SpanID()] = true, true
			}
		}
		return traces, ids
	}
	traces, ids := read(5, 0)
	again, others := read(5, 1)
	assert.Len(t, traces, 2)
	assert.Equal(t, traces, again)
	for id := range others {
		assert.False(t, ids[id])
	}
	apart, _ := read(6, 0)
	for id := range apart {
		assert.False(t, traces[id])
	}
}

// Content has the sizes asked for.
func TestContentSizes(t *testing.T) {
	w := newWriter(3, Content{Min: 200, Max: 20_000})
	var sizes []int
	for range 1000 {
		n := len(w.words())
		require.GreaterOrEqual(t, n, 200)
		require.LessOrEqual(t, n, 20_000)
		sizes = append(sizes, n)
	}
	small := 0
	for _, n := range sizes {
		if n < 2000 {
			small++
		}
	}
	assert.InDelta(t, 500, small, 60, "log-uniform: half are below the geometric mean")
}
