package agentlens

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// reserved are the types by which AgentLens knows what is not an event.
var reserved = map[EventType]bool{
	semconv.EventTypeSession: true, semconv.EventTypeSessionStart: true, semconv.EventTypeSessionReport: true,
	semconv.EventTypePart: true, "session_end": true,
}

// track completes the event, writes its spans and keeps it.
func (s *Session) track(ctx context.Context, eventType EventType, c *eventConfig) (Event, error) {
	// All that runs the caller's code or can fail comes before the lock.
	if err := c.complete(eventType); err != nil {
		return Event{}, err
	}
	e := &c.event
	e.SessionID = s.id

	s.life.RLock()
	defer s.life.RUnlock()
	if s.ended {
		return Event{}, ErrSessionEnded
	}
	if d := e.DecisionTrace; d != nil {
		s.mu.Lock()
		s.steps++
		if d.Step == 0 {
			d.Step = s.steps
		}
		s.mu.Unlock()
	}
	s.writeEvent(orBackground(ctx), e)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Observe(e)
	s.events.add(e)
	return *e, nil
}

// complete checks the event that the options describe, and sets all of it but
// what only its session can give.
func (c *eventConfig) complete(eventType EventType) error {
	e := &c.event
	e.Type = EventType(text(string(eventType)))
	if e.Type == "" {
		e.Type = EventGeneric
	}
	if reserved[e.Type] {
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
	return c.setData(e)
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

// setData encodes the caller's data.
func (c *eventConfig) setData(e *Event) (err error) {
	if e.Input, err = toJSON("input_data", c.input); err != nil {
		return err
	}
	if e.Output, err = toJSON("output_data", c.output); err != nil {
		return err
	}
	if t := e.ToolCall; t != nil {
		if t.Input, err = toJSON("tool_input", c.toolInput); err != nil {
			return err
		}
		if t.Output, err = toJSON("tool_output", c.toolOutput); err != nil {
			return err
		}
	}
	switch {
	case c.err != nil:
		e.Error, err = toFailure(c.err)
	case e.Type == EventError:
		e.Error = &analysis.Failure{Type: semconv.ErrorTypeOther}
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
