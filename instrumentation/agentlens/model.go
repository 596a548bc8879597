package agentlens

import "github.com/agentlens/agentlens-otel/analysis"

// The model is that of package analysis, so that its engines take what the SDK
// returns.
type (
	// Event is one thing an agent did.
	Event = analysis.Event
	// EventType is the category of an event. A type that is not one of the
	// constants is kept and treated as generic.
	EventType = analysis.EventType
	// ToolCall is the use of a tool.
	ToolCall = analysis.ToolCall
	// DecisionTrace is why an agent did what it did.
	DecisionTrace = analysis.DecisionTrace
	// Status is where a session stands.
	Status = analysis.Status
	// FieldError is bad input: which field, what it holds, what would be right.
	FieldError = analysis.FieldError
)

// The documented event types.
const (
	EventLLMCall  = analysis.EventLLMCall
	EventToolCall = analysis.EventToolCall
	EventDecision = analysis.EventDecision
	EventError    = analysis.EventError
	EventGeneric  = analysis.EventGeneric
)

// The statuses of a session.
const (
	StatusActive    = analysis.StatusActive
	StatusCompleted = analysis.StatusCompleted
	StatusError     = analysis.StatusError
	StatusTimeout   = analysis.StatusTimeout
)
