package wire

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Limits of the original backend.
const (
	MaxBatchEvents = 500
	MaxBatchBytes  = 10 << 20
	// MaxFieldBytes is how much JSON a data field may hold; the original
	// replaces a longer one by a stub.
	MaxFieldBytes  = 256 << 10
	MaxStringChars = 1024
	MaxModelChars  = 128
	MaxIDChars     = 128
	// MaxCopies is how many ids Replaces or PartOf may have.
	MaxCopies = 64
)

// Header names of the backend.
const (
	HeaderAPIKey             = "X-API-Key"
	HeaderRateLimitReset     = "RateLimit-Reset"
	HeaderRateLimitRemaining = "RateLimit-Remaining"
)

// Event types that are not events of a session.
const (
	TypeSessionStart = "session_start"
	TypeSessionEnd   = "session_end"
)

// acceptedTypes are the event types the original backend takes; it skips any
// other with status 200.
var acceptedTypes = map[string]bool{
	TypeSessionStart: true, TypeSessionEnd: true, "llm_call": true, "tool_call": true, "tool_error": true,
	"agent_call": true, "agent_error": true, "error": true, "generic": true,
}

// Accepted reports whether the original backend takes events of this type.
func Accepted(eventType string) bool { return acceptedTypes[eventType] }

// IsEvent reports whether an entry of this type is an event of its session.
func IsEvent(eventType string) bool {
	return eventType != TypeSessionStart && eventType != TypeSessionEnd
}

var sessionIDPattern = regexp.MustCompile(`^[a-zA-Z0-9_\-.:]+$`)

// ValidID reports whether the backend accepts id as a session or event id.
func ValidID(id string) bool { return len(id) <= MaxIDChars && sessionIDPattern.MatchString(id) }

// Batch is the body of POST /events.
type Batch struct {
	Events []Event `json:"events"`
	// Copies are what further spans tell of calls that are events already, each
	// with PartOf. An event is given what only a copy knows; a copy is none
	// itself. They are no entries: the answer does not count them. The original
	// backend does not know them.
	Copies []Event `json:"copies,omitempty"`
}

// Answer is the body of a 200 to POST /events.
type Answer struct {
	Status          string `json:"status"`
	Processed       int    `json:"processed"`
	Skipped         int    `json:"skipped"`
	TruncatedFields int    `json:"truncated_fields"`
	// Reasons says of the first few entries skipped and fields truncated or
	// dropped which and why. The original backend does not send it.
	Reasons []string `json:"reasons,omitempty"`
}

// Error is the body of every answer that is not a success.
type Error struct {
	Error string `json:"error"`
}

// Event is one entry of a batch: a session_start, a session_end, or an event.
type Event struct {
	EventType string `json:"event_type"`
	SessionID string `json:"session_id"`
	Timestamp *Time  `json:"timestamp,omitempty"`

	// Of a session_start.
	AgentName string         `json:"agent_name,omitempty"`
	Metadata  map[string]any `json:"metadata,omitempty"`

	// Of a session_end.
	EndedAt        *Time               `json:"ended_at,omitempty"`
	TotalTokensIn  analysis.Opt[int64] `json:"total_tokens_in,omitzero"`
	TotalTokensOut analysis.Opt[int64] `json:"total_tokens_out,omitzero"`
	Status         analysis.Status     `json:"status,omitempty"`

	// Of an event.
	EventID       string                `json:"event_id,omitempty"`
	InputData     json.RawMessage       `json:"input_data,omitempty"`
	OutputData    json.RawMessage       `json:"output_data,omitempty"`
	Model         string                `json:"model,omitempty"`
	TokensIn      analysis.Opt[int64]   `json:"tokens_in,omitzero"`
	TokensOut     analysis.Opt[int64]   `json:"tokens_out,omitzero"`
	ToolCall      *ToolCall             `json:"tool_call,omitempty"`
	DecisionTrace *DecisionTrace        `json:"decision_trace,omitempty"`
	DurationMS    analysis.Opt[float64] `json:"duration_ms,omitzero"`

	// Not known to the original backend.

	// TrueType is the event's own type where EventType had to be another for
	// the original to take it: a decision is sent as generic.
	TrueType         string                `json:"agentlens_event_type,omitempty"`
	TraceID          string                `json:"otel_trace_id,omitempty"`
	ParentID         string                `json:"parent_event_id,omitempty"`
	Provider         string                `json:"provider,omitempty"`
	CacheReadTokens  analysis.Opt[int64]   `json:"cache_read_tokens,omitzero"`
	CacheWriteTokens analysis.Opt[int64]   `json:"cache_write_tokens,omitzero"`
	ReasoningTokens  analysis.Opt[int64]   `json:"reasoning_tokens,omitzero"`
	CostUSD          analysis.Opt[float64] `json:"cost_usd,omitzero"`
	Error            *analysis.Failure     `json:"error,omitempty"`
	// Replaces are the ids of events whose place this one takes: they tell the
	// same call.
	Replaces []string `json:"agentlens_replaces,omitempty"`
	// PartOf, of a copy, are the ids of the events that told its call before.
	PartOf []string `json:"agentlens_part_of,omitempty"`
	// OutputIsError says that OutputData repeats Error, so that the original,
	// which has no field for it, shows it. It is no output of the event.
	OutputIsError bool `json:"agentlens_output_is_error,omitempty"`
}

// Own makes the event what it is of its own: it drops what was written only
// for the original backend. One that knows Error calls it on what it reads.
func (e *Event) Own() {
	if e.OutputIsError {
		e.OutputData, e.OutputIsError = nil, false
	}
}

// Type returns the event's own type.
func (e *Event) Type() string {
	if e.TrueType != "" {
		return e.TrueType
	}
	return e.EventType
}

// ToolCall is the tool call of an event.
type ToolCall struct {
	ID         string                `json:"tool_call_id"`
	Name       string                `json:"tool_name"`
	Input      json.RawMessage       `json:"tool_input,omitempty"`
	Output     json.RawMessage       `json:"tool_output,omitempty"`
	Timestamp  *Time                 `json:"timestamp,omitempty"`
	DurationMS analysis.Opt[float64] `json:"duration_ms,omitzero"`
}

// DecisionTrace is the decision trace of an event.
type DecisionTrace struct {
	ID           string                `json:"trace_id"`
	Step         int                   `json:"step"`
	Reasoning    string                `json:"reasoning"`
	Alternatives []string              `json:"alternatives_considered,omitempty"`
	Confidence   analysis.Opt[float64] `json:"confidence,omitzero"`
	Timestamp    *Time                 `json:"timestamp,omitempty"`
}

// Annotation is the body of POST /sessions/:id/annotations.
type Annotation struct {
	Text    string `json:"text"`
	Author  string `json:"author,omitempty"`
	Type    string `json:"type,omitempty"`
	EventID string `json:"event_id,omitempty"`

	// AlertGroup is that of an alert, fired or resolved. The original backend
	// does not know it.
	AlertGroup AlertGroup `json:"alert_group,omitzero"`
}

// AlertGroup says for which group of events a rule fired or is resolved, and in
// whose state: one that fired is resolved by the same rule in the same group.
type AlertGroup struct {
	// By is none, agent, session or model.
	By string `json:"by"`
	// Value is the agent, session or model, of MaxStringChars at most.
	Value string `json:"value,omitempty"`
	// StateID names the collector's state.
	StateID string `json:"state_id,omitempty"`
}

// Annotation types and limits.
const (
	AnnotationNote      = "note"
	AnnotationBug       = "bug"
	AnnotationInsight   = "insight"
	AnnotationWarning   = "warning"
	AnnotationMilestone = "milestone"

	MaxAnnotationChars = 4000
)

// Tags is the body of POST /sessions/:id/tags.
type Tags struct {
	Tags []string `json:"tags"`
}

// Limits on tags.
const (
	MaxTagChars       = 64
	MaxTagsPerSession = 20
)

// timeLayout has the six digits the original SDK sends, always in UTC.
const timeLayout = "2006-01-02T15:04:05.000000Z07:00"

// Time is a time as the wire writes it: UTC, to the microsecond.
type Time struct{ time.Time }

// At returns t for the wire, nil when t is zero.
func At(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t.UTC().Truncate(time.Microsecond)}
}

// MarshalJSON writes the time with six digits of fraction.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"` + timeLayout + `"`)), nil
}

// UnmarshalJSON reads an RFC 3339 time. One without an offset, as Python's
// naive datetimes print, is taken as UTC.
func (t *Time) UnmarshalJSON(b []byte) error {
	if err := t.Time.UnmarshalJSON(b); err == nil {
		return nil
	}
	// Parse accepts a fraction of a second that the layout does not name.
	naive, err := time.Parse(`"2006-01-02T15:04:05"`, string(b))
	if err != nil {
		return &analysis.FieldError{Field: "time", Value: string(b), Want: "RFC 3339, as \"2026-02-14T10:30:00.000000Z\""}
	}
	t.Time = naive
	return nil
}

// Of returns the time, zero when t is nil.
func (t *Time) Of() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
