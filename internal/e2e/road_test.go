package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/internal/roundtrip"
)

// What is tracked in the agent is in the backend, field by field: SDK → OTLP →
// the built collector → its backend's API.
func TestTrackedIsHeld(t *testing.T) {
	c := newCollector(t, "config/demo.yaml").start()
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(c.otlpHTTP()))
	require.NoError(t, err)
	sessions := trackAll(t, tracker)
	require.NoError(t, tracker.Shutdown(t.Context()))

	details := heldAll(t, c, sessions)
	for i, s := range sessions {
		explained, err := c.api().Explain(t.Context(), s.ID)
		require.NoError(t, err)
		assert.Equal(t, analysis.Explain(&details[i].Session), explained)
	}
}

// A session breaks the policy of config/demo.yaml, and the backend says so; one
// that keeps it is tagged as such.
func TestFindingsReachTheBackend(t *testing.T) {
	c := newCollector(t, "config/demo.yaml").start()
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(c.otlpHTTP()))
	require.NoError(t, err)
	_, good, err := tracker.StartSession(t.Context(), "careful")
	require.NoError(t, err)
	_, err = good.Track(t.Context(), agentlens.EventLLMCall, agentlens.WithModel("gpt-4o"), agentlens.WithTokens(1000, 500))
	require.NoError(t, err)
	_, bad, err := tracker.StartSession(t.Context(), "careless")
	require.NoError(t, err)
	_, err = bad.TrackTool(t.Context(), "rm", map[string]any{"path": "/"}, nil)
	require.NoError(t, err)
	require.NoError(t, tracker.Shutdown(t.Context()))

	eventually(t, func(ctx context.Context) string {
		d, err := c.api().Session(ctx, bad.ID())
		if err != nil {
			return err.Error()
		}
		if len(d.Annotations) != 1 || len(d.Tags) != 1 {
			return fmt.Sprintf("annotations %v, tags %v", d.Annotations, d.Tags)
		}
		assert.Contains(t, d.Annotations[0].Text, "forbidden_tools")
		assert.Equal(t, []string{"compliance:fail"}, d.Tags)
		return ""
	})
	var d *roundtrip.Detail
	eventually(t, func(ctx context.Context) string {
		if d, err = c.api().Session(ctx, good.ID()); err != nil {
			return err.Error()
		}
		if len(d.Tags) == 0 {
			return "no tag yet on the session that keeps the policy"
		}
		return ""
	})
	assert.Equal(t, []string{"compliance:pass"}, d.Tags)
	// gpt-4o: 2.50 USD a million in, 10 out.
	assert.InDelta(t, 1000*2.5e-6+500*10e-6, d.TotalCostUSD.V, 1e-12)
}

// Without --config the distribution is complete.
func TestDefaultConfigurationIsComplete(t *testing.T) {
	c := newCollector(t, "").start()
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(c.otlpHTTP()))
	require.NoError(t, err)
	_, s, err := tracker.StartSession(t.Context(), "default")
	require.NoError(t, err)
	require.NoError(t, tracker.Shutdown(t.Context()))
	heldAll(t, c, []*analysis.Session{s.Snapshot()})
	c.stop(syscall.SIGTERM)
	assert.Zero(t, c.exitCode, "a clean stop")
}

// A session is visible while it goes on, before its first event.
func TestSessionIsVisibleAtOnce(t *testing.T) {
	c := newCollector(t, "").start()
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(c.otlpHTTP()))
	require.NoError(t, err)
	_, s, err := tracker.StartSession(t.Context(), "early", agentlens.WithMetadata(map[string]any{"version": "1"}))
	require.NoError(t, err)
	eventually(t, func(ctx context.Context) string {
		d, err := c.api().Session(ctx, s.ID())
		if err != nil {
			return err.Error()
		}
		assert.Equal(t, "early", d.AgentName)
		assert.Equal(t, analysis.StatusActive, d.Status)
		assert.Equal(t, map[string]any{"version": "1"}, d.Metadata)
		return ""
	})
	require.NoError(t, tracker.Shutdown(t.Context()))
}

// What the collector has acknowledged survives kill -9.
func TestQueueSurvivesKill(t *testing.T) {
	c := newCollector(t, "config/demo.yaml").start()
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(c.otlpHTTP()))
	require.NoError(t, err)
	sessions := trackAll(t, tracker)
	require.NoError(t, tracker.Shutdown(t.Context()))
	c.stop(syscall.SIGKILL)
	c.start()
	heldAll(t, c, sessions)
}

// heldAll waits until the backend holds every session as it was tracked.
func heldAll(t *testing.T, c *collector, sessions []*analysis.Session) []*roundtrip.Detail {
	t.Helper()
	details := make([]*roundtrip.Detail, len(sessions))
	for i, s := range sessions {
		eventually(t, func(ctx context.Context) string {
			d, err := c.api().Session(ctx, s.ID)
			if err != nil {
				return err.Error()
			}
			details[i] = d
			return strings.Join(roundtrip.Compare(s, d), "\n")
		})
	}
	return details
}

// trackAll records, from many goroutines, sessions with everything that an
// event can have, and returns them as the SDK knows them.
func trackAll(t *testing.T, tracker *agentlens.Tracker) []*analysis.Session {
	t.Helper()
	const count = 12
	sessions := make([]*analysis.Session, count)
	var wg sync.WaitGroup
	for i := range count {
		wg.Go(func() { sessions[i] = trackOne(t, tracker, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	wg.Wait()
	return sessions
}

func trackOne(t *testing.T, tracker *agentlens.Tracker, r *rand.Rand) *analysis.Session {
	ctx, s, err := tracker.StartSession(t.Context(), fmt.Sprintf("agent-%d", r.IntN(4)), agentlens.WithMetadata(map[string]any{
		"version": "2.1.0", "retries": r.IntN(5), "ratio": 0.25, "live": true, "labels": []string{"a", "b"}, "nested": map[string]any{"k": "<script>"},
	}))
	if !assert.NoError(t, err) {
		return nil
	}
	types := []agentlens.EventType{
		agentlens.EventLLMCall, agentlens.EventToolCall, agentlens.EventDecision, agentlens.EventError, agentlens.EventGeneric, "checkpoint",
	}
	for range 5 + r.IntN(40) {
		_, err := s.Track(ctx, types[r.IntN(len(types))], randomOptions(r)...)
		assert.NoError(t, err)
	}
	status := []agentlens.Status{agentlens.StatusCompleted, agentlens.StatusError}[r.IntN(2)]
	assert.NoError(t, s.End(ctx, agentlens.WithStatus(status)))
	return s.Snapshot()
}

func randomOptions(r *rand.Rand) []agentlens.EventOption {
	all := []agentlens.EventOption{
		agentlens.WithInput(map[string]any{"prompt": "héllo \u2028 \"world\"", "n": r.IntN(100), "list": []int{1, 2}}),
		agentlens.WithOutput(map[string]any{"response": strings.Repeat("x", r.IntN(3000)), "null": nil}),
		agentlens.WithModel([]string{"gpt-4o", "claude-3-5-sonnet-20241022", "unheard-of"}[r.IntN(3)]),
		agentlens.WithTokens(r.Int64N(5000), r.Int64N(500)),
		agentlens.WithInput([]any{"a list", 1}),
		agentlens.WithOutput("a text"),
		agentlens.WithCacheTokens(r.Int64N(100), 7),
		agentlens.WithReasoningTokens(3),
		agentlens.WithTokensIn(0),
		agentlens.WithReasoning("because it is\n- cheaper\n- faster 💡"),
		agentlens.WithDecision(agentlens.DecisionTrace{
			Step: 7, Reasoning: "weighed", Alternatives: []string{"wait", "ask"}, Confidence: analysis.Some(0.5),
		}),
		agentlens.WithTool("web_search", map[string]any{"query": "a & b"}, map[string]any{"results": []any{map[string]any{"title": "t"}}}),
		agentlens.WithDurationMS(float64(r.IntN(1e7)) / 1000),
		agentlens.WithDuration(time.Duration(1 + r.IntN(1e9))),
		agentlens.WithError(errors.New("connection reset")),
		agentlens.WithProvider("openai"),
	}
	var out []agentlens.EventOption
	for _, option := range all {
		if r.IntN(2) == 0 {
			out = append(out, option)
		}
	}
	return out
}
