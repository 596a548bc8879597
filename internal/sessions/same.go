package sessions

import (
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// slack is how much the clocks of two instrumentations may differ: some take
// times in whole milliseconds.
const slack = int64(2 * time.Millisecond)

// compatible reports whether nothing speaks against two inference spans telling
// of one call: not their type, ids, models or usage.
func compatible(a, b *call) bool {
	return a.Type == b.Type && (a.ID == "" || b.ID == "" || a.ID == b.ID) && sameModel(a, b) &&
		(!a.hasUsage() || !b.hasUsage() || sameUsage(a, b))
}

// sameModel reports whether the two may be of one model: a span names the model
// asked for, the one that answered, or both, with or without a vendor before it
// and a date behind.
func sameModel(a, b *call) bool {
	x, y := [...]string{a.Model, a.ResponseModel}, [...]string{b.Model, b.ResponseModel}
	known := false
	for _, m := range x {
		for _, n := range y {
			if m == "" || n == "" {
				continue
			}
			known = true
			m, n := baseModel(m), baseModel(n)
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
	if !(a.In.OK && b.In.OK) && !(a.Out.OK && b.Out.OK) {
		return false
	}
	return sameCount(a.In, b.In, a.CacheRead.Or(0)+a.CacheWrite.Or(0), b.CacheRead.Or(0)+b.CacheWrite.Or(0)) &&
		sameCount(a.Out, b.Out, a.Reasoning.Or(0), b.Reasoning.Or(0))
}

func sameCount(a, b analysis.Opt[int64], partA, partB int64) bool {
	return !a.OK || !b.OK || a.V == b.V || a.V == b.V-partB || b.V == a.V-partA
}

// contains reports whether the longer of two spans lasts throughout the other.
func contains(a, b *call) bool {
	if b.End-b.Start > a.End-a.Start {
		a, b = b, a
	}
	return a.Start-slack <= b.Start && b.End <= a.End+slack
}

func overlap(a, b *call) bool { return a.Start <= b.End+slack && b.Start <= a.End+slack }

// alike reports whether two inference spans of different scopes, neither known
// to be the other's ancestor, tell of one call: one within the time of the
// other, with equal usage. Where one has none to compare, or both failed
// without, the inner one must fill half of the outer.
func alike(a, b *call) bool {
	if a.Scope == b.Scope || !contains(a, b) || !compatible(a, b) {
		return false
	}
	if a.hasUsage() && b.hasUsage() {
		return true
	}
	if !a.hasUsage() && !b.hasUsage() && a.Failed != b.Failed {
		return false
	}
	short, long := a.End-a.Start, b.End-b.Start
	if short > long {
		short, long = long, short
	}
	return 2*(short+slack) >= long
}

// sameTool reports whether two tool spans, one within the other, tell of one
// use of a tool.
func sameTool(a, b *call) bool {
	return (a.ID == "" || b.ID == "" || a.ID == b.ID) && (a.Tool == "" || b.Tool == "" || toolName(a.Tool) == toolName(b.Tool))
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
