package sessions

import (
	"encoding/binary"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
)

// usage is what spans tell of tokens and cost.
type usage struct {
	in, out, cacheRead, cacheWrite, reasoning analysis.Opt[int64]
	costUSD                                   analysis.Opt[float64]
}

// counts returns the token counts of two usages in pairs.
func counts(to, from *usage) [5]struct{ to, from *analysis.Opt[int64] } {
	return [...]struct{ to, from *analysis.Opt[int64] }{
		{&to.in, &from.in},
		{&to.out, &from.out},
		{&to.cacheRead, &from.cacheRead},
		{&to.cacheWrite, &from.cacheWrite},
		{&to.reasoning, &from.reasoning},
	}
}

// widen makes each count the larger of two.
func (u *usage) widen(o *usage) {
	for _, p := range counts(u, o) {
		if p.from.OK && (!p.to.OK || p.from.V > p.to.V) {
			*p.to = *p.from
		}
	}
}

// add adds the counts and the cost.
func (u *usage) add(o *usage) {
	for _, p := range counts(u, o) {
		if p.from.OK {
			*p.to = analysis.Some(p.to.V + p.from.V)
		}
	}
	if o.costUSD.OK {
		u.costUSD = analysis.Some(u.costUSD.V + o.costUSD.V)
	}
}

// detail is how much is known.
func (u *usage) detail() (n int) {
	for _, p := range counts(u, u) {
		if p.to.OK {
			n++
		}
	}
	return n
}

// eventBuilder makes events without allocating: one at a time. It is used again.
type eventBuilder struct {
	event    analysis.Event
	tool     analysis.ToolCall
	failure  analysis.Failure
	decision analysis.DecisionTrace
}

var eventBuilders = sync.Pool{New: func() any { return new(eventBuilder) }}

func (b *eventBuilder) free() { eventBuilders.Put(b) }

// one returns the event as which a call told by one span is counted.
func (b *eventBuilder) one(c *call) *analysis.Event {
	u := c.usage()
	return b.of(c, &u, textOf(c.model()), textOf(c.tool()), c.failed(), c.is&isReasoned != 0, c.end, c.duration())
}

func (b *eventBuilder) of(c *call, u *usage, model, tool string, failed, reasoned bool, end int64, duration analysis.Opt[float64]) *analysis.Event {
	// Field by field, for the event is large, and those not named here are never set.
	e := &b.event
	e.Type, e.Timestamp, e.DurationMS, e.Model = kindTypes[c.kind], time.Unix(0, end).UTC(), duration, model
	e.TokensIn, e.TokensOut, e.CostUSD = u.in, u.out, u.costUSD
	e.CacheReadTokens, e.CacheWriteTokens, e.ReasoningTokens = u.cacheRead, u.cacheWrite, u.reasoning
	e.ToolCall, e.Error, e.DecisionTrace = nil, nil, nil
	if tool != "" {
		b.tool.Name = tool
		e.ToolCall = &b.tool
	}
	if failed {
		e.Error = &b.failure
	}
	if reasoned {
		b.decision.Reasoning = "-"
		e.DecisionTrace = &b.decision
	}
	return e
}

// merged returns one call with what each of its spans knows. An own span says
// what was called, when, and for how long, for that is what was tracked; else
// the outermost does. Of the token counts the largest are taken, and the cost
// that was reckoned from the most of them.
func (r *resolution) merged(group []int) *analysis.Event {
	first := -1
	for _, i := range group {
		n := &r.nodes[i]
		if n.role == rolePart {
			continue
		}
		if n.own() {
			first = i
			break
		}
		if first < 0 {
			first = i
		}
	}
	base := r.nodes[first].call
	if len(group) == 1 {
		return r.build.one(base)
	}
	u := base.usage()
	costOf := u.detail()
	model, tool := base.model(), base.tool()
	end, duration := base.end, base.duration()
	failed, answered, reasoned := false, false, false
	for _, i := range group {
		c := r.nodes[i].call
		failed = failed || c.failed()
		answered = answered || !c.failed() && c.answering()
		if i == first || c.role == rolePart {
			continue
		}
		o := c.usage()
		if d := o.detail(); o.costUSD.OK && (!u.costUSD.OK || d > costOf) {
			u.costUSD, costOf = o.costUSD, d
		}
		u.widen(&o)
		model, tool = firstOf(model, c.model()), firstOf(tool, c.tool())
		reasoned = reasoned || c.is&isReasoned != 0
		if !duration.OK {
			// Tracked without its duration, which the other span measured.
			if duration = c.duration(); duration.OK {
				end = c.end
			}
		}
	}
	reasoned = reasoned || base.is&isReasoned != 0
	if base.role != roleTool {
		// A failure within a call that was answered was retried.
		failed = base.failed() || failed && !answered
	}
	return r.build.of(base, &u, textOf(model), textOf(tool), failed, reasoned, end, duration)
}

func firstOf(a, b name) name {
	if a != (name{}) {
		return a
	}
	return b
}

// totals are those that the outermost wrappers tell. Running totals of an agent
// count once, as the largest.
func (r *resolution) totals() usage {
	var sum, running usage
	for i := range r.nodes {
		c := r.nodes[i].call
		if c.role != roleWrapper || !c.hasUsage() && c.has&hasCost == 0 || r.insideTotal(i) {
			continue
		}
		u := c.usage()
		if c.is&isCumulative == 0 {
			sum.add(&u)
			continue
		}
		running.widen(&u)
		if u.costUSD.V > running.costUSD.V {
			running.costUSD = u.costUSD
		}
	}
	sum.add(&running)
	return sum
}

// insideTotal reports whether a wrapper around i tells totals too.
func (r *resolution) insideTotal(i int) bool {
	trace, parent := r.nodes[i].trace, r.nodes[i].parent
	for range maxDepth {
		if parent.IsEmpty() {
			return false
		}
		j, ok := r.find(trace, parent)
		if !ok || j == i {
			return false
		}
		if p := r.nodes[j].call; p.role == roleWrapper && p.hasUsage() {
			return true
		}
		parent = r.nodes[j].parent
	}
	return false
}

func spanHash(trace uint64, span pcommon.SpanID) uint64 {
	h := (binary.LittleEndian.Uint64(span[:]) ^ trace) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}
