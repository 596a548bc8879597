package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Snapshot is a State as it is written down, as JSON. It shares no memory with
// the state.
type Snapshot struct {
	// Events counts the events observed.
	Events int64 `json:"events"`
	// NewestMicros is the newest event time seen, in microseconds since 1970;
	// nil before the first event that has one.
	NewestMicros *int64         `json:"newest_us,omitempty"`
	Rules        []RuleSnapshot `json:"rules"`
}

// RuleSnapshot is where one rule stands.
type RuleSnapshot struct {
	Name string `json:"name"`
	// Condition is a hash of the rule's condition.
	Condition string `json:"condition"`
	// Firing is whether the rule has fired and not been resolved.
	Firing bool `json:"firing,omitempty"`
	// LastMicros is the event time of the last alert.
	LastMicros *int64         `json:"last_us,omitempty"`
	Nodes      []NodeSnapshot `json:"nodes"`
}

// NodeSnapshot is where one condition of a rule stands, in the order in which
// the rule is written.
type NodeSnapshot struct {
	// Last is the number of the last event, from 1, after which a member of a
	// composite held.
	Last int64 `json:"last,omitempty"`
	// Run is how many events in a row match.
	Run int64 `json:"run,omitempty"`
	// Times are the newest matching event times in microseconds, ascending.
	Times []int64 `json:"times,omitempty"`
	// Window is the aggregate's.
	Window WindowSnapshot `json:"window,omitzero"`
}

// WindowSnapshot is the figures that an aggregate is computed from.
type WindowSnapshot struct {
	Samples []Sample `json:"samples,omitempty"`
}

// IsZero reports whether the window is empty; encoding/json's omitzero asks it.
func (w WindowSnapshot) IsZero() bool { return len(w.Samples) == 0 }

// Snapshot returns what is to be written down of a state.
func (rs *RuleSet) Snapshot(st *State) *Snapshot {
	s := &Snapshot{Events: st.clock.Events, Rules: make([]RuleSnapshot, len(rs.rules))}
	if st.clock.Timed {
		s.NewestMicros = new(st.clock.NewestMicros)
	}
	for i := range rs.rules {
		r := &rs.rules[i]
		root := &st.nodes[r.first]
		rule := RuleSnapshot{Name: r.name, Condition: r.hash, Firing: root.firing, Nodes: make([]NodeSnapshot, len(r.nodes))}
		if root.fired {
			rule.LastMicros = new(root.lastFired)
		}
		for j := range r.nodes {
			n, ns := &r.nodes[j], &st.nodes[r.first+j]
			node := NodeSnapshot{Last: ns.last, Run: ns.run}
			switch n.kind {
			case Rate:
				node.Times = append([]int64(nil), st.times[n.store].items()...)
			case Aggregate:
				node.Window.Samples = append([]Sample(nil), st.windows[n.store].samples.items()...)
			}
			rule.Nodes[j] = node
		}
		s.Rules[i] = rule
	}
	return s
}

// Adopt returns the state with which to continue from a snapshot. Rules that
// are new, or whose condition is another than when it was taken, start afresh;
// so does whatever cannot be.
func (rs *RuleSet) Adopt(s *Snapshot) *State {
	st := rs.NewState()
	st.clock.Events = max(s.Events, 0)
	if s.NewestMicros != nil {
		st.clock.NewestMicros, st.clock.Timed = *s.NewestMicros, true
	}
	for i := range rs.rules {
		r := &rs.rules[i]
		j := slices.IndexFunc(s.Rules, func(rule RuleSnapshot) bool { return rule.Name == r.name })
		if j >= 0 && s.Rules[j].fits(r, st) {
			s.Rules[j].restore(r, st)
		}
	}
	return st
}

// fits reports whether the snapshot can have been taken of the rule.
func (s *RuleSnapshot) fits(r *compiled, st *State) bool {
	if s.Condition != r.hash || len(s.Nodes) != len(r.nodes) || (s.LastMicros != nil && !st.clock.Timed) {
		return false
	}
	for i := range s.Nodes {
		n, ns := &r.nodes[i], &s.Nodes[i]
		if ns.Last < 0 || ns.Last > st.clock.Events || ns.Run < 0 || len(ns.Times) > n.keep || !slices.IsSorted(ns.Times) {
			return false
		}
		if len(ns.Times) > 0 && (n.kind != Rate || !st.clock.Timed) {
			return false
		}
		for j, sample := range ns.Window.Samples {
			if n.kind != Aggregate || sample.Event <= st.clock.Events-n.events || sample.Event > st.clock.Events ||
				(j > 0 && sample.Event <= ns.Window.Samples[j-1].Event) {
				return false
			}
		}
	}
	return true
}

// restore makes the rule stand as it did, and computes what is not written down.
func (s *RuleSnapshot) restore(r *compiled, st *State) {
	for i := range s.Nodes {
		n, from, to := &r.nodes[i], &s.Nodes[i], &st.nodes[r.first+i]
		to.last, to.run = from.Last, from.Run
		switch n.kind {
		case Rate:
			st.times[n.store].buf = slices.Clone(from.Times)
		case Aggregate:
			w := &st.windows[n.store]
			w.samples.buf = slices.Clone(from.Window.Samples)
			for _, sample := range from.Window.Samples {
				w.tally(n.fn, sample.Value, 1)
			}
		}
	}
	root := &st.nodes[r.first]
	root.firing = s.Firing
	if s.LastMicros != nil {
		root.fired, root.lastFired = true, *s.LastMicros
	}
}

// conditionHash tells conditions apart.
func conditionHash(c *Condition) string {
	// What cannot be written, a NaN, is refused when the rule is compiled.
	text, _ := json.Marshal(c)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
