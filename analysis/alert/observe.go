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
	return rs.ObserveJudged(st, e, rs.Judge(e), out)
}

// ObserveJudged is Observe of an event that rs has judged.
func (rs *RuleSet) ObserveJudged(st *State, e *analysis.Event, j Judged, out []Alert) []Alert {
	st.clock.Pass(e.Timestamp)
	for i := range rs.rules {
		r := &rs.rules[i]
		if holds, speaks := r.observe(0, st, e, j); speaks {
			out = r.settle(st, e, holds, out)
		}
	}
	return out
}

// Advance tells st that event time has come to now although no event did, so
// that rates whose window has passed are resolved; it appends those to out.
func (rs *RuleSet) Advance(st *State, now time.Time, out []Alert) []Alert {
	st.clock.advance(now)
	for i := range rs.rules {
		r := &rs.rules[i]
		if n := &r.nodes[0]; n.kind == Rate && st.nodes[r.first].firing {
			out = r.settle(st, &analysis.Event{Timestamp: now}, n.forget(st), out)
		}
	}
	return out
}

// settle turns whether a rule's condition holds into alerts.
func (r *compiled) settle(st *State, e *analysis.Event, holds bool, out []Alert) []Alert {
	s := &st.nodes[r.first]
	switch {
	case !holds:
		if s.firing {
			s.firing = false
			out = append(out, r.alert(e, analysis.Opt[float64]{}, true))
		}
	case s.firing || s.fired && st.clock.NewestMicros < s.lastFired+r.cooldown:
	default:
		s.firing = true
		if st.clock.Timed && r.cooldown > 0 {
			s.fired, s.lastFired = true, st.clock.NewestMicros
		}
		out = append(out, r.alert(e, r.nodes[0].actual(st, s, e), false))
	}
	return out
}

// observe updates node i and those below it, and reports whether its condition
// holds, and whether e says so: of a threshold or pattern an event without the
// field says nothing, and the rule stays as it was.
func (r *compiled) observe(i int, st *State, e *analysis.Event, j Judged) (holds, speaks bool) {
	n, ns := &r.nodes[i], &st.nodes[r.first+i]
	speaks = true
	switch n.kind {
	case Threshold, Pattern:
		holds, speaks = j.of(n, e)
	case Consecutive:
		if matches, _ := j.of(n, e); matches {
			ns.run++
		} else {
			ns.run = 0
		}
		holds = ns.run >= int64(n.limit)
	case Rate:
		if matches, _ := j.of(n, e); matches && !e.Timestamp.IsZero() {
			n.remember(st, e.Timestamp.UnixMicro())
		}
		holds = n.forget(st)
	case Aggregate:
		v := n.metric.of(e)
		w := &st.windows[n.store]
		w.observe(n, st.clock.Events, v.number, v.kind == number)
		return w.holds(n), true
	case Composite:
		held := 0
		for _, child := range n.children { // all of them: each has a state to keep
			if childHolds, _ := r.observe(child, st, e, j); childHolds {
				held++
			}
		}
		return held > 0 && (!n.all || held == len(n.children)), true
	}
	if n.hold == 0 {
		return holds, speaks
	}
	if holds {
		ns.last = st.clock.Events
	}
	return ns.last > 0 && st.clock.Events-ns.last < n.hold, true
}

// remember inserts a matching time. Only the newest are kept, as many as it
// takes to hold: the rate is judged at the newest time, so older ones cannot
// matter again.
func (n *node) remember(st *State, us int64) {
	q := &st.times[n.store]
	q.push(us)
	times := q.items()
	if last := len(times) - 1; last > 0 && times[last-1] > us { // it came late
		i, _ := slices.BinarySearch(times[:last], us)
		copy(times[i+1:], times[i:last])
		times[i] = us
	}
	if len(times) > n.keep {
		q.popFront()
	}
}

// forget drops the times that have left the window, and reports whether the
// rate still holds.
func (n *node) forget(st *State) bool {
	q := &st.times[n.store]
	for q.len() > 0 && q.items()[0] < st.clock.NewestMicros-n.micros {
		q.popFront()
	}
	return q.len() >= n.keep
}

// actual returns the figure that made a condition hold.
func (n *node) actual(st *State, ns *nodeState, e *analysis.Event) analysis.Opt[float64] {
	switch n.kind {
	case Threshold:
		if v := n.match.field.of(e); v.kind == number {
			return analysis.Some(v.number)
		}
	case Rate:
		return analysis.Some(float64(st.times[n.store].len()))
	case Consecutive:
		return analysis.Some(float64(ns.run))
	case Aggregate:
		return finite(st.windows[n.store].value(n))
	}
	return analysis.Opt[float64]{}
}
