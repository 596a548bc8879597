package agentlensexporter

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/internal/wire"
	"github.com/agentlens/agentlens-otel/semconv"
)

const (
	// maxKnown is how many sessions are remembered, the latest active ones.
	maxKnown = 10_000
	// maxIDs is how many event ids of one session are remembered.
	maxIDs = 10_000
	// maxKnownMetadata is how long the JSON of metadata may be to be
	// remembered, in bytes.
	maxKnownMetadata = 4 << 10
)

// knownSessions remembers of recent sessions what each batch has to repeat,
// because the backend makes of it what it hears last or first:
//
//   - how the session began, so that it gets its name, start and metadata also
//     when the batch that told them was dropped;
//   - how it ended, so that events which arrive after its session_end, late or
//     because they had to be sent again, are followed by it once more: the
//     original backend adds their tokens to totals that contain them.
//
// After a restart it knows nothing; then a batch tells what its own spans say.
type knownSessions struct {
	mu       sync.Mutex
	sessions *simplelru.LRU[string, *knownSession]
}

type knownSession struct {
	// start has the name and metadata as far as any span told them, and the
	// earliest start, or the true one once startTold.
	start     wire.Event
	startTold bool
	// largeMetadata says that start.Metadata is too long to be remembered.
	largeMetadata bool

	end     *wire.Event
	endSpan string
	// endTold says that the backend has the end.
	endTold bool
	// taken counts the requests without the end that the backend has taken.
	taken int
	// exact says that the totals are the SDK's. Others, which the processor
	// added up, lack what came after them.
	exact bool

	// counted are the events that the totals of end contain; while there is no
	// end, those on their way. Of sessions of the SDK, none.
	counted map[string]struct{}
}

// snapshot is what a session's batch has to tell of it.
type snapshot struct {
	start wire.Event
	end   *wire.Event
	// ended says that the backend has heard of the end before this batch.
	ended bool
}

func newKnownSessions() *knownSessions {
	sessions, err := simplelru.NewLRU[string, *knownSession](maxKnown, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &knownSessions{sessions: sessions}
}

// observe takes in the items of a push in the order of their arrival, and
// returns what is known of their sessions after that.
func (k *knownSessions) observe(items []item) map[string]snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := map[string]snapshot{}
	for i := range items {
		r := &items[i].reading
		s := k.get(r.Key())
		s.observe(r)
		if _, ok := out[r.Key()]; !ok {
			out[r.Key()] = snapshot{ended: s.endTold}
		}
	}
	for key, snap := range out {
		s := k.get(key)
		out[key] = s.snapshot(snap.ended)
		if s.largeMetadata {
			s.start.Metadata, s.largeMetadata = idOnly(key, s.start.SessionID), false
		}
	}
	return out
}

// announce takes in the spans that announce sessions. Looking for them costs a
// comparison of names a span.
func (k *knownSessions) announce(td ptrace.Traces) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			if ss.Scope().Name() != semconv.ScopeName {
				continue
			}
			scope := spanevent.ForScope(ss.Scope())
			for _, span := range ss.Spans().All() {
				if span.Name() != semconv.SpanSessionStart {
					continue
				}
				if r := scope.Read(span); r.Role == spanevent.RoleSessionStart {
					k.mu.Lock()
					k.get(r.Key()).observeStart(&r)
					k.mu.Unlock()
				}
			}
		}
	}
}

// sending notes that a request is about to be sent.
func (k *knownSessions) sending(req *request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	req.taken = map[string]int{}
	for key := range req.ends {
		if s, ok := k.sessions.Peek(key); ok {
			req.taken[key] = s.taken
		}
	}
}

// sent notes that the backend has, or has refused for good, the events of a
// request. It returns the sessions whose end has to be told once more: while
// the request was on its way, another consumer had one of the session, and
// which of the two the backend took last cannot be known.
func (k *knownSessions) sent(req *request) map[string]snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	again := map[string]snapshot{}
	for key, before := range req.taken {
		s, ok := k.sessions.Peek(key)
		if !ok {
			continue
		}
		ends := req.ends[key]
		if ends && s.taken != before || !ends && s.endTold {
			again[key] = s.snapshot(true)
		}
		s.endTold = s.endTold || ends
		if !ends {
			s.taken++
		}
	}
	for i := range req.items {
		r := &req.items[i].reading
		if s, ok := k.sessions.Peek(r.Key()); ok && r.Role == spanevent.RoleEvent && s.end == nil {
			delete(s.counted, eventID(r))
		}
	}
	return again
}

// get returns the session, new when it is not known.
func (k *knownSessions) get(key string) *knownSession {
	if s, ok := k.sessions.Get(key); ok {
		return s
	}
	id := wireID(key)
	s := &knownSession{start: wire.Event{EventType: wire.TypeSessionStart, SessionID: id, Metadata: idOnly(key, id)}}
	k.sessions.Add(key, s)
	return s
}

func (s *knownSession) snapshot(ended bool) snapshot {
	snap := snapshot{start: s.start, ended: ended}
	if s.end != nil {
		end := *s.end
		snap.end = &end
	}
	return snap
}

func (s *knownSession) observe(r *spanevent.Reading) {
	s.observeStart(r)
	switch r.Role {
	case spanevent.RoleSession, spanevent.RoleSessionReport:
		s.observeEnd(r)
	case spanevent.RoleEvent:
		s.observeEvent(r)
	}
}

// observeStart adds what a span knows of how its session began. The root and
// the start span know. The SDK records an event when it is over, so one that
// began before its session did is no news; of other libraries' spans the
// earliest start counts. A report's own time is the session's end.
func (s *knownSession) observeStart(r *spanevent.Reading) {
	if s.start.AgentName == "" {
		s.start.AgentName = cutText(r.Agent(), wire.MaxStringChars)
	}
	begin := r.Start
	if r.Own {
		begin = r.End
	}
	told := r.Role == spanevent.RoleSession || r.Role == spanevent.RoleSessionStart
	if told {
		begin = r.Session.StartedAt
		if len(r.Session.Metadata) > 0 {
			var size int
			s.start.Metadata, size = fitMetadata(r.Session.Metadata, idOnly(r.Key(), s.start.SessionID))
			s.largeMetadata = size > maxKnownMetadata
		}
	}
	from := at(begin)
	if from == nil || s.startTold && !told || r.Role == spanevent.RoleSessionReport {
		return
	}
	if told && !s.startTold || s.start.Timestamp == nil || from.Before(s.start.Timestamp.Time) {
		s.start.Timestamp = from
	}
	s.startTold = s.startTold || told
}

// observeEnd takes over an end, unless it is the one that is known, or the sums
// of a report where the SDK has told its own.
func (s *knownSession) observeEnd(r *spanevent.Reading) {
	if span := r.SpanID.String(); s.end != nil && (s.endSpan == span || s.exact) {
		return
	}
	end := sessionEnd(r)
	s.end, s.endSpan, s.endTold = &end, r.SpanID.String(), false
	s.exact = r.Own && r.Role == spanevent.RoleSession
}

// observeEvent adds the tokens of an event that came after the end to its
// totals, once.
func (s *knownSession) observeEvent(r *spanevent.Reading) {
	if r.Own || s.exact {
		return
	}
	id := eventID(r)
	if _, ok := s.counted[id]; ok || len(s.counted) >= maxIDs {
		return
	}
	if s.counted == nil {
		s.counted = map[string]struct{}{}
	}
	s.counted[id] = struct{}{}
	if s.end != nil {
		s.end.TotalTokensIn = plusTokens(s.end.TotalTokensIn, r.Event.TokensIn)
		s.end.TotalTokensOut = plusTokens(s.end.TotalTokensOut, r.Event.TokensOut)
	}
}

// plusTokens adds to a total that was told.
func plusTokens(total, n analysis.Opt[int64]) analysis.Opt[int64] {
	if total.OK && n.OK {
		total.V += min(n.V, math.MaxInt64-total.V)
	}
	return total
}

// idOnly is the metadata of a session of which only its id is known: the true
// id where the backend knows another, else none.
func idOnly(key, id string) map[string]any {
	if key == id {
		return nil
	}
	return map[string]any{metadataTrueID: cutText(key, wire.MaxStringChars)}
}
