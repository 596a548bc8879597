package sessions

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// callLog holds the calls of a session in the order of their arrival. Looking
// one up costs the same however many there are.
type callLog struct {
	list []call
	// foreign counts those that are not the SDK's own.
	foreign int
	// lone counts the own ones of which no copy is known; oldest is the end of
	// the one that ended first.
	lone   int
	oldest int64
	// scope is that of an inference or tool; mixed says that there are others.
	scope uint32
	mixed bool
	// longest is how long the longest of the inferences and tools lasted.
	longest int64
	// trimAt is how many there are when the next trim is due; 0 = at the limit.
	trimAt int
	index  *callIndex
	woken  wokenCalls
}

// wokenCalls are the first calls of a log, so many, as they were packed when the
// session woke: none has changed since.
type wokenCalls struct {
	n      int
	packed []byte
	// symbols are those that tell their names by number.
	symbols *symbols
}

// links chain the calls of one bucket of the index: each is the position of the
// next call + 1, 0 at the end.
type links struct{ nextSpan, nextParent, nextID uint16 }

// callIndex finds calls in a long log. A bucket is the position of its newest
// call + 1.
type callIndex struct {
	span, parent, id [indexBuckets]uint16
	// byEnd holds the positions by the end of the call.
	byEnd []uint16
}

const (
	indexBuckets = 128
	// indexFrom is how many calls are as quickly looked through.
	indexFrom = 16
	// maxLogged is how many calls a log can hold.
	maxLogged = math.MaxUint16 - 1
)

func newCallLog() *callLog { return &callLog{oldest: math.MaxInt64} }

// add appends a copy of a call and returns its position.
func (l *callLog) add(c *call) int {
	if len(l.list) == cap(l.list) {
		// Most logs are short, and to double the others would waste much.
		l.list = append(make([]call, 0, len(l.list)+max(4, len(l.list)/2)), l.list...)
	}
	at := len(l.list)
	l.list = l.list[:at+1]
	l.list[at] = *c
	l.count(c)
	switch {
	case l.index != nil:
		l.link(at)
	case len(l.list) > indexFrom:
		l.reindex()
	}
	return at
}

func (l *callLog) count(c *call) {
	if !c.own() {
		l.foreign++
	} else if c.is&isPaired == 0 {
		l.lone++
		l.oldest = min(l.oldest, c.end)
	}
	if c.isCall() {
		l.mixed = l.mixed || l.scope != 0 && l.scope != c.scope
		l.scope = c.scope
		l.longest = max(l.longest, c.end-c.start)
	}
}

// keep drops the calls for which f is false; the others may have changed. It returns
// how many went.
func (l *callLog) keep(f func(at int, c *call) bool) int {
	before, n := len(l.list), 0
	for i := range l.list {
		if f(i, &l.list[i]) {
			l.list[n] = l.list[i]
			n++
		}
	}
	clear(l.list[n:])
	l.list = l.list[:n]
	if cap(l.list) > 4*n+8 {
		l.list = append(make([]call, 0, n+2), l.list...)
	}
	l.foreign, l.lone, l.oldest, l.scope, l.mixed, l.longest, l.trimAt = 0, 0, math.MaxInt64, 0, false, 0, 0
	l.woken.forget()
	for i := range l.list {
		l.count(&l.list[i])
	}
	if n > indexFrom {
		l.reindex()
	} else {
		l.index = nil
	}
	return before - n
}

// forget keeps the memory.
func (w *wokenCalls) forget() { *w = wokenCalls{packed: w.packed[:0]} }

func (l *callLog) reindex() {
	if l.index == nil {
		l.index = &callIndex{}
	}
	*l.index = callIndex{byEnd: l.index.byEnd[:0]}
	for i := range l.list {
		l.link(i)
	}
}

func (l *callLog) link(at int) {
	c, x := &l.list[at], l.index
	push := func(bucket, next *uint16) { *next, *bucket = *bucket, uint16(at+1) }
	push(&x.span[bucketOf(c.span)], &c.nextSpan)
	push(&x.parent[bucketOf(c.parent)], &c.nextParent)
	push(&x.id[c.id%indexBuckets], &c.nextID)
	// Most calls come in the order of their ends.
	i := len(x.byEnd)
	for i > 0 && l.list[x.byEnd[i-1]].end > c.end {
		i--
	}
	x.byEnd = slices.Insert(x.byEnd, i, uint16(at))
}

func bucketOf(id pcommon.SpanID) uint64 {
	h := binary.LittleEndian.Uint64(id[:]) * 0x9e3779b97f4a7c15
	return (h >> 32) % indexBuckets
}

// find returns the position of a span, -1 when it is not there.
func (l *callLog) find(trace uint64, span pcommon.SpanID) int {
	if l.index == nil {
		for i := len(l.list) - 1; i >= 0; i-- {
			if c := &l.list[i]; c.span == span && c.trace == trace {
				return i
			}
		}
		return -1
	}
	for n := l.index.span[bucketOf(span)]; n != 0; n = l.list[n-1].nextSpan {
		if c := &l.list[n-1]; c.span == span && c.trace == trace {
			return int(n - 1)
		}
	}
	return -1
}

// children calls f for the spans right below one.
func (l *callLog) children(trace uint64, span pcommon.SpanID, f func(at int)) {
	if span.IsEmpty() {
		return
	}
	if l.index == nil {
		for i := range l.list {
			if c := &l.list[i]; c.parent == span && c.trace == trace {
				f(i)
			}
		}
		return
	}
	for n := l.index.parent[bucketOf(span)]; n != 0; n = l.list[n-1].nextParent {
		if c := &l.list[n-1]; c.parent == span && c.trace == trace {
			f(int(n - 1))
		}
	}
}

// withID calls f for the calls with an id.
func (l *callLog) withID(id uint64, f func(at int)) {
	if id == 0 {
		return
	}
	if l.index == nil {
		for i := range l.list {
			if l.list[i].id == id {
				f(i)
			}
		}
		return
	}
	for n := l.index.id[id%indexBuckets]; n != 0; n = l.list[n-1].nextID {
		if l.list[n-1].id == id {
			f(int(n - 1))
		}
	}
}

// near calls f for the inferences and tools that may be at the time of one, or
// so close to it that one of the two was tracked beside the other.
func (l *callLog) near(c *call, f func(at int)) {
	const reach = slack + maxBeside
	from, until := c.start-reach, c.end+reach+l.longest
	if l.index == nil {
		for i := range l.list {
			if end := l.list[i].end; end >= from && end <= until {
				f(i)
			}
		}
		return
	}
	byEnd := l.index.byEnd
	first, _ := slices.BinarySearchFunc(byEnd, from, func(at uint16, end int64) int { return cmp.Compare(l.list[at].end, end) })
	for _, at := range byEnd[first:] {
		if l.list[at].end > until {
			return
		}
		f(int(at))
	}
}
