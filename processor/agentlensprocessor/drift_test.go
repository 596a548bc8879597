package agentlensprocessor

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// driftNow is later than all sessions of these tests.
var driftNow = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// driftSession is a session whose calls take about so many tokens.
func driftSession(n, tokens int, tool string, random *rand.Rand) *analysis.Summary {
	s := analysis.NewSummary(fmt.Sprintf("s%04d", n), "agent")
	s.EndedAt = time.Date(2026, 3, 1, 0, n, 0, 0, time.UTC)
	for range 5 {
		e := analysis.Event{
			Type: analysis.EventLLMCall, Model: "gpt-4o",
			TokensIn: analysis.Some(int64(float64(tokens) * (0.7 + 0.6*random.Float64()))), TokensOut: analysis.Some(int64(50 + random.IntN(20))),
		}
		s.Observe(&e)
		e = analysis.Event{Type: analysis.EventToolCall, ToolCall: &analysis.ToolCall{Name: tool}}
		s.Observe(&e)
	}
	return s
}

// In every mode a change is told once, as news, and a return to the baseline is
// news again.
func TestDriftModes(t *testing.T) {
	for _, mode := range []DriftMode{DriftRolling, DriftVersion, DriftPinned} {
		t.Run(string(mode), func(t *testing.T) {
			cfg := DriftConfig{Enabled: true, Mode: mode, BaselineSessions: 40, CurrentSessions: 20}
			if mode == DriftPinned {
				cfg.Baseline = "golden"
			}
			require.NoError(t, cfg.validate())
			d := newDriftEngine(cfg)
			random := rand.New(rand.NewPCG(5, 5))
			var news []drift.Status
			n := 0
			feed := func(count, tokens int, tool, version string) {
				for range count {
					n++
					f, err := d.add(driftSession(n, tokens, tool, random), version, 1, driftNow)
					require.NoError(t, err)
					if f != nil {
						for _, report := range f.Changed {
							news = append(news, report.Status)
						}
					}
				}
			}
			feed(60, 1000, "search", "v1")
			assert.Empty(t, news, "nothing changed")
			feed(20, 3000, "shell", "v2")
			require.NotEmpty(t, news)
			assert.Contains(t, []drift.Status{drift.MinorDrift, drift.SignificantDrift, drift.Degraded}, news[len(news)-1])
			last := d.at("agent", driftNow)
			assert.Greater(t, last.Score, 15.0)
			told := len(news)
			if mode == DriftPinned {
				feed(30, 1000, "search", "v3")
				assert.Equal(t, drift.Stable, news[len(news)-1], "back at the baseline")
				assert.Greater(t, len(news), told)
			}
		})
	}
}

// A revised session replaces itself.
func TestDriftTakesRevisions(t *testing.T) {
	d := newDriftEngine(DriftConfig{Mode: DriftRolling, BaselineSessions: 5, CurrentSessions: 5})
	random := rand.New(rand.NewPCG(1, 1))
	for revision := range int64(4) {
		_, err := d.add(driftSession(1, 100, "search", random), "", revision+1, driftNow)
		require.NoError(t, err)
	}
	assert.Equal(t, 1, d.agents["agent"].Recent.Len())
}

// Another name for the pinned baseline starts another; the first is there when
// its name comes back.
func TestPinnedBaselineIsKeptByName(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	engine := func(name string) *driftEngine {
		return newDriftEngine(DriftConfig{Mode: DriftPinned, Baseline: name, BaselineSessions: 3, CurrentSessions: 3})
	}
	first := engine("one")
	for n := range 5 {
		_, err := first.add(driftSession(n, 100, "search", random), "", 1, driftNow)
		require.NoError(t, err)
	}
	state, err := first.snapshot()
	require.NoError(t, err)
	second := engine("two")
	require.NoError(t, second.restore(state))
	_, err = second.add(driftSession(9, 100, "search", random), "", 1, driftNow)
	require.NoError(t, err)
	assert.Equal(t, 1, second.agents["agent"].Pinned["two"].Len())
	state, err = second.snapshot()
	require.NoError(t, err)
	third := engine("one")
	require.NoError(t, third.restore(state))
	assert.Equal(t, 3, third.agents["agent"].Pinned["one"].Len())
}

// Of more agents than there is room for, the new ones are left out.
func TestDriftAgentsAreBounded(t *testing.T) {
	d := newDriftEngine(DriftConfig{Mode: DriftRolling, BaselineSessions: 2, CurrentSessions: 2})
	for n := range maxAgents + 5 {
		s := analysis.NewSummary("s", fmt.Sprintf("agent-%d", n))
		_, err := d.add(s, "", 1, driftNow)
		require.NoError(t, err)
	}
	assert.Len(t, d.agents, maxAgents)
}

// An engine that is stored and restored after each session says what one says
// that never stopped, of sessions that come out of order too.
func TestDriftGoesOnAfterRestarts(t *testing.T) {
	cfg := DriftConfig{Mode: DriftRolling, BaselineSessions: 10, CurrentSessions: 5, AllowedLateness: time.Minute}
	random := rand.New(rand.NewPCG(7, 8))
	steady, restarted := newDriftEngine(cfg), newDriftEngine(cfg)
	found := 0
	for n := range 80 {
		s := driftSession(n, 100+n*n, "search", random)
		s.EndedAt = time.Date(2026, 3, 1, 0, 0, 10*n+random.IntN(60), 0, time.UTC)
		want, err := steady.add(s, "", 1, driftNow)
		require.NoError(t, err)
		got, err := restarted.add(s, "", 1, driftNow)
		require.NoError(t, err)
		require.Equal(t, want, got)
		if want != nil {
			found++
		}
		state, err := restarted.snapshot()
		require.NoError(t, err)
		restarted = newDriftEngine(cfg)
		require.NoError(t, restarted.restore(state))
	}
	require.Greater(t, found, 30)
}

// The sessions that have joined stay in the list for a while. What the engine
// says and keeps is what it would if each were taken out at once, whatever order
// sessions and their revisions come in.
func TestJoinedSessionsAreGone(t *testing.T) {
	cfg := DriftConfig{Enabled: true, Mode: DriftRolling, BaselineSessions: 6, CurrentSessions: 3, AllowedLateness: 2 * time.Minute}
	require.NoError(t, cfg.validate())
	rapid.Check(t, func(rt *rapid.T) {
		lazy, eager := newDriftEngine(cfg), newDriftEngine(cfg)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		for i := range int64(60) {
			n := int(i)/3 + rapid.IntRange(0, 5).Draw(rt, "session")
			s := driftSession(n, 100, "search", random)
			revision := rapid.Int64Range(1, 2).Draw(rt, "revision")
			got, err := lazy.add(s, "", revision, driftNow)
			require.NoError(rt, err)
			want, err := eager.add(s, "", revision, driftNow)
			require.NoError(rt, err)
			require.Equal(rt, want, got)
			eager.agents["agent"].Waiting.forgetJoined()
			require.Equal(rt, waitingIDs(eager, "agent"), waitingIDs(lazy, "agent"))
		}
		want, err := eager.snapshot()
		require.NoError(rt, err)
		got, err := lazy.snapshot()
		require.NoError(rt, err)
		require.JSONEq(rt, string(want), string(got))
	})
}

// A waiting session is stored as it always was, and goes on from there.
func TestWaitingSessionIsStoredAsItWas(t *testing.T) {
	const stored = `[{"end":"2026-11-23T05:00:00.000000001Z","session_id":"s-1","version":"1.2","revision":3,"session":{
		"version":1,"max_sessions":1,"sessions":[{"session_id":"s-1","end":"2026-11-23T05:00:00.000000001Z","revision":3,
		"metrics":{"event_count":2,"total_tokens":30,"tokens_per_event":15,"error_rate":0.5,"tool_call_rate":0},
		"models":{"list":[{"name":"gpt-4o","n":2}],"other":4},"event_types":{"list":[{"name":"error","n":1},{"name":"llm_call","n":1}]}}]}}]`
	var w waitingSessions
	require.NoError(t, json.Unmarshal([]byte(stored), &w))
	got, err := json.Marshal(&w)
	require.NoError(t, err)
	require.JSONEq(t, stored, string(got))
	require.ErrorContains(t, json.Unmarshal([]byte(`[{"session_id":"s-1"}]`), &w), `"s-1" has no figures`)
}

// Sessions that ended at once wait in the order of their ids, whichever came
// first.
func TestWaitingSessionsOfOneEnd(t *testing.T) {
	h := newHarness(t, func(cfg *Config) { cfg.Drift.AllowedLateness = time.Hour })
	for _, id := range []string{"b", "c", "a"} {
		s := analysis.NewSummary(id, "agent")
		s.EndedAt = driftNow
		_, err := h.engines.drift.add(s, "", 1, driftNow)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"a", "b", "c"}, waitingIDs(h.engines.drift, "agent"))
}
