package sessions

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// CallKey identifies the span of a call within its session.
type CallKey struct {
	trace uint64
	span  pcommon.SpanID
}

// KeyOf returns the key of a reading's span.
func KeyOf(r *spanevent.Reading) CallKey { return CallKey{traceHash(r.TraceID), r.SpanID} }

// SpanID returns the id of the span in hexadecimal.
func (k CallKey) SpanID() string { return k.span.String() }

// Copies are what a session knew of a call before a span told it again.
type Copies struct {
	// Of are the spans that told it before, in the order of their arrival;
	// empty when none did.
	Of []CallKey
	// Priced says that one of them knew what it cost.
	Priced bool
}

// relations finds the calls that may bear on one: a walk from each to those
// that resolve would look at together with it. What is not found that way can
// change nothing about it, so that it is enough to resolve those.
type relations struct {
	log  *callLog
	seen []bool
	todo []int
}

var walks = sync.Pool{New: func() any { return new(relations) }}

// related calls f with the positions of the call at and of those that bear on
// it, the wrappers between them included.
func (l *callLog) related(at int, f func(positions []int)) {
	w := walks.Get().(*relations)
	w.log = l
	if len(w.seen) < len(l.list) {
		w.seen = make([]bool, 2*len(l.list))
	}
	w.visit(at)
	for k := 0; k < len(w.todo); k++ {
		w.walk(w.todo[k])
	}
	f(w.todo)
	for _, i := range w.todo {
		w.seen[i] = false
	}
	w.log, w.todo = nil, w.todo[:0]
	walks.Put(w)
}

func (w *relations) visit(at int) {
	if !w.seen[at] {
		w.seen[at] = true
		w.todo = append(w.todo, at)
	}
}

func (w *relations) walk(at int) {
	c := &w.log.list[at]
	if c.role == roleWrapper {
		return
	}
	w.up(at, c)
	if c.role == rolePart {
		return
	}
	w.down(at, c, at, 0)
	w.log.withID(c.id, func(i int) {
		if o := &w.log.list[i]; i != at && sameID(o, c) {
			w.visit(i)
		}
	})
	if w.log.mixed {
		w.log.near(c, func(i int) {
			if o := &w.log.list[i]; alike(o, c) {
				w.visit(i)
			}
		})
	}
}

// up visits the nearest call around c.
func (w *relations) up(at int, c *call) {
	parent := c.parent
	first := len(w.todo)
	for range maxDepth {
		if parent.IsEmpty() {
			break
		}
		i := w.log.find(c.trace, parent)
		if i < 0 || i == at {
			break
		}
		p := &w.log.list[i]
		if p.role != roleWrapper {
			if within(p, c) {
				w.visit(i)
				return
			}
			break
		}
		w.visit(i)
		parent = p.parent
	}
	// The wrappers lead nowhere: c is as it would be without them.
	for _, i := range w.todo[first:] {
		w.seen[i] = false
	}
	w.todo = w.todo[:first]
}

// down visits the nearest calls within c, from the span at below.
func (w *relations) down(top int, c *call, at, depth int) {
	if depth == maxDepth {
		return
	}
	w.log.children(c.trace, w.log.list[at].span, func(i int) {
		o := &w.log.list[i]
		switch {
		case i == top:
		case o.role == roleWrapper:
			w.visit(i)
			w.down(top, c, i, depth+1)
		case within(c, o):
			w.visit(i)
		}
	})
}

// alone reports whether nothing else can bear on the call: as most are of a session
// that one library tells, whose wrappers come after what is in them. It is a look
// at a short log, and says nothing of a long one.
func (l *callLog) alone(at int) bool {
	if l.index != nil || l.mixed {
		return false
	}
	c := &l.list[at]
	for i := range l.list {
		o := &l.list[i]
		if i != at && (o.span == c.parent || o.parent == c.span || o.id == c.id && c.id != 0) {
			return false
		}
	}
	return true
}

// copies returns what was known of the call at position at when it came, and
// whether it repeats what earlier ones told: then the call is one with theirs,
// or surrounds them.
func (l *callLog) copies(at int) (copies Copies, repeats bool) {
	c := &l.list[at]
	if !c.isCall() || l.foreign == 0 || l.alone(at) {
		return copies, false
	}
	l.related(at, func(positions []int) {
		if len(positions) == 1 {
			return
		}
		r := resolveSome(l, positions)
		defer r.free()
		i, _ := r.find(c.trace, c.span)
		if repeats = r.nodes[i].wraps; repeats {
			return
		}
		for n := r.root(i) + 1; n != 0; n = r.nodes[n-1].next {
			if o := &r.nodes[n-1]; o.at < at && o.role == c.role && !o.wraps {
				repeats = true
				copies.Of = append(copies.Of, CallKey{o.trace, o.span})
				copies.Priced = copies.Priced || o.has&hasCost != 0
			}
		}
	})
	return copies, repeats
}

// paired reports whether other spans bear on the call.
func (l *callLog) paired(at int) (yes bool) {
	l.related(at, func(positions []int) {
		for _, i := range positions {
			yes = yes || i != at && l.list[i].role != roleWrapper
		}
	})
	return yes
}
