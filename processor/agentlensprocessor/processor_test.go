package agentlensprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Spans that are not GenAI leave as they came, whatever engines are on.
func TestOtherSpansLeaveUntouched(t *testing.T) {
	h := newHarness(t, allEngines)
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("GET /")
	// Baggage copies these onto any span.
	span.Attributes().PutStr(semconv.SessionID, "s1")
	span.Attributes().PutStr(semconv.GenAIAgentName, "research")
	span.Attributes().PutStr("http.request.method", "GET")
	before, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	after, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(h.feed(t, td))
	require.NoError(t, err)
	assert.Equal(t, before, after)
	open, _ := h.table.Len()
	assert.Zero(t, open)
}

// An engine that is switched off is not there, and writes nothing.
func TestEnginesSwitchOff(t *testing.T) {
	h := newHarness(t, func(cfg *Config) {
		allEngines(cfg)
		cfg.Cost.Enabled, cfg.Compliance.Enabled, cfg.Drift.Enabled, cfg.Forecast.Enabled, cfg.Alerts.Enabled = false, false, false, false, false
	})
	assert.Equal(t, &engines{}, h.engines)
	spans, _ := recordSessions(t, 30)
	h.feed(t, join(spans))
	for _, line := range findingsOf(h.sink) {
		for _, prefix := range []string{"agentlens.compliance", "agentlens.drift", "agentlens.forecast", "agentlens.cost", "agentlens.alert", "agentlens.budget"} {
			assert.NotContains(t, line, prefix)
		}
	}
}

// chat is a span of a current GenAI convention, in a trace of its own.
func chat(session string, trace byte, n byte) (ptrace.Traces, ptrace.Span) {
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("chat gpt-4o")
	span.SetTraceID(pcommon.TraceID{trace})
	span.SetSpanID(pcommon.SpanID{trace, n})
	span.SetParentSpanID(pcommon.SpanID{99})
	at := time.Date(2026, 3, 1, 11, 0, int(n), 0, time.UTC)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Second)))
	span.Attributes().PutStr(semconv.GenAIOperationName, semconv.OperationChat)
	span.Attributes().PutStr(semconv.GenAIRequestModel, "gpt-4o")
	span.Attributes().PutInt(semconv.GenAIUsageInputTokens, 1000)
	span.Attributes().PutInt(semconv.GenAIUsageOutputTokens, 100)
	if session != "" {
		span.Attributes().PutStr(semconv.GenAIConversationID, session)
	}
	return td, span
}

// A conversation without a root is complete when nothing came for a while, goes
// on when something does, and its report is then revised.
func TestIdleSessionCompletesReopensAndIsRevised(t *testing.T) {
	h := newHarness(t, allEngines)
	td, _ := chat("conv", 1, 1)
	h.feed(t, td)
	h.clock.pass(h.cfg.IdleTimeout - time.Second)
	h.sweep(t.Context())
	assert.Len(t, h.sink.AllTraces(), 1, "not idle yet")
	h.clock.pass(time.Second)
	h.sweep(t.Context())
	first := reportIn(t, h.sink, 1)
	assert.Equal(t, map[string]any{"status": "timeout", "in": int64(1000), "revision": int64(1)}, figures(first))

	td, _ = chat("conv", 1, 2)
	h.feed(t, td)
	h.clock.pass(h.cfg.IdleTimeout)
	h.sweep(t.Context())
	second := reportIn(t, h.sink, 3)
	assert.Equal(t, map[string]any{"status": "timeout", "in": int64(2000), "revision": int64(2)}, figures(second))
	assert.Equal(t, first.TraceID(), second.TraceID())
	assert.NotEqual(t, first.SpanID(), second.SpanID())
}

func reportIn(t *testing.T, sink *consumertest.TracesSink, i int) ptrace.Span {
	t.Helper()
	require.Greater(t, len(sink.AllTraces()), i)
	span := sink.AllTraces()[i].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	require.Equal(t, semconv.SpanSessionReport, span.Name())
	return span
}

func figures(span ptrace.Span) map[string]any {
	attrs := span.Attributes().AsRaw()
	return map[string]any{
		"status": attrs[semconv.SessionStatus], "in": attrs[semconv.SessionTokensInput], "revision": attrs[semconv.ReportRevision],
	}
}

// Of more sessions than there is room for, the longest idle is completed early,
// reported and counted.
func TestEvictionReportsAndCounts(t *testing.T) {
	h := newHarness(t, func(cfg *Config) { cfg.MaxSessions = 1 })
	reports := 0
	const sessions = 200
	for i := range sessions {
		td, span := chat(fmt.Sprintf("conv-%d", i), byte(i), 1)
		span.SetTraceID(pcommon.TraceID{1, byte(i), byte(i >> 8)})
		out := h.feed(t, td)
		reports += out.SpanCount() - 1
	}
	open, _ := h.table.Len()
	assert.Equal(t, sessions, open+reports, "every session is held or reported")
	assert.LessOrEqual(t, open, 16, "one a shard at most")
}

// Policies are for the sessions they match.
func TestPolicyMatch(t *testing.T) {
	h := newHarness(t, func(cfg *Config) {
		for _, c := range []struct {
			name  string
			match MatchConfig
		}{
			{"all", MatchConfig{}},
			{"agents", MatchConfig{Agents: []string{"nobody", "res*"}}},
			{"other-agents", MatchConfig{Agents: []string{"coder"}}},
			{"service", MatchConfig{ResourceAttributes: map[string]string{"service.name": "svc"}}},
			{"other-service", MatchConfig{ResourceAttributes: map[string]string{"service.name": "sv"}}},
			{"both", MatchConfig{Agents: []string{"research"}, ResourceAttributes: map[string]string{"service.name": "svc"}}},
		} {
			p := strictPolicy()
			p.Name, p.Match = c.name, c.match
			cfg.Compliance.Policies = append(cfg.Compliance.Policies, p)
		}
	})
	spans := record(t, func(tracker *agentlens.Tracker) {
		_, s, err := tracker.StartSession(t.Context(), "research")
		require.NoError(t, err)
		require.NoError(t, s.End(t.Context()))
	})
	h.feed(t, join(spans))
	var policies []any
	for _, one := range single(h.sink.AllTraces()...) {
		if v, ok := one.td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().Get(semconv.CompliancePolicy); ok {
			policies = append(policies, v.AsRaw())
		}
	}
	assert.Equal(t, []any{"all,agents,service,both"}, policies)
}

// Workers of several pipelines call at once; every session is judged with all
// its spans.
func TestConcurrentBatches(t *testing.T) {
	spans, sessions := recordSessions(t, 60)
	bySession := map[string][]oneSpan{}
	for _, s := range spans {
		id, _ := s.td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().Get(semconv.SessionID)
		bySession[id.Str()] = append(bySession[id.Str()], s)
	}
	require.Len(t, bySession, len(sessions))
	want := lastVerdicts(run(t, copies(spans), func() int { return 50 }))

	h := newHarness(t, allEngines)
	h.now = time.Now
	h.started(t, nil)
	var wg sync.WaitGroup
	for _, of := range bySession {
		wg.Go(func() {
			for _, s := range of {
				h.feed(t, s.td)
			}
		})
	}
	wg.Wait()
	assert.Empty(t, verdictDifference(want, lastVerdicts(findingsOf(h.sink))))
}

func copies(spans []oneSpan) []oneSpan {
	out := make([]oneSpan, len(spans))
	for i, s := range spans {
		out[i].td = ptrace.NewTraces()
		s.td.CopyTo(out[i].td)
	}
	return out
}

// Reports that the next component refuses are sent again.
func TestRefusedReportsAreSentAgain(t *testing.T) {
	h := newHarness(t, nil)
	refuse := true
	sink := h.sink
	next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		if refuse {
			return errors.New("no room")
		}
		return sink.ConsumeTraces(ctx, td)
	})
	require.NoError(t, err)
	h.next = next
	td, _ := chat("conv", 1, 1)
	_, err = h.process(t.Context(), td)
	require.NoError(t, err)
	h.clock.pass(h.cfg.IdleTimeout)
	h.sweep(t.Context())
	assert.Empty(t, sink.AllTraces())
	refuse = false
	h.sweep(t.Context())
	reportIn(t, sink, 0)
	h.sweep(t.Context())
	assert.Len(t, sink.AllTraces(), 1, "once")
}

// Shutdown is safe without Start, and twice.
func TestShutdownIsSafe(t *testing.T) {
	p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, p.Shutdown(t.Context()))
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, p.Shutdown(t.Context()))
	require.NoError(t, p.Shutdown(t.Context()))
	assert.True(t, p.Capabilities().MutatesData)
}

// Verdicts on sessions that are idle at once are each on its own session, whatever
// number of policies is for it.
func TestIdleSessionsHaveTheirOwnVerdicts(t *testing.T) {
	h := newHarness(t, func(cfg *Config) {
		for agent, limits := range map[string][]float64{"a": {1, 2, 3, 4, 5}, "b": {1}, "c": {1, 2}} {
			for _, n := range limits {
				cfg.Compliance.Policies = append(cfg.Compliance.Policies, PolicyConfig{
					Name: fmt.Sprint(agent, n), Match: MatchConfig{Agents: []string{agent}},
					Rules: []compliance.Rule{{Kind: compliance.MaxEvents, Limit: limit(n)}},
				})
			}
		}
	})
	want := map[string]string{}
	for i := range byte(30) {
		agent, events := string('a'+i%3), i/3%4
		session := fmt.Sprint("conversation-", i)
		for n := range events + 1 {
			td, span := chat(session, i+1, n+1)
			span.Attributes().PutStr(semconv.GenAIAgentName, agent)
			h.feed(t, td)
		}
		policies := int64(map[string]int{"a": 5, "b": 1, "c": 2}[agent])
		want[session] = fmt.Sprintf("%s of %d: %d failed", agent, policies, min(int64(events), policies))
	}
	var used []*compliance.Report
	h.table.Each(func(s *sessions.Session) {
		used = h.engines.check(used, s, nil)
		assert.Equal(t, h.engines.check(nil, s, nil), used, "in memory of the one before")
	})
	h.sink.Reset()
	h.clock.pass(h.cfg.IdleTimeout)
	h.sweep(t.Context())
	got := map[string]string{}
	for _, one := range single(h.sink.AllTraces()...) {
		attrs := one.td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().AsRaw()
		policy, passed, failed := attrs[semconv.CompliancePolicy].(string), attrs[semconv.CompliancePassed].(int64), attrs[semconv.ComplianceFailed].(int64)
		got[attrs[semconv.AgentLensSessionID].(string)] = fmt.Sprintf("%s of %d: %d failed", policy[:1], passed+failed, failed)
	}
	assert.Equal(t, want, got)
}
