package sessions

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// resolution says which spans tell of which calls. It depends on the calls, not
// on the order in which they came. It is used again: see resolve and free.
type resolution struct {
	nodes []node // the outer before the inner, the earlier before the later
	// spans finds a node by its span, ids those with one id: open hash tables
	// of the number of a node + 1.
	spans, ids []int32
	inner      []nesting
	list       []int // of joinInner
	same       []int
	build      eventBuilder
}

// node is a call in a resolution.
type node struct {
	*call
	// at is the position in the log: the order of arrival.
	at int
	// group joins the spans of one call; the first of a group is its outermost.
	group int
	// holds is, of the first of a group, whether an own span is in it. A call
	// has one at most: AgentLens's SDK tells each once.
	holds bool
	// wraps marks inference spans that surround several calls.
	wraps bool
	// next is the node + 1 before this one in its group.
	next int
	// sameID is the node + 1 before this one with its id.
	sameID int32
	// reach is how late the inferences and tools so far end.
	reach int64
}

// nesting is an inference span and the nearest one around it.
type nesting struct{ outer, inner int }

var resolutions = sync.Pool{New: func() any { return new(resolution) }}

// free gives the resolution back. It must not be used after that.
func (r *resolution) free() {
	clear(r.nodes)
	resolutions.Put(r)
}

// resolveAll resolves all calls of a log.
func resolveAll(l *callLog) *resolution {
	r := resolutions.Get().(*resolution)
	r.nodes = r.nodes[:0]
	for i := range l.list {
		r.nodes = append(r.nodes, node{call: &l.list[i], at: i})
	}
	r.resolve()
	return r
}

// resolveSome resolves some calls of a log, all those that may bear on each
// other.
func resolveSome(l *callLog, positions []int) *resolution {
	r := resolutions.Get().(*resolution)
	r.nodes = r.nodes[:0]
	for _, i := range positions {
		r.nodes = append(r.nodes, node{call: &l.list[i], at: i})
	}
	r.resolve()
	return r
}

// resolve finds the spans that tell of one call:
//
//  1. those with one id (sameID);
//  2. an inference span and the nearest one around it, with nothing but
//     wrappers between, if nothing speaks against it (compatible). One that
//     surrounds several calls with ids of their own is a wrapper itself; a
//     tool span and the nearest one around it (sameTool);
//  3. spans of different scopes, of one trace or of two, that are at the same
//     time and say the same (alike).
func (r *resolution) resolve() {
	slices.SortFunc(r.nodes, compareNodes)
	r.spans = table(r.spans, len(r.nodes))
	reach := int64(math.MinInt64)
	mixed := false
	for i := range r.nodes {
		n := &r.nodes[i]
		n.group, n.holds = i, n.own()
		r.put(i)
		if n.isCall() {
			reach = max(reach, n.end)
			mixed = mixed || n.scope != r.nodes[0].scope
		}
		n.reach = reach
	}
	r.joinByID()
	r.joinNested()
	if mixed {
		r.joinAlike()
	}
}

func compareNodes(a, b node) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end),
		cmp.Compare(a.trace, b.trace), bytes.Compare(a.span[:], b.span[:]))
}

// table returns an empty hash table for n entries.
func table(old []int32, n int) []int32 {
	size := 4
	for size < 2*n {
		size *= 2
	}
	if cap(old) < size {
		return make([]int32, size)
	}
	old = old[:size]
	clear(old)
	return old
}

func (r *resolution) put(i int) {
	mask := uint64(len(r.spans) - 1)
	at := spanHash(r.nodes[i].trace, r.nodes[i].span) & mask
	for r.spans[at] != 0 {
		at = (at + 1) & mask
	}
	r.spans[at] = int32(i + 1)
}

// find returns the node of a span.
func (r *resolution) find(trace uint64, span pcommon.SpanID) (int, bool) {
	mask := uint64(len(r.spans) - 1)
	for at := spanHash(trace, span) & mask; r.spans[at] != 0; at = (at + 1) & mask {
		if n := &r.nodes[r.spans[at]-1]; n.span == span && n.trace == trace {
			return int(r.spans[at] - 1), true
		}
	}
	return 0, false
}

// root returns the first of the group of a node.
func (r *resolution) root(i int) int {
	for r.nodes[i].group != i {
		i = r.nodes[i].group
	}
	return i
}

// join makes one group of two; its outermost span stands for it. It leaves them
// apart when each has an own span.
func (r *resolution) join(i, j int) {
	i, j = r.root(i), r.root(j)
	if i == j || r.nodes[i].holds && r.nodes[j].holds {
		return
	}
	i, j = min(i, j), max(i, j)
	r.nodes[j].group = i
	r.nodes[i].holds = r.nodes[i].holds || r.nodes[j].holds
	// Behind the last of the one group comes the other.
	last := i
	for r.nodes[last].next != 0 {
		last = r.nodes[last].next - 1
	}
	r.nodes[last].next = j + 1
}

func (r *resolution) joinByID() {
	r.ids = r.ids[:0]
	for i := range r.nodes {
		c := &r.nodes[i]
		if c.id == 0 || !c.isCall() {
			continue
		}
		if len(r.ids) == 0 {
			r.ids = table(r.ids, len(r.nodes))
		}
		mask := uint64(len(r.ids) - 1)
		at := c.id & mask
		for r.ids[at] != 0 && r.nodes[r.ids[at]-1].id != c.id {
			at = (at + 1) & mask
		}
		c.sameID, r.ids[at] = r.ids[at], int32(i+1)
		for j := c.sameID; j != 0; j = r.nodes[j-1].sameID {
			if o := &r.nodes[j-1]; sameID(o.call, c.call) {
				r.join(i, int(j-1))
			}
		}
	}
}

// maxDepth bounds how far the parents of a span are followed.
const maxDepth = 64

// around returns the nearest span around i that is not a wrapper.
func (r *resolution) around(i int) (int, bool) {
	trace, parent := r.nodes[i].trace, r.nodes[i].parent
	for range maxDepth {
		if parent.IsEmpty() {
			return 0, false
		}
		j, ok := r.find(trace, parent)
		if !ok || j == i {
			return 0, false
		}
		if r.nodes[j].role != roleWrapper {
			return j, true
		}
		parent = r.nodes[j].parent
	}
	return 0, false
}

func (r *resolution) joinNested() {
	r.inner = r.inner[:0]
	for i := range r.nodes {
		j, ok := r.around(i)
		if !ok || !within(r.nodes[j].call, r.nodes[i].call) {
			continue
		}
		if r.nodes[i].role == roleInference {
			r.inner = append(r.inner, nesting{j, i})
		} else {
			r.join(i, j)
		}
	}
	slices.SortFunc(r.inner, func(a, b nesting) int { return cmp.Or(cmp.Compare(a.outer, b.outer), cmp.Compare(a.inner, b.inner)) })
	for rest := r.inner; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].outer == rest[0].outer {
			n++
		}
		r.joinInner(rest[0].outer, rest[:n])
		rest = rest[n:]
	}
}

// joinInner decides what an inference span is to those within it.
func (r *resolution) joinInner(outer int, inner []nesting) {
	p := r.nodes[outer].call
	answered := r.list[:0]
	var in, out int64
	for _, n := range inner {
		c := r.nodes[n.inner].call
		in, out = in+c.in, out+c.out
		if c.answering() {
			answered = append(answered, n.inner)
		}
	}
	r.list = answered
	if p.id == 0 && r.several(answered) && (!p.hasUsage() || p.in == in && p.out == out) {
		r.nodes[outer].wraps = true
		return
	}
	// Of the calls that were answered only one is that of the span around them;
	// what failed without an answer was an attempt at it.
	same := r.same[:0]
	for _, i := range answered {
		if !compatible(p, r.nodes[i].call) {
			continue
		}
		if same = append(same, i); r.several(same) {
			same = same[:len(same)-1]
			continue
		}
		r.join(outer, i)
	}
	r.same = same
	for _, n := range inner {
		if c := r.nodes[n.inner].call; !c.answering() && compatible(p, c) {
			r.join(outer, n.inner)
		}
	}
}

// several reports whether any two of some spans side by side cannot be one
// call: for their ids, because one library tells each call once, or because
// neither lasts throughout the other.
func (r *resolution) several(spans []int) bool {
	for k, i := range spans {
		for _, j := range spans[:k] {
			a, b := r.nodes[i].call, r.nodes[j].call
			if a.id != 0 && b.id != 0 {
				if a.id != b.id {
					return true
				}
			} else if a.scope == b.scope || !contains(a, b) {
				return true
			}
		}
	}
	return false
}

// joinAlike pairs spans of different scopes. Each joins the one that starts
// nearest before it.
func (r *resolution) joinAlike() {
	for i := range r.nodes {
		c := &r.nodes[i]
		if !c.isCall() || c.wraps || c.group != i {
			continue
		}
		for j := i - 1; j >= 0 && r.nodes[j].reach >= c.start-slack-maxBeside; j-- {
			o := &r.nodes[j]
			if o.wraps || !alike(o.call, c.call) || r.hasScope(j, c.scope) {
				continue
			}
			r.join(j, i)
			break
		}
	}
}

// hasScope reports whether the group of i has a span of a scope.
func (r *resolution) hasScope(i int, scope uint32) bool {
	for n := r.root(i) + 1; n != 0; n = r.nodes[n-1].next {
		if r.nodes[n-1].scope == scope {
			return true
		}
	}
	return false
}

// groups calls f for each call with the nodes of its spans, outermost first.
func (r *resolution) groups(f func(group []int)) {
	group := r.list[:0]
	for i := range r.nodes {
		n := &r.nodes[i]
		if n.group != i || n.role == roleWrapper || n.wraps && n.next == 0 {
			continue
		}
		group = group[:0]
		counts := false
		for k := i + 1; k != 0; k = r.nodes[k-1].next {
			if o := &r.nodes[k-1]; !o.wraps {
				group = append(group, k-1)
				counts = counts || o.role != rolePart
			}
		}
		if !counts {
			// A part whose tool call has not come tells nothing.
			continue
		}
		slices.Sort(group)
		f(group)
	}
	r.list = group
}
