package agentlensprocessor

import (
	"hash/maphash"
	"iter"

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
	// index finds groups by their tags.
	index  placeIndex
	groups []alertGroup // the first is no group
	// order is a ring of the groups in the order in which they were used: after
	// the first, which is none, comes the longest unused, before it the latest. It
	// is apart from them so that to move one to its end touches no other's memory.
	order []alertNeighbours
	// long are the keys that do not fit into their groups.
	long map[int32]string
	// states are those that are not idle, by alertGroup.state. The first is lent
	// to the other groups, and is idle between two uses, as those at spare are.
	states []alert.State
	spare  []int32
}

// alertGroup is 64 bytes, which processors read at once.
type alertGroup struct {
	// events, newest and timed are an alert.Clock: newest is the newest event time
	// seen, in microseconds since 1970, where there is one.
	events, newest int64
	tag            uint32 // of the key's hash
	// state is the place of the group's state, 0 while that is idle.
	state int32
	timed bool
	size  uint8 // of the key; more than shortKey = it is long
	key   [shortKey]byte
}

// shortKey is the longest key that is kept in its group: there is room for a
// UUID.
const shortKey = 38

type alertNeighbours struct{ before, after int32 }

func (g *alertGroup) clock() alert.Clock {
	return alert.Clock{Events: g.events, NewestMicros: g.newest, Timed: g.timed}
}

func (g *alertGroup) setClock(c alert.Clock) {
	g.events, g.newest, g.timed = c.Events, c.NewestMicros, c.Timed
}

// pass counts an event that is quiet to the rules, if the group is idle.
func (g *alertGroup) pass(e *judgedEvent) bool {
	if g.state != 0 {
		return false
	}
	c := g.clock()
	if e.timed {
		c.PassMicros(e.micros)
	} else {
		c.Events++
	}
	g.setClock(c)
	return true
}

func newAlertStates(rules *alert.RuleSet, limit int) alertStates {
	s := alertStates{
		rules: rules, limit: limit, seed: maphash.MakeSeed(), groups: make([]alertGroup, 1), order: make([]alertNeighbours, 1),
		long: map[int32]string{}, states: []alert.State{*rules.NewState()},
	}
	s.index.reset(0)
	return s
}

// use returns the place of a group and makes it the latest used. Where there are
// too many groups, the one unused for longest makes room.
func (s *alertStates) use(key string) int32 {
	// Events of one group mostly come one after the other.
	if latest := s.order[0].before; latest != 0 && s.is(latest, key) {
		return latest
	}
	tag := uint32(maphash.String(s.seed, key))
	at := s.find(key, tag)
	switch {
	case at != 0:
		s.unlink(at)
	case len(s.groups) <= s.limit:
		at = int32(len(s.groups))
		s.groups, s.order = append(s.groups, alertGroup{}), append(s.order, alertNeighbours{})
		s.begin(at, key, tag)
	default:
		at = s.order[0].after
		s.unlink(at)
		s.begin(at, key, tag)
	}
	s.link(at)
	return at
}

// find returns the place of a group, 0 when there is none.
func (s *alertStates) find(key string, tag uint32) int32 {
	for i := s.index.home(tag); ; i = s.index.next(i) {
		slot := s.index.slots[i]
		if slot.at == 0 || slot.tag == tag && s.is(slot.at, key) {
			return slot.at
		}
	}
}

// begin makes a place that of a group of which nothing was seen.
func (s *alertStates) begin(at int32, key string, tag uint32) {
	g := &s.groups[at]
	if g.state != 0 {
		s.rules.Reset(&s.states[g.state])
		s.spare = append(s.spare, g.state)
	}
	if g.size > shortKey {
		delete(s.long, at)
	}
	*g = alertGroup{tag: tag, size: uint8(min(len(key), shortKey+1))}
	if copy(g.key[:], key) < len(key) {
		s.long[at] = key
	}
	if !s.index.put(tag, at) {
		s.index.reset(len(s.groups))
		for at := 1; at < len(s.groups); at++ {
			s.index.put(s.groups[at].tag, int32(at))
		}
	}
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

// wake returns the state of a group, until another is woken. What is changed of
// it stays when it rests after that.
func (s *alertStates) wake(at int32) *alert.State {
	g := &s.groups[at]
	st := &s.states[g.state]
	if g.state == 0 {
		st.SetClock(g.clock())
	}
	return st
}

// rest keeps what a group's state, which was woken, has become.
func (s *alertStates) rest(at int32) {
	g := &s.groups[at]
	st := &s.states[g.state]
	g.setClock(st.Clock())
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
	latest := s.order[0].before
	s.order[at] = alertNeighbours{before: latest}
	s.order[latest].after = at
	s.order[0].before = at
}

func (s *alertStates) unlink(at int32) {
	n := s.order[at]
	s.order[n.before].after, s.order[n.after].before = n.after, n.before
}

// all returns the groups, longest unused first, each with its state until the
// next.
func (s *alertStates) all() iter.Seq2[string, *alert.State] {
	return func(yield func(string, *alert.State) bool) {
		for at := s.order[0].after; at != 0; at = s.order[at].after {
			if !yield(s.key(at), s.wake(at)) {
				return
			}
		}
	}
}
