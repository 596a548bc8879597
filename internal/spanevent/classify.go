package spanevent

import (
	"math/bits"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Rule is what decided the role of a span.
type Rule uint8

// The rules, in the order in which they are asked.
const (
	RuleNone Rule = iota
	// RuleStamp: agentlens.event.type.
	RuleStamp
	// RuleRepeats: the dialect marks the span as a repetition of another.
	RuleRepeats
	// RuleOperation: a gen_ai.operation.name that is known.
	RuleOperation
	// RuleKind: the dialect's own attribute for what a span is.
	RuleKind
	// RuleSpanName: the span's name, under the dialect's scope.
	RuleSpanName
	// RuleKey: the presence of a key that only such spans have.
	RuleKey
	// RuleUnknownOperation: an operation or kind that nobody knows wraps
	// something.
	RuleUnknownOperation
	// RuleModel and RuleTool: a model or a tool, and nothing else.
	RuleModel
	RuleTool
	// RuleScope: the instrumentation scope, and nothing else.
	RuleScope
)

var ruleNames = [...]string{
	"none", "stamp", "repeats", "operation", "kind", "span name", "key", "unknown operation", "model", "tool", "scope",
}

func (r Rule) String() string { return ruleNames[r] }

// class is what a span is, what decided it, and by which dialect it is read.
type class struct {
	role    Role
	event   analysis.EventType // for RoleEvent
	rule    Rule
	dialect string
	// copied: it is a part that tells its event whole, and is read as one.
	copied bool
}

// classify says what the span is; false = not GenAI.
// A session or agent attribute alone does not make a span GenAI: baggage
// copies those onto HTTP and database spans.
func (c *class) classify(f *facts, span ptrace.Span) bool {
	if t := f.str(fieldEventType); t != "" {
		c.role, c.event = roleOf(t)
		c.rule = RuleStamp
		c.dialect = dialectName(f, nil)
		if f.has(fieldPartOf) {
			c.copy(kindOf(f, span))
		}
		return true
	}
	k, rule, by := kindOf(f, span)
	if c.role, c.event = eventOf(k); c.role == RoleNone {
		return false
	}
	c.rule = rule
	c.dialect = dialectName(f, by)
	return true
}

// copy makes a part, which by itself is of some kind, one that is read as an event.
func (c *class) copy(k kind, _ Rule, _ *dialect) {
	if role, event := eventOf(k); c.role == RolePart && role == RoleEvent {
		c.role, c.event = role, event
	}
	c.copied = c.role == RoleEvent
}

// eventOf translates what the span is in the reader's own words.
func eventOf(k kind) (Role, analysis.EventType) {
	switch k {
	case kindLLM:
		return RoleEvent, analysis.EventLLMCall
	case kindEmbeddings:
		return RoleEvent, semconv.OperationEmbeddings
	case kindRetrieval:
		return RoleEvent, semconv.OperationRetrieval
	case kindTool:
		return RoleEvent, analysis.EventToolCall
	case kindWrapper:
		return RoleWrapper, ""
	case kindNone:
		return RolePart, ""
	default:
		return RoleNone, ""
	}
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

// kindOf returns what the span is, the rule that says so, and the dialect, if it
// is one's own word.
func kindOf(f *facts, span ptrace.Span) (kind, Rule, *dialect) {
	own := f.scope
	if f.ignored || (own != nil && own.names[span.Name()] == kindNone) {
		return kindNone, RuleRepeats, f.decidedBy
	}
	operation := f.str(fieldOperation)
	if k := operationKind(operation); k != kindUnknown {
		return k, RuleOperation, nil
	}
	if v := f.str(fieldKind); v != "" {
		for d := range f.dialects() {
			if k := d.kinds[v]; k != kindUnknown {
				return k, RuleKind, d
			}
		}
	}
	for d := range f.dialects() {
		if k := d.names[span.Name()]; k != kindUnknown {
			return k, RuleSpanName, d
		}
		for prefix, k := range d.prefixes {
			if strings.HasPrefix(span.Name(), prefix) {
				return k, RuleSpanName, d
			}
		}
	}
	switch {
	case f.implied != kindUnknown:
		return f.implied, RuleKey, f.decidedBy
	case operation != "" || f.has(fieldKind):
		return kindWrapper, RuleUnknownOperation, nil
	case f.has(fieldRequestModel) || f.has(fieldResponseModel):
		return kindLLM, RuleModel, nil
	case f.has(fieldToolName):
		return kindTool, RuleTool, nil
	case own != nil && own.otherwise != kindUnknown:
		return own.otherwise, RuleScope, own
	}
	return kindUnknown, RuleNone, nil
}

// dialectName names the dialect of a span: that of its scope, else the one whose
// word decided, else the first that is not the convention itself.
func dialectName(f *facts, by *dialect) string {
	switch {
	case f.scope != nil:
		return f.scope.name
	case by != nil:
		return by.name
	}
	// A processor's stamps may stand on any span.
	if other := f.seen &^ (genAI.bit | general.bit | agentLens.bit); other != 0 {
		return dialects[bits.TrailingZeros64(other)].name
	}
	return genAI.name
}
