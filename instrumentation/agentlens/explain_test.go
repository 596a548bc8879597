package agentlens_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

func TestExplain(t *testing.T) {
	r := newRecorded(t, nil, agentlens.WithMaxEvents(2))
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	for i := range 2 {
		_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithModel(fmt.Sprint("m", i)), agentlens.WithTokens(10, 1))
		require.NoError(t, err)
	}
	text, err := s.Explain(ctx)
	require.NoError(t, err)
	assert.Equal(t, analysis.Explain(s.Snapshot()), text)
	assert.Contains(t, text, "(model: m0)")

	_, err = s.TrackTool(ctx, "search", nil, nil)
	require.NoError(t, err)
	text, err = s.Explain(ctx)
	require.NoError(t, err)
	assert.NotContains(t, text, "(model: m0)")
	assert.Contains(t, text, "tool: search")
	assert.Contains(t, text, "**Total tokens:** 20 in / 2 out", "the totals know all events")
	assert.True(t, strings.HasSuffix(text, "\n\nEarlier events, no longer in memory: 1. The backend has them."))
	require.NoError(t, s.End(ctx))
}

// The last 64 ended sessions are known by id, and together hold 32 MiB.
func TestEndedSessionsAreForgotten(t *testing.T) {
	r := newRecorded(t, nil, agentlens.WithoutSessionStart(), agentlens.WithMaxContentBytes(8<<20))
	end := func(size int) *agentlens.Session {
		ctx, s, err := r.StartSession(t.Context(), "agent")
		require.NoError(t, err)
		_, err = s.Track(ctx, agentlens.EventGeneric, agentlens.WithInput(blob(size)))
		require.NoError(t, err)
		require.NoError(t, s.End(ctx))
		return s
	}
	known := func(s *agentlens.Session) bool {
		_, err := r.Explain(t.Context(), agentlens.WithSessionID(s.ID()))
		if err != nil {
			require.ErrorIs(t, err, agentlens.ErrSessionNotFound)
		}
		return err == nil
	}
	first := end(10)
	for range 63 {
		end(10)
	}
	assert.True(t, known(first))
	second := end(10)
	assert.False(t, known(first))
	_, err := first.Explain(t.Context())
	require.NoError(t, err, "who holds it can have it explained")

	for range 11 {
		end(3 << 20)
	}
	assert.False(t, known(second), "pushed out by size")

	// An id may be used again once its session has ended.
	ctx, _, err := r.StartSession(t.Context(), "again", agentlens.WithSessionID(second.ID()))
	require.NoError(t, err)
	require.NoError(t, r.EndSession(ctx))
	ctx, _, err = r.StartSession(t.Context(), "once more", agentlens.WithSessionID(second.ID()))
	require.NoError(t, err)
	text, err := r.Explain(ctx)
	require.NoError(t, err)
	assert.Contains(t, text, "once more")
	require.NoError(t, r.EndSession(ctx))
}

type blob int

var filler = []byte(strings.Repeat("x", 3<<20))

func (b blob) MarshalJSON() ([]byte, error) {
	return append(append([]byte{'"'}, filler[:b]...), '"'), nil
}

// The engines' view agrees with itself: the summary kept while tracking is the
// one computed from the events.
func TestSummaryMatchesSnapshot(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithModel("m"), agentlens.WithTokens(3, 4), agentlens.WithDurationMS(2))
	require.NoError(t, err)
	_, err = s.TrackTool(ctx, "t", nil, nil, agentlens.WithReasoning("r"))
	require.NoError(t, err)
	sum := s.Summary()
	assert.Equal(t, s.Snapshot().Summary(), sum)
	sum.Models.Add("other", 1)
	assert.Zero(t, s.Summary().Models.Get("other"), "a copy")
	require.NoError(t, s.End(ctx))
	assert.Equal(t, s.Snapshot().Summary(), s.Summary())
}
