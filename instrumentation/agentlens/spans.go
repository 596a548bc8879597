package agentlens

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// startRoot starts the root span of the session's trace and returns ctx with it.
func (s *Session) startRoot(ctx context.Context) context.Context {
	attrs := append(s.identity(semconv.EventTypeSession, 5),
		attribute.String(semconv.GenAIOperationName, semconv.OperationInvokeAgent))
	if s.conversationID != "" {
		attrs = append(attrs, attribute.String(semconv.GenAIConversationID, s.conversationID))
	}
	opts := []trace.SpanStartOption{
		trace.WithNewRoot(), trace.WithTimestamp(s.startedAt), trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(attrs...),
	}
	if link := trace.LinkFromContext(ctx); link.SpanContext.IsValid() {
		opts = append(opts, trace.WithLinks(link))
	}
	ctx, s.root = s.tracker.tracer.Start(ctx, spanName(semconv.OperationInvokeAgent, s.agentName), opts...)
	return ctx
}

// writeStart writes the span that announces the session.
func (s *Session) writeStart(ctx context.Context) {
	_, span := s.tracker.tracer.Start(ctx, semconv.SpanSessionStart,
		trace.WithTimestamp(s.startedAt), trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(append(s.identity(semconv.EventTypeSessionStart, len(s.metadataAttrs)), s.metadataAttrs...)...))
	span.End(trace.WithTimestamp(s.startedAt))
}

// endRoot ends the session's root span. The metadata comes last: much of it
// must not push the outcome over the attribute limit.
func (s *Session) endRoot(at time.Time, status Status, failure *analysis.Failure, tokensIn, tokensOut int64) {
	s.root.SetAttributes(
		attribute.String(semconv.SessionStatus, string(status)),
		attribute.Int64(semconv.SessionTokensInput, tokensIn),
		attribute.Int64(semconv.SessionTokensOutput, tokensOut),
	)
	if failure == nil && status == StatusError {
		failure = &analysis.Failure{Type: semconv.ErrorTypeOther}
	}
	if failure != nil {
		s.root.SetStatus(codes.Error, failure.Message)
		s.root.SetAttributes(attribute.String(semconv.ErrorType, failure.Type))
	}
	s.root.SetAttributes(s.metadataAttrs...)
	s.root.End(trace.WithTimestamp(at))
}

// writeEvent writes the event's span, whose id becomes the event's, and the
// spans that show its parts to people who read the trace.
func (s *Session) writeEvent(ctx context.Context, e *Event) {
	start := e.Timestamp
	if e.DurationMS.OK {
		start = start.Add(-analysis.MillisToDuration(e.DurationMS.V))
	}
	name, kind := eventSpan(e)
	ctx, span := s.tracker.tracer.Start(s.parent(ctx), name,
		trace.WithTimestamp(start), trace.WithSpanKind(kind),
		trace.WithAttributes(eventAttributes(s.identity(string(e.Type), 9), e)...))
	if id := span.SpanContext().SpanID(); id.IsValid() {
		e.ID = id.String()
	} else {
		e.ID = newID() // A provider that does nothing.
	}
	if e.Error != nil {
		span.SetStatus(codes.Error, e.Error.Message)
	}
	if span.IsRecording() {
		if t := e.ToolCall; t != nil && e.Type != EventToolCall {
			operation := attribute.String(semconv.GenAIOperationName, semconv.OperationExecuteTool)
			s.writePart(ctx, e.Timestamp, spanName(semconv.OperationExecuteTool, t.Name),
				toolAttributes([]attribute.KeyValue{operation}, t, genAITool))
		}
		if d := e.DecisionTrace; d != nil && e.Type != EventDecision {
			s.writePart(ctx, e.Timestamp, semconv.SpanDecision, decisionAttributes(nil, d))
		}
	}
	span.End(trace.WithTimestamp(e.Timestamp))
}

func (s *Session) writePart(ctx context.Context, at time.Time, name string, attrs []attribute.KeyValue) {
	_, span := s.tracker.tracer.Start(ctx, name,
		trace.WithTimestamp(at), trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(append(s.identity(semconv.EventTypePart, len(attrs)), attrs...)...))
	span.End(trace.WithTimestamp(at))
}

// parent returns ctx with the span under which an event of the session goes:
// the one in ctx if it is in the session's trace, else the root.
func (s *Session) parent(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).TraceID() == s.root.SpanContext().TraceID() {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.root)
}

// identity returns the attributes that every span of the session begins with,
// so that no attribute limit takes them, with room for more.
func (s *Session) identity(eventType string, more int) []attribute.KeyValue {
	return append(make([]attribute.KeyValue, 0, 3+more),
		attribute.String(semconv.SessionID, s.id),
		attribute.String(semconv.GenAIAgentName, s.agentName),
		attribute.String(semconv.EventType, eventType))
}

func eventSpan(e *Event) (name string, kind trace.SpanKind) {
	switch e.Type {
	case EventLLMCall:
		return spanName(semconv.OperationChat, e.Model), trace.SpanKindClient
	case EventToolCall:
		if e.ToolCall == nil {
			return semconv.OperationExecuteTool, trace.SpanKindInternal
		}
		return spanName(semconv.OperationExecuteTool, e.ToolCall.Name), trace.SpanKindInternal
	case EventDecision:
		return semconv.SpanDecision, trace.SpanKindInternal
	default:
		return string(e.Type), trace.SpanKindInternal
	}
}

func spanName(operation, of string) string {
	if of == "" {
		return operation
	}
	return operation + " " + of
}

// eventAttributes appends all of the event: its own span tells it whole.
func eventAttributes(attrs []attribute.KeyValue, e *Event) []attribute.KeyValue {
	tool := agentLensTool
	figures := eventFigures
	switch e.Type {
	case EventLLMCall:
		figures = genAIFigures
		attrs = append(attrs, attribute.String(semconv.GenAIOperationName, semconv.OperationChat))
	case EventToolCall:
		tool = genAITool
		attrs = append(attrs, attribute.String(semconv.GenAIOperationName, semconv.OperationExecuteTool))
	}
	attrs = appendText(attrs, semconv.GenAIProviderName, e.Provider)
	attrs = appendText(attrs, figures.model, e.Model)
	attrs = appendText(attrs, semconv.GenAIResponseModel, e.ResponseModel)
	attrs = appendText(attrs, semconv.GenAIResponseID, e.ResponseID)
	attrs = appendCount(attrs, figures.tokensIn, e.TokensIn)
	attrs = appendCount(attrs, figures.tokensOut, e.TokensOut)
	attrs = appendCount(attrs, figures.cacheRead, e.CacheReadTokens)
	attrs = appendCount(attrs, figures.cacheWrite, e.CacheWriteTokens)
	attrs = appendCount(attrs, figures.reasoning, e.ReasoningTokens)
	if e.Error != nil {
		attrs = append(attrs, attribute.String(semconv.ErrorType, e.Error.Type))
	}
	if e.ToolCall != nil {
		attrs = toolAttributes(attrs, e.ToolCall, tool)
	}
	if e.DecisionTrace != nil {
		attrs = decisionAttributes(attrs, e.DecisionTrace)
	}
	attrs = appendText(attrs, semconv.EventInput, string(e.Input))
	return appendText(attrs, semconv.EventOutput, string(e.Output))
}

// figureKeys are the keys of an event's model and token counts.
type figureKeys struct{ model, tokensIn, tokensOut, cacheRead, cacheWrite, reasoning string }

var (
	genAIFigures = figureKeys{
		semconv.GenAIRequestModel, semconv.GenAIUsageInputTokens, semconv.GenAIUsageOutputTokens,
		semconv.GenAIUsageCacheReadTokens, semconv.GenAIUsageCacheWriteTokens, semconv.GenAIUsageReasoningTokens,
	}
	// Of an event that is no inference.
	eventFigures = figureKeys{
		semconv.EventModel, semconv.EventTokensInput, semconv.EventTokensOutput,
		semconv.EventTokensCacheRead, semconv.EventTokensCacheWrite, semconv.EventTokensReasoning,
	}
)

// toolKeys are the keys of a tool call.
type toolKeys struct{ name, id, arguments, result string }

var (
	genAITool = toolKeys{
		semconv.GenAIToolName, semconv.GenAIToolCallID, semconv.GenAIToolCallArguments, semconv.GenAIToolCallResult,
	}
	// Of an event that is no tool call itself.
	agentLensTool = toolKeys{
		semconv.ToolName, semconv.ToolCallID, semconv.ToolCallArguments, semconv.ToolCallResult,
	}
)

func toolAttributes(attrs []attribute.KeyValue, t *ToolCall, keys toolKeys) []attribute.KeyValue {
	attrs = appendText(attrs, keys.name, t.Name)
	attrs = appendText(attrs, keys.id, t.ID)
	attrs = appendText(attrs, keys.arguments, string(t.Input))
	return appendText(attrs, keys.result, string(t.Output))
}

func decisionAttributes(attrs []attribute.KeyValue, d *DecisionTrace) []attribute.KeyValue {
	attrs = append(attrs, attribute.String(semconv.DecisionID, d.ID), attribute.Int(semconv.DecisionStep, d.Step))
	attrs = appendText(attrs, semconv.DecisionReasoning, d.Reasoning)
	if len(d.Alternatives) > 0 {
		attrs = append(attrs, attribute.StringSlice(semconv.DecisionAlternatives, d.Alternatives))
	}
	if d.Confidence.OK {
		attrs = append(attrs, attribute.Float64(semconv.DecisionConfidence, d.Confidence.V))
	}
	return attrs
}

func appendText(attrs []attribute.KeyValue, key, value string) []attribute.KeyValue {
	if value == "" {
		return attrs
	}
	return append(attrs, attribute.String(key, value))
}

func appendCount(attrs []attribute.KeyValue, key string, n analysis.Opt[int64]) []attribute.KeyValue {
	if !n.OK {
		return attrs
	}
	return append(attrs, attribute.Int64(key, n.V))
}
