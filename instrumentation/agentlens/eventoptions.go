package agentlens

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// SessionOption says more about a session that starts.
type SessionOption interface{ applySession(*sessionConfig) }

// EventOption says what an event holds.
type EventOption interface{ applyEvent(*eventConfig) }

// ExplainOption says which session to explain.
type ExplainOption interface{ applyExplain(*explainConfig) }

// EndOption says which session ends, and how.
type EndOption interface{ applyEnd(*endConfig) }

// WithMetadata attaches metadata to a session: version, environment, whatever
// helps. Values are anything that encoding/json takes; nil values are left out.
// Given twice, the last one counts.
func WithMetadata(metadata map[string]any) SessionOption {
	return sessionOption(func(c *sessionConfig) { c.metadata = metadata })
}

// WithConversationID names the conversation that the session belongs to.
func WithConversationID(id string) SessionOption {
	return sessionOption(func(c *sessionConfig) { c.conversationID = id })
}

// WithSessionID gives StartSession the id of the new session, instead of a
// random one: 1 to 128 letters, digits, "_", "-", "." and ":". It tells Track,
// TrackTool, Explain and EndSession which session is meant. An empty id says
// nothing.
func WithSessionID(id string) SessionIDOption { return SessionIDOption{id} }

// SessionIDOption is what WithSessionID returns.
type SessionIDOption struct{ id string }

// WithTimestamp says when something was, if that is not now: the start of a
// session, the end of what an event measures, or the end of a session. So a
// history can be recorded. Times before 1970 and after 2262 are refused.
func WithTimestamp(t time.Time) TimestampOption { return TimestampOption{t} }

// TimestampOption is what WithTimestamp returns.
type TimestampOption struct{ t time.Time }

// WithError says what an event or a session failed with. A session ended so has
// the status error, unless WithStatus says timeout. A nil error says nothing.
func WithError(err error) ErrorOption { return ErrorOption{err} }

// ErrorOption is what WithError returns.
type ErrorOption struct{ err error }

// WithStatus says how a session ended: StatusCompleted, which is the default,
// StatusError or StatusTimeout.
func WithStatus(status Status) EndOption {
	return endOption(func(c *endConfig) { c.status = status })
}

// WithInput attaches the input of an operation: a prompt, a query, anything
// that encoding/json takes. It is encoded at once.
func WithInput(data any) EventOption {
	return eventOption(func(c *eventConfig) { c.give().input = data })
}

// WithOutput attaches the output of an operation, as WithInput does.
func WithOutput(data any) EventOption {
	return eventOption(func(c *eventConfig) { c.give().output = data })
}

// WithInputMessages attaches the messages sent to a model.
func WithInputMessages(messages ...Message) EventOption {
	return eventOption(func(c *eventConfig) { c.give().inMessages = messages })
}

// WithOutputMessages attaches the messages that a model answered with, one a
// choice.
func WithOutputMessages(messages ...Message) EventOption {
	return eventOption(func(c *eventConfig) { c.give().outMessages = messages })
}

// WithSystemInstructions attaches instructions that were sent apart from the
// messages.
func WithSystemInstructions(parts ...Part) EventOption {
	return eventOption(func(c *eventConfig) { c.give().system = parts })
}

// WithOperation says which inference it is, where that is not "chat":
// "text_completion", "generate_content", "embeddings".
func WithOperation(name string) EventOption {
	return eventOption(func(c *eventConfig) { c.operation = text(name) })
}

// WithAttributes adds attributes to the event's span: the parameters of a
// request, the address of a server. The event does not have them, and they are
// written as they are, whatever the capture mode.
func WithAttributes(attrs ...attribute.KeyValue) EventOption {
	return eventOption(func(c *eventConfig) { x := c.more(); x.attrs = appendFit(x.attrs, attrs) })
}

// WithLinks links the event's span to others: to those whose results it joins,
// or to the span of a message that it handles.
func WithLinks(links ...trace.Link) EventOption {
	return eventOption(func(c *eventConfig) {
		for _, l := range links {
			if l.SpanContext.IsValid() {
				x := c.more()
				x.links = append(x.links, l)
			}
		}
	})
}

// WithModel names the model, such as "gpt-4o".
func WithModel(name string) EventOption {
	return eventOption(func(c *eventConfig) { c.event.Model = text(name) })
}

// WithResponseModel names the model that answered, where that is not the one
// asked for.
func WithResponseModel(name string) EventOption {
	return eventOption(func(c *eventConfig) { c.event.ResponseModel = text(name) })
}

// WithProvider names the provider of the model as OpenTelemetry does: "openai",
// "anthropic", "gcp.gemini", "aws.bedrock".
func WithProvider(name string) EventOption {
	return eventOption(func(c *eventConfig) { c.event.Provider = text(name) })
}

// WithResponseID attaches the provider's id of the answer.
func WithResponseID(id string) EventOption {
	return eventOption(func(c *eventConfig) { c.event.ResponseID = text(id) })
}

// WithTokens attaches the counts of input tokens, cached ones included, and of
// output tokens, those of reasoning included. Tokens not given are unknown,
// which is not the same as 0.
func WithTokens(in, out int64) EventOption {
	return eventOption(func(c *eventConfig) {
		c.event.TokensIn, c.event.TokensOut = analysis.Some(in), analysis.Some(out)
	})
}

// WithTokensIn attaches the count of input tokens alone.
func WithTokensIn(n int64) EventOption {
	return eventOption(func(c *eventConfig) { c.event.TokensIn = analysis.Some(n) })
}

// WithTokensOut attaches the count of output tokens alone.
func WithTokensOut(n int64) EventOption {
	return eventOption(func(c *eventConfig) { c.event.TokensOut = analysis.Some(n) })
}

// WithCacheTokens attaches how many of the input tokens were read from, and how
// many written to, the provider's cache.
func WithCacheTokens(read, write int64) EventOption {
	return eventOption(func(c *eventConfig) {
		c.event.CacheReadTokens, c.event.CacheWriteTokens = analysis.Some(read), analysis.Some(write)
	})
}

// WithReasoningTokens attaches how many of the output tokens were reasoning.
func WithReasoningTokens(n int64) EventOption {
	return eventOption(func(c *eventConfig) { c.event.ReasoningTokens = analysis.Some(n) })
}

// WithReasoning says why the agent did it, which gives the event a decision
// trace. An empty reasoning says nothing.
func WithReasoning(reasoning string) EventOption {
	return eventOption(func(c *eventConfig) {
		if reasoning != "" {
			c.decide().Reasoning = text(reasoning)
		}
	})
}

// WithDecision attaches a whole decision trace: step, reasoning, alternatives
// considered and confidence. A step of 0 becomes the ordinal of the decision in
// its session, an empty id a random one, and a reasoning that is empty leaves
// the one of WithReasoning.
func WithDecision(trace DecisionTrace) EventOption {
	return eventOption(func(c *eventConfig) {
		d := c.decide()
		reasoning := d.Reasoning
		*d = trace
		d.ID = text(trace.ID)
		if d.Reasoning = text(trace.Reasoning); d.Reasoning == "" {
			d.Reasoning = reasoning
		}
		d.Alternatives = nil
		for _, a := range trace.Alternatives {
			d.Alternatives = append(d.Alternatives, text(a))
		}
	})
}

// WithTool attaches the use of a tool: its name, and input and output as
// WithInput takes them. On an event that is not a tool call it says that the
// event used a tool, for instance that a model asked for it.
func WithTool(name string, input, output any) EventOption {
	return eventOption(func(c *eventConfig) {
		c.useTool().Name = text(name)
		g := c.give()
		g.toolInput, g.toolOutput = input, output
	})
}

// WithToolCallID attaches the model's id of the tool call, instead of a random
// one.
func WithToolCallID(id string) EventOption {
	return eventOption(func(c *eventConfig) { c.useTool().ID = text(id) })
}

// WithDuration attaches how long it took. Without it the duration is not
// measured; a span shows that by having no length, so a measured duration is a
// nanosecond at least.
func WithDuration(d time.Duration) EventOption {
	return WithDurationMS(float64(d) / float64(time.Millisecond))
}

// WithDurationMS attaches how long it took, in milliseconds, as WithDuration
// does. It is kept to the nanosecond.
func WithDurationMS(ms float64) EventOption {
	return eventOption(func(c *eventConfig) { c.event.DurationMS = analysis.Some(ms) })
}
