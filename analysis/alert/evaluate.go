package alert

import (
	"math"
	"slices"
	"sort"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Evaluate judges a slice of events, in the order given, by itself and without
// cooldown. Each rule that fires gives one alert, of the last event at which
// its condition held, with the indices of the events that made it hold.
func (rs *RuleSet) Evaluate(events []analysis.Event) []Alert {
	var out []Alert
	for i := range rs.rules {
		r := &rs.rules[i]
		if f := r.evaluate(0, events); f.holds {
			a := r.alert(&events[f.at], f.actual, false)
			a.MatchedEvents = f.matched
			out = append(out, a)
		}
	}
	return out
}

// finding is what a condition says of a slice.
type finding struct {
	holds   bool
	at      int   // the event at which it last held, and matched
	matched []int // ascending
	actual  analysis.Opt[float64]
}

// evaluate reads a condition as the package's documentation defines it, with
// the whole slice at hand; Observe arrives at the same step by step.
func (r *compiled) evaluate(i int, events []analysis.Event) finding {
	n := &r.nodes[i]
	var f finding
	switch n.kind {
	case Threshold, Pattern:
		f = n.evaluateEach(events)
	case Consecutive:
		f = n.evaluateRuns(events)
	case Rate:
		f = n.evaluateRate(events)
	case Aggregate:
		f = n.evaluateAggregate(events)
	case Composite:
		return r.evaluateComposite(n, events)
	}
	return f
}

// since returns from which event on it counts that a condition held.
func (n *node) since(events []analysis.Event) int {
	if n.hold == 0 {
		return 0
	}
	return max(0, len(events)-int(n.hold))
}

func (n *node) evaluateEach(events []analysis.Event) (f finding) {
	for i := n.since(events); i < len(events); i++ {
		if n.match.matches(&events[i]) {
			f.holds, f.at = true, i
			f.matched = append(f.matched, i)
		}
	}
	if f.holds && n.kind == Threshold {
		if v := n.match.field.of(&events[f.at]); v.kind == number {
			f.actual = analysis.Some(v.number)
		}
	}
	return f
}

func (n *node) evaluateRuns(events []analysis.Event) (f finding) {
	run, count, since := 0, int(n.limit), n.since(events)
	for i := range events {
		if !n.match.matches(&events[i]) {
			run = 0
			continue
		}
		if run++; run >= count && i >= since {
			f.holds, f.at, f.actual = true, i, analysis.Some(float64(run))
		}
	}
	for i := f.at - count + 1; f.holds && i <= f.at; i++ {
		f.matched = append(f.matched, i)
	}
	return f
}

func (n *node) evaluateRate(events []analysis.Event) (f finding) {
	type match struct {
		us    int64
		event int
	}
	var seen []match // sorted by time
	since, newest, last := n.since(events), int64(math.MinInt64), 0
	var heldAt int      // the last event after which it held,
	var heldSince int64 // and where its window began
	for i := range events {
		e := &events[i]
		if !e.Timestamp.IsZero() {
			us := e.Timestamp.UnixMicro()
			newest = max(newest, us)
			if n.match.matches(e) {
				at := sort.Search(len(seen), func(j int) bool { return seen[j].us > us })
				seen = slices.Insert(seen, at, match{us, i})
				last = i
			}
		}
		begin := newest - n.micros
		inside := len(seen) - sort.Search(len(seen), func(j int) bool { return seen[j].us >= begin })
		if inside >= n.keep && i >= since {
			f.holds, f.at, f.actual = true, last, analysis.Some(float64(inside))
			heldAt, heldSince = i, begin
		}
	}
	if !f.holds {
		return f
	}
	for _, m := range seen {
		if m.us >= heldSince && m.event <= heldAt {
			f.matched = append(f.matched, m.event)
		}
	}
	slices.Sort(f.matched)
	return f
}

func (n *node) evaluateAggregate(events []analysis.Event) (f finding) {
	var samples []Sample
	for i := max(0, len(events)-int(n.events)); i < len(events); i++ {
		if v := n.metric.of(&events[i]); v.kind == number {
			samples = append(samples, Sample{Value: v.number})
			f.matched = append(f.matched, i)
		}
	}
	if len(samples) == 0 {
		return finding{}
	}
	x := addUp(n.fn, samples)
	if !compare(x, n.op, n.limit) {
		return finding{}
	}
	f.holds, f.at, f.actual = true, f.matched[len(f.matched)-1], finite(x)
	return f
}

func (r *compiled) evaluateComposite(n *node, events []analysis.Event) (f finding) {
	held := 0
	for _, child := range n.children {
		if c := r.evaluate(child, events); c.holds {
			held++
			f.at = max(f.at, c.at)
			f.matched = append(f.matched, c.matched...)
		}
	}
	if held == 0 || (n.all && held < len(n.children)) {
		return finding{}
	}
	f.holds = true
	slices.Sort(f.matched)
	f.matched = slices.Compact(f.matched)
	return f
}
