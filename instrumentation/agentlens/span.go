package agentlens

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Span is something an agent is doing: a request to a model, a tool call, a
// decision, a step. Setters say what it turns out to be, End records it. All
// methods can be called from any number of goroutines, are safe on a nil Span,
// and do nothing after End. A figure that cannot be, such as a negative count,
// and data that has no JSON are left out, counted in Stats and logged. Data set
// on a span that is not sampled is not even encoded: the event has none.
type Span struct {
	session *Session
	role    spanRole
	name    string // of a step or a sub-agent
	span    trace.Span
	// recording says that the span is sampled, or read by a span processor.
	recording bool
	ctx       context.Context // with the span, for what is recorded at its end
	began     time.Time

	mu    sync.Mutex
	ended bool
	c     eventConfig
}

// SetInput sets the input: the arguments of a tool, what a step works on.
// Messages to a model go to SetInputMessages.
func (sp *Span) SetInput(data any) {
	if sp != nil && sp.c.event.Type == EventToolCall {
		sp.content(sp.c.tool().arguments, "tool_input", data, func(c *eventConfig, raw json.RawMessage) { c.event.ToolCall.Input = raw })
		return
	}
	sp.content(semconv.EventInput, "input_data", data, func(c *eventConfig, raw json.RawMessage) {
		c.event.Input, c.more().messages.isInput = raw, false
	})
}

// SetOutput sets the output: the result of a tool, the choice of a decision.
func (sp *Span) SetOutput(data any) {
	if sp != nil && sp.c.event.Type == EventToolCall {
		sp.content(sp.c.tool().result, "tool_output", data, func(c *eventConfig, raw json.RawMessage) { c.event.ToolCall.Output = raw })
		return
	}
	sp.content(semconv.EventOutput, "output_data", data, func(c *eventConfig, raw json.RawMessage) {
		c.event.Output, c.more().messages.isOutput = raw, false
	})
}

// SetInputMessages sets the messages sent to a model.
func (sp *Span) SetInputMessages(messages ...Message) {
	if !sp.captures() {
		return // before the messages are put on the heap
	}
	sp.content(semconv.GenAIInputMessages, "input_messages", messages, func(c *eventConfig, raw json.RawMessage) {
		if c.more().messages.in = raw; c.event.Input == nil || c.more().messages.isInput {
			c.event.Input, c.more().messages.isInput = raw, true
		}
	})
}

// SetOutputMessages sets the messages that a model answered with, one a choice.
func (sp *Span) SetOutputMessages(messages ...Message) {
	if !sp.captures() {
		return // before the messages are put on the heap
	}
	sp.content(semconv.GenAIOutputMessages, "output_messages", messages, func(c *eventConfig, raw json.RawMessage) {
		if c.more().messages.out = raw; c.event.Output == nil || c.more().messages.isOutput {
			c.event.Output, c.more().messages.isOutput = raw, true
		}
	})
}

// SetSystemInstructions sets instructions sent apart from the messages.
func (sp *Span) SetSystemInstructions(parts ...Part) {
	sp.content(semconv.GenAISystemInstruction, "system_instructions", parts, func(c *eventConfig, raw json.RawMessage) { c.more().messages.system = raw })
}

// SetResponse sets the provider's id of the answer and the model that answered.
func (sp *Span) SetResponse(id, model string) {
	sp.set(func(c *eventConfig) { c.event.ResponseID, c.event.ResponseModel = text(id), text(model) })
}

// SetFinishReasons sets why the model stopped, one reason a choice.
func (sp *Span) SetFinishReasons(reasons ...string) {
	sp.set(func(c *eventConfig) {
		c.finish = texts(reasons)
	})
}

// SetTokens sets the counts of input and output tokens; see WithTokens.
func (sp *Span) SetTokens(in, out int64) {
	sp.set(func(c *eventConfig) { c.event.TokensIn, c.event.TokensOut = analysis.Some(in), analysis.Some(out) })
}

// SetTokensIn sets the count of input tokens alone.
func (sp *Span) SetTokensIn(n int64) {
	sp.set(func(c *eventConfig) { c.event.TokensIn = analysis.Some(n) })
}

// SetTokensOut sets the count of output tokens alone.
func (sp *Span) SetTokensOut(n int64) {
	sp.set(func(c *eventConfig) { c.event.TokensOut = analysis.Some(n) })
}

// SetCacheTokens sets how many input tokens were read from, and how many
// written to, the provider's cache.
func (sp *Span) SetCacheTokens(read, write int64) {
	sp.set(func(c *eventConfig) {
		c.event.CacheReadTokens, c.event.CacheWriteTokens = analysis.Some(read), analysis.Some(write)
	})
}

// SetReasoningTokens sets how many of the output tokens were reasoning.
func (sp *Span) SetReasoningTokens(n int64) {
	sp.set(func(c *eventConfig) { c.event.ReasoningTokens = analysis.Some(n) })
}

// FirstToken says that the first chunk of a streamed answer has come. Only the
// first call counts.
func (sp *Span) FirstToken() {
	sp.set(func(c *eventConfig) {
		if c.firstChunkIn == 0 {
			c.firstChunkIn = max(1, time.Since(sp.began))
		}
	})
}

// SetToolCallID sets the model's id of a tool call, instead of a random one.
func (sp *Span) SetToolCallID(id string) {
	sp.set(func(c *eventConfig) {
		if c.event.ToolCall != nil {
			c.event.ToolCall.ID = text(id)
		}
	})
}

// SetReasoning sets why the agent does it; an empty reasoning says nothing.
func (sp *Span) SetReasoning(reasoning string) {
	if reasoning != "" {
		sp.decide(DecisionTrace{Reasoning: text(reasoning)}, func(d, given *DecisionTrace) { d.Reasoning = given.Reasoning })
	}
}

// SetAlternatives sets what else the agent considered.
func (sp *Span) SetAlternatives(alternatives ...string) {
	sp.decide(DecisionTrace{Alternatives: texts(alternatives)}, func(d, given *DecisionTrace) { d.Alternatives = given.Alternatives })
}

// SetConfidence sets how sure the agent is of a decision, from 0 to 1.
func (sp *Span) SetConfidence(confidence float64) {
	sp.set(func(c *eventConfig) { c.decide().Confidence = analysis.Some(confidence) })
}

// SetError says that it failed. A nil error says that it did not.
func (sp *Span) SetError(err error) { sp.set(func(c *eventConfig) { c.err = err }) }

// SetAttributes sets further attributes of the span at once; see WithAttributes.
func (sp *Span) SetAttributes(attrs ...attribute.KeyValue) {
	sp.set(func(*eventConfig) { sp.span.SetAttributes(appendFit(nil, attrs)...) })
}

// AddLink links the span to another, whose result it uses.
func (sp *Span) AddLink(link trace.Link) {
	if link.SpanContext.IsValid() {
		sp.set(func(*eventConfig) { sp.span.AddLink(link) })
	}
}

// Link returns a link to the span, for WithLinks and AddLink of others.
func (sp *Span) Link() trace.Link { return trace.Link{SpanContext: sp.SpanContext()} }

// SpanContext returns the identity of the OpenTelemetry span.
func (sp *Span) SpanContext() trace.SpanContext {
	if sp == nil {
		return trace.SpanContext{}
	}
	return sp.span.SpanContext()
}

// set runs f on the event in the making, unless it is over.
func (sp *Span) set(f func(*eventConfig)) {
	if sp == nil {
		return
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if !sp.ended {
		f(&sp.c)
	}
}

// content captures data and keeps it. The caller's marshallers and redactors
// run before the lock is taken.
func (sp *Span) content(key, field string, data any, keep func(*eventConfig, json.RawMessage)) {
	if !sp.captures() {
		return
	}
	t := sp.session.tracker
	var got captured
	raw, err := t.contents.data(sp.c.capture, key, field, data, &got)
	if err != nil {
		t.refused.add(1, err)
		return
	}
	sp.set(func(c *eventConfig) {
		if got.any() {
			c.more().captured.add(&got)
		}
		keep(c, raw)
	})
}

// decide captures a part of the decision trace and keeps it.
func (sp *Span) decide(given DecisionTrace, keep func(d, given *DecisionTrace)) {
	if sp == nil {
		return
	}
	var got captured
	sp.session.tracker.contents.decision(sp.c.capture, &given, &got)
	sp.set(func(c *eventConfig) {
		if got.any() {
			c.more().captured.add(&got)
		}
		keep(c.decide(), &given)
	})
}

// captures reports whether anything of content is captured.
func (sp *Span) captures() bool { return sp != nil && sp.recording && sp.c.capture != CaptureNone }

func (c *captured) any() bool { return len(c.sizes)+len(c.dropped) > 0 }

func (c *captured) add(more *captured) {
	c.sizes = append(c.sizes, more.sizes...)
	c.dropped = append(c.dropped, more.dropped...)
}

// panicked is what a call failed with that panicked.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// ErrorType is the value of error.type.
func (panicked) ErrorType() string { return "panic" }
