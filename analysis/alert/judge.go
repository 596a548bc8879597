package alert

import (
	"slices"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Judged is what the conditions of a RuleSet say of one event by itself,
// whatever came before it.
type Judged struct {
	// holds and speaks have a bit for each of RuleSet.judged.
	holds, speaks uint64
}

// maxJudged is how many conditions Judged has room for. Those beyond are judged
// when the event is observed.
const maxJudged = 64

// Judge returns what rs's conditions say of e by itself, for ObserveJudged. This
// is where JSON is read and patterns are matched, and it needs no State: whoever
// locks states need not do so yet.
func (rs *RuleSet) Judge(e *analysis.Event) Judged {
	var j Judged
	var v value
	var name string // of the field of JSON that v is in
	for _, n := range rs.judged {
		var holds, speaks bool
		if m := &n.match; m.field.kind != object {
			holds, speaks = m.judge(e)
		} else {
			raw := m.field.getJSON(e)
			if len(raw) == 0 {
				continue
			}
			if m.field.name != name {
				v, name = m.field.in(raw), m.field.name
			}
			holds, speaks = m.judgeValue(&v)
		}
		if holds {
			j.holds |= n.bit
		}
		if speaks {
			j.speaks |= n.bit
		}
	}
	return j
}

// Quiet reports whether an idle state that observes an event of which rs says so
// stays idle, and no rule fires: all there is to do is Clock.Pass.
func (rs *RuleSet) Quiet(j Judged) bool { return j.holds&rs.bits == 0 && !rs.more }

// Choose returns a set of those rules of rs of which choose says so, by their places
// in rs. Its states are its own, but what rs says of an event is what it says: Quiet
// and ObserveJudged take that.
func (rs *RuleSet) Choose(choose func(rule int) bool) *RuleSet {
	chosen := &RuleSet{}
	for i := range rs.rules {
		if !choose(i) {
			continue
		}
		r := rs.rules[i]
		r.nodes = slices.Clone(r.nodes)
		chosen.place(&r)
		chosen.rules = append(chosen.rules, r)
	}
	chosen.collect()
	return chosen
}

// Len returns how many rules there are.
func (rs *RuleSet) Len() int { return len(rs.rules) }

// of returns what a condition of the RuleSet says of the event.
func (j Judged) of(n *node, e *analysis.Event) (holds, speaks bool) {
	if n.bit == 0 {
		return n.match.judge(e)
	}
	return j.holds&n.bit != 0, j.speaks&n.bit != 0
}
