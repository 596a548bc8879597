package agentlens

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Version is the version of the instrumentation scope.
const Version = "0.1.0"

// Errors that say a call came at the wrong time or for the wrong session.
var (
	// ErrNotInitialized is returned by the package's functions before Init.
	ErrNotInitialized = errors.New("agentlens: not initialized: call Init first")
	// ErrShutdown is returned by everything after Shutdown.
	ErrShutdown = errors.New("agentlens: the tracker is shut down")
	// ErrNoSession is returned when no session is named, the context holds
	// none, and none is active.
	ErrNoSession = errors.New("agentlens: no active session")
	// ErrSessionNotFound is returned for an id that no session has, or had
	// that ended so long ago that the tracker let go of it.
	ErrSessionNotFound = errors.New("agentlens: session not found")
	// ErrSessionEnded is returned for a session that has ended.
	ErrSessionEnded = errors.New("agentlens: the session has ended")
)

// Ended sessions are kept for Explain, the last ones, up to this many and this
// many bytes of events.
const (
	maxEndedSessions = 64
	maxEndedBytes    = 32 << 20
)

// Tracker starts sessions and records what happens in them. Its methods can be
// called from any number of goroutines. A nil Tracker returns
// ErrNotInitialized from all of them.
type Tracker struct {
	config  *config
	tracer  trace.Tracer
	flusher flusher
	// own is what the tracker set up, nil with a provider of the caller's.
	own      *pipeline
	provider trace.TracerProvider
	losses   losses
	contents contents
	refused  tally
	metrics  *metrics
	spanNames

	shutdown atomic.Bool // set under mu, so that no session starts after it

	mu       sync.Mutex
	sessions map[string]*Session
	// active and ended hold *Session in the order of starting and ending.
	active, ended list.List
	endedBytes    int
}

// NewTracker returns a Tracker without storing it for the package's functions.
// It connects to nothing yet: an endpoint that does not answer shows when spans
// are sent. A *FieldError names the option or environment variable that has a
// bad value.
func NewTracker(ctx context.Context, opts ...Option) (*Tracker, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	t := &Tracker{config: c, sessions: map[string]*Session{}}
	t.losses.news = newTally(c.logger, logInterval, "spans lost")
	t.refused = newTally(c.logger, logInterval, "live calls or figures left out")
	t.contents = contents{
		dropped:   newTally(c.logger, logInterval, "content dropped, as a redactor failed"),
		truncated: newTally(c.logger, logInterval, "content truncated"),
	}
	t.contents.policy = capture.Policy{
		Redactors: c.redactors, MaxBytes: c.maxContent,
		Failed: func(err error) { t.contents.dropped.add(1, err) },
	}
	if t.metrics, err = newMetrics(c); err != nil {
		return nil, err
	}
	provider := c.provider
	if provider == nil {
		if t.own, err = newPipeline(orBackground(ctx), c, &t.losses); err != nil {
			return nil, err
		}
		provider = t.own
	}
	t.provider = provider
	if f, ok := provider.(interface{ ForceFlush(context.Context) error }); ok {
		t.flusher.flush = f.ForceFlush
	}
	t.flusher.ctx, t.flusher.cancel = context.WithCancel(context.Background())
	t.tracer = provider.Tracer(semconv.ScopeName,
		trace.WithInstrumentationVersion(Version), trace.WithSchemaURL(semconv.GenAISchemaURL))
	return t, nil
}

// TracerProvider returns the provider that the tracker writes to, for
// libraries that are to write to the same. Spans that they start under a
// session's context join the session, as with NewSpanProcessor, unless the
// provider is the caller's own and has none.
func (t *Tracker) TracerProvider() trace.TracerProvider {
	if t == nil {
		return noop.NewTracerProvider()
	}
	return t.provider
}

// Track records an event in a session and returns it. See the options for what
// an event can hold; WithSessionID and the package's rule say which session.
func (t *Tracker) Track(ctx context.Context, eventType EventType, opts ...EventOption) (e Event, err error) {
	c := newEventConfig(opts)
	s, err := t.find(ctx, c.sessionID)
	if err != nil {
		return Event{}, err
	}
	err = s.track(ctx, eventType, c, &e)
	return e, err
}

// TrackTool records a tool call: Track with EventToolCall and WithTool.
func (t *Tracker) TrackTool(ctx context.Context, name string, input, output any, opts ...EventOption) (Event, error) {
	return t.Track(ctx, EventToolCall, toolOptions(name, input, output, opts)...)
}

// Explain tells a session as Markdown: a timeline of its events with token
// counts and reasoning. The last 64 sessions that ended are known by their id;
// one in ctx, or held as a *Session, is explained however long ago it ended.
func (t *Tracker) Explain(ctx context.Context, opts ...ExplainOption) (string, error) {
	var c explainConfig
	for _, opt := range opts {
		if opt != nil {
			opt.applyExplain(&c)
		}
	}
	s, err := t.find(ctx, c.sessionID)
	if err != nil {
		return "", err
	}
	return s.explain(), nil
}

// EndSession ends a session and delivers what is buffered; see Session.End.
func (t *Tracker) EndSession(ctx context.Context, opts ...EndOption) error {
	c := newEndConfig(opts)
	s, err := t.find(ctx, c.sessionID)
	if err != nil {
		return err
	}
	return s.end(ctx, c)
}

// Flush delivers what is buffered. It waits until that is done, ctx ends, or 30
// seconds have passed; what was not delivered by then is still being sent. It
// returns a *LostSpansError when spans were lost that no caller was told of yet.
func (t *Tracker) Flush(ctx context.Context) error {
	if t == nil {
		return ErrNotInitialized
	}
	if t.shutdown.Load() {
		return ErrShutdown
	}
	return errors.Join(t.flusher.wait(ctx), t.losses.tellNews())
}

// Shutdown ends the sessions that are still active as completed, delivers what
// is buffered and stops exporting. It waits as Flush does; what was not
// delivered by then is lost, and told like what Flush tells.
// Everything but a second Shutdown, which does nothing, returns ErrShutdown
// afterwards. A provider given with WithTracerProvider is only flushed.
func (t *Tracker) Shutdown(ctx context.Context) error {
	if t == nil {
		return ErrNotInitialized
	}
	t.mu.Lock()
	if t.shutdown.Swap(true) {
		t.mu.Unlock()
		return nil
	}
	open := make([]*Session, 0, t.active.Len())
	for e := t.active.Front(); e != nil; e = e.Next() {
		open = append(open, e.Value.(*Session))
	}
	t.mu.Unlock()

	for _, s := range open {
		// One that ends itself meanwhile is just as well.
		_ = s.close(&endConfig{})
	}
	defer t.flusher.cancel()
	defer t.flushLogs()
	if t.own == nil {
		return t.flusher.wait(ctx)
	}
	return errors.Join(t.own.shutdown(ctx), t.losses.tellNews())
}

// flushLogs logs what has not been logged yet.
func (t *Tracker) flushLogs() {
	for _, l := range []*tally{&t.losses.news, &t.refused, &t.contents.dropped, &t.contents.truncated} {
		l.flush()
	}
}

// find returns the session with the id; without one, that of the context, else
// the one started last of those that are active.
func (t *Tracker) find(ctx context.Context, id string) (*Session, error) {
	if t == nil {
		return nil, ErrNotInitialized
	}
	if t.shutdown.Load() {
		return nil, ErrShutdown
	}
	if s := SessionFromContext(ctx); s != nil && id == "" {
		return s, s.check("")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if id != "" {
		s, ok := t.sessions[id]
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrSessionNotFound, id)
		}
		return s, nil
	}
	if last := t.active.Back(); last != nil {
		return last.Value.(*Session), nil
	}
	return nil, ErrNoSession
}

// checkNew reports why no session with the id can start.
func (t *Tracker) checkNew(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.checkNewLocked(id)
}

func (t *Tracker) checkNewLocked(id string) error {
	if t.shutdown.Load() {
		return ErrShutdown
	}
	if old, ok := t.sessions[id]; ok && old.active {
		return &FieldError{Field: "session_id", Value: id, Want: "an id that no active session has"}
	}
	return nil
}

// add makes a session one of the active ones. It takes the place of an ended
// one with the same id.
func (t *Tracker) add(s *Session) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.checkNewLocked(s.id); err != nil {
		return err
	}
	if old, ok := t.sessions[s.id]; ok {
		t.forget(old)
	}
	if t.own != nil && s.root.SpanContext().IsSampled() {
		t.losses.start() // Before Shutdown, which waits for the lock, closes the losses.
	}
	t.sessions[s.id] = s
	s.active = true
	s.element = t.active.PushBack(s)
	return nil
}

// retire moves a session from the active ones to the ended ones, and lets go of
// the oldest of those when they are too many or too large.
func (t *Tracker) retire(s *Session, bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active.Remove(s.element)
	s.active = false
	s.element = t.ended.PushBack(s)
	s.endedBytes = bytes
	t.endedBytes += bytes
	for t.ended.Len() > maxEndedSessions || (t.endedBytes > maxEndedBytes && t.ended.Len() > 1) {
		t.forget(t.ended.Front().Value.(*Session))
	}
}

// forget lets go of an ended session. t.mu is held.
func (t *Tracker) forget(s *Session) {
	t.ended.Remove(s.element)
	t.endedBytes -= s.endedBytes
	delete(t.sessions, s.id)
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
