package drift

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

// TestRollingChoosesByEnd: whatever the order of the sessions, the newest by
// their end are compared with those before them, as a window that they were
// added to one by one would be.
func TestRollingChoosesByEnd(t *testing.T) {
	start := time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC)
	var sessions []*analysis.Summary
	for i := range 40 {
		s := &analysis.Summary{SessionID: fmt.Sprintf("s%02d", i), AgentName: "a", StartedAt: start, EndedAt: start.Add(time.Duration(i) * time.Hour)}
		s.Observe(&analysis.Event{ID: "e", Type: analysis.EventLLMCall, Timestamp: s.EndedAt, Model: "m", TokensIn: analysis.Some(int64(100 + 37*i%50 + i/30*400))})
		sessions = append(sessions, s)
	}
	r := Rolling{BaselineSessions: 20, CurrentSessions: 8}
	require.NoError(t, r.Check())
	w, err := NewWindow(r.Sessions())
	require.NoError(t, err)
	for _, s := range sessions {
		require.NoError(t, w.Add(s))
	}
	b, c := r.Split(w)
	want, err := CompareWindows(b, c, r.Config())
	require.NoError(t, err)
	require.Positive(t, want.Score)

	rand.New(rand.NewPCG(1, 2)).Shuffle(len(sessions), func(i, j int) { sessions[i], sessions[j] = sessions[j], sessions[i] })
	got, baseline, current, err := r.Compare(sessions)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, []int{20, 8}, []int{len(baseline), len(current)})
	require.Equal(t, []string{"s12", "s31", "s32", "s39"}, []string{baseline[0].SessionID, baseline[19].SessionID, current[0].SessionID, current[7].SessionID})

	_, baseline, current, err = r.Compare(sessions[:8])
	require.ErrorAs(t, err, new(*EmptyWindowError))
	require.Empty(t, baseline)
	require.Len(t, current, 8)
}

func TestRollingValidates(t *testing.T) {
	require.NoError(t, DefaultRolling().Check())
	err := Rolling{BaselineSessions: 1, CurrentSessions: 10_001}.Check()
	require.ErrorContains(t, err, "baseline_sessions is 1, want 2 to 10000")
	require.ErrorContains(t, err, "current_sessions is 10001")
}
