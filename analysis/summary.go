package analysis

import (
	"strings"
	"time"
)

// Summary is what a session has done so far. Observing an event costs the same
// however many came before; two summaries of parts of one session merge into
// the summary of the whole, in any order.
type Summary struct {
	SessionID string `json:"session_id"`
	AgentName string `json:"agent_name"`
	Status    Status `json:"status,omitempty"`
	// StartedAt and EndedAt are the session's own; zero = not known (yet).
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	// FirstEvent is the earliest start and LastEvent the latest end of an event.
	FirstEvent time.Time `json:"first_event,omitzero"`
	LastEvent  time.Time `json:"last_event,omitzero"`

	Events     int64  `json:"events"`
	EventTypes Counts `json:"event_types"`
	// Models counts the events that name a model, by model.
	Models Counts `json:"models"`
	// Tools counts the events with a tool call, by tool.
	Tools Counts `json:"tools"`

	TokensIn         int64 `json:"tokens_in"`
	TokensOut        int64 `json:"tokens_out"`
	CacheReadTokens  int64 `json:"cache_read_tokens"`
	CacheWriteTokens int64 `json:"cache_write_tokens"`
	ReasoningTokens  int64 `json:"reasoning_tokens"`

	// CostUSD is the sum over the events whose cost is known; Priced counts
	// those, and Unpriced the LLM calls whose cost is not.
	CostUSD  Sum   `json:"cost_usd"`
	Priced   int64 `json:"priced"`
	Unpriced int64 `json:"unpriced"`

	// LLMCalls counts events of type llm_call, ToolCalls those with a tool
	// call, whatever their type.
	LLMCalls  int64 `json:"llm_calls"`
	ToolCalls int64 `json:"tool_calls"`
	// Decisions counts llm_call and decision events, the ones that are to be
	// reasoned; Reasoned those of them whose reasoning is not blank.
	Decisions int64 `json:"decisions"`
	Reasoned  int64 `json:"reasoned"`
	// Errors counts events that are errors or ended with one.
	Errors int64 `json:"errors"`

	// ErrorLike, ToolLike and ToolErrorLike read types by substring, as the
	// original's drift detector does: an event is error-like if it Failed or
	// its type contains "error", and tool-like if it has a tool call or its
	// type contains "tool", in any case.
	ErrorLike     int64 `json:"error_like"`
	ToolLike      int64 `json:"tool_like"`
	ToolErrorLike int64 `json:"tool_error_like"`

	// Durations holds the measured durations of events, in milliseconds.
	Durations Durations `json:"durations"`
}

// NewSummary returns the empty summary of an active session.
func NewSummary(sessionID, agentName string) *Summary {
	return &Summary{SessionID: sessionID, AgentName: agentName, Status: StatusActive}
}

// Tokens returns input and output tokens together.
func (s *Summary) Tokens() int64 { return s.TokensIn + s.TokensOut }

// Duration returns the session's length and whether it has ended. It can be
// negative when the clocks of start and end disagree.
func (s *Summary) Duration() (time.Duration, bool) {
	if s.StartedAt.IsZero() || s.EndedAt.IsZero() {
		return 0, false
	}
	return s.EndedAt.Sub(s.StartedAt), true
}

// Observe adds one event, which must be valid and not seen before. It does not
// keep e or anything e points to but its strings.
func (s *Summary) Observe(e *Event) {
	s.Events++
	s.EventTypes.Add(string(e.Type), 1)
	if e.Model != "" {
		s.Models.Add(e.Model, 1)
	}
	s.TokensIn += e.TokensIn.Or(0)
	s.TokensOut += e.TokensOut.Or(0)
	s.CacheReadTokens += e.CacheReadTokens.Or(0)
	s.CacheWriteTokens += e.CacheWriteTokens.Or(0)
	s.ReasoningTokens += e.ReasoningTokens.Or(0)

	switch e.Type {
	case EventLLMCall:
		s.LLMCalls++
		s.observeReasoning(e)
	case EventDecision:
		s.observeReasoning(e)
	}
	if e.CostUSD.OK {
		s.Priced++
		s.CostUSD.Add(e.CostUSD.V)
	} else if e.Type == EventLLMCall {
		s.Unpriced++
	}

	failed := e.Failed()
	if failed {
		s.Errors++
	}
	hasTool := e.ToolCall != nil && e.ToolCall.Name != ""
	if hasTool {
		s.ToolCalls++
		s.Tools.Add(e.ToolCall.Name, 1)
	}
	errorLike, toolLike := e.Type.likeErrorOrTool()
	errorLike, toolLike = errorLike || failed, toolLike || hasTool
	if errorLike {
		s.ErrorLike++
	}
	if toolLike {
		s.ToolLike++
	}
	if errorLike && toolLike {
		s.ToolErrorLike++
	}

	start := e.Timestamp
	if e.DurationMS.OK {
		s.Durations.Add(e.DurationMS.V)
		start = start.Add(-MillisToDuration(e.DurationMS.V))
	}
	s.span(start, e.Timestamp)
}

// Merge adds another summary of the same session. Identity, status and times
// of s win where both know them, except that the times widen.
func (s *Summary) Merge(o *Summary) {
	if s.AgentName == "" {
		s.AgentName = o.AgentName
	}
	if s.Status == "" || s.Status == StatusActive {
		s.Status = o.Status
	}
	s.StartedAt = earlier(s.StartedAt, o.StartedAt)
	s.EndedAt = later(s.EndedAt, o.EndedAt)
	s.span(o.FirstEvent, o.LastEvent)

	s.Events += o.Events
	s.EventTypes.Merge(&o.EventTypes)
	s.Models.Merge(&o.Models)
	s.Tools.Merge(&o.Tools)
	s.TokensIn += o.TokensIn
	s.TokensOut += o.TokensOut
	s.CacheReadTokens += o.CacheReadTokens
	s.CacheWriteTokens += o.CacheWriteTokens
	s.ReasoningTokens += o.ReasoningTokens
	s.CostUSD.Merge(o.CostUSD)
	s.Priced += o.Priced
	s.Unpriced += o.Unpriced
	s.LLMCalls += o.LLMCalls
	s.ToolCalls += o.ToolCalls
	s.Decisions += o.Decisions
	s.Reasoned += o.Reasoned
	s.Errors += o.Errors
	s.ErrorLike += o.ErrorLike
	s.ToolLike += o.ToolLike
	s.ToolErrorLike += o.ToolErrorLike
	s.Durations.Merge(&o.Durations)
}

func (s *Summary) observeReasoning(e *Event) {
	s.Decisions++
	if e.DecisionTrace != nil && strings.TrimSpace(e.DecisionTrace.Reasoning) != "" {
		s.Reasoned++
	}
}

func (s *Summary) span(first, last time.Time) {
	s.FirstEvent = earlier(s.FirstEvent, first)
	s.LastEvent = later(s.LastEvent, last)
}

// earlier returns the earlier of two times, ignoring zero ones.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// MillisToDuration turns milliseconds into a time.Duration, to the nearest
// nanosecond, at most the longest one there is.
func MillisToDuration(ms float64) time.Duration {
	ns := ms * float64(time.Millisecond)
	if ns >= float64(1<<63-1) {
		return 1<<63 - 1
	}
	return time.Duration(ns + 0.5)
}

// likeErrorOrTool reports whether a type contains "error" and "tool", in any case.
func (t EventType) likeErrorOrTool() (errorLike, toolLike bool) {
	switch t {
	case EventLLMCall, EventDecision, EventGeneric:
		return false, false
	case EventToolCall:
		return false, true
	case EventError:
		return true, false
	}
	return containsFold(string(t), "error"), containsFold(string(t), "tool")
}

// containsFold reports whether s contains the lower-case ASCII word sub in any
// case, without allocating.
func containsFold(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i]|0x20 == sub[0] && strings.EqualFold(s[i:i+len(sub)], sub) {
			return true
		}
	}
	return false
}
