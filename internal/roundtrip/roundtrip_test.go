package roundtrip

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentlens/agentlens-otel/analysis"
)

func tracked() *analysis.Session {
	at := time.Date(2026, 2, 14, 10, 30, 1, 234_567_891, time.UTC)
	return &analysis.Session{
		ID: "a1", AgentName: "agent", Status: analysis.StatusCompleted, StartedAt: at, EndedAt: at.Add(time.Second),
		Metadata: map[string]any{"retries": 2}, TotalTokensIn: 5,
		Events: []analysis.Event{{
			ID: "e1", SessionID: "a1", Type: analysis.EventToolCall, Timestamp: at, TokensIn: analysis.Some(int64(5)),
			ToolCall: &analysis.ToolCall{Name: "search", Input: json.RawMessage(`{"q":1}`), Timestamp: at},
		}, {ID: "e2", SessionID: "a1", Type: analysis.EventError, Timestamp: at.Add(time.Millisecond)}},
	}
}

func TestCompareFindsEveryDifference(t *testing.T) {
	assert.Empty(t, Compare(tracked(), &Detail{Session: *tracked()}))
	for name, change := range map[string]func(*Detail){
		"status":     func(d *Detail) { d.Status = analysis.StatusError },
		"metadata":   func(d *Detail) { d.Metadata = nil },
		"start":      func(d *Detail) { d.StartedAt = d.StartedAt.Add(time.Microsecond) },
		"totals":     func(d *Detail) { d.TotalTokensIn = 10 },
		"lost event": func(d *Detail) { d.Events = d.Events[:1] },
		"order":      func(d *Detail) { d.Events[0], d.Events[1] = d.Events[1], d.Events[0] },
		"tokens":     func(d *Detail) { d.Events[0].TokensIn = analysis.Opt[int64]{} },
		"tool input": func(d *Detail) { d.Events[0].ToolCall.Input = json.RawMessage(`{"q":2}`) },
		"reasoning":  func(d *Detail) { d.Events[1].DecisionTrace = &analysis.DecisionTrace{Reasoning: "x"} },
	} {
		held := &Detail{Session: *tracked()}
		change(held)
		assert.NotEmpty(t, Compare(tracked(), held), name)
	}
}

func TestCompareAllowsWhatTheBackendAdds(t *testing.T) {
	held := &Detail{Session: *tracked()}
	held.StartedAt = held.StartedAt.Truncate(time.Microsecond)
	held.Events[0].CostUSD = analysis.Some(0.1)
	held.Events[1].Input = json.RawMessage("null")
	assert.Empty(t, Compare(tracked(), held))
}
