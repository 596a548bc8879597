package agentlens

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/semconv"
)

// StartLLM starts a request to a model as it happens: a span "chat {model}"
// whose End records the event. The context returned holds the span, for the
// request itself; its baggage has no session members, so that the provider sees
// none. Options say what is known already; WithTimestamp gives the start.
//
// Where a middleware or another library records the request too, StartLLM is not
// needed: that span joins the session. Around a request that one of the
// middlewares records it makes no second one: the middleware adds to this span,
// and the session knows the tokens it told. What another library tells of the
// request, or a middleware under a span in between, the collector counts once.
//
// A nil Session, one that has ended, or a tracker that was shut down gives a
// nil Span, on which every method is safe: the caller's code runs the same.
// A span that was refused is counted in Stats and logged.
func (s *Session) StartLLM(ctx context.Context, provider, model string, opts ...EventOption) (context.Context, *Span) {
	if s == nil {
		return orBackground(ctx), nil
	}
	return s.begin(ctx, newLLM(provider, model, opts))
}

// StartTool starts a tool call as it happens; see StartLLM.
func (s *Session) StartTool(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	if s == nil {
		return orBackground(ctx), nil
	}
	return s.begin(ctx, newTool(name, opts))
}

// StartDecision starts a decision as it is made; see StartLLM.
func (s *Session) StartDecision(ctx context.Context, opts ...EventOption) (context.Context, *Span) {
	if s == nil {
		return orBackground(ctx), nil
	}
	return s.begin(ctx, newSpan(spanOfEvent, EventDecision, opts))
}

// StartStep starts a step of the agent's work, around the calls made in it. It
// shows in the trace and is no event of the session: what happens in it is.
func (s *Session) StartStep(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	if s == nil {
		return orBackground(ctx), nil
	}
	return s.begin(ctx, newStep(name, opts))
}

// StartAgent starts the work of a sub-agent: a span "invoke_agent {name}" under
// which spans bear the sub-agent's name. Like a step it is no event, and its end
// does not end the session.
func (s *Session) StartAgent(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	if s == nil {
		return orBackground(ctx), nil
	}
	return s.begin(ctx, newAgent(name, opts))
}

// spanRole is what a live span is to its session.
type spanRole uint8

const (
	spanOfEvent spanRole = iota
	spanOfStep
	spanOfAgent
)

func newSpan(role spanRole, eventType EventType, opts []EventOption) *Span {
	sp := &Span{role: role, c: eventConfig{extra: &noExtras}}
	sp.c.event.Type = eventType
	for _, opt := range opts {
		if opt != nil {
			opt.applyEvent(&sp.c)
		}
	}
	return sp
}

func newLLM(provider, model string, opts []EventOption) *Span {
	sp := newSpan(spanOfEvent, EventLLMCall, opts)
	e := &sp.c.event
	if provider != "" {
		e.Provider = text(provider)
	}
	if model != "" {
		e.Model = text(model)
	}
	switch sp.c.operation {
	case semconv.OperationEmbeddings, semconv.OperationRetrieval:
		e.Type = EventType(sp.c.operation)
	}
	return sp
}

func newTool(name string, opts []EventOption) *Span {
	sp := newSpan(spanOfEvent, EventToolCall, opts)
	sp.c.useTool().Name = text(name)
	return sp
}

func newStep(name string, opts []EventOption) *Span {
	sp := newSpan(spanOfStep, semconv.EventTypePart, opts)
	if sp.name = text(name); name == "" {
		sp.name = "step"
	}
	return sp
}

func newAgent(name string, opts []EventOption) *Span {
	sp := newSpan(spanOfAgent, semconv.EventTypePart, opts)
	if sp.name = text(name); name == "" {
		sp.name = DefaultAgentName
	}
	return sp
}

// begin starts the span in the session, or refuses it.
func (s *Session) begin(ctx context.Context, sp *Span) (context.Context, *Span) {
	ctx = orBackground(ctx)
	sp.c.capture = s.captureMode(ctx, sp.c.capture)
	if err := sp.admit(s); err != nil {
		s.tracker.refused.add(1, err)
		return ctx, nil
	}
	at := placeIn(ctx)
	if at == nil || at.session != s {
		at = &s.home
		ctx = context.WithValue(ctx, capture.Key{}, at)
	}
	switch {
	case sp.role == spanOfAgent:
		at = s.placeOf(sp.name)
		ctx = context.WithValue(ctx, capture.Key{}, at)
	case sp.c.isInference():
		ctx = WithoutBaggage(ctx)
	}
	sp.session = s
	buf := newSpanBuffer()
	buf.attrs = at.identity(buf.attrs, string(sp.c.event.Type))
	switch sp.role {
	case spanOfAgent:
		buf.attrs = append(buf.attrs, attribute.String(semconv.GenAIOperationName, semconv.OperationInvokeAgent))
		fallthrough
	case spanOfStep:
		buf.attrs = append(buf.attrs, sp.c.extra.attrs...)
	default:
		buf.attrs = sp.c.startAttributes(buf.attrs)
	}
	ctx, sp.span = buf.start(s.parent(ctx), s.tracker, sp.spanName(s.tracker), sp.kind(), sp.c.extra.links, sp.c.event.Timestamp)
	buf.release(&sp.c)
	sp.recording = sp.span.IsRecording()
	if sp.began = sp.c.event.Timestamp; sp.began.IsZero() {
		sp.began = startOf(sp.span)
	}
	sp.ctx = context.WithValue(ctx, spanKey{}, sp)
	return sp.ctx, sp
}

// startOf returns when the span started, the present of one that does not tell.
func startOf(span trace.Span) time.Time {
	if own, ok := span.(sdktrace.ReadOnlySpan); ok {
		return own.StartTime()
	}
	return time.Now()
}

// admit reports why the span cannot start, and captures what its options gave.
func (sp *Span) admit(s *Session) error {
	c := &sp.c
	if err := s.check(c.sessionID); err != nil {
		return err
	}
	s.life.RLock()
	ended := s.ended
	s.life.RUnlock()
	if ended {
		return ErrSessionEnded
	}
	e := &c.event
	if e.ToolCall != nil && e.ToolCall.Name == "" {
		return &FieldError{Field: "tool_name", Value: `""`, Want: "the name of the tool"}
	}
	if !e.Timestamp.IsZero() {
		t, err := eventTime("timestamp", e.Timestamp)
		if err != nil {
			return err
		}
		e.Timestamp = t
	}
	return c.setContent(s)
}

func (sp *Span) spanName(t *Tracker) string {
	switch sp.role {
	case spanOfStep:
		return sp.name
	case spanOfAgent:
		return t.spanNames.spanName(semconv.OperationInvokeAgent, sp.name)
	}
	return t.eventSpanName(&sp.c)
}

func (sp *Span) kind() trace.SpanStartOption {
	if sp.c.isInference() {
		return clientKind
	}
	return internalKind
}

// begin finds the session of a live span and starts it there.
func (t *Tracker) begin(ctx context.Context, sp *Span) (context.Context, *Span) {
	s := SessionFromContext(ctx)
	if s == nil || sp.c.sessionID != "" {
		if t == nil {
			return orBackground(ctx), nil
		}
		var err error
		if s, err = t.find(ctx, sp.c.sessionID); err != nil {
			t.refused.add(1, err)
			return orBackground(ctx), nil
		}
	}
	return s.begin(ctx, sp)
}

// StartLLM starts a request to a model in a session; see Session.StartLLM.
// WithSessionID and the package's rule say in which.
func (t *Tracker) StartLLM(ctx context.Context, provider, model string, opts ...EventOption) (context.Context, *Span) {
	return t.begin(ctx, newLLM(provider, model, opts))
}

// StartTool starts a tool call in a session; see Session.StartTool.
func (t *Tracker) StartTool(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	return t.begin(ctx, newTool(name, opts))
}

// StartDecision starts a decision in a session; see Session.StartDecision.
func (t *Tracker) StartDecision(ctx context.Context, opts ...EventOption) (context.Context, *Span) {
	return t.begin(ctx, newSpan(spanOfEvent, EventDecision, opts))
}

// StartStep starts a step in a session; see Session.StartStep.
func (t *Tracker) StartStep(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	return t.begin(ctx, newStep(name, opts))
}

// StartAgent starts a sub-agent's work in a session; see Session.StartAgent.
func (t *Tracker) StartAgent(ctx context.Context, name string, opts ...EventOption) (context.Context, *Span) {
	return t.begin(ctx, newAgent(name, opts))
}
