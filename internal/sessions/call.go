package sessions

import (
	"time"
	"unique"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// call is what is kept of a span while spans that tell of the same call may
// come: enough to see that they do, and to count the call. It takes 112 bytes;
// names are shared by all sessions, and of ids only a hash is kept, for they
// are only compared.
type call struct {
	// trace is a hash of the trace id.
	trace        uint64
	span, parent pcommon.SpanID
	// start and end are in nanoseconds since 1970.
	start, end int64
	// id is a hash of the id of the response, or of the tool call; 0 = none.
	id uint64
	// name is the model asked for, of a tool span the tool.
	name name
	// answered is the model that answered.
	answered name
	// in, out and costUSD mean something where has says so.
	in, out int64
	costUSD float64
	more    *moreOfCall
	// scope is a hash of the name of the span's instrumentation scope.
	scope uint32
	has   figures
	is    marks
	role  callRole
	kind  callKind
	links
}

// moreOfCall is what few spans tell.
type moreOfCall struct {
	cacheRead, cacheWrite, reasoning int64
	// durationMS is kept where it is not that of the span.
	durationMS float64
	// other is the tool of an inference, or the model of a tool.
	other name
}

// figures says which figures a span tells.
type figures uint8

const (
	hasIn figures = 1 << iota
	hasOut
	hasCost
	hasCacheRead
	hasCacheWrite
	hasReasoning
	// hasSpanDuration: the duration is that of the span.
	hasSpanDuration
	hasOwnDuration
)

// marks are what there is to say of a span with yes and no.
type marks uint8

const (
	// isNamed: the span itself names its session.
	isNamed marks = 1 << iota
	// isOwn: AgentLens's SDK wrote it.
	isOwn
	isFailed
	isReasoned
	isCumulative
	// isPaired: the own span is known to have copies, which it waits with.
	isPaired
)

// callRole is what a call's span is to the others.
type callRole uint8

const (
	roleWrapper callRole = iota
	roleInference
	roleTool
	// rolePart is a part of a tool call, kept when it tells of a failure.
	rolePart
)

// callKind is the type of the event.
type callKind uint8

var kindTypes = [...]analysis.EventType{"", analysis.EventLLMCall, semconv.OperationEmbeddings, semconv.OperationRetrieval, analysis.EventToolCall}

const (
	kindNone callKind = iota
	kindLLM
	kindEmbeddings
	kindRetrieval
	kindTool
)

// read makes of an empty call what to keep of a reading of so many nanoseconds since
// 1970, with names out of some symbols; false = the reading is to be observed as it
// is, or not at all.
func (c *call) read(r *spanevent.Reading, start, end int64, y *symbols) bool {
	e := &r.Event
	switch {
	case r.Role == spanevent.RoleEvent:
		switch e.Type {
		case analysis.EventLLMCall:
			c.role, c.kind = roleInference, kindLLM
		case semconv.OperationEmbeddings:
			c.role, c.kind = roleInference, kindEmbeddings
		case semconv.OperationRetrieval:
			c.role, c.kind = roleInference, kindRetrieval
		case analysis.EventToolCall:
			c.role, c.kind = roleTool, kindTool
		default:
			return false
		}
	case r.Own:
		// What the SDK writes beside its events repeats them.
		return false
	case r.Role == spanevent.RoleWrapper:
		c.role = roleWrapper
	case r.Role == spanevent.RolePart && e.Error != nil:
		c.role = rolePart
	default:
		return false
	}
	c.trace, c.span, c.parent = y.trace(r.TraceID), r.SpanID, r.ParentID
	c.start, c.end = start, end
	c.scope = y.scope(r.Scope)
	c.mark(isNamed, r.SessionID != "" && !r.Bound)
	c.mark(isOwn, r.Own)
	c.mark(isFailed, e.Error != nil)
	c.mark(isReasoned, e.DecisionTrace != nil && e.DecisionTrace.Reasoning != "")
	c.mark(isCumulative, r.Cumulative)
	c.setNames(e, y)
	c.setFigures(e)
	return true
}

func (c *call) mark(m marks, yes bool) {
	if yes {
		c.is |= m
	}
}

func (c *call) setNames(e *analysis.Event, y *symbols) {
	c.answered = y.name(e.ResponseModel, asAnswered)
	if c.role != roleTool {
		c.name, c.id = y.name(e.Model, asModel), idHash(e.ResponseID)
		if e.ToolCall != nil && e.ToolCall.Name != "" {
			c.rest().other = y.name(e.ToolCall.Name, asTool)
		}
		return
	}
	if e.ToolCall != nil {
		c.name, c.id = y.name(e.ToolCall.Name, asTool), idHash(e.ToolCall.ID)
	}
	if e.Model != "" {
		c.rest().other = y.name(e.Model, asModel)
	}
}

func (c *call) setFigures(e *analysis.Event) {
	c.in, c.out = c.figure(hasIn, e.TokensIn), c.figure(hasOut, e.TokensOut)
	if v := c.figure(hasCacheRead, e.CacheReadTokens); v != 0 {
		c.rest().cacheRead = v
	}
	if v := c.figure(hasCacheWrite, e.CacheWriteTokens); v != 0 {
		c.rest().cacheWrite = v
	}
	if v := c.figure(hasReasoning, e.ReasoningTokens); v != 0 {
		c.rest().reasoning = v
	}
	if e.CostUSD.OK {
		c.has, c.costUSD = c.has|hasCost, e.CostUSD.V
	}
	switch {
	case !e.DurationMS.OK:
	case e.DurationMS.V == c.spanMS():
		c.has |= hasSpanDuration
	default:
		c.has |= hasOwnDuration
		c.rest().durationMS = e.DurationMS.V
	}
}

func (c *call) figure(which figures, v analysis.Opt[int64]) int64 {
	if v.OK {
		c.has |= which
		return v.V
	}
	return 0
}

func (c *call) rest() *moreOfCall {
	if c.more == nil {
		c.more = &moreOfCall{}
	}
	return c.more
}

var nothingMore moreOfCall

// told returns what few spans tell, to be read only.
func (c *call) told() *moreOfCall {
	if c.more == nil {
		return &nothingMore
	}
	return c.more
}

func (c *call) spanMS() float64 { return float64(c.end-c.start) / float64(time.Millisecond) }

func (c *call) tokensIn() analysis.Opt[int64] {
	return analysis.Opt[int64]{V: c.in, OK: c.has&hasIn != 0}
}

func (c *call) tokensOut() analysis.Opt[int64] {
	return analysis.Opt[int64]{V: c.out, OK: c.has&hasOut != 0}
}

func (c *call) cost() analysis.Opt[float64] {
	return analysis.Opt[float64]{V: c.costUSD, OK: c.has&hasCost != 0}
}

func (c *call) duration() analysis.Opt[float64] {
	switch {
	case c.has&hasSpanDuration != 0:
		return analysis.Some(c.spanMS())
	case c.has&hasOwnDuration != 0:
		return analysis.Some(c.told().durationMS)
	default:
		return analysis.Opt[float64]{}
	}
}

// usage is all that a span tells of tokens and cost.
func (c *call) usage() usage {
	more := c.told()
	return usage{
		in: c.tokensIn(), out: c.tokensOut(), costUSD: c.cost(),
		cacheRead:  analysis.Opt[int64]{V: more.cacheRead, OK: c.has&hasCacheRead != 0},
		cacheWrite: analysis.Opt[int64]{V: more.cacheWrite, OK: c.has&hasCacheWrite != 0},
		reasoning:  analysis.Opt[int64]{V: more.reasoning, OK: c.has&hasReasoning != 0},
	}
}

func (c *call) model() name {
	if c.role == roleTool {
		return c.told().other
	}
	return c.name
}

func (c *call) tool() name {
	if c.role == roleTool {
		return c.name
	}
	return c.told().other
}

func (c *call) own() bool       { return c.is&isOwn != 0 }
func (c *call) failed() bool    { return c.is&isFailed != 0 }
func (c *call) hasUsage() bool  { return c.has&(hasIn|hasOut) != 0 }
func (c *call) answering() bool { return c.hasUsage() || c.id != 0 }

// isCall reports whether the span tells of a call, rather than of what is
// around or within one.
func (c *call) isCall() bool { return c.role == roleInference || c.role == roleTool }

// name is a name that all sessions share; the zero name is empty.
type name = unique.Handle[string]

func nameOf(s string) name {
	if s == "" {
		return name{}
	}
	return unique.Make(s)
}

func textOf(n name) string {
	if n == (name{}) {
		return ""
	}
	return n.Value()
}

// idHash is 0 of no id only.
func idHash(id string) uint64 {
	if id == "" {
		return 0
	}
	return max(1, xxhash.Sum64String(id))
}

func traceHash(t pcommon.TraceID) uint64 { return xxhash.Sum64(t[:]) }

func scopeHash(scope string) uint32 { return uint32(xxhash.Sum64String(scope)) }
