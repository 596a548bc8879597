package sessions

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/agentlens/agentlens-otel/analysis"
)

// resolution says which spans tell of which calls. It depends on the calls, not
// on the order in which they came.
type resolution struct {
	calls []*call // the outer before the inner, the earlier before the later
	index map[spanKey]int
	// group joins the spans of one call; the first of a group is its outermost.
	group []int
	// wraps marks inference spans that surround several calls.
	wraps []bool
}

// resolve finds the spans that tell of one call:
//
//  1. those with one response id, unless they are of one scope and apart in
//     time, as where a test server repeats its ids;
//  2. an inference span and the nearest one around it, with nothing but
//     wrappers between, if nothing speaks against it (compatible). One that
//     surrounds several calls with ids of their own is a wrapper itself;
//  3. inference spans of different scopes, of one trace or of two, one within
//     the time of the other (alike);
//  4. a tool span and the nearest one around it, or two at the same time with
//     one tool call id (sameTool).
func resolve(calls []call) *resolution {
	r := &resolution{
		calls: make([]*call, len(calls)), index: make(map[spanKey]int, len(calls)),
		group: make([]int, len(calls)), wraps: make([]bool, len(calls)),
	}
	for i := range calls {
		r.calls[i] = &calls[i]
	}
	slices.SortFunc(r.calls, compareCalls)
	for i, c := range r.calls {
		r.index[spanKey{c.Trace, c.Span}] = i
		r.group[i] = i
	}
	r.joinByID()
	r.joinNested()
	r.joinAlike()
	return r
}

func compareCalls(a, b *call) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End),
		bytes.Compare(a.Trace[:], b.Trace[:]), bytes.Compare(a.Span[:], b.Span[:]))
}

func (r *resolution) find(i int) int {
	for r.group[i] != i {
		i = r.group[i]
	}
	return i
}

// join makes one group of two; its outermost span stands for it.
func (r *resolution) join(i, j int) {
	i, j = r.find(i), r.find(j)
	r.group[max(i, j)] = min(i, j)
}

func (r *resolution) joinByID() {
	type key struct {
		role callRole
		id   string
	}
	byID := map[key][]int{}
	for i, c := range r.calls {
		if c.ID == "" || c.Role != roleInference && c.Role != roleTool {
			continue
		}
		k := key{c.Role, c.ID}
		for _, j := range byID[k] {
			o := r.calls[j]
			if o.Type != c.Type {
				continue
			}
			if overlap(o, c) && (c.Role == roleInference || sameTool(o, c)) || c.Role == roleInference && o.Scope != c.Scope {
				r.join(i, j)
			}
		}
		byID[k] = append(byID[k], i)
	}
}

// maxDepth bounds how far the parents of a span are followed.
const maxDepth = 64

// around returns the nearest span around i that is not a wrapper.
func (r *resolution) around(i int) (int, bool) {
	c := r.calls[i]
	parent := c.Parent
	for range maxDepth {
		j, ok := r.index[spanKey{c.Trace, parent}]
		if !ok || j == i || parent.IsEmpty() {
			return 0, false
		}
		if p := r.calls[j]; p.Role != roleWrapper {
			return j, true
		}
		parent = r.calls[j].Parent
	}
	return 0, false
}

func (r *resolution) joinNested() {
	within := map[int][]int{}
	for i, c := range r.calls {
		j, ok := r.around(i)
		if !ok {
			continue
		}
		p := r.calls[j]
		switch {
		case c.Role == roleInference && p.Role == roleInference:
			within[j] = append(within[j], i)
		case c.Role == roleTool && p.Role == roleTool && sameTool(p, c), c.Role == rolePart && p.Role == roleTool:
			r.join(i, j)
		}
	}
	outer := make([]int, 0, len(within))
	for j := range within {
		outer = append(outer, j)
	}
	slices.Sort(outer)
	for _, j := range outer {
		r.joinInner(j, within[j])
	}
}

// joinInner decides what an inference span is to those within it.
func (r *resolution) joinInner(j int, inner []int) {
	p := r.calls[j]
	var fit, answered []int
	var in, out int64
	for _, i := range inner {
		c := r.calls[i]
		in, out = in+c.In.Or(0), out+c.Out.Or(0)
		if compatible(p, c) {
			fit = append(fit, i)
		}
		if c.hasUsage() || c.ID != "" {
			answered = append(answered, i)
		}
	}
	if p.ID == "" && r.several(answered) && (!p.hasUsage() || p.In.Or(0) == in && p.Out.Or(0) == out) {
		r.wraps[j] = true
		return
	}
	// Of the calls that were answered only one is that of the span around them;
	// what failed without an answer was an attempt at it.
	var same []int
	for _, i := range fit {
		if c := r.calls[i]; c.hasUsage() || c.ID != "" {
			if r.several(append(same, i)) {
				continue
			}
			same = append(same, i)
		}
		r.join(j, i)
	}
}

// several reports whether any two of some spans side by side cannot be one
// call: for their ids, because one library tells each call once, or because
// neither lasts throughout the other.
func (r *resolution) several(spans []int) bool {
	for k, i := range spans {
		for _, j := range spans[:k] {
			a, b := r.calls[i], r.calls[j]
			if a.ID != "" && b.ID != "" {
				if a.ID != b.ID {
					return true
				}
			} else if a.Scope == b.Scope || !contains(a, b) {
				return true
			}
		}
	}
	return false
}

// joinAlike pairs spans of different scopes. Each joins the one that starts
// nearest before it.
func (r *resolution) joinAlike() {
	for i, c := range r.calls {
		if c.Role != roleInference || r.wraps[i] || r.find(i) != i {
			continue
		}
		for j := i - 1; j >= 0; j-- {
			o := r.calls[j]
			if o.Role != roleInference || r.wraps[j] || !alike(o, c) || r.hasScope(j, c.Scope) {
				continue
			}
			r.join(j, i)
			break
		}
	}
}

// hasScope reports whether the group of i has a span of a scope.
func (r *resolution) hasScope(i int, scope uint64) bool {
	g := r.find(i)
	for j, c := range r.calls {
		if c.Scope == scope && r.find(j) == g {
			return true
		}
	}
	return false
}

// groups returns the calls, each as the indexes of its spans, outermost first.
func (r *resolution) groups() [][]int {
	at := map[int]int{}
	var out [][]int
	for i, c := range r.calls {
		if c.Role == roleWrapper || r.wraps[i] {
			continue
		}
		g := r.find(i)
		k, ok := at[g]
		if !ok {
			k = len(out)
			at[g] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], i)
	}
	return slices.DeleteFunc(out, func(group []int) bool {
		// A part whose tool call has not come tells nothing.
		return !slices.ContainsFunc(group, func(i int) bool { return r.calls[i].Role != rolePart })
	})
}

// merged returns one call with what each of its spans knows. Its times are
// those of the outermost.
func (r *resolution) merged(group []int) call {
	var m call
	first := true
	var failed, answered bool
	richest := -1
	for _, i := range group {
		c := r.calls[i]
		failed = failed || c.Failed
		answered = answered || !c.Failed && (c.hasUsage() || c.ID != "")
		if c.Role == rolePart {
			continue
		}
		if first {
			m, first = *c, false
			richest = detail(c)
			continue
		}
		if d := detail(c); c.CostUSD.OK && (!m.CostUSD.OK || d > richest) {
			m.CostUSD, richest = c.CostUSD, d
		}
		m.Model, m.ResponseModel = firstOf(m.Model, c.Model), firstOf(m.ResponseModel, c.ResponseModel)
		m.ID, m.Tool = firstOf(m.ID, c.ID), firstOf(m.Tool, c.Tool)
		larger(&m.In, c.In)
		larger(&m.Out, c.Out)
		larger(&m.CacheRead, c.CacheRead)
		larger(&m.CacheWrite, c.CacheWrite)
		larger(&m.Reasoning, c.Reasoning)
		m.Reasoned = m.Reasoned || c.Reasoned
	}
	// A failure within a call that was answered was retried.
	if m.Role == roleTool {
		m.Failed = failed
	} else {
		m.Failed = m.Failed || failed && !answered
	}
	return m
}

// detail counts how much a span knows of its usage.
func detail(c *call) (n int) {
	for _, v := range [...]analysis.Opt[int64]{c.In, c.Out, c.CacheRead, c.CacheWrite, c.Reasoning} {
		if v.OK {
			n++
		}
	}
	return n
}

func larger(m *analysis.Opt[int64], v analysis.Opt[int64]) {
	if v.OK && (!m.OK || v.V > m.V) {
		*m = v
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// totals are those that the outermost wrappers tell. Running totals of an agent
// count once, as the largest.
func (r *resolution) totals() call {
	var sum, running call
	for i, c := range r.calls {
		if c.Role != roleWrapper || !c.hasUsage() && !c.CostUSD.OK || r.insideTotal(i) {
			continue
		}
		if c.Cumulative {
			larger(&running.In, c.In)
			larger(&running.Out, c.Out)
			larger(&running.CacheRead, c.CacheRead)
			larger(&running.CacheWrite, c.CacheWrite)
			larger(&running.Reasoning, c.Reasoning)
			if c.CostUSD.V > running.CostUSD.V {
				running.CostUSD = c.CostUSD
			}
			continue
		}
		sum.add(c)
	}
	sum.add(&running)
	return sum
}

func (c *call) add(o *call) {
	for _, p := range [...]struct {
		to   *analysis.Opt[int64]
		from analysis.Opt[int64]
	}{{&c.In, o.In}, {&c.Out, o.Out}, {&c.CacheRead, o.CacheRead}, {&c.CacheWrite, o.CacheWrite}, {&c.Reasoning, o.Reasoning}} {
		if p.from.OK {
			*p.to = analysis.Some(p.to.V + p.from.V)
		}
	}
	if o.CostUSD.OK {
		c.CostUSD = analysis.Some(c.CostUSD.V + o.CostUSD.V)
	}
}

// insideTotal reports whether a wrapper around i tells totals too.
func (r *resolution) insideTotal(i int) bool {
	c := r.calls[i]
	parent := c.Parent
	for range maxDepth {
		j, ok := r.index[spanKey{c.Trace, parent}]
		if !ok || j == i || parent.IsEmpty() {
			return false
		}
		p := r.calls[j]
		if p.Role == roleWrapper && p.hasUsage() {
			return true
		}
		parent = p.Parent
	}
	return false
}
