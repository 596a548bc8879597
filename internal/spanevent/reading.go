package spanevent

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Role is what a span is to its session.
type Role uint8

const (
	// RoleNone is a span that is not GenAI. It passes untouched.
	RoleNone Role = iota
	// RoleSession is the root of a session the SDK wrote; it ends the session.
	RoleSession
	// RoleSessionStart announces a session before its first event.
	RoleSessionStart
	// RoleSessionReport carries findings on a session, written by a processor.
	RoleSessionReport
	// RoleEvent is an event, told whole.
	RoleEvent
	// RolePart shows a part of an event that its own span tells whole.
	RolePart
	// RoleWrapper is an agent, step, turn or workflow around events that have
	// spans of their own. Its totals repeat theirs.
	RoleWrapper
)

// Reading is what one span tells. It holds copies, never pdata.
type Reading struct {
	Role Role
	// Dialect names the convention that the span is read by.
	Dialect string

	TraceID  pcommon.TraceID
	SpanID   pcommon.SpanID
	ParentID pcommon.SpanID
	Start    time.Time
	End      time.Time

	// SessionID is the session the span itself names; empty when it names
	// none, and then its trace is the session.
	SessionID string
	AgentName string

	// Event is set for RoleEvent. For RoleWrapper it holds the totals, if any.
	Event analysis.Event
	// Session is set for RoleSession, RoleSessionStart and RoleSessionReport.
	Session SessionFacts
}

// SessionFacts is what a root, start or report span says of its session.
type SessionFacts struct {
	StartedAt time.Time
	// EndedAt and Status are not set by a start span.
	EndedAt  time.Time
	Status   analysis.Status
	Metadata map[string]any
	// TokensIn and TokensOut are the totals at the end of the session.
	TokensIn, TokensOut analysis.Opt[int64]
	// Revision counts the reports on a session, from 1.
	Revision int64
}

// Key returns the session's key: the id the span names, else its trace id.
func (r *Reading) Key() string {
	if r.SessionID != "" {
		return r.SessionID
	}
	return r.TraceID.String()
}

// IsTraceRoot reports whether the span is the root of its trace.
func (r *Reading) IsTraceRoot() bool { return r.ParentID.IsEmpty() }

// Scope reads the spans of one instrumentation scope.
type Scope struct{ dialect *dialect }

// ForScope returns the reader for the spans of a scope.
func ForScope(scope pcommon.InstrumentationScope) Scope {
	return Scope{keys.scope(scope.Name())}
}

// Read returns what the span tells. A span that is not GenAI costs one look at
// the names of its attributes.
func (s Scope) Read(span ptrace.Span) Reading {
	var f facts
	keys.collect(&f, s.dialect, span.Attributes())
	if f.seen == 0 && s.dialect == nil {
		return Reading{}
	}
	r := Reading{
		TraceID: span.TraceID(), SpanID: span.SpanID(), ParentID: span.ParentSpanID(),
		Start: span.StartTimestamp().AsTime(), End: span.EndTimestamp().AsTime(),
	}
	seen := dialectsOf(s.dialect, f.seen)
	if !classify(&r, &f, span, seen) {
		return Reading{}
	}
	r.AgentName = firstOf(f.str(fieldStampedAgent), f.str(fieldAgent))
	// A processor's stamp settles what the span alone cannot tell.
	r.SessionID = firstOf(f.str(fieldStampedSession), f.str(fieldSession), f.str(fieldConversation))

	switch r.Role {
	case RoleEvent, RoleWrapper:
		readEvent(&r, &f, span, seen)
	case RoleSession, RoleSessionStart, RoleSessionReport:
		readSession(&r, &f)
	}
	for _, d := range seen {
		if d.finish != nil {
			d.finish(&f, span, &r)
		}
	}
	return r
}

// classify sets the span's role, event type and dialect; false = not GenAI.
// A session or agent attribute alone does not make a span GenAI: baggage
// copies those onto HTTP and database spans.
func classify(r *Reading, f *facts, span ptrace.Span, seen []*dialect) bool {
	if t := f.str(fieldEventType); t != "" {
		r.Role, r.Event.Type = roleOf(t)
		r.Dialect = dialectName(seen)
		return true
	}
	switch kindOf(f, span, seen) {
	case kindLLM:
		r.Role, r.Event.Type = RoleEvent, analysis.EventLLMCall
	case kindEmbeddings:
		r.Role, r.Event.Type = RoleEvent, semconv.OperationEmbeddings
	case kindRetrieval:
		r.Role, r.Event.Type = RoleEvent, semconv.OperationRetrieval
	case kindTool:
		r.Role, r.Event.Type = RoleEvent, analysis.EventToolCall
	case kindWrapper:
		r.Role = RoleWrapper
	case kindNone:
		r.Role = RolePart
	default:
		return false
	}
	r.Dialect = dialectName(seen)
	return true
}

// roleOf translates agentlens.event.type.
func roleOf(eventType string) (Role, analysis.EventType) {
	switch eventType {
	case semconv.EventTypeSession:
		return RoleSession, ""
	case semconv.EventTypeSessionStart:
		return RoleSessionStart, ""
	case semconv.EventTypeSessionReport:
		return RoleSessionReport, ""
	case semconv.EventTypePart:
		return RolePart, ""
	default:
		return RoleEvent, analysis.EventType(eventType)
	}
}

// kindOf asks, in this order: an operation of the convention, the kind in the
// words of a dialect on the span, the span names of the scope's dialect, an
// operation nobody knows (a step of something), a model, a tool.
func kindOf(f *facts, span ptrace.Span, seen []*dialect) kind {
	operation := f.str(fieldOperation)
	if k := operations[operation]; k != kindUnknown {
		return k
	}
	if v := f.str(fieldKind); v != "" {
		for _, d := range seen {
			if k := d.kinds[v]; k != kindUnknown {
				return k
			}
		}
	}
	for _, d := range seen {
		if k := d.names[span.Name()]; k != kindUnknown {
			return k
		}
	}
	switch {
	case operation != "" || f.has(fieldKind):
		return kindWrapper
	case f.has(fieldRequestModel) || f.has(fieldResponseModel):
		return kindLLM
	case f.has(fieldToolName):
		return kindTool
	}
	return kindUnknown
}

// dialectName names the most specific dialect on a span.
func dialectName(seen []*dialect) string {
	name := genAI.name
	for _, d := range seen {
		if d != &genAI && d != &general {
			return d.name
		}
	}
	return name
}

func readEvent(r *Reading, f *facts, span ptrace.Span, seen []*dialect) {
	e := &r.Event
	e.ID, e.SessionID = r.SpanID.String(), r.Key()
	e.Timestamp = r.End
	if r.End.After(r.Start) {
		e.DurationMS = analysis.Some(float64(r.End.Sub(r.Start)) / float64(time.Millisecond))
	}
	e.Model = firstOf(f.str(fieldRequestModel), f.str(fieldResponseModel))
	e.ResponseModel = f.str(fieldResponseModel)
	e.Provider = f.str(fieldProvider)
	e.ResponseID = f.str(fieldResponseID)
	readTokens(e, f, seen)
	e.CostUSD = f.amount(fieldCost)
	e.Input = f.data(fieldInput, "input")
	e.Output = f.data(fieldOutput, "output")
	e.Error = readFailure(f, span)
	if e.Type == analysis.EventToolCall || f.has(fieldToolName) {
		e.ToolCall = &analysis.ToolCall{
			ID: f.str(fieldToolID), Name: f.str(fieldToolName),
			Input: f.data(fieldToolArguments, "input"), Output: f.data(fieldToolResult, "output"),
			Timestamp: e.Timestamp, DurationMS: e.DurationMS,
		}
	}
	if f.has(fieldReasoning) {
		e.DecisionTrace = &analysis.DecisionTrace{
			ID: f.str(fieldDecisionID), Step: int(f.integer(fieldDecisionStep).Or(0)), Reasoning: f.str(fieldReasoning),
			Alternatives: f.texts(fieldAlternatives), Confidence: f.amount(fieldConfidence), Timestamp: e.Timestamp,
		}
	}
}

// readTokens reads the token counts so that input includes the cached part and
// output the reasoning part, whatever the dialect leaves out.
func readTokens(e *analysis.Event, f *facts, seen []*dialect) {
	e.TokensIn, e.TokensOut = f.integer(fieldTokensIn), f.integer(fieldTokensOut)
	e.CacheReadTokens, e.CacheWriteTokens = f.integer(fieldCacheRead), f.integer(fieldCacheWrite)
	e.ReasoningTokens = f.integer(fieldReasoningTokens)
	cached := e.CacheReadTokens.Or(0) + e.CacheWriteTokens.Or(0)
	exclusive := false
	for _, d := range seen {
		exclusive = exclusive || d.exclusive
	}
	// A part cannot be more than the whole: then the input excludes it.
	if e.TokensIn.OK && (exclusive || cached > e.TokensIn.V) {
		e.TokensIn.V += cached
	}
}

// readFailure returns why the span failed, nil when it did not.
func readFailure(f *facts, span ptrace.Span) *analysis.Failure {
	status := span.Status()
	if status.Code() != ptrace.StatusCodeError && !f.has(fieldErrorType) {
		return nil
	}
	failure := analysis.Failure{Type: f.str(fieldErrorType), Message: firstOf(status.Message(), f.str(fieldErrorMessage))}
	for _, event := range span.Events().All() {
		if event.Name() != "exception" {
			continue
		}
		if v, ok := event.Attributes().Get(semconv.ExceptionType); ok && failure.Type == "" {
			failure.Type = v.AsString()
		}
		if v, ok := event.Attributes().Get(semconv.ExceptionMessage); ok && failure.Message == "" {
			failure.Message = v.AsString()
		}
	}
	if failure.Type == "" {
		failure.Type = semconv.ErrorTypeOther
	}
	return &failure
}

func readSession(r *Reading, f *facts) {
	s := &r.Session
	s.StartedAt = r.Start
	s.Metadata = f.metadata
	if r.Role == RoleSessionStart {
		return
	}
	s.EndedAt = r.End
	s.Status = analysis.Status(f.str(fieldStatus))
	s.TokensIn, s.TokensOut = f.integer(fieldTotalIn), f.integer(fieldTotalOut)
	s.Revision = f.integer(fieldRevision).Or(0)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
