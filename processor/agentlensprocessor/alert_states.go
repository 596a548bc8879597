package agentlensprocessor

import (
	"hash/maphash"
	"iter"
	"time"

	"github.com/agentlens/agentlens-otel/analysis/alert"
)

// alertStates holds the states of a rule set, one for each group, at most limit.
// Most groups are sessions, which come and go by the thousand, and in which no
// rule ever finds anything: of these only the clock is kept. The groups are in
// one piece of memory without pointers, so that the garbage collector need not
// look into it, and a place is used again for the next.
type alertStates struct {
	rules *alert.RuleSet
	limit int
	seed  maphash.Seed
	// places finds a group by the hash of its key.
	places map[uint64]int32
	// groups are a ring in the order in which they were used: the first is no
	// group, after it comes the longest unused, before it the latest.
	groups []alertGroup
	// long are the keys that do not fit into their groups.
	long map[int32]string
	// states are those that are not idle, by alertGroup.state. The first is lent
	// to the other groups, and is idle between two uses, as those at spare are.
	states []alert.State
	spare  []int32
}

type alertGroup struct {
	hash          uint64
	clock         alert.Clock
	before, after int32
	// state is the place of the group's state, 0 while that is idle.
	state int32
	size  uint8 // of the key; more than shortKey = it is long
	key   [shortKey]byte
}

// shortKey is the longest key that is kept in its group: there is room for a
// UUID.
const shortKey = 39

func newAlertStates(rules *alert.RuleSet, limit int) alertStates {
	return alertStates{
		rules: rules, limit: limit, seed: maphash.MakeSeed(), places: map[uint64]int32{}, groups: make([]alertGroup, 1),
		long: map[int32]string{}, states: []alert.State{*rules.NewState()},
	}
}

// use returns the place of a group and makes it the latest used. Where there are
// too many groups, the one unused for longest makes room.
func (s *alertStates) use(key string) int32 {
	// Events of one group mostly come one after the other.
	if latest := s.groups[0].before; latest != 0 && s.is(latest, key) {
		return latest
	}
	hash := maphash.String(s.seed, key)
	at, held := s.places[hash]
	switch {
	case held:
		s.unlink(at)
	case len(s.groups) <= s.limit:
		at = int32(len(s.groups))
		s.groups = append(s.groups, alertGroup{})
	default:
		at = s.groups[0].after
		s.unlink(at)
		delete(s.places, s.groups[at].hash)
	}
	if !held || !s.is(at, key) { // of two groups whose keys have one hash, there is room for the latest
		s.begin(at, key, hash)
	}
	s.link(at)
	return at
}

// begin makes a place that of a group of which nothing was seen.
func (s *alertStates) begin(at int32, key string, hash uint64) {
	g := &s.groups[at]
	if g.state != 0 {
		s.rules.Reset(&s.states[g.state])
		s.spare = append(s.spare, g.state)
	}
	if g.size > shortKey {
		delete(s.long, at)
	}
	*g = alertGroup{hash: hash, size: uint8(min(len(key), shortKey+1))}
	if copy(g.key[:], key) < len(key) {
		s.long[at] = key
	}
	s.places[hash] = at
}

// is reports whether a place is that of the group with the key.
func (s *alertStates) is(at int32, key string) bool {
	g := &s.groups[at]
	if g.size > shortKey {
		return s.long[at] == key
	}
	return string(g.key[:g.size]) == key
}

func (s *alertStates) key(at int32) string {
	g := &s.groups[at]
	if g.size > shortKey {
		return s.long[at]
	}
	return string(g.key[:g.size])
}

// newest returns the newest event time seen of a group, in microseconds since
// 1970; false before the first event that has one.
func (s *alertStates) newest(at int32) (micros int64, ok bool) {
	c := &s.groups[at].clock
	return c.NewestMicros, c.Timed
}

// pass counts an event at time t that is quiet to the rules, if the group is
// idle.
func (s *alertStates) pass(at int32, t time.Time) bool {
	g := &s.groups[at]
	if g.state != 0 {
		return false
	}
	g.clock.Pass(t)
	return true
}

// wake returns the state of a group, until another is woken. What is changed of
// it stays when it rests after that.
func (s *alertStates) wake(at int32) *alert.State {
	g := &s.groups[at]
	st := &s.states[g.state]
	if g.state == 0 {
		st.SetClock(g.clock)
	}
	return st
}

// rest keeps what a group's state, which was woken, has become.
func (s *alertStates) rest(at int32) {
	g := &s.groups[at]
	st := &s.states[g.state]
	g.clock = st.Clock()
	switch idle := st.Idle(); {
	case idle && g.state != 0:
		s.spare = append(s.spare, g.state)
		g.state = 0
	case !idle && g.state == 0:
		g.state = s.spareState()
		s.states[0], s.states[g.state] = s.states[g.state], s.states[0]
	}
}

// spareState returns the place of an idle state that is no group's.
func (s *alertStates) spareState() int32 {
	if last := len(s.spare) - 1; last >= 0 {
		at := s.spare[last]
		s.spare = s.spare[:last]
		return at
	}
	s.states = append(s.states, *s.rules.NewState())
	return int32(len(s.states) - 1)
}

// link makes a group the latest used.
func (s *alertStates) link(at int32) {
	g, end := &s.groups[at], &s.groups[0]
	g.before, g.after = end.before, 0
	s.groups[end.before].after = at
	end.before = at
}

func (s *alertStates) unlink(at int32) {
	g := &s.groups[at]
	s.groups[g.before].after, s.groups[g.after].before = g.after, g.before
}

// all returns the groups, longest unused first, each with its state until the
// next.
func (s *alertStates) all() iter.Seq2[string, *alert.State] {
	return func(yield func(string, *alert.State) bool) {
		for at := s.groups[0].after; at != 0; at = s.groups[at].after {
			if !yield(s.key(at), s.wake(at)) {
				return
			}
		}
	}
}
