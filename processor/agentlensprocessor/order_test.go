package agentlensprocessor

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// With the spans of all sessions out of order within the allowed lateness, and
// some sent twice, the last verdict on each session is the same: totals, cost,
// compliance and drift. So is what the drift engine has learnt, and what it
// tells as news, which another session's span may carry.
func TestReorderedSpansSameVerdicts(t *testing.T) {
	for name, spans := range map[string][]oneSpan{"sdk": busySessions(t, 140), "captures": captures(t)} {
		t.Run(name, func(t *testing.T) {
			spans = delayed(spans, func() time.Duration { return 0 })
			inOrder := runAll(t, copies(spans), func() int { return len(spans) }, wideWindows)
			wantVerdicts, wantDrift := verdictsWithDrift(inOrder), driftState(t, inOrder)
			if name == "sdk" {
				require.NotEmpty(t, driftNews(inOrder))
			}
			overtaken := false
			for seed := range uint64(6) {
				r := rand.New(rand.NewPCG(seed, 1))
				disturbed := delayed(someTwice(spans, r), func() time.Duration { return time.Duration(r.Int64N(int64(time.Minute))) })
				h := runAll(t, disturbed, func() int { return 1 + r.IntN(40) }, wideWindows)
				if diff := verdictDifference(wantVerdicts, verdictsWithDrift(h)); diff != "" {
					t.Fatalf("seed %d: %s", seed, diff)
				}
				require.Equal(t, wantDrift, driftState(t, h), "seed %d", seed)
				require.Equal(t, driftNews(inOrder), driftNews(h), "seed %d", seed)
				overtaken = overtaken || !slices.Equal(sessionsInOrder(inOrder), sessionsInOrder(h))
			}
			assert.True(t, overtaken, "no session was completed before another that had ended before it")
		})
	}
}

// Sessions without roots are completed by one sweep, in whatever order the table
// holds them; their drift goes by when they ended.
func TestIdleSessionsJoinDriftByTheirEnd(t *testing.T) {
	const sessions = 40
	verdicts := func(order []int) map[string]string {
		h := newHarness(t, allEngines)
		for _, i := range order {
			td, span := chat(fmt.Sprintf("conversation-%02d", i), byte(i+1), 1)
			end := span.EndTimestamp().AsTime().Add(time.Duration(i) * 10 * time.Minute)
			span.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-time.Duration(i+1) * time.Second)))
			span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
			h.feed(t, td)
		}
		h.clock.pass(h.cfg.IdleTimeout)
		h.sweep(t.Context())
		return verdictsWithDrift(h)
	}
	inOrder := make([]int, sessions)
	for i := range inOrder {
		inOrder[i] = i
	}
	want := verdicts(inOrder)
	assert.Contains(t, want["conversation-39"], semconv.DriftStatus+"="+string(drift.Degraded))
	shuffled := slices.Clone(inOrder)
	rand.New(rand.NewPCG(3, 4)).Shuffle(sessions, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	assert.Equal(t, want, verdicts(shuffled))
}

// A root that overtakes the span which names its session completes one under its
// trace's id. It is no session of its own to drift, after a restart either.
func TestSessionNamedLateIsOneToDrift(t *testing.T) {
	for _, restart := range []bool{false, true} {
		h := newHarness(t, allEngines)
		td, root := chat("", 1, 1)
		root.SetParentSpanID(pcommon.SpanID{})
		h.feed(t, td)
		require.Equal(t, []string{root.TraceID().String()}, waitingIDs(h.engines.drift, ""))
		if restart {
			state, err := h.engines.drift.snapshot()
			require.NoError(t, err)
			h.engines.drift = newDriftEngine(h.cfg.Drift)
			require.NoError(t, h.engines.drift.restore(state))
		}
		td, _ = chat("conversation", 1, 2)
		h.feed(t, td)
		h.clock.pass(h.cfg.IdleTimeout)
		h.sweep(t.Context())
		assert.Equal(t, []string{"conversation"}, waitingIDs(h.engines.drift, ""))
	}
}

// waitingIDs returns the sessions of an agent that have not joined its windows.
func waitingIDs(d *driftEngine, agent string) (ids []string) {
	q := &d.agents[agent].Waiting
	for _, w := range q.waiting() {
		ids = append(ids, string(q.session(&w).ID()))
	}
	return ids
}

// wideWindows are wide enough to tell a change.
func wideWindows(cfg *Config) {
	allEngines(cfg)
	cfg.Drift.BaselineSessions, cfg.Drift.CurrentSessions = 25, 20
}

// busySessions records sessions of two agents: one a day for a week, so that
// there is something to forecast from, and then many that go on at the same
// time, the later ones of the first agent with more tokens, so that its drift
// changes.
func busySessions(t testing.TB, count int) []oneSpan {
	t.Helper()
	random := rand.New(rand.NewPCG(21, 22))
	begin := time.Date(2026, 2, 24, 8, 0, 0, 0, time.UTC)
	return record(t, func(tracker *agentlens.Tracker) {
		for i := range count {
			at := begin.Add(time.Duration(i) * 7 * time.Second)
			if i < 14 {
				at = begin.AddDate(0, 0, i/2-7)
			}
			scale := 1
			if i%2 == 0 && i > count/2 {
				scale = 6
			}
			ctx, s, err := tracker.StartSession(t.Context(), []string{"research", "coder"}[i%2],
				agentlens.WithSessionID(fmt.Sprintf("busy-%03d", i)), agentlens.WithTimestamp(at))
			require.NoError(t, err)
			for range 3 + random.IntN(6) {
				at = at.Add(time.Duration(1+random.IntN(12_000)) * time.Millisecond)
				_, err := s.Track(ctx, randomType(random), randomEvent(random, at, scale)...)
				require.NoError(t, err)
			}
			require.NoError(t, s.End(ctx, agentlens.WithTimestamp(at.Add(time.Second))))
		}
	})
}

func spanOf(s oneSpan) ptrace.Span {
	return s.td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
}

// delayed returns spans in the order in which they arrive, each so long after
// its end.
func delayed(spans []oneSpan, delay func() time.Duration) []oneSpan {
	type arrival struct {
		at time.Time
		oneSpan
	}
	arrivals := make([]arrival, len(spans))
	for i, s := range spans {
		arrivals[i] = arrival{spanOf(s).EndTimestamp().AsTime().Add(delay()), s}
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return a.at.Compare(b.at) })
	out := make([]oneSpan, len(spans))
	for i := range arrivals {
		out[i] = arrivals[i].oneSpan
	}
	return out
}

// someTwice returns copies of spans, and of one in five another.
func someTwice(spans []oneSpan, r *rand.Rand) []oneSpan {
	out := copies(spans)
	for _, s := range spans {
		if r.IntN(5) == 0 {
			out = append(out, copies([]oneSpan{s})...)
		}
	}
	return out
}

// verdictsWithDrift are the last verdicts with the score and the status of
// drift.
func verdictsWithDrift(h *harness) map[string]string {
	return lastVerdicts(findingsOf(h.sink), semconv.DriftScore+"=", semconv.DriftStatus+"=")
}

// driftNews returns the changes of drift told, without the spans they stand on.
func driftNews(h *harness) []string {
	var out []string
	for _, one := range single(h.sink.AllTraces()...) {
		for _, event := range spanOf(one).Events().All() {
			if event.Name() == semconv.EventDriftDetected {
				b, _ := json.Marshal(event.Attributes().AsRaw())
				out = append(out, string(b))
			}
		}
	}
	slices.Sort(out)
	// A copy of a root says what the first said.
	return slices.Compact(out)
}

var revisions = regexp.MustCompile(`"revision": \d+,`)

// driftState returns all that the drift engine knows, but for the comparisons
// that it keeps for sessions that come late, and how often a session was judged.
func driftState(t testing.TB, h *harness) string {
	t.Helper()
	state := map[string]agentDrift{}
	for name, a := range h.engines.drift.agents {
		held := *a
		held.Comparisons = nil
		state[name] = held
	}
	b, err := json.MarshalIndent(state, "", " ")
	require.NoError(t, err)
	return revisions.ReplaceAllString(string(b), "")
}

// sessionsInOrder returns the sessions as their verdicts came.
func sessionsInOrder(h *harness) []string {
	var out []string
	for _, one := range single(h.sink.AllTraces()...) {
		attrs := spanOf(one).Attributes()
		if _, ok := attrs.Get(semconv.SessionStatus); !ok {
			continue
		}
		if id, ok := attrs.Get(semconv.AgentLensSessionID); ok && !slices.Contains(out, id.Str()) {
			out = append(out, id.Str())
		}
	}
	return out
}
