package agentlens

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// startRoot starts the root span of the session's trace and returns ctx with it.
func (s *Session) startRoot(ctx context.Context) context.Context {
	attrs := append(s.home.identity(nil, semconv.EventTypeSession),
		attribute.String(semconv.GenAIOperationName, semconv.OperationInvokeAgent))
	if s.conversationID != "" {
		attrs = append(attrs, attribute.String(semconv.GenAIConversationID, s.conversationID))
	}
	opts := []trace.SpanStartOption{
		trace.WithNewRoot(), trace.WithTimestamp(s.startedAt), internalKind,
		trace.WithAttributes(attrs...),
	}
	if link := trace.LinkFromContext(ctx); link.SpanContext.IsValid() {
		opts = append(opts, trace.WithLinks(link))
	}
	ctx, s.root = s.tracker.tracer.Start(ctx, s.tracker.spanName(semconv.OperationInvokeAgent, s.agentName), opts...)
	return ctx
}

// writeStart writes the span that announces the session.
func (s *Session) writeStart(ctx context.Context) {
	_, span := s.tracker.tracer.Start(ctx, semconv.SpanSessionStart,
		trace.WithTimestamp(s.startedAt), internalKind,
		trace.WithAttributes(append(s.home.identity(nil, semconv.EventTypeSessionStart), s.metadataAttrs...)...))
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

// writeEvent writes the span of an event that is over, and the spans that show
// its parts to people who read the trace. It returns the event's id.
func (s *Session) writeEvent(ctx context.Context, c *eventConfig) trace.SpanID {
	e := &c.event
	start := e.Timestamp
	if e.DurationMS.OK {
		start = start.Add(-analysis.MillisToDuration(e.DurationMS.V))
	}
	buf := newSpanBuffer()
	defer buf.release(c)
	buf.attrs = c.startAttributes(s.placeIn(ctx).identity(buf.attrs, string(e.Type)))
	buf.attrs = endAttributes(buf.attrs, c)
	kind := internalKind
	if c.isInference() {
		kind = clientKind
	}
	ctx, span := buf.start(s.parent(ctx), s.tracker, s.tracker.eventSpanName(c), kind, c.extra.links, start)
	if e.Error != nil {
		span.SetStatus(codes.Error, e.Error.Message)
	}
	if (e.ToolCall != nil || e.DecisionTrace != nil) && span.IsRecording() {
		s.writeParts(ctx, c)
	}
	buf.end(span, e.Timestamp)
	return spanID(span)
}

// spanID returns the span's id, a random one from a provider that does nothing.
func spanID(span trace.Span) trace.SpanID {
	id := span.SpanContext().SpanID()
	if !id.IsValid() {
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}

// writeParts writes the spans that show a tool or a decision beside an event
// that is something else.
func (s *Session) writeParts(ctx context.Context, c *eventConfig) {
	e := &c.event
	if t := e.ToolCall; t != nil && e.Type != EventToolCall {
		buf := s.newPart(ctx)
		buf.attrs = append(buf.attrs, attribute.String(semconv.GenAIOperationName, semconv.OperationExecuteTool))
		buf.attrs = toolContent(appendText(buf.attrs, genAITool.name, t.Name), t, &genAITool)
		s.writePart(ctx, c, s.tracker.spanName(semconv.OperationExecuteTool, t.Name), buf)
	}
	if d := e.DecisionTrace; d != nil && e.Type != EventDecision {
		buf := s.newPart(ctx)
		buf.attrs = decisionAttributes(buf.attrs, d)
		s.writePart(ctx, c, semconv.SpanDecision, buf)
	}
}

func (s *Session) newPart(ctx context.Context) *spanBuffer {
	buf := newSpanBuffer()
	buf.attrs = s.placeIn(ctx).identity(buf.attrs, semconv.EventTypePart)
	return buf
}

func (s *Session) writePart(ctx context.Context, c *eventConfig, name string, buf *spanBuffer) {
	at := c.event.Timestamp
	_, span := buf.start(ctx, s.tracker, name, internalKind, nil, at)
	buf.end(span, at)
	buf.release(c)
}

// parent returns ctx with the span under which an event of the session goes:
// the one in ctx if it is in the session's trace, else the root.
func (s *Session) parent(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).TraceID() == s.root.SpanContext().TraceID() {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.root)
}

// placeIn returns where in the session ctx is.
func (s *Session) placeIn(ctx context.Context) *place {
	if at := placeIn(ctx); at != nil && at.session == s {
		return at
	}
	return &s.home
}

// hasContent reports whether the event's attributes can be more than names and
// numbers.
func (c *eventConfig) hasContent() bool {
	e := &c.event
	return c.extra != &noExtras || e.Input != nil || e.Output != nil ||
		e.ToolCall != nil || e.DecisionTrace != nil || e.Error != nil
}

// isInference reports whether the event is a request to a model.
func (c *eventConfig) isInference() bool { return c.event.Type == EventLLMCall || c.operation != "" }

// operationName is the event's gen_ai.operation.name, empty when it has none.
func (c *eventConfig) operationName() string {
	switch {
	case c.operation != "":
		return c.operation
	case c.event.Type == EventLLMCall:
		return semconv.OperationChat
	case c.event.Type == EventToolCall:
		return semconv.OperationExecuteTool
	}
	return ""
}

// eventSpanName returns the name of the event's span.
func (t *Tracker) eventSpanName(c *eventConfig) string {
	e := &c.event
	switch {
	case c.isInference():
		return t.spanName(c.operationName(), e.Model)
	case e.Type == EventToolCall && e.ToolCall != nil:
		return t.spanName(semconv.OperationExecuteTool, e.ToolCall.Name)
	case e.Type == EventToolCall:
		return semconv.OperationExecuteTool
	case e.Type == EventDecision:
		return semconv.SpanDecision
	}
	return string(e.Type)
}

// startAttributes appends what is known when the event begins, so that a
// sampler can see it.
func (c *eventConfig) startAttributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	e := &c.event
	attrs = appendText(attrs, semconv.GenAIOperationName, c.operationName())
	attrs = appendText(attrs, semconv.GenAIProviderName, e.Provider)
	attrs = appendText(attrs, c.figures().model, e.Model)
	if e.ToolCall != nil {
		attrs = appendText(attrs, c.tool().name, e.ToolCall.Name)
	}
	return append(attrs, c.extra.attrs...)
}

// endAttributes appends the rest: an event's own span tells it whole.
func endAttributes(attrs []attribute.KeyValue, c *eventConfig) []attribute.KeyValue {
	e, figures := &c.event, c.figures()
	if e.Error != nil {
		attrs = append(attrs, attribute.String(semconv.ErrorType, e.Error.Type))
	}
	attrs = appendText(attrs, semconv.GenAIResponseModel, e.ResponseModel)
	attrs = appendText(attrs, semconv.GenAIResponseID, e.ResponseID)
	if len(c.finish) > 0 {
		attrs = append(attrs, attribute.StringSlice(semconv.GenAIFinishReasons, c.finish))
	}
	if c.firstChunkIn > 0 {
		attrs = append(attrs, attribute.Bool(semconv.GenAIRequestStream, true),
			attribute.Float64(semconv.GenAITimeToFirstChunk, c.firstChunkIn.Seconds()))
	}
	attrs = appendCount(attrs, figures.tokensIn, e.TokensIn)
	attrs = appendCount(attrs, figures.tokensOut, e.TokensOut)
	attrs = appendCount(attrs, figures.cacheRead, e.CacheReadTokens)
	attrs = appendCount(attrs, figures.cacheWrite, e.CacheWriteTokens)
	attrs = appendCount(attrs, figures.reasoning, e.ReasoningTokens)
	if e.ToolCall != nil {
		attrs = toolContent(attrs, e.ToolCall, c.tool())
	}
	if e.DecisionTrace != nil {
		attrs = decisionAttributes(attrs, e.DecisionTrace)
	}
	if !c.hasContent() {
		return attrs
	}
	return contentAttributes(attrs, c)
}

// contentAttributes appends what was captured of inputs and outputs.
func contentAttributes(attrs []attribute.KeyValue, c *eventConfig) []attribute.KeyValue {
	e, x := &c.event, c.extra
	m := &x.messages
	for _, size := range x.captured.sizes {
		key := size.key
		if key != semconv.DecisionAlternativesCount {
			key += semconv.BytesSuffix
		}
		attrs = append(attrs, attribute.Int(key, size.bytes))
	}
	if len(x.captured.dropped) > 0 {
		attrs = append(attrs, attribute.StringSlice(semconv.ContentDropped, x.captured.dropped))
	}
	attrs = appendText(attrs, semconv.GenAISystemInstruction, string(m.system))
	attrs = appendText(attrs, semconv.GenAIInputMessages, string(m.in))
	attrs = appendText(attrs, semconv.GenAIOutputMessages, string(m.out))
	if !m.isInput {
		attrs = appendText(attrs, semconv.EventInput, string(e.Input))
	}
	if !m.isOutput {
		attrs = appendText(attrs, semconv.EventOutput, string(e.Output))
	}
	return attrs
}

// figures are the keys of the event's model and token counts.
func (c *eventConfig) figures() *figureKeys {
	if c.isInference() {
		return &genAIFigures
	}
	return &eventFigures
}

// tool returns the keys of the event's tool call.
func (c *eventConfig) tool() *toolKeys {
	if c.event.Type == EventToolCall {
		return &genAITool
	}
	return &agentLensTool
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

func toolContent(attrs []attribute.KeyValue, t *ToolCall, keys *toolKeys) []attribute.KeyValue {
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
