package analysis

import "time"

// Status is where a session stands.
type Status string

// The statuses of the AgentLens wire.
const (
	StatusActive    Status = "active"
	StatusCompleted Status = "completed"
	StatusError     Status = "error"
	StatusTimeout   Status = "timeout"
)

// Session is one run of an agent with everything it did.
type Session struct {
	ID        string         `json:"session_id"`
	AgentName string         `json:"agent_name"`
	Metadata  map[string]any `json:"metadata,omitempty"`
	StartedAt time.Time      `json:"started_at"`
	// EndedAt is zero while the session is active.
	EndedAt time.Time `json:"ended_at,omitzero"`
	Status  Status    `json:"status"`
	// TotalTokensIn and TotalTokensOut are the sums over the events that know
	// their tokens.
	TotalTokensIn  int64   `json:"total_tokens_in"`
	TotalTokensOut int64   `json:"total_tokens_out"`
	Events         []Event `json:"events"`
}

// Summary returns the summary of the session's events.
func (s *Session) Summary() *Summary {
	sum := NewSummary(s.ID, s.AgentName)
	sum.StartedAt, sum.EndedAt, sum.Status = s.StartedAt, s.EndedAt, s.Status
	for i := range s.Events {
		sum.Observe(&s.Events[i])
	}
	return sum
}
