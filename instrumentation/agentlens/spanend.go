package agentlens

import (
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// End records what was done, and how long it took. A second End does nothing.
func (sp *Span) End() {
	if sp == nil {
		return
	}
	sp.mu.Lock()
	if sp.ended {
		sp.mu.Unlock()
		return
	}
	sp.ended = true // The event is this goroutine's own from here on.
	sp.mu.Unlock()
	if sp.role == spanOfEvent {
		sp.endEvent()
	} else {
		sp.endStep()
	}
}

// EndWith is End for defer, with the error that the function returns, and with
// its panic, which goes on:
//
//	func answer(ctx context.Context) (text string, err error) {
//		ctx, call := session.StartLLM(ctx, "openai", "gpt-4o")
//		defer call.EndWith(&err)
//
// A nil err, and a nil error in it, say that nothing failed.
func (sp *Span) EndWith(err *error) {
	if sp == nil {
		return
	}
	if r := recover(); r != nil {
		sp.SetError(panicked{r})
		sp.End()
		panic(r)
	}
	if err != nil && *err != nil {
		sp.SetError(*err)
	}
	sp.End()
}

// endEvent ends the span of an event, which counts in the session even when
// that has ended meanwhile.
func (sp *Span) endEvent() {
	s, c, e := sp.session, &sp.c, &sp.c.event
	sp.mend()
	s.number(e)
	if sp.recording {
		buf := newSpanBuffer()
		buf.attrs = endAttributes(buf.attrs, c)
		buf.set(sp.span)
		buf.release(c)
		if e.Error != nil {
			sp.span.SetStatus(codes.Error, e.Error.Message)
		}
		if e.ToolCall != nil || e.DecisionTrace != nil {
			sp.setEnd(time.Now())
			s.writeParts(sp.ctx, c)
		}
	}
	sp.endSpan()
	s.tracker.metrics.record(sp.ctx, c)
	sp.adopt()
	s.observe(e, spanID(sp.span))
}

// adopt takes over what a middleware has written onto the span of a request
// whose caller said nothing of its answer.
func (sp *Span) adopt() {
	e := &sp.c.event
	if !sp.recording || !sp.c.isInference() || e.TokensIn.OK || e.TokensOut.OK || e.ResponseID != "" {
		return
	}
	own, ok := sp.span.(sdktrace.ReadOnlySpan)
	if !ok {
		return
	}
	for _, kv := range own.Attributes() {
		switch v := kv.Value; string(kv.Key) {
		case semconv.GenAIResponseID:
			e.ResponseID = v.AsString()
		case semconv.GenAIResponseModel:
			e.ResponseModel = v.AsString()
		case semconv.GenAIUsageInputTokens:
			e.TokensIn = analysis.Some(v.AsInt64())
		case semconv.GenAIUsageOutputTokens:
			e.TokensOut = analysis.Some(v.AsInt64())
		case semconv.GenAIUsageCacheReadTokens:
			e.CacheReadTokens = analysis.Some(v.AsInt64())
		case semconv.GenAIUsageCacheWriteTokens:
			e.CacheWriteTokens = analysis.Some(v.AsInt64())
		case semconv.GenAIUsageReasoningTokens:
			e.ReasoningTokens = analysis.Some(v.AsInt64())
		}
	}
}

// endStep ends the span of a step or a sub-agent.
func (sp *Span) endStep() {
	c := &sp.c
	sp.fail()
	if sp.recording {
		buf := newSpanBuffer()
		if e := c.event.Error; e != nil {
			buf.attrs = append(buf.attrs, attribute.String(semconv.ErrorType, e.Type))
			sp.span.SetStatus(codes.Error, e.Message)
		}
		if d := c.event.DecisionTrace; d != nil {
			buf.attrs = decisionAttributes(buf.attrs, d)
		}
		buf.attrs = contentAttributes(buf.attrs, c)
		buf.set(sp.span)
		buf.release(c)
	}
	sp.endSpan()
	if sp.role == spanOfAgent {
		sp.session.tracker.metrics.recordAgent(sp.ctx, sp.name, time.Since(sp.began), c.event.Error)
	}
}

// endSpan ends the OpenTelemetry span, and takes over the times that it has.
func (sp *Span) endSpan() {
	sp.span.End()
	if own, ok := sp.span.(sdktrace.ReadOnlySpan); ok {
		sp.setEnd(own.EndTime())
	} else {
		sp.setEnd(time.Now())
	}
}

// setEnd sets the times of the event and its parts. A duration that was
// measured is a nanosecond at least.
func (sp *Span) setEnd(at time.Time) {
	e := &sp.c.event
	took := max(1, at.Sub(sp.began))
	e.Timestamp = at.Round(0).UTC()
	e.DurationMS = analysis.Some(float64(took) / float64(time.Millisecond))
	if t := e.ToolCall; t != nil {
		t.Timestamp, t.DurationMS = e.Timestamp, e.DurationMS
	}
	if d := e.DecisionTrace; d != nil {
		d.Timestamp = e.Timestamp
	}
}

// mend makes the event valid: what cannot be is left out.
func (sp *Span) mend() {
	e := &sp.c.event
	t := sp.session.tracker
	e.DurationMS = analysis.Opt[float64]{} // it is measured
	for err := e.Validate(); err != nil; err = e.Validate() {
		t.refused.add(1, err)
		switch invalidField(err) {
		case "tokens_in":
			e.TokensIn.OK = false
		case "tokens_out":
			e.TokensOut.OK = false
		case "cache_read_tokens":
			e.CacheReadTokens.OK = false
		case "cache_write_tokens":
			e.CacheWriteTokens.OK = false
		case "reasoning_tokens":
			e.ReasoningTokens.OK = false
		case "confidence":
			e.DecisionTrace.Confidence.OK = false
		default:
			*e = Event{Type: e.Type, ToolCall: e.ToolCall, Error: e.Error} // Cannot be: every field is above.
		}
	}
	if tool := e.ToolCall; tool != nil && tool.ID == "" {
		tool.ID = newID()
	}
	if d := e.DecisionTrace; d != nil {
		if d.ID == "" {
			d.ID = newID()
		}
		d.Step = max(0, d.Step)
	}
	sp.fail()
}

func invalidField(err error) string {
	var bad *FieldError
	if errors.As(err, &bad) {
		return bad.Field
	}
	return ""
}

// fail describes what the span failed with. An error whose methods panic is
// still an error.
func (sp *Span) fail() {
	if err := sp.c.setFailure(sp.session); err != nil {
		sp.session.tracker.refused.add(1, err)
		sp.c.event.Error = &analysis.Failure{Type: semconv.ErrorTypeOther}
	}
}
