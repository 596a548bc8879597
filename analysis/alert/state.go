package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// State is what a RuleSet has seen of one stream of events. Its size is bounded
// by the rules: a rate of threshold n keeps n+1 times, an aggregate at most its
// window. It may be written down as JSON and read back; RuleSet.Adopt makes
// what was read fit to use. A State is not safe for concurrent use.
type State struct {
	// Events counts the events observed.
	Events int64 `json:"events"`
	// NewestMicros is the newest event time seen, in microseconds since 1970;
	// nil before the first event that has one.
	NewestMicros *int64      `json:"newest_us,omitempty"`
	Rules        []RuleState `json:"rules"`
}

// RuleState is where one rule stands.
type RuleState struct {
	Name string `json:"name"`
	// Condition is a hash of the rule's condition.
	Condition string `json:"condition"`
	// Firing is whether the rule has fired and not been resolved.
	Firing bool `json:"firing,omitempty"`
	// LastMicros is the event time of the last alert.
	LastMicros *int64      `json:"last_us,omitempty"`
	Nodes      []NodeState `json:"nodes"`
}

// NodeState is where one condition of a rule stands, in the order in which the
// rule is written.
type NodeState struct {
	// Last is the number of the last event, from 1, after which a member of a
	// composite held.
	Last int64 `json:"last,omitempty"`
	// Run is how many events in a row match.
	Run int64 `json:"run,omitempty"`
	// Times are the newest matching event times in microseconds, ascending.
	Times queue[int64] `json:"times,omitzero"`
	// Window is the aggregate's.
	Window window `json:"window,omitzero"`
}

// IsZero reports whether the window is empty; encoding/json's omitzero asks it.
func (w window) IsZero() bool { return w.Samples.IsZero() }

// NewState returns the state of a stream of which nothing has been seen.
func (rs *RuleSet) NewState() *State {
	st := &State{Rules: make([]RuleState, len(rs.rules))}
	for i := range rs.rules {
		st.Rules[i] = rs.rules[i].newState()
	}
	return st
}

func (r *compiled) newState() RuleState {
	return RuleState{Name: r.name, Condition: r.hash, Nodes: make([]NodeState, len(r.nodes))}
}

// Adopt returns the state with which to continue from a state read back, which
// it takes over. Rules that are new, or whose condition is another than when
// the state was written, start afresh; so does whatever cannot be.
func (rs *RuleSet) Adopt(read *State) *State {
	st := rs.NewState()
	st.Events, st.NewestMicros = max(read.Events, 0), read.NewestMicros
	for i := range rs.rules {
		r := &rs.rules[i]
		j := slices.IndexFunc(read.Rules, func(s RuleState) bool { return s.Name == r.name })
		if j >= 0 && read.Rules[j].fits(r, st) {
			st.Rules[i] = read.Rules[j]
		}
	}
	return st
}

// fits reports whether the state can have been written by the rule, and
// computes what is not written down.
func (s *RuleState) fits(r *compiled, st *State) bool {
	if s.Condition != r.hash || len(s.Nodes) != len(r.nodes) || (s.LastMicros != nil && st.NewestMicros == nil) {
		return false
	}
	for i := range s.Nodes {
		n, ns := &r.nodes[i], &s.Nodes[i]
		times, samples := ns.Times.items(), ns.Window.Samples.items()
		if ns.Last < 0 || ns.Last > st.Events || ns.Run < 0 || len(times) > n.keep || !slices.IsSorted(times) {
			return false
		}
		if len(times) > 0 && st.NewestMicros == nil {
			return false
		}
		for j, sample := range samples {
			if n.kind != Aggregate || sample.Event <= st.Events-n.events || sample.Event > st.Events ||
				(j > 0 && sample.Event <= samples[j-1].Event) {
				return false
			}
			ns.Window.tally(n.fn, sample.Value, 1)
		}
	}
	return true
}

// conditionHash tells conditions apart.
func conditionHash(c *Condition) string {
	// What cannot be written, a NaN, is refused when the rule is compiled.
	text, _ := json.Marshal(c)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
