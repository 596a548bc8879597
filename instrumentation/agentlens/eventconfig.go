package agentlens

import (
	"encoding/json"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// sessionConfig is what the options say of a session that starts.
type sessionConfig struct {
	id             string
	conversationID string
	metadata       map[string]any
	timestamp      time.Time
	capture        CaptureMode
	baggage        bool
}

// eventConfig is an event in the making: what options and setters have said.
type eventConfig struct {
	sessionID    string
	event        Event
	operation    string // gen_ai.operation.name of an inference
	err          error
	firstChunkIn time.Duration // 0 = not known
	finish       []string
	// capture is what an option says; the mode that holds once the session is
	// known, which nothing changes afterwards.
	capture CaptureMode
	// extra is noExtras until more is called.
	extra *extras
}

// extras is what many events have nothing of.
type extras struct {
	// given is what the caller gave, until it is captured; nil until give is
	// called.
	given    *given
	hasGiven bool
	// messages, attrs and links are of the event's span alone.
	messages messages
	attrs    []attribute.KeyValue
	links    []trace.Link
	captured captured
}

var noExtras extras

// more returns the extras for writing.
func (c *eventConfig) more() *extras {
	if c.extra == &noExtras {
		c.extra = new(extras)
	}
	return c.extra
}

// given is content as the caller gave it.
type given struct{ input, output, toolInput, toolOutput, system, inMessages, outMessages any }

// messages is content in the convention's form.
type messages struct {
	system, in, out json.RawMessage
	// The event's input or output is in or out.
	isInput, isOutput bool
}

type explainConfig struct{ sessionID string }

type endConfig struct {
	sessionID string
	status    Status
	timestamp time.Time
	err       error
}

type (
	sessionOption func(*sessionConfig)
	eventOption   func(*eventConfig)
	endOption     func(*endConfig)
)

func (f sessionOption) applySession(c *sessionConfig)   { f(c) }
func (f eventOption) applyEvent(c *eventConfig)         { f(c) }
func (f endOption) applyEnd(c *endConfig)               { f(c) }
func (o SessionIDOption) applySession(c *sessionConfig) { c.id = o.id }
func (o SessionIDOption) applyEvent(c *eventConfig)     { c.sessionID = o.id }
func (o SessionIDOption) applyExplain(c *explainConfig) { c.sessionID = o.id }
func (o SessionIDOption) applyEnd(c *endConfig)         { c.sessionID = o.id }
func (o TimestampOption) applySession(c *sessionConfig) { c.timestamp = o.t }
func (o TimestampOption) applyEvent(c *eventConfig)     { c.event.Timestamp = o.t }
func (o TimestampOption) applyEnd(c *endConfig)         { c.timestamp = o.t }
func (o ErrorOption) applyEvent(c *eventConfig)         { c.err = o.err }
func (o ErrorOption) applyEnd(c *endConfig)             { c.err = o.err }

// eventConfigs are used again, their extras too.
var eventConfigs = sync.Pool{New: func() any { return &eventConfig{extra: &noExtras} }}

// newEventConfig returns what the options say. Who is done with it may release
// it.
func newEventConfig(opts []EventOption) *eventConfig {
	c := eventConfigs.Get().(*eventConfig)
	for _, opt := range opts {
		if opt != nil {
			opt.applyEvent(c)
		}
	}
	return c
}

func (c *eventConfig) release() {
	extra := c.extra
	if extra != &noExtras {
		if extra.given != nil {
			*extra.given = given{}
		}
		*extra = extras{given: extra.given}
	}
	*c = eventConfig{extra: extra}
	eventConfigs.Put(c)
}

func (c *eventConfig) give() *given {
	x := c.more()
	if x.given == nil {
		x.given = new(given)
	}
	x.hasGiven = true
	return x.given
}

func (c *eventConfig) decide() *DecisionTrace {
	if c.event.DecisionTrace == nil {
		c.event.DecisionTrace = &DecisionTrace{}
	}
	return c.event.DecisionTrace
}

func (c *eventConfig) useTool() *ToolCall {
	if c.event.ToolCall == nil {
		c.event.ToolCall = &ToolCall{}
	}
	return c.event.ToolCall
}

func toolOptions(name string, input, output any, opts []EventOption) []EventOption {
	return append([]EventOption{WithTool(name, input, output)}, opts...)
}

func newEndConfig(opts []EndOption) *endConfig {
	c := &endConfig{}
	for _, opt := range opts {
		if opt != nil {
			opt.applyEnd(c)
		}
	}
	return c
}

// outcome returns the status a session ends with, and what it failed with.
func (c *endConfig) outcome() (Status, *analysis.Failure, error) {
	status := c.status
	if status == "" {
		status = StatusCompleted
		if c.err != nil {
			status = StatusError
		}
	}
	switch status {
	case StatusCompleted, StatusError, StatusTimeout:
	default:
		return "", nil, &FieldError{Field: "status", Value: status, Want: "completed, error or timeout"}
	}
	if c.err == nil {
		return status, nil, nil
	}
	if status == StatusCompleted {
		return "", nil, &FieldError{Field: "status", Value: status, Want: "error or timeout, as WithError is given"}
	}
	failure, err := toFailure(c.err)
	return status, failure, err
}
