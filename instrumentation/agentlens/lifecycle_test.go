package agentlens_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// calls are all functions that need a tracker, on one that is given.
func calls(t *agentlens.Tracker) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"StartSession": func(ctx context.Context) error { _, _, err := t.StartSession(ctx, "a"); return err },
		"Track":        func(ctx context.Context) error { _, err := t.Track(ctx, agentlens.EventGeneric); return err },
		"TrackTool":    func(ctx context.Context) error { _, err := t.TrackTool(ctx, "x", nil, nil); return err },
		"Explain":      func(ctx context.Context) error { _, err := t.Explain(ctx); return err },
		"EndSession":   func(ctx context.Context) error { return t.EndSession(ctx) },
		"Flush":        t.Flush,
	}
}

func packageCalls() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"StartSession": func(ctx context.Context) error { _, _, err := agentlens.StartSession(ctx, "a"); return err },
		"Track":        func(ctx context.Context) error { _, err := agentlens.Track(ctx, agentlens.EventGeneric); return err },
		"TrackTool":    func(ctx context.Context) error { _, err := agentlens.TrackTool(ctx, "x", nil, nil); return err },
		"Explain":      func(ctx context.Context) error { _, err := agentlens.Explain(ctx); return err },
		"EndSession":   func(ctx context.Context) error { return agentlens.EndSession(ctx) },
		"Flush":        agentlens.Flush,
	}
}

// The package's functions before Init, on the stored tracker, on its successor
// and after Shutdown. Only it and the examples use the global tracker.
func TestGlobalTracker(t *testing.T) {
	agentlens.ResetGlobal()
	t.Cleanup(agentlens.ResetGlobal)
	ctx := t.Context()
	for name, call := range packageCalls() {
		require.ErrorIs(t, call(ctx), agentlens.ErrNotInitialized, name)
	}
	require.ErrorIs(t, agentlens.Shutdown(ctx), agentlens.ErrNotInitialized)

	before := otel.GetTracerProvider()
	first, err := agentlens.Init(ctx, agentlens.WithTracerProvider(noop.NewTracerProvider()))
	require.NoError(t, err)
	sctx, s, err := agentlens.StartSession(ctx, "first")
	require.NoError(t, err)
	_, err = agentlens.Init(ctx, agentlens.WithMaxRetries(-1))
	require.Error(t, err)
	e, err := agentlens.Track(ctx, agentlens.EventLLMCall)
	require.NoError(t, err, "a failed Init leaves the stored tracker")
	assert.Equal(t, s.ID(), e.SessionID)

	_, err = agentlens.Init(ctx, agentlens.WithTracerProvider(noop.NewTracerProvider()))
	require.NoError(t, err)
	_, err = agentlens.Track(ctx, agentlens.EventGeneric)
	require.ErrorIs(t, err, agentlens.ErrNoSession)
	e, err = agentlens.TrackTool(sctx, "tool", nil, nil)
	require.NoError(t, err, "a session in the context stays with its tracker")
	assert.Equal(t, s.ID(), e.SessionID)
	text, err := agentlens.Explain(sctx)
	require.NoError(t, err)
	assert.Contains(t, text, "tool: tool")
	require.NoError(t, agentlens.EndSession(sctx))
	require.NoError(t, first.Shutdown(ctx))

	require.NoError(t, agentlens.Flush(ctx))
	require.NoError(t, agentlens.Shutdown(ctx))
	for name, call := range packageCalls() {
		require.ErrorIs(t, call(ctx), agentlens.ErrShutdown, name)
	}
	assert.Equal(t, before, otel.GetTracerProvider())
}

func TestNilReceivers(t *testing.T) {
	for name, call := range calls(nil) {
		require.ErrorIs(t, call(t.Context()), agentlens.ErrNotInitialized, name)
	}
	require.ErrorIs(t, (*agentlens.Tracker)(nil).Shutdown(t.Context()), agentlens.ErrNotInitialized)

	var s *agentlens.Session
	_, err := s.Track(t.Context(), agentlens.EventGeneric)
	require.ErrorIs(t, err, agentlens.ErrNoSession)
	_, err = s.TrackTool(t.Context(), "x", nil, nil)
	require.ErrorIs(t, err, agentlens.ErrNoSession)
	_, err = s.Explain(t.Context())
	require.ErrorIs(t, err, agentlens.ErrNoSession)
	require.ErrorIs(t, s.End(t.Context()), agentlens.ErrNoSession)
	assert.Nil(t, s.Summary())
	assert.Nil(t, s.Snapshot())
	assert.Empty(t, s.ID()+s.AgentName())

	r := newRecorded(t, nil)
	// A nil context and nil options must not panic either.
	var none context.Context
	_, s, err = r.StartSession(none, "a", nil)
	require.NoError(t, err)
	_, err = s.Track(none, agentlens.EventGeneric, nil)
	require.NoError(t, err)
	require.NoError(t, s.End(none, nil))
}

func TestShutdown(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Equal(t, "completed", content(r.named(t, "invoke_agent agent"))["agentlens.session.status"])
	for name, call := range calls(r.Tracker) {
		require.ErrorIs(t, call(ctx), agentlens.ErrShutdown, name)
	}
	_, err = s.Track(ctx, agentlens.EventGeneric)
	require.ErrorIs(t, err, agentlens.ErrShutdown)
	require.ErrorIs(t, s.End(ctx), agentlens.ErrShutdown)
	require.NoError(t, r.Shutdown(t.Context()), "twice is safe")

	_, span := r.provider.Tracer("caller").Start(t.Context(), "still works")
	span.End()
	r.named(t, "still works")
}

// By id, by context, else the one started last that is active.
func TestWhichSession(t *testing.T) {
	r := newRecorded(t, nil)
	ctx := t.Context()
	actx, a, err := r.StartSession(ctx, "a", agentlens.WithSessionID("run-1:a.b_c"))
	require.NoError(t, err)
	assert.Equal(t, "run-1:a.b_c", a.ID())
	assert.Same(t, a, agentlens.SessionFromContext(actx))
	_, b, err := r.StartSession(ctx, "b")
	require.NoError(t, err)
	in := func(ctx context.Context, opts ...agentlens.EventOption) string {
		e, err := r.Track(ctx, agentlens.EventGeneric, opts...)
		require.NoError(t, err)
		return e.SessionID
	}
	assert.Equal(t, b.ID(), in(ctx))
	assert.Equal(t, a.ID(), in(actx))
	assert.Equal(t, b.ID(), in(actx, agentlens.WithSessionID(b.ID())), "an id beats the context")

	require.NoError(t, r.EndSession(ctx, agentlens.WithSessionID(b.ID())))
	assert.Equal(t, a.ID(), in(ctx), "the one before is active still")
	_, err = r.Track(ctx, agentlens.EventGeneric, agentlens.WithSessionID(b.ID()))
	require.ErrorIs(t, err, agentlens.ErrSessionEnded)
	require.ErrorIs(t, b.End(ctx), agentlens.ErrSessionEnded)
	text, err := r.Explain(ctx, agentlens.WithSessionID(b.ID()))
	require.NoError(t, err)
	assert.Contains(t, text, "**Status:** completed")

	_, err = r.Track(ctx, agentlens.EventGeneric, agentlens.WithSessionID("nobody"))
	require.ErrorIs(t, err, agentlens.ErrSessionNotFound)
	assert.ErrorContains(t, err, "nobody")
	requireField(t, "session_id", second(a.Track(ctx, "", agentlens.WithSessionID(b.ID()))))
	require.NoError(t, a.End(ctx))
	_, err = r.Explain(ctx)
	require.ErrorIs(t, err, agentlens.ErrNoSession)
}

func TestBadInput(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	track := func(typ agentlens.EventType, opts ...agentlens.EventOption) error {
		e, err := s.Track(ctx, typ, opts...)
		assert.Zero(t, e)
		return err
	}
	for field, err := range map[string]error{
		"tokens_in":          track("", agentlens.WithTokens(-1, 0)),
		"tokens_out":         track("", agentlens.WithTokensOut(math.MinInt64)),
		"cache_read_tokens":  track("", agentlens.WithCacheTokens(-1, 0)),
		"cache_write_tokens": track("", agentlens.WithCacheTokens(0, -1)),
		"reasoning_tokens":   track("", agentlens.WithReasoningTokens(-1)),
		"duration_ms":        track("", agentlens.WithDuration(-1)),
		"timestamp":          track("", agentlens.WithTimestamp(time.Unix(-1, 0))),
		"tool_name":          track(agentlens.EventToolCall, agentlens.WithToolCallID("x")),
		"step":               track("", agentlens.WithDecision(agentlens.DecisionTrace{Step: -1})),
		"confidence":         track("", agentlens.WithDecision(agentlens.DecisionTrace{Confidence: analysis.Some(1.5)})),
		"event_type":         track("session"),
		"started_at":         third(r.StartSession(ctx, "", agentlens.WithTimestamp(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)))),
		"session_id":         third(r.StartSession(ctx, "", agentlens.WithSessionID("a b"))),
		"ended_at":           s.End(ctx, agentlens.WithTimestamp(time.Unix(1, 0))),
		"status":             s.End(ctx, agentlens.WithStatus("active")),
	} {
		requireField(t, field, err)
	}
	for _, ms := range []float64{math.NaN(), math.Inf(1), -0.5, 1e30} {
		requireField(t, "duration_ms", track("", agentlens.WithDurationMS(ms)))
	}
	requireField(t, "status", s.End(ctx, agentlens.WithStatus(agentlens.StatusCompleted), agentlens.WithError(errors.New("x"))))
	requireField(t, "session_id", third(r.StartSession(ctx, "", agentlens.WithSessionID(s.ID()))))
	requireField(t, "session_id", third(r.StartSession(ctx, "", agentlens.WithSessionID(strings.Repeat("x", 129)))))
	for _, typ := range []agentlens.EventType{"session_start", "session_end", "session_report", "part"} {
		requireField(t, "event_type", track(typ))
	}

	// The caller's own code fails.
	for field, opt := range map[string]agentlens.EventOption{
		"input_data":  agentlens.WithInput(panics{}),
		"output_data": agentlens.WithOutput(math.NaN()),
		"tool_input":  agentlens.WithTool("t", make(chan int), nil),
		"tool_output": agentlens.WithTool("t", nil, panics{}),
		"error":       agentlens.WithError(panics{}),
	} {
		require.ErrorContains(t, track("", opt), field+":")
	}
	require.ErrorContains(t, s.End(ctx, agentlens.WithError(panics{})), "error:")
	require.ErrorContains(t, third(r.StartSession(ctx, "", agentlens.WithMetadata(map[string]any{"k": panics{}}))), "metadata.k:")

	assert.Zero(t, s.Summary().Events, "nothing bad was counted")
	assert.Len(t, r.recorder.Ended(), 1, "nor written: only agentlens.session.start")
	require.NoError(t, s.End(ctx))
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("marshal") }
func (panics) Error() string                { panic("error") }

func requireField(t testing.TB, field string, err error) {
	t.Helper()
	var f *agentlens.FieldError
	require.ErrorAs(t, err, &f)
	require.Equal(t, field, f.Field)
	require.NotEmpty(t, f.Want)
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }

// 100 sessions at once, each used from 10 goroutines, are counted exactly; and
// ending, explaining and shutting down in the middle of it is safe.
func TestManyGoroutines(t *testing.T) {
	const sessions, goroutines, events = 100, 10, 3
	r := newRecorded(t, nil)
	var wg sync.WaitGroup
	for range sessions {
		wg.Go(func() {
			ctx, s, err := r.StartSession(t.Context(), "agent")
			if !assert.NoError(t, err) {
				return
			}
			var workers sync.WaitGroup
			for range goroutines {
				workers.Go(func() {
					for range events {
						_, err := r.Track(ctx, agentlens.EventLLMCall, agentlens.WithTokens(2, 1), agentlens.WithReasoning("r"))
						assert.NoError(t, err)
						_, err = s.Explain(ctx)
						assert.NoError(t, err)
					}
				})
			}
			workers.Wait()
			assert.NoError(t, s.End(ctx))
			sum := s.Summary()
			assert.Equal(t, int64(goroutines*events), sum.Events)
			assert.Equal(t, int64(2*goroutines*events), sum.TokensIn)
			steps := map[int]bool{}
			for _, e := range s.Snapshot().Events {
				steps[e.DecisionTrace.Step] = true
			}
			assert.Len(t, steps, goroutines*events)
		})
	}
	wg.Wait()
	assert.Len(t, r.recorder.Ended(), sessions*(2+2*goroutines*events))
}

// An event is written before the root ends, or refused.
func TestEndRacesTrack(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	var wg sync.WaitGroup
	started := make(chan struct{}, 8)
	for range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				_, err := s.Track(ctx, agentlens.EventLLMCall, agentlens.WithTokensIn(1))
				if err != nil {
					assert.ErrorIs(t, err, agentlens.ErrSessionEnded)
					return
				}
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	<-started
	require.NoError(t, s.End(ctx))
	wg.Wait()
	spans := r.recorder.Ended()
	last := spans[len(spans)-1]
	assert.Equal(t, "invoke_agent agent", last.Name())
	assert.Equal(t, int64(len(spans)-2), content(last)["agentlens.session.tokens.input"])
	assert.Equal(t, int64(len(spans)-2), s.Summary().Events)
}
