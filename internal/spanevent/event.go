package spanevent

import (
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

func readEvent(r *Reading, f *facts, span ptrace.Span, s *Scope) {
	e := &r.Event
	if s.without&ContentEventID == 0 {
		e.ID = r.SpanID.String()
	}
	e.SessionID, e.Timestamp = r.Key(), r.End
	if took := between(span.StartTimestamp(), span.EndTimestamp()); took > 0 {
		e.DurationMS = analysis.Some(float64(took) / float64(time.Millisecond))
	}
	readNames(e, f)
	readFigures(e, f)
	if !r.Own {
		mendFigures(e, f, s.dialect)
	}
	if mayHaveFailed(f, span) {
		e.Error = readFailure(r, f, span)
	}
	// The SDK writes tool_call events without a tool call: those stay so.
	untold := r.Own && !f.hasAny(1<<fieldToolName|1<<fieldToolID|1<<fieldToolArguments|1<<fieldToolResult)
	// Of other libraries a tool on the span of a call is one that the model asked
	// for, if there is no result: no tool ran.
	ran := f.has(fieldToolName) && (r.Own || f.has(fieldToolResult))
	if r.Role == RoleEvent && !untold && (e.Type == analysis.EventToolCall || ran) {
		t := f.memory.toolCall()
		*t = analysis.ToolCall{}
		t.ID, t.Name = f.str(fieldToolID), f.str(fieldToolName)
		t.Timestamp, t.DurationMS = e.Timestamp, e.DurationMS
		e.ToolCall = t
	}
	if r.Role == RoleEvent {
		readContent(r, f, span, s)
	}
	if e.ToolCall != nil && e.ToolCall.Name == "" && !r.Own {
		e.ToolCall.Name = toolNameOf(span.Name())
	}
	if e.ToolCall != nil && !r.Own {
		e.ToolCall.Name = mcpToolName(e.ToolCall.Name)
	}
	if f.has(fieldReasoning) {
		d := f.memory.decisionTrace()
		*d = analysis.DecisionTrace{}
		d.ID, d.Step, d.Reasoning = f.str(fieldDecisionID), int(f.integer(fieldDecisionStep).Or(0)), f.str(fieldReasoning)
		d.Alternatives, d.Confidence, d.Timestamp = f.texts(fieldAlternatives), f.amount(fieldConfidence), e.Timestamp
		e.DecisionTrace = d
	}
}

// between returns what end.AsTime().Sub(start.AsTime()) does where that is more
// than 0, without the way over seconds; else 0.
func between(start, end pcommon.Timestamp) time.Duration {
	from, to := int64(start), int64(end)
	switch took := to - from; {
	case to <= from:
		return 0
	case took < 0:
		return math.MaxInt64
	default:
		return time.Duration(took)
	}
}

// readNames reads whose call of what it was. What is not told stays as it is:
// empty.
func readNames(e *analysis.Event, f *facts) {
	if f.hasAny(1<<fieldRequestModel | 1<<fieldResponseModel) {
		e.ResponseModel = f.str(fieldResponseModel)
		if e.Model = f.str(fieldRequestModel); e.Model == "" {
			e.Model = e.ResponseModel
		}
	}
	if f.has(fieldProvider) {
		e.Provider = f.str(fieldProvider)
	}
	if f.hasAny(1<<fieldResponseID | 1<<fieldServiceTier) {
		e.ResponseID, e.ServiceTier = f.str(fieldResponseID), f.str(fieldServiceTier)
	}
}

// readFigures reads the token counts and the cost as they stand.
func readFigures(e *analysis.Event, f *facts) {
	if f.hasAny(1<<fieldTokensIn | 1<<fieldTokensOut) {
		e.TokensIn, e.TokensOut = f.integer(fieldTokensIn), f.integer(fieldTokensOut)
	}
	if f.hasAny(1<<fieldCacheRead | 1<<fieldCacheWrite | 1<<fieldReasoningTokens) {
		e.CacheReadTokens, e.CacheWriteTokens = f.integer(fieldCacheRead), f.integer(fieldCacheWrite)
		e.ReasoningTokens = f.integer(fieldReasoningTokens)
	}
	if f.has(fieldCost) {
		e.CostUSD = f.amount(fieldCost)
	}
}

// mendFigures makes input include the cached part and output the reasoning
// part, whatever the dialect leaves out, and provider names those of the
// convention. What AgentLens's SDK wrote needs no mending.
func mendFigures(e *analysis.Event, f *facts, own *dialect) {
	e.Provider = providerName(e.Provider)
	if !f.hasAny(1<<fieldCacheRead | 1<<fieldCacheWrite | 1<<fieldReasoningTokens | 1<<fieldTokensUncached | 1<<fieldTokensTotal | 1<<fieldCost) {
		return // nothing can be left out of what, and the cost is not 0
	}
	cached := plus(e.CacheReadTokens.Or(0), e.CacheWriteTokens.Or(0))
	uncached := f.integer(fieldTokensUncached)
	in, out := e.TokensIn, e.TokensOut
	switch {
	case !e.TokensIn.OK && uncached.OK:
		e.TokensIn = analysis.Some(plus(uncached.V, cached))
	case e.TokensIn.OK && (cached > e.TokensIn.V || cachedApart(e, f, uncached, own)):
		// A part cannot be more than the whole: then the input excludes it.
		e.TokensIn.V = plus(e.TokensIn.V, cached)
	}
	if e.TokensOut.OK && e.ReasoningTokens.Or(0) > e.TokensOut.V {
		e.TokensOut.V = plus(e.TokensOut.V, e.ReasoningTokens.V)
	}
	if total := f.integer(fieldTokensTotal); total.OK && e.TokensIn == in && e.TokensOut == out {
		mendByTotal(e, total.V, cached)
	}
	if e.CostUSD.OK && e.CostUSD.V == 0 && !e.TokensIn.OK && !e.TokensOut.OK {
		// Libraries say 0 of a call that they know nothing of.
		e.CostUSD = analysis.Opt[float64]{}
	}
}

// cachedApart reports whether the input is known not to include the cached
// tokens: by what the span says, by its dialect, or by the dialect and whose
// model it is.
func cachedApart(e *analysis.Event, f *facts, uncached analysis.Opt[int64], own *dialect) bool {
	if uncached.OK {
		return uncached.V == e.TokensIn.V
	}
	return f.apart || own != nil && (own.exclusive || own.asProvider && countsApart(e.Model))
}

// mendByTotal adds to the input or the output what a total counts beyond both,
// when that is just a part that one of them may have left out. Of Bedrock and
// Anthropic the rest is the cached tokens, even where no other key tells them.
func mendByTotal(e *analysis.Event, total, cached int64) {
	if !e.TokensIn.OK || !e.TokensOut.OK {
		return
	}
	rest, reasoning := total-plus(e.TokensIn.V, e.TokensOut.V), e.ReasoningTokens.Or(0)
	switch {
	case rest <= 0 || cached == reasoning && cached > 0:
	case rest == cached:
		e.TokensIn.V = plus(e.TokensIn.V, rest)
	case rest == reasoning:
		e.TokensOut.V = plus(e.TokensOut.V, rest)
	case rest == plus(cached, reasoning):
		e.TokensIn.V, e.TokensOut.V = plus(e.TokensIn.V, cached), plus(e.TokensOut.V, reasoning)
	case cached == 0 && (e.Provider == "aws.bedrock" || e.Provider == "anthropic"):
		e.TokensIn.V = plus(e.TokensIn.V, rest)
	}
}

// plus adds two counts, at most to the largest there is.
func plus(a, b int64) int64 {
	if b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}

// finishError is the finish reason of a call that failed.
const finishError = "error"

// mayHaveFailed reports whether there is anything on the span that can tell of a
// failure.
func mayHaveFailed(f *facts, span ptrace.Span) bool {
	return f.failed || f.hasAny(1<<fieldErrorType|1<<fieldFinishReasons) || span.Status().Code() == ptrace.StatusCodeError || span.Events().Len() > 0
}

// readFailure returns why the span failed, nil when it did not.
func readFailure(r *Reading, f *facts, span ptrace.Span) *analysis.Failure {
	status := span.Status()
	errorType := f.str(fieldErrorType)
	failed := status.Code() == ptrace.StatusCodeError || errorType != "" || f.failed || finishedWithError(f)
	if !failed && (span.Events().Len() == 0 || !exceptionFails(r, f)) {
		return nil
	}
	failure := analysis.Failure{Type: errorType, Message: firstOf(status.Message(), f.str(fieldErrorMessage))}
	for _, event := range span.Events().All() {
		if event.Name() != "exception" {
			continue
		}
		failed = true
		if v, ok := event.Attributes().Get(semconv.ExceptionType); ok && failure.Type == "" {
			failure.Type = v.AsString()
		}
		if v, ok := event.Attributes().Get(semconv.ExceptionMessage); ok && failure.Message == "" {
			failure.Message = v.AsString()
		}
	}
	if !failed {
		return nil
	}
	if failure.Type == "" {
		failure.Type = semconv.ErrorTypeOther
	}
	return &failure
}

func finishedWithError(f *facts) bool {
	if !f.has(fieldFinishReasons) {
		return false
	}
	v := f.values[fieldFinishReasons]
	if v.Type() == pcommon.ValueTypeSlice {
		for _, item := range v.Slice().All() {
			if item.Type() == pcommon.ValueTypeStr && item.Str() == finishError {
				return true
			}
		}
		return false
	}
	s := f.str(fieldFinishReasons)
	return s == finishError || (strings.HasPrefix(s, "[") && strings.Contains(s, `"`+finishError+`"`))
}

// exceptionFails reports whether an exception event on a span whose status
// tells no error means that it failed: in a dialect that says so, and on a call
// of a model, or of a tool, that has nothing to show for itself.
func exceptionFails(r *Reading, f *facts) bool {
	for d := range f.dialects() {
		if d.exceptionFails {
			return true
		}
	}
	switch r.Event.Type {
	case analysis.EventLLMCall:
		return !f.hasAny(1<<fieldTokensOut | 1<<fieldResponseID | 1<<fieldFinishReasons)
	case analysis.EventToolCall:
		return !f.hasAny(1<<fieldToolResult | 1<<fieldOutput)
	}
	return false
}

// toolNameOf takes a tool's name out of the name of its span.
func toolNameOf(span string) string {
	for _, prefix := range [...]string{
		"execute_tool ", "tools/call ", "running tool: ", "Function: ", "ai.toolCall ", "tool.execution:", "tool:",
		"anthropic.custom_tool_use ", "anthropic.tool_use ",
	} {
		if name, ok := strings.CutPrefix(span, prefix); ok {
			return strings.TrimSpace(name)
		}
	}
	if span == "tools/call" || strings.HasPrefix(span, "tools/call.") {
		// The span of a protocol does not say which tool; the one around it may.
		return ""
	}
	return strings.TrimSuffix(span, ".tool")
}
