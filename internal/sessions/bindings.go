package sessions

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// binding is the session of a trace's spans that name none.
type binding struct {
	Session string
	// Start is when the span began that named it, in nanoseconds since 1970.
	Start int64
}

func (to binding) before(have binding) bool {
	return to.Start < have.Start || to.Start == have.Start && to.Session < have.Session
}

// bindings remembers the bindings of the newest traces, up to a limit.
type bindings [shardCount]boundTraces

// boundTraces is a part of them.
type boundTraces struct {
	mu     sync.Mutex
	traces fifo[pcommon.TraceID, boundTrace]
	// long holds the ids of sessions that a boundTrace has no room for.
	long map[pcommon.TraceID]string
	// last is the binding of lastTrace, which was put or asked for last, for the
	// spans of a trace come together. Without a session it is none. It is not among
	// those forgotten, for that is when another one is put.
	lastTrace pcommon.TraceID
	last      binding
}

// boundTrace is a binding without a pointer: a million of them are nothing to
// the garbage collector. With its key it takes 64 bytes.
type boundTrace struct {
	start int64
	// size is how long the id is; isLong = it is among the long ones.
	size uint8
	id   [maxBoundID]byte
}

const (
	maxBoundID = 39
	isLong     = maxBoundID + 1
	// leastBound is how many bindings each part may hold, however few in all.
	leastBound = 64
)

func (b *bindings) reset(limit int) {
	for i := range b {
		part, hash := &b[i], newWordHash()
		part.traces = newFifo[pcommon.TraceID, boundTrace](max(leastBound, limit/shardCount))
		part.traces.hash = hash.ofTrace
		part.long = map[pcommon.TraceID]string{}
		part.traces.forget = part.forget
		part.last = binding{}
	}
}

// part is where a trace belongs.
func (b *bindings) part(trace pcommon.TraceID) *boundTraces {
	return &b[traceShard(trace)]
}

// traceShard is the part where a trace belongs, the same in every table. Not each
// byte of every id is random: some begin with a time.
func traceShard(trace pcommon.TraceID) byte {
	return (trace[0] ^ trace[7] ^ trace[8] ^ trace[15]) % shardCount
}

// get returns the session of a trace, empty when it has none.
func (b *bindings) get(trace pcommon.TraceID) string {
	part := b.part(trace)
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.isLast(trace) {
		return part.last.Session
	}
	if have := part.traces.get(trace); have != nil {
		return part.session(trace, have)
	}
	return ""
}

// is reports whether a trace is bound, and whether it is to this session.
func (b *bindings) is(trace pcommon.TraceID, session string) (bound, same bool) {
	part := b.part(trace)
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.isLast(trace) {
		return true, part.last.Session == session
	}
	have := part.traces.get(trace)
	if have == nil || have.size == 0 {
		return false, false
	}
	return true, part.same(trace, have, session)
}

// put binds a trace unless it is bound to the session of an earlier span. It
// returns the session it was bound to before, and whether that has changed.
func (b *bindings) put(trace pcommon.TraceID, to binding) (old string, changed bool) {
	part := b.part(trace)
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.isLast(trace) && !to.before(part.last) {
		return part.last.Session, false
	}
	have, added := part.traces.at(trace)
	if added {
		part.set(trace, have, to)
		return "", true
	}
	if to.Start >= have.start && part.same(trace, have, to.Session) {
		part.lastTrace, part.last = trace, binding{to.Session, have.start}
		return to.Session, false
	}
	old = part.session(trace, have)
	if !to.before(binding{old, have.start}) {
		return old, false
	}
	part.set(trace, have, to)
	return old, old != to.Session
}

// inOrder returns the bindings, of each part the oldest first.
func (b *bindings) inOrder() []traceState {
	var out []traceState
	for i := range b {
		part := &b[i]
		part.mu.Lock()
		part.traces.each(func(trace pcommon.TraceID, t boundTrace) {
			out = append(out, traceState{trace, binding{part.session(trace, &t), t.start}})
		})
		part.mu.Unlock()
	}
	return out
}

func (p *boundTraces) set(trace pcommon.TraceID, t *boundTrace, to binding) {
	p.forget(trace)
	*t = boundTrace{start: to.Start, size: isLong}
	if len(to.Session) > maxBoundID {
		p.long[trace] = to.Session
	} else {
		t.size = uint8(copy(t.id[:], to.Session))
	}
	p.lastTrace, p.last = trace, to
}

func (p *boundTraces) isLast(trace pcommon.TraceID) bool {
	return trace == p.lastTrace && p.last.Session != ""
}

func (p *boundTraces) session(trace pcommon.TraceID, t *boundTrace) string {
	if t.size == isLong {
		p.last.Session = p.long[trace]
	} else {
		p.last.Session = string(t.id[:t.size])
	}
	p.lastTrace, p.last.Start = trace, t.start
	return p.last.Session
}

func (p *boundTraces) same(trace pcommon.TraceID, t *boundTrace, session string) bool {
	if t.size == isLong {
		return p.long[trace] == session
	}
	return string(t.id[:t.size]) == session
}

func (p *boundTraces) forget(trace pcommon.TraceID) {
	if len(p.long) > 0 {
		delete(p.long, trace)
	}
}
