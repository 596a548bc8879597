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
	mu  sync.Mutex
	ids fifo[spanKey, struct{}]
}

func (s *spanSet) reset(limit int) { s.ids = newFifo[spanKey, struct{}](limit) }

// add reports whether the span id was not there.
func (s *spanSet) add(k spanKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, added := s.ids.at(k)
	return added
}

// inOrder returns the ids, the oldest first.
func (s *spanSet) inOrder() []spanKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]spanKey, 0, len(s.ids.ring))
	s.ids.each(func(k spanKey, _ struct{}) { out = append(out, k) })
	return out
}
