package alert

import "time"

// State is what a RuleSet has seen of one stream of events. Its size is bounded
// by the rules: a rate of threshold n keeps n+1 times, an aggregate at most its
// window. RuleSet.Snapshot gives it a form to be written down, RuleSet.Adopt
// takes that back. A State is not safe for concurrent use.
//
// A collector holds one for each session, so it is few pieces of memory: with
// neither rates nor aggregates a single one, which the garbage collector need
// not look into.
type State struct {
	clock Clock
	// nodes are those of the rules, one rule after the other.
	nodes []nodeState
	// times are the rates' newest matching event times in microseconds,
	// ascending; windows are the aggregates'.
	times   []queue[int64]
	windows []window
}

// nodeState is where one condition stands, and at the root of a rule's, where
// the rule does.
type nodeState struct {
	// last is the number of the last event, from 1, after which a member of a
	// composite held.
	last int64
	// run is how many events in a row match.
	run int64

	// firing is whether the rule has fired and not been resolved.
	firing bool
	// fired says that lastFired is known: the event time of the last alert.
	fired     bool
	lastFired int64
}

// NewState returns the state of a stream of which nothing has been seen.
func (rs *RuleSet) NewState() *State {
	st := &State{}
	rs.Reset(st)
	return st
}

// Reset makes st the state of a stream of which nothing has been seen, in the
// memory of the one before. The zero State is ready for it.
func (rs *RuleSet) Reset(st *State) {
	st.clock = Clock{}
	st.nodes = zeroed(st.nodes, rs.nodes)
	st.times = resized(st.times, rs.rates)
	for i := range st.times {
		st.times[i].empty()
	}
	st.windows = resized(st.windows, rs.aggregates)
	for i := range st.windows {
		samples := st.windows[i].samples
		samples.empty()
		st.windows[i] = window{samples: samples}
	}
}

// Clock is how far a stream has come. Of most streams there is no more to
// remember: whoever holds many states keeps the clocks of those that are idle.
type Clock struct {
	// Events counts the events observed.
	Events int64
	// NewestMicros is the newest event time seen, in microseconds since 1970;
	// Timed says that an event had one.
	NewestMicros int64
	Timed        bool
}

// Pass counts an event at time t; the zero t is none.
func (c *Clock) Pass(t time.Time) {
	c.Events++
	c.advance(t)
}

// PassMicros is Pass at a time in microseconds since 1970.
func (c *Clock) PassMicros(us int64) {
	c.Events++
	c.advanceMicros(us)
}

func (c *Clock) advance(t time.Time) {
	if !t.IsZero() {
		c.advanceMicros(t.UnixMicro())
	}
}

func (c *Clock) advanceMicros(us int64) {
	if us > c.NewestMicros || !c.Timed {
		c.NewestMicros, c.Timed = us, true
	}
}

// Clock returns how far st's stream has come.
func (st *State) Clock() Clock { return st.clock }

// SetClock says that st's stream has come as far as another. With the clock of an
// idle state another idle state becomes its equal.
func (st *State) SetClock(c Clock) { st.clock = c }

// Idle reports whether st remembers nothing but its clock: no rule of it fires,
// has a cooldown to keep, or counts.
func (st *State) Idle() bool {
	for i := range st.nodes {
		if st.nodes[i] != (nodeState{}) {
			return false
		}
	}
	for i := range st.times {
		if st.times[i].len() > 0 {
			return false
		}
	}
	for i := range st.windows {
		if !st.windows[i].empty() {
			return false
		}
	}
	return true
}

func zeroed[T any](list []T, n int) []T {
	list = resized(list, n)
	clear(list)
	return list
}

// resized returns a list of n elements, those of the list as far as it has them.
func resized[T any](list []T, n int) []T {
	if n > cap(list) {
		return make([]T, n)
	}
	return list[:n]
}

// Newest returns the newest event time seen, in microseconds since 1970; false
// before the first event that has one.
func (st *State) Newest() (micros int64, ok bool) { return st.clock.NewestMicros, st.clock.Timed }

// Firing returns the names of the rules that have fired and are not resolved.
func (rs *RuleSet) Firing(st *State) []string {
	var names []string
	for i := range rs.rules {
		if r := &rs.rules[i]; st.nodes[r.first].firing {
			names = append(names, r.name)
		}
	}
	return names
}
