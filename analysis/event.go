package analysis

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// EventType is the category of an event. The set is open: a type that is not
// one of the constants is kept and treated as generic.
type EventType string

// The documented event types.
const (
	EventLLMCall  EventType = "llm_call"
	EventToolCall EventType = "tool_call"
	EventDecision EventType = "decision"
	EventError    EventType = "error"
	EventGeneric  EventType = "generic"
)

// Event is one thing an agent did. Its JSON names are those of the AgentLens
// wire, with fields of our own added.
type Event struct {
	// ID is the event's span id: 16 hex digits.
	ID        string    `json:"event_id,omitempty"`
	SessionID string    `json:"session_id,omitempty"`
	Type      EventType `json:"event_type"`
	// Timestamp is when the event was recorded: the end of what it measures.
	Timestamp time.Time `json:"timestamp"`
	// DurationMS is the execution time in milliseconds; absent = not measured.
	DurationMS Opt[float64] `json:"duration_ms,omitzero"`

	// Model is the model asked for, ResponseModel the one that answered.
	Model         string `json:"model,omitempty"`
	ResponseModel string `json:"response_model,omitempty"`
	Provider      string `json:"provider,omitempty"`
	// ResponseID is the provider's id of the answer, the same in every span
	// that tells of one call.
	ResponseID string `json:"response_id,omitempty"`
	// ServiceTier is the tier that served the call, in the provider's words.
	ServiceTier string `json:"service_tier,omitempty"`

	// TokensIn counts all input tokens, cached ones included.
	TokensIn Opt[int64] `json:"tokens_in,omitzero"`
	// TokensOut counts all output tokens, reasoning included.
	TokensOut Opt[int64] `json:"tokens_out,omitzero"`
	// CacheReadTokens and CacheWriteTokens are parts of TokensIn.
	CacheReadTokens  Opt[int64] `json:"cache_read_tokens,omitzero"`
	CacheWriteTokens Opt[int64] `json:"cache_write_tokens,omitzero"`
	// ReasoningTokens is a part of TokensOut.
	ReasoningTokens Opt[int64] `json:"reasoning_tokens,omitzero"`
	// CostUSD is the price of the call; absent = unknown.
	CostUSD Opt[float64] `json:"cost_usd,omitzero"`

	ToolCall      *ToolCall      `json:"tool_call,omitempty"`
	DecisionTrace *DecisionTrace `json:"decision_trace,omitempty"`

	// Input and Output are valid JSON, usually an object; nil = absent.
	Input  json.RawMessage `json:"input_data,omitempty"`
	Output json.RawMessage `json:"output_data,omitempty"`

	// Error says why the event failed, whatever its type; nil = it did not.
	Error *Failure `json:"error,omitempty"`
}

// ToolCall is the use of a tool.
type ToolCall struct {
	ID   string `json:"tool_call_id,omitempty"`
	Name string `json:"tool_name"`
	// Input and Output are valid JSON; nil = absent.
	Input      json.RawMessage `json:"tool_input,omitempty"`
	Output     json.RawMessage `json:"tool_output,omitempty"`
	Timestamp  time.Time       `json:"timestamp,omitzero"`
	DurationMS Opt[float64]    `json:"duration_ms,omitzero"`
}

// DecisionTrace is why an agent did what it did.
type DecisionTrace struct {
	ID string `json:"trace_id,omitempty"`
	// Step numbers the decisions of a session from 1; 0 = not numbered.
	Step         int      `json:"step"`
	Reasoning    string   `json:"reasoning"`
	Alternatives []string `json:"alternatives_considered,omitempty"`
	// Confidence is between 0 and 1.
	Confidence Opt[float64] `json:"confidence,omitzero"`
	Timestamp  time.Time    `json:"timestamp,omitzero"`
}

// Failure is the error an event ended with.
type Failure struct {
	// Type is of low cardinality: an error class or a provider's code.
	Type    string `json:"type,omitempty"`
	Message string `json:"message,omitempty"`
}

// Failed reports whether the event is an error or ended with one.
func (e *Event) Failed() bool { return e.Type == EventError || e.Error != nil }

// FieldError is bad input: which field, what it holds, and what would be right.
type FieldError struct {
	Field string
	Value any
	Want  string
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("%s is %v, want %s", e.Field, e.Value, e.Want)
}

// Validate returns a *FieldError for the first figure that cannot be: a
// negative token count, a duration or cost that is negative, NaN or infinite,
// a confidence outside 0 to 1. Each figure is checked only where it is present.
func (e *Event) Validate() error {
	for _, t := range [...]struct {
		name string
		v    Opt[int64]
	}{
		{"tokens_in", e.TokensIn},
		{"tokens_out", e.TokensOut},
		{"cache_read_tokens", e.CacheReadTokens},
		{"cache_write_tokens", e.CacheWriteTokens},
		{"reasoning_tokens", e.ReasoningTokens},
	} {
		if t.v.OK && t.v.V < 0 {
			return &FieldError{t.name, t.v.V, "0 or more"}
		}
	}
	if err := checkAmount("duration_ms", e.DurationMS); err != nil {
		return err
	}
	if err := checkAmount("cost_usd", e.CostUSD); err != nil {
		return err
	}
	if e.ToolCall != nil {
		if err := checkAmount("tool_call.duration_ms", e.ToolCall.DurationMS); err != nil {
			return err
		}
	}
	if d := e.DecisionTrace; d != nil && d.Confidence.OK && !(d.Confidence.V >= 0 && d.Confidence.V <= 1) {
		return &FieldError{"confidence", d.Confidence.V, "a number from 0 to 1"}
	}
	return nil
}

func checkAmount(field string, v Opt[float64]) error {
	if v.OK && (!(v.V >= 0) || math.IsInf(v.V, 0)) {
		return &FieldError{field, v.V, "a finite number, 0 or more"}
	}
	return nil
}
