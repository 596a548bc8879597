package sessions

import (
	"encoding/binary"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// traces remember of the newest traces which sessions they are bound to, and the ids
// of their spans, each up to a limit of its own.
type traces [shardCount]tracePart

// tracePart is a part of them.
type tracePart struct {
	mu    sync.Mutex
	bound boundTraces
	spans spanSet
	// fetched is what was read last for the sake of having it in the processor's cache.
	fetched uint32
}

func (t *traces) reset(bindings, spanIDs int) {
	for i := range t {
		t[i].bound.reset(bindings / shardCount)
		t[i].spans.reset(spanIDs / shardCount)
	}
}

// part is where a trace belongs.
func (t *traces) part(trace pcommon.TraceID) *tracePart { return &t[traceShard(trace)] }

// traceShard is the part where a trace belongs, the same in every table. Not each
// byte of every id is random: some begin with a time.
func traceShard(trace pcommon.TraceID) byte {
	return (trace[0] ^ trace[7] ^ trace[8] ^ trace[15]) % shardCount
}

// session returns the session of a trace, empty when it has none.
func (t *traces) session(trace pcommon.TraceID) string {
	part := t.part(trace)
	part.mu.Lock()
	defer part.mu.Unlock()
	return part.bound.get(trace)
}

// isBound reports whether a trace is bound, and whether it is to this session.
func (t *traces) isBound(trace pcommon.TraceID, session string) (bound, same bool) {
	part := t.part(trace)
	part.mu.Lock()
	defer part.mu.Unlock()
	return part.bound.is(trace, session)
}

// bind binds a trace unless it is bound to the session of an earlier span. It
// returns the session it was bound to before, and whether that has changed.
func (t *traces) bind(trace pcommon.TraceID, to binding) (old string, changed bool) {
	part := t.part(trace)
	part.mu.Lock()
	defer part.mu.Unlock()
	if !part.bound.isLast(trace) {
		// Its spans are added next: what that begins with has left the processor's
		// cache as the binding has, and comes while that is waited for.
		part.fetched = part.spans.glance(trace)
	}
	return part.bound.put(trace, to)
}

// addSpans adds span ids of a trace, 64 at most, and reports with a bit for each
// whether it was not there.
func (t *traces) addSpans(trace pcommon.TraceID, ids []uint64) (fresh uint64) {
	part := t.part(trace)
	part.mu.Lock()
	defer part.mu.Unlock()
	return part.spans.add(trace, ids)
}

// addSpan reports whether the span id was not there.
func (t *traces) addSpan(k spanKey) bool {
	return t.addSpans(k.Trace, []uint64{binary.LittleEndian.Uint64(k.Span[:])}) != 0
}

// bindings returns the bindings, of each part the oldest first.
func (t *traces) bindings() []traceState {
	var out []traceState
	for i := range t {
		part := &t[i]
		part.mu.Lock()
		out = part.bound.appendTo(out)
		part.mu.Unlock()
	}
	return out
}

// spanIDs returns the span ids of a part, those first that are forgotten first.
func (p *tracePart) spanIDs() []spanKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spans.inOrder()
}
