package analysis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/internal/golden"
)

func TestGoldenExplain(t *testing.T) {
	for _, c := range golden.Load(t, "explain.jsonl") {
		t.Run(c.ID, func(t *testing.T) {
			input := golden.Decode[struct {
				Session golden.Session `json:"session"`
			}](t, c.Input)
			want := golden.Decode[struct {
				Markdown string `json:"markdown"`
			}](t, c.Expected)
			assert.Equal(t, want.Markdown, analysis.Explain(input.Session.Analysis()))
		})
	}
}

func TestExplainWithoutAnything(t *testing.T) {
	assert.Equal(t, "## Session Explanation: \n**Session ID:** \n**Started:** 0001-01-01T00:00:00+00:00\n**Status:** \n"+
		"**Total tokens:** 0 in / 0 out\n\n### Event Timeline:", analysis.Explain(&analysis.Session{}))
	assert.Equal(t, "Session a1b2 not found.", analysis.SessionNotFound("a1b2"))
}

// What Go can hold and the original cannot: a start below the microsecond.
func TestExplainCutsNanoseconds(t *testing.T) {
	at := time.Date(2026, 2, 14, 10, 30, 0, 999, time.UTC)
	assert.Contains(t, analysis.Explain(&analysis.Session{StartedAt: at}), "**Started:** 2026-02-14T10:30:00+00:00\n")
	at = at.Add(1_001 * time.Microsecond)
	assert.Contains(t, analysis.Explain(&analysis.Session{
		StartedAt: at, Events: []analysis.Event{{Timestamp: at.Add(time.Hour)}},
	}), "**Started:** 2026-02-14T10:30:00.001001+00:00\n")
}
