package agentlens

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// reserved reports whether the type is one by which AgentLens knows what is not
// an event.
func reserved(t EventType) bool {
	switch t {
	case semconv.EventTypeSession, semconv.EventTypeSessionStart, semconv.EventTypeSessionReport,
		semconv.EventTypePart, "session_end":
		return true
	}
	return false
}

// track completes the event, writes its spans, keeps it and copies it to done.
func (s *Session) track(ctx context.Context, eventType EventType, c *eventConfig, done *Event) error {
	defer c.release()
	c.capture = s.captureMode(ctx, c.capture)
	// All that runs the caller's code or can fail comes before the lock.
	if err := c.complete(eventType, s); err != nil {
		return err
	}
	e := &c.event

	s.life.RLock()
	defer s.life.RUnlock()
	if s.ended {
		return ErrSessionEnded
	}
	s.number(e)
	ctx = orBackground(ctx)
	id := s.writeEvent(ctx, c)
	s.observe(e, id)
	s.tracker.metrics.record(ctx, c)
	*done = *e
	done.ID, done.SessionID = id.String(), s.id
	return nil
}

// number gives a decision its place among those of the session.
func (s *Session) number(e *Event) {
	d := e.DecisionTrace
	if d == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps++
	if d.Step == 0 {
		d.Step = s.steps
	}
}

// observe counts the event and keeps it.
func (s *Session) observe(e *Event, id trace.SpanID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Observe(e)
	s.events.add(e, id)
}

// complete checks the event that the options describe, and sets all of it but
// what only its session can give.
func (c *eventConfig) complete(eventType EventType, s *Session) error {
	e := &c.event
	e.Type = EventType(text(string(eventType)))
	if e.Type == "" {
		e.Type = EventGeneric
	}
	if reserved(e.Type) {
		return &FieldError{Field: "event_type", Value: e.Type, Want: "a type of your own: this one is reserved"}
	}
	if e.ToolCall != nil && e.ToolCall.Name == "" {
		return &FieldError{Field: "tool_name", Value: `""`, Want: "the name of the tool"}
	}
	if d := e.DecisionTrace; d != nil && d.Step < 0 {
		return &FieldError{Field: "step", Value: d.Step, Want: "1 or more, or 0 to have it numbered"}
	}
	if err := e.Validate(); err != nil {
		return err
	}
	if err := setTimes(e); err != nil {
		return err
	}
	if err := c.setContent(s); err != nil {
		return err
	}
	return c.setFailure(s)
}

// setTimes sets the time of the event and its parts, and rounds the duration to
// what a span can hold.
func setTimes(e *Event) (err error) {
	if e.Timestamp, err = eventTime("timestamp", e.Timestamp); err != nil {
		return err
	}
	if e.DurationMS.OK {
		d := max(1, analysis.MillisToDuration(e.DurationMS.V))
		if d > time.Duration(e.Timestamp.UnixNano()) {
			return &FieldError{Field: "duration_ms", Value: e.DurationMS.V, Want: "one that does not begin before 1970"}
		}
		e.DurationMS.V = float64(d) / float64(time.Millisecond)
	}
	if t := e.ToolCall; t != nil {
		t.Timestamp, t.DurationMS = e.Timestamp, e.DurationMS
		if t.ID == "" {
			t.ID = newID()
		}
	}
	if d := e.DecisionTrace; d != nil {
		d.Timestamp = e.Timestamp
		if d.ID == "" {
			d.ID = newID()
		}
	}
	return nil
}

// setContent captures what the caller gave, as far as the session captures it.
func (c *eventConfig) setContent(s *Session) (err error) {
	if err := checkCapture(c.capture); err != nil {
		return err
	}
	e, mode := &c.event, c.capture
	if e.DecisionTrace != nil {
		s.tracker.contents.decision(mode, e.DecisionTrace, &c.more().captured)
	}
	x := c.extra
	if !x.hasGiven {
		return nil
	}
	g, m := x.given, &x.messages
	set := func(to *json.RawMessage, key, field string, v any) {
		if err != nil || v == nil {
			return
		}
		*to, err = s.tracker.contents.data(mode, key, field, v, &x.captured)
	}
	set(&e.Input, semconv.EventInput, "input_data", g.input)
	set(&e.Output, semconv.EventOutput, "output_data", g.output)
	set(&m.system, semconv.GenAISystemInstruction, "system_instructions", g.system)
	set(&m.in, semconv.GenAIInputMessages, "input_messages", g.inMessages)
	set(&m.out, semconv.GenAIOutputMessages, "output_messages", g.outMessages)
	if t := e.ToolCall; t != nil {
		keys := c.tool()
		set(&t.Input, keys.arguments, "tool_input", g.toolInput)
		set(&t.Output, keys.result, "tool_output", g.toolOutput)
	}
	*x.given, x.hasGiven = given{}, false
	if e.Input == nil && m.in != nil {
		e.Input, m.isInput = m.in, true
	}
	if e.Output == nil && m.out != nil {
		e.Output, m.isOutput = m.out, true
	}
	return err
}

// setFailure describes what the event failed with.
func (c *eventConfig) setFailure(s *Session) (err error) {
	e := &c.event
	switch {
	case c.err != nil:
		e.Error, err = toFailure(c.err)
	case e.Type == EventError:
		e.Error = &analysis.Failure{Type: semconv.ErrorTypeOther}
	}
	if e.Error != nil {
		s.tracker.contents.failure(e.Error, &c.more().captured)
	}
	return err
}

var latest = time.Unix(0, math.MaxInt64)

// eventTime returns t in UTC, the present when it is zero. A span counts
// nanoseconds from 1970.
func eventTime(field string, t time.Time) (time.Time, error) {
	if t.IsZero() {
		t = time.Now()
	}
	if t.Before(time.Unix(0, 0)) || t.After(latest) {
		return time.Time{}, &FieldError{Field: field, Value: t, Want: fmt.Sprintf("a time from 1970 to %d", latest.Year())}
	}
	return t.Round(0).UTC(), nil
}
