package sessions

import (
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

const (
	// slack is how much the clocks of two instrumentations may differ: some
	// take times in whole milliseconds.
	slack = int64(2 * time.Millisecond)
	// maxBeside is how long after a call it may be tracked at the most.
	maxBeside = int64(time.Second)
)

// compatible reports whether nothing speaks against two inference spans telling
// of one call: not their type, ids, models or usage.
func compatible(a, b *call) bool {
	return a.kind == b.kind && (a.id == 0 || b.id == 0 || a.id == b.id) &&
		(!a.hasUsage() || !b.hasUsage() || sameUsage(a, b)) && sameModel(a, b)
}

// sameModel reports whether the two may be of one model: a span names the model
// asked for, the one that answered, or both, with or without a vendor before it
// and a date behind.
func sameModel(a, b *call) bool {
	if a.name == b.name && a.name != (name{}) {
		return true
	}
	x, y := [...]name{a.name, a.answered}, [...]name{b.name, b.answered}
	known := false
	for _, m := range x {
		for _, n := range y {
			if m == (name{}) || n == (name{}) {
				continue
			}
			known = true
			m, n := baseModel(m.Value()), baseModel(n.Value())
			if strings.HasPrefix(m, n) || strings.HasPrefix(n, m) {
				return true
			}
		}
	}
	return !known
}

func baseModel(m string) string {
	if i := strings.LastIndexByte(m, '/'); i >= 0 {
		m = m[i+1:]
	}
	return strings.ToLower(m)
}

// sameUsage reports whether two usages are equal, or would be if one of them
// left out cached or reasoning tokens that it does not know of. What only one
// of the two knows does not speak against it; but they must have one count in
// common.
func sameUsage(a, b *call) bool {
	if a.has&b.has&(hasIn|hasOut) == 0 {
		return false
	}
	x, y := a.told(), b.told()
	return sameCount(a.tokensIn(), b.tokensIn(), x.cacheRead+x.cacheWrite, y.cacheRead+y.cacheWrite) &&
		sameCount(a.tokensOut(), b.tokensOut(), x.reasoning, y.reasoning)
}

func sameCount(a, b analysis.Opt[int64], partA, partB int64) bool {
	return !a.OK || !b.OK || a.V == b.V || a.V == b.V-partB || b.V == a.V-partA
}

// contains reports whether the longer of two spans lasts throughout the other.
func contains(a, b *call) bool {
	if b.end-b.start > a.end-a.start {
		a, b = b, a
	}
	return a.start-slack <= b.start && b.end <= a.end+slack
}

func overlap(a, b *call) bool { return a.start <= b.end+slack && b.start <= a.end+slack }

// beside reports whether an own span was tracked beside a call rather than
// around it: by far the same time when its duration was measured, and else so
// soon after the call that an equal one cannot have been made since.
func beside(a, b *call) bool {
	own, other := a, b
	if b.own() {
		own, other = b, a
	}
	if !own.own() || other.own() {
		return false
	}
	lasted := other.end - other.start
	if own.start == own.end {
		return other.end-slack <= own.end && own.end <= other.end+max(slack, min(lasted/2, maxBeside))
	}
	common := min(own.end, other.end) - max(own.start, other.start)
	return 2*common >= max(lasted, own.end-own.start)
}

// alike reports whether two spans of different scopes, neither known to be
// within the other, tell of one call.
func alike(a, b *call) bool {
	if a.role != b.role || a.scope == b.scope {
		return false
	}
	switch a.role {
	case roleInference:
		return alikeInferences(a, b)
	case roleTool:
		return alikeTools(a, b)
	default:
		return false
	}
}

// alikeInferences asks for one within the time of the other, with equal usage.
// Where one has none to compare, or both failed without, the inner one must fill
// half of the outer. One tracked beside the other must know both counts.
func alikeInferences(a, b *call) bool {
	if !contains(a, b) {
		return beside(a, b) && compatible(a, b) &&
			(a.has&b.has&(hasIn|hasOut) == hasIn|hasOut || a.failed() && b.failed() && !a.hasUsage() && !b.hasUsage() && a.start < a.end && b.start < b.end)
	}
	if !compatible(a, b) {
		return false
	}
	if a.hasUsage() && b.hasUsage() {
		return true
	}
	if !a.hasUsage() && !b.hasUsage() && a.failed() != b.failed() {
		return false
	}
	short, long := a.end-a.start, b.end-b.start
	if short > long {
		short, long = long, short
	}
	return 2*(short+slack) >= long
}

// alikeTools asks for one tool: in two traces for one use within the time of
// the other, of an own span also for one tracked beside a use.
func alikeTools(a, b *call) bool {
	if a.name == (name{}) || b.name == (name{}) || !sameTool(a, b) {
		return false
	}
	if contains(a, b) {
		return a.trace != b.trace || a.own() != b.own()
	}
	return beside(a, b)
}

// sameTool reports whether two tool spans, one within the other, tell of one
// use of a tool. The SDK makes up the id of a tool call where none is given, so
// that of an own span does not speak against it.
func sameTool(a, b *call) bool {
	return (a.id == 0 || b.id == 0 || a.id == b.id || a.own() || b.own()) &&
		(a.name == b.name || a.name == (name{}) || b.name == (name{}) || toolName(a.name.Value()) == toolName(b.name.Value()))
}

// sameID reports whether two calls with one id are one: unless they are of one
// scope and apart in time, as where a test server repeats its ids.
func sameID(a, b *call) bool {
	if a.role != b.role || a.kind != b.kind {
		return false
	}
	if a.role == roleTool {
		return overlap(a, b) && sameTool(a, b)
	}
	return a.role == roleInference && (overlap(a, b) || a.scope != b.scope)
}

// within reports whether it matters to two calls that one is around the other.
func within(outer, inner *call) bool {
	switch {
	case outer.own() && inner.own():
		return false
	case inner.role == roleInference:
		return outer.role == roleInference
	case inner.role == roleTool:
		return outer.role == roleTool && sameTool(outer, inner)
	default:
		return inner.role == rolePart && outer.role == roleTool
	}
}

// toolName is a tool's name without the server that some agents put before it.
func toolName(name string) string {
	if rest, ok := strings.CutPrefix(name, "mcp__"); ok {
		if _, tool, ok := strings.Cut(rest, "__"); ok {
			return tool
		}
	}
	return name
}
