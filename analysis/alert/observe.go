package alert

import (
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Observe takes the next event of st's stream, and appends to out an alert for
// each rule that fires and, with Resolved set, for each that fires no more. It
// costs O(1) amortised per rule, besides reading JSON and matching patterns,
// and allocates nothing when there is nothing to append. It keeps nothing of e.
func (rs *RuleSet) Observe(st *State, e *analysis.Event, out []Alert) []Alert {
	st.Events++
	st.advance(e.Timestamp)
	for i := range rs.rules {
		r, s := &rs.rules[i], &st.Rules[i]
		holds, speaks := r.observe(0, st, s, e)
		if speaks {
			out = r.settle(st, s, e, holds, out)
		}
	}
	return out
}

// Advance tells st that event time has come to now although no event did, so
// that rates whose window has passed are resolved; it appends those to out.
func (rs *RuleSet) Advance(st *State, now time.Time, out []Alert) []Alert {
	st.advance(now)
	for i := range rs.rules {
		r, s := &rs.rules[i], &st.Rules[i]
		if n := &r.nodes[0]; n.kind == Rate && s.Firing {
			holds := n.forget(&s.Nodes[0], st)
			out = r.settle(st, s, &analysis.Event{Timestamp: now}, holds, out)
		}
	}
	return out
}

// Firing returns the names of the rules that have fired and are not resolved.
func (rs *RuleSet) Firing(st *State) []string {
	var names []string
	for i := range st.Rules {
		if st.Rules[i].Firing {
			names = append(names, st.Rules[i].Name)
		}
	}
	return names
}

func (st *State) advance(t time.Time) {
	if t.IsZero() {
		return
	}
	if us := t.UnixMicro(); st.NewestMicros == nil {
		st.NewestMicros = new(us)
	} else if us > *st.NewestMicros {
		*st.NewestMicros = us
	}
}

// settle turns whether a rule's condition holds into alerts.
func (r *compiled) settle(st *State, s *RuleState, e *analysis.Event, holds bool, out []Alert) []Alert {
	switch {
	case !holds:
		if s.Firing {
			s.Firing = false
			out = append(out, r.alert(e, analysis.Opt[float64]{}, true))
		}
	case s.Firing || r.cooling(st, s):
	default:
		s.Firing = true
		if st.NewestMicros != nil && r.cooldown > 0 {
			s.LastMicros = new(*st.NewestMicros)
		}
		out = append(out, r.alert(e, r.nodes[0].actual(&s.Nodes[0], e), false))
	}
	return out
}

func (r *compiled) cooling(st *State, s *RuleState) bool {
	return s.LastMicros != nil && *st.NewestMicros < *s.LastMicros+r.cooldown
}

// observe updates node i and those below it, and reports whether its condition
// holds, and whether e says so: of a threshold or pattern an event without the
// field says nothing, and the rule stays as it was.
func (r *compiled) observe(i int, st *State, s *RuleState, e *analysis.Event) (holds, speaks bool) {
	n, ns := &r.nodes[i], &s.Nodes[i]
	speaks = true
	switch n.kind {
	case Threshold, Pattern:
		holds, speaks = n.match.judge(e)
	case Consecutive:
		if n.match.matches(e) {
			ns.Run++
		} else {
			ns.Run = 0
		}
		holds = ns.Run >= int64(n.limit)
	case Rate:
		if !e.Timestamp.IsZero() && n.match.matches(e) {
			n.remember(ns, e.Timestamp.UnixMicro())
		}
		holds = n.forget(ns, st)
	case Aggregate:
		v := n.metric.of(e)
		ns.Window.observe(n, st.Events, v.number, v.kind == number)
		return ns.Window.holds(n), true
	case Composite:
		held := 0
		for _, child := range n.children { // all of them: each has a state to keep
			if childHolds, _ := r.observe(child, st, s, e); childHolds {
				held++
			}
		}
		return held > 0 && (!n.all || held == len(n.children)), true
	}
	if n.hold == 0 {
		return holds, speaks
	}
	if holds {
		ns.Last = st.Events
	}
	return ns.Last > 0 && st.Events-ns.Last < n.hold, true
}

// remember inserts a matching time. Only the newest are kept, as many as it
// takes to hold: the rate is judged at the newest time, so older ones cannot
// matter again.
func (n *node) remember(ns *NodeState, us int64) {
	ns.Times.push(us)
	times := ns.Times.items()
	if last := len(times) - 1; last > 0 && times[last-1] > us { // it came late
		i, _ := slices.BinarySearch(times[:last], us)
		copy(times[i+1:], times[i:last])
		times[i] = us
	}
	if len(times) > n.keep {
		ns.Times.popFront()
	}
}

// forget drops the times that have left the window, and reports whether the
// rate still holds.
func (n *node) forget(ns *NodeState, st *State) bool {
	for ns.Times.len() > 0 && ns.Times.items()[0] < *st.NewestMicros-n.micros {
		ns.Times.popFront()
	}
	return ns.Times.len() >= n.keep
}

// actual returns the figure that made a condition hold.
func (n *node) actual(ns *NodeState, e *analysis.Event) analysis.Opt[float64] {
	switch n.kind {
	case Threshold:
		if v := n.match.field.of(e); v.kind == number {
			return analysis.Some(v.number)
		}
	case Rate:
		return analysis.Some(float64(ns.Times.len()))
	case Consecutive:
		return analysis.Some(float64(ns.Run))
	case Aggregate:
		return finite(ns.Window.value(n))
	}
	return analysis.Opt[float64]{}
}
