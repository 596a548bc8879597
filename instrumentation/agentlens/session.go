package agentlens

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Session is one run of an agent. Its methods can be called from any number of
// goroutines. A nil Session returns ErrNoSession from all that return an error.
type Session struct {
	tracker        *Tracker
	id             string
	agentName      string
	conversationID string
	metadata       map[string]any
	metadataAttrs  []attribute.KeyValue
	startedAt      time.Time
	root           trace.Span
	losses         mark // at the start
	capture        CaptureMode
	home           place

	// active, element and endedBytes belong to the tracker, under its lock.
	active     bool
	element    *list.Element
	endedBytes int

	// life is held for reading while the spans of an event are written, and for
	// writing to end the session: no event follows the root span.
	life  sync.RWMutex
	ended bool

	mu      sync.Mutex
	summary *analysis.Summary
	events  eventLog
	steps   int // decisions so far
}

// SessionFromContext returns the session that ctx holds, nil when there is none.
func SessionFromContext(ctx context.Context) *Session {
	if ctx == nil {
		return nil
	}
	if at := placeIn(ctx); at != nil {
		return at.session
	}
	return nil
}

// StartSession starts a session of the agent, DefaultAgentName when the name is
// empty. The context returned holds the session and its root span: calls that
// get it belong to the session. A span already in ctx is linked to the root.
func (t *Tracker) StartSession(ctx context.Context, agentName string, opts ...SessionOption) (context.Context, *Session, error) {
	if t == nil {
		return orBackground(ctx), nil, ErrNotInitialized
	}
	ctx = orBackground(ctx)
	var c sessionConfig
	for _, opt := range opts {
		if opt != nil {
			opt.applySession(&c)
		}
	}
	s, err := t.newSession(agentName, &c)
	if err != nil {
		return ctx, nil, err
	}
	// The root starts before the id is taken: who finds the session finds it.
	sctx := context.WithValue(s.startRoot(ctx), capture.Key{}, &s.home)
	if c.baggage || t.config.baggage {
		sctx = withSessionBaggage(sctx, s)
	}
	if err := t.add(s); err != nil {
		return ctx, nil, err
	}
	if t.config.sessionStart {
		s.writeStart(sctx)
	}
	return sctx, s, nil
}

// ID returns the session's id.
func (s *Session) ID() string {
	if s == nil {
		return ""
	}
	return s.id
}

// AgentName returns the name of the session's agent.
func (s *Session) AgentName() string {
	if s == nil {
		return ""
	}
	return s.agentName
}

// Track records an event in the session; see Tracker.Track.
func (s *Session) Track(ctx context.Context, eventType EventType, opts ...EventOption) (e Event, err error) {
	c := newEventConfig(opts)
	if err := s.check(c.sessionID); err != nil {
		return Event{}, err
	}
	err = s.track(ctx, eventType, c, &e)
	return e, err
}

// TrackTool records a tool call in the session; see Tracker.TrackTool.
func (s *Session) TrackTool(ctx context.Context, name string, input, output any, opts ...EventOption) (Event, error) {
	return s.Track(ctx, EventToolCall, toolOptions(name, input, output, opts)...)
}

// Explain tells the session as Markdown; see Tracker.Explain.
func (s *Session) Explain(context.Context) (string, error) {
	if err := s.check(""); err != nil {
		return "", err
	}
	return s.explain(), nil
}

// End ends the session, completed unless WithStatus or WithError says
// otherwise, and delivers what is buffered, waiting as Flush does. When ctx
// ends first the session has ended all the same. A *LostSpansError says that
// spans of the process, of this session or of others, were lost since the
// session started. A second End returns ErrSessionEnded.
func (s *Session) End(ctx context.Context, opts ...EndOption) error {
	c := newEndConfig(opts)
	if err := s.check(c.sessionID); err != nil {
		return err
	}
	return s.end(ctx, c)
}

// Summary returns a copy of the summary of what the session has done so far,
// nil for a nil Session.
func (s *Session) Summary() *analysis.Summary {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := analysis.NewSummary(s.id, s.agentName)
	c.Merge(s.summary)
	return c
}

// Snapshot returns the session as it is now, for the engines of package
// analysis, with as many of its last events as the tracker keeps; nil for a nil
// Session. What the events point to is shared and must not be changed.
func (s *Session) Snapshot() *analysis.Session {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &analysis.Session{
		ID: s.id, AgentName: s.agentName, Metadata: maps.Clone(s.metadata),
		StartedAt: s.startedAt, EndedAt: s.summary.EndedAt, Status: s.summary.Status,
		TotalTokensIn: s.summary.TokensIn, TotalTokensOut: s.summary.TokensOut,
		Events: s.events.all(s.id),
	}
}

// idPattern is what AgentLens backends accept as a session id.
var idPattern = regexp.MustCompile(`^[a-zA-Z0-9_\-.:]{1,128}$`)

func (t *Tracker) newSession(agentName string, c *sessionConfig) (*Session, error) {
	if agentName == "" {
		agentName = DefaultAgentName
	}
	id := c.id
	if id == "" {
		id = newID()
	} else if !idPattern.MatchString(id) {
		return nil, &FieldError{Field: "session_id", Value: fmt.Sprintf("%q", id), Want: "1 to 128 of a-z, A-Z, 0-9, _ - . :"}
	}
	if err := t.checkNew(id); err != nil {
		return nil, err
	}
	startedAt, err := eventTime("started_at", c.timestamp)
	if err != nil {
		return nil, err
	}
	if err := checkCapture(c.capture); err != nil {
		return nil, err
	}
	metadata, attrs, err := t.contents.metadata(c.metadata)
	if err != nil {
		return nil, err
	}
	s := &Session{
		tracker: t, id: id, agentName: text(agentName), conversationID: text(c.conversationID),
		metadata: metadata, metadataAttrs: attrs, startedAt: startedAt,
		losses: t.losses.mark(), capture: c.capture,
	}
	if s.capture == captureUnset {
		s.capture = t.config.capture
	}
	s.home = place{session: s, stamp: []attribute.KeyValue{
		attribute.String(semconv.SessionID, id), attribute.String(semconv.GenAIAgentName, s.agentName),
	}}
	s.events.limit = t.config.maxEvents
	s.summary = analysis.NewSummary(id, s.agentName)
	s.summary.StartedAt = startedAt
	return s, nil
}

// captureMode returns the mode asked for, without one that of the live span
// around ctx, which has the session's unless it was told otherwise.
func (s *Session) captureMode(ctx context.Context, asked CaptureMode) CaptureMode {
	if asked != captureUnset {
		return asked
	}
	if sp := SpanFromContext(ctx); sp != nil && sp.session == s {
		return sp.c.capture
	}
	return s.capture
}

// check reports why the session cannot be used. A selector that was given along
// must not name another.
func (s *Session) check(id string) error {
	switch {
	case s == nil:
		return ErrNoSession
	case id != "" && id != s.id:
		return &FieldError{Field: "session_id", Value: id, Want: s.id + ", that of the session it is given to"}
	}
	if s.tracker.shutdown.Load() {
		return ErrShutdown
	}
	return nil
}

func (s *Session) end(ctx context.Context, c *endConfig) error {
	if err := s.close(c); err != nil {
		return err
	}
	return errors.Join(s.tracker.flusher.wait(ctx), s.tracker.losses.tell(s.losses))
}

// close ends the session and its root span.
func (s *Session) close(c *endConfig) error {
	status, failure, err := c.outcome()
	if err != nil {
		return err
	}
	endedAt, err := eventTime("ended_at", c.timestamp)
	if err != nil {
		return err
	}
	if endedAt.Before(s.startedAt) {
		if !c.timestamp.IsZero() {
			return &FieldError{Field: "ended_at", Value: endedAt, Want: "no earlier than the start, " + s.startedAt.String()}
		}
		endedAt = s.startedAt
	}

	s.life.Lock()
	defer s.life.Unlock()
	if s.ended {
		return ErrSessionEnded
	}
	s.ended = true
	s.mu.Lock()
	s.summary.Status, s.summary.EndedAt = status, endedAt
	in, out, bytes := s.summary.TokensIn, s.summary.TokensOut, s.events.bytes
	s.mu.Unlock()
	if failure != nil {
		s.tracker.contents.failure(failure, new(captured))
	}
	s.endRoot(endedAt, status, failure, in, out)
	s.tracker.retire(s, bytes)
	return nil
}
