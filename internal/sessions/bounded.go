package sessions

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// spanKey identifies a span.
type spanKey struct {
	Trace pcommon.TraceID
	Span  pcommon.SpanID
}

// spanSet remembers the newest span ids, up to a limit.
type spanSet struct {
	mu   sync.Mutex
	ids  map[spanKey]struct{}
	ring []spanKey
	next int
	max  int
}

func (s *spanSet) reset(limit int) {
	s.ids, s.ring, s.next, s.max = map[spanKey]struct{}{}, nil, 0, limit
}

// add reports whether the span id was not there.
func (s *spanSet) add(k spanKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.ids[k]; ok {
		return false
	}
	s.ids[k] = struct{}{}
	if len(s.ring) < s.max {
		s.ring = append(s.ring, k)
		return true
	}
	delete(s.ids, s.ring[s.next])
	s.ring[s.next] = k
	s.next = (s.next + 1) % s.max
	return true
}

// inOrder returns the ids, the oldest first.
func (s *spanSet) inOrder() []spanKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(append(make([]spanKey, 0, len(s.ring)), s.ring[s.next:]...), s.ring[:s.next]...)
}

// binding is the session of a trace's spans that name none.
type binding struct {
	Session string
	// Start is when the span began that named it, in nanoseconds since 1970.
	Start int64
}

// bindings remembers the bindings of the newest traces, up to a limit.
type bindings struct {
	mu       sync.RWMutex
	sessions map[pcommon.TraceID]binding
	ring     []pcommon.TraceID
	next     int
	max      int
}

func (b *bindings) reset(limit int) {
	b.sessions, b.ring, b.next, b.max = map[pcommon.TraceID]binding{}, nil, 0, limit
}

func (b *bindings) get(trace pcommon.TraceID) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.sessions[trace].Session
}

// put binds a trace unless it is bound to the session of an earlier span. It
// returns the session it was bound to before, and whether that has changed.
func (b *bindings) put(trace pcommon.TraceID, to binding) (old string, changed bool) {
	b.mu.RLock()
	have, ok := b.sessions[trace]
	b.mu.RUnlock()
	if ok && !to.before(have) {
		return have.Session, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	have, ok = b.sessions[trace]
	if ok && !to.before(have) {
		return have.Session, false
	}
	if !ok {
		if len(b.ring) < b.max {
			b.ring = append(b.ring, trace)
		} else {
			delete(b.sessions, b.ring[b.next])
			b.ring[b.next] = trace
			b.next = (b.next + 1) % b.max
		}
	}
	b.sessions[trace] = to
	return have.Session, have.Session != to.Session
}

func (to binding) before(have binding) bool {
	return to.Start < have.Start || to.Start == have.Start && to.Session < have.Session
}
