package sessions

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// call is what is kept of a span that another library than AgentLens's SDK
// wrote, about 260 bytes: enough to see which spans tell of one call, and to
// count it. The fields are exported for encoding/gob.
type call struct {
	Trace        pcommon.TraceID
	Span, Parent pcommon.SpanID
	// Start and End are in nanoseconds since 1970.
	Start, End int64
	// Scope is a hash of the name of the span's instrumentation scope.
	Scope uint64
	Role  callRole
	// Named says that the span itself names its session.
	Named bool

	Type                 analysis.EventType
	Model, ResponseModel string
	// ID is the id of the response, or that of the tool call.
	ID   string
	Tool string

	In, Out, CacheRead, CacheWrite, Reasoning analysis.Opt[int64]
	CostUSD                                   analysis.Opt[float64]
	DurationMS                                analysis.Opt[float64]

	Failed, Reasoned, Cumulative bool
}

// callRole is what a call's span is to the others.
type callRole uint8

const (
	roleWrapper callRole = iota
	roleInference
	roleTool
	// rolePart is a part of a tool call, kept when it tells of a failure.
	rolePart
)

// newCall returns what to keep of a reading; false = the reading is to be
// observed as it is, or not at all.
func newCall(r *spanevent.Reading) (call, bool) {
	c := call{
		Trace: r.TraceID, Span: r.SpanID, Parent: r.ParentID,
		Start: r.Start.UnixNano(), End: r.End.UnixNano(),
		Scope: hash(r.Scope), Named: r.SessionID != "" && !r.Bound, Cumulative: r.Cumulative,
	}
	if r.Own {
		return c, false
	}
	e := &r.Event
	switch {
	case r.Role == spanevent.RoleWrapper:
		c.Role = roleWrapper
	case r.Role == spanevent.RolePart && e.Error != nil:
		c.Role = rolePart
	case r.Role != spanevent.RoleEvent:
		return c, false
	case e.Type == analysis.EventLLMCall, e.Type == semconv.OperationEmbeddings, e.Type == semconv.OperationRetrieval:
		c.Role, c.ID = roleInference, e.ResponseID
	case e.Type == analysis.EventToolCall:
		c.Role = roleTool
	default:
		return c, false
	}
	c.Type, c.Model, c.ResponseModel = e.Type, e.Model, e.ResponseModel
	c.In, c.Out, c.CacheRead, c.CacheWrite, c.Reasoning = e.TokensIn, e.TokensOut, e.CacheReadTokens, e.CacheWriteTokens, e.ReasoningTokens
	c.CostUSD, c.DurationMS = e.CostUSD, e.DurationMS
	c.Failed = e.Error != nil
	c.Reasoned = e.DecisionTrace != nil && e.DecisionTrace.Reasoning != ""
	if e.ToolCall != nil {
		c.Tool = e.ToolCall.Name
		if c.Role == roleTool {
			c.ID = e.ToolCall.ID
		}
	}
	return c, true
}

// event is the event as which the call is counted.
func (c *call) event() analysis.Event {
	e := analysis.Event{
		Type: c.Type, Timestamp: time.Unix(0, c.End).UTC(), DurationMS: c.DurationMS, Model: c.Model,
		TokensIn: c.In, TokensOut: c.Out, CacheReadTokens: c.CacheRead, CacheWriteTokens: c.CacheWrite, ReasoningTokens: c.Reasoning,
		CostUSD: c.CostUSD,
	}
	if c.Tool != "" {
		e.ToolCall = &analysis.ToolCall{Name: c.Tool}
	}
	if c.Failed {
		e.Error = &analysis.Failure{}
	}
	if c.Reasoned {
		e.DecisionTrace = &analysis.DecisionTrace{Reasoning: "-"}
	}
	return e
}

func (c *call) hasUsage() bool { return c.In.OK || c.Out.OK }

// hash is FNV-1a.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
