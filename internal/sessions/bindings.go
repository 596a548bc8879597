package sessions

import "go.opentelemetry.io/collector/pdata/pcommon"

// binding is the session of a trace's spans that name none.
type binding struct {
	Session string
	// Start is when the span began that named it, in nanoseconds since 1970.
	Start int64
}

func (to binding) before(have binding) bool {
	return to.Start < have.Start || to.Start == have.Start && to.Session < have.Session
}

// boundTraces remember the bindings of the newest traces, up to a limit.
type boundTraces struct {
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

func (p *boundTraces) reset(limit int) {
	hash := newWordHash()
	*p = boundTraces{traces: newFifo[pcommon.TraceID, boundTrace](max(leastBound, limit)), long: map[pcommon.TraceID]string{}}
	p.traces.hash, p.traces.forget = hash.ofTrace, p.forget
}

// get returns the session of a trace, empty when it has none.
func (p *boundTraces) get(trace pcommon.TraceID) string {
	if p.isLast(trace) {
		return p.last.Session
	}
	if have := p.traces.get(trace); have != nil {
		return p.session(trace, have)
	}
	return ""
}

// is reports whether a trace is bound, and whether it is to this session.
func (p *boundTraces) is(trace pcommon.TraceID, session string) (bound, same bool) {
	if p.isLast(trace) {
		return true, p.last.Session == session
	}
	have := p.traces.get(trace)
	if have == nil || have.size == 0 {
		return false, false
	}
	return true, p.same(trace, have, session)
}

// put binds a trace unless it is bound to the session of an earlier span. It
// returns the session it was bound to before, and whether that has changed.
func (p *boundTraces) put(trace pcommon.TraceID, to binding) (old string, changed bool) {
	if p.isLast(trace) && !to.before(p.last) {
		return p.last.Session, false
	}
	have, added := p.traces.at(trace)
	if added {
		p.set(trace, have, to)
		return "", true
	}
	if to.Start >= have.start && p.same(trace, have, to.Session) {
		p.lastTrace, p.last = trace, binding{to.Session, have.start}
		return to.Session, false
	}
	old = p.session(trace, have)
	if !to.before(binding{old, have.start}) {
		return old, false
	}
	p.set(trace, have, to)
	return old, old != to.Session
}

// appendTo appends the bindings, the oldest first.
func (p *boundTraces) appendTo(out []traceState) []traceState {
	p.traces.each(func(trace pcommon.TraceID, t boundTrace) {
		out = append(out, traceState{trace, binding{p.session(trace, &t), t.start}})
	})
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
