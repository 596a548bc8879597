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
	if s.ids.get(k) != nil {
		return false
	}
	s.ids.add(k, struct{}{})
	return true
}

// inOrder returns the ids, the oldest first.
func (s *spanSet) inOrder() []spanKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]spanKey, 0, len(s.ids.ring))
	s.ids.each(func(k spanKey, _ struct{}) { out = append(out, k) })
	return out
}

// binding is the session of a trace's spans that name none.
type binding struct {
	Session string
	// Start is when the span began that named it, in nanoseconds since 1970.
	Start int64
}

// bindings remembers the bindings of the newest traces, up to a limit.
type bindings struct {
	mu     sync.RWMutex
	traces fifo[pcommon.TraceID, binding]
}

func (b *bindings) reset(limit int) { b.traces = newFifo[pcommon.TraceID, binding](limit) }

// get returns the session of a trace, empty when it has none.
func (b *bindings) get(trace pcommon.TraceID) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if have := b.traces.get(trace); have != nil {
		return have.Session
	}
	return ""
}

// put binds a trace unless it is bound to the session of an earlier span. It
// returns the session it was bound to before, and whether that has changed.
func (b *bindings) put(trace pcommon.TraceID, to binding) (old string, changed bool) {
	b.mu.RLock()
	if have := b.traces.get(trace); have != nil && !to.before(*have) {
		defer b.mu.RUnlock()
		return have.Session, false
	}
	b.mu.RUnlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	have := b.traces.get(trace)
	if have == nil {
		b.traces.add(trace, to)
		return "", to.Session != ""
	}
	if !to.before(*have) {
		return have.Session, false
	}
	old = have.Session
	*have = to
	return old, old != to.Session
}

// inOrder returns the bindings, the oldest first.
func (b *bindings) inOrder() []traceState {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]traceState, 0, len(b.traces.ring))
	b.traces.each(func(t pcommon.TraceID, to binding) { out = append(out, traceState{t, to}) })
	return out
}

func (to binding) before(have binding) bool {
	return to.Start < have.Start || to.Start == have.Start && to.Session < have.Session
}
