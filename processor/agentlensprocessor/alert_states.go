package agentlensprocessor

import (
	"iter"

	"github.com/agentlens/agentlens-otel/analysis/alert"
)

// alertStates holds the states of a rule set, one for each group, at most limit. Most
// groups are sessions, which come and go by the thousand: a state is used again
// for the next, and all are in one piece of memory, so that the garbage
// collector has little to look into.
type alertStates struct {
	rules  *alert.RuleSet
	limit  int
	places map[string]int32
	// groups are a ring in the order in which they were used: the first is no
	// group, after it comes the longest unused, before it the latest.
	groups []alertGroup
}

type alertGroup struct {
	key           string
	state         alert.State
	before, after int32
}

func newAlertStates(rules *alert.RuleSet, limit int) alertStates {
	return alertStates{rules: rules, limit: limit, places: map[string]int32{}, groups: make([]alertGroup, 1)}
}

// of returns the state of a group, until it is asked for another. Where
// there are too many, the one unused for longest makes room.
func (s *alertStates) of(key string) *alert.State {
	// Events of one group mostly come one after the other.
	if latest := s.groups[0].before; latest != 0 && s.groups[latest].key == key {
		return &s.groups[latest].state
	}
	at, held := s.places[key]
	switch {
	case held:
		s.unlink(at)
	case len(s.groups) <= s.limit:
		at = int32(len(s.groups))
		s.groups = append(s.groups, alertGroup{key: key})
	default:
		at = s.groups[0].after
		s.unlink(at)
		delete(s.places, s.groups[at].key)
		s.groups[at].key = key
	}
	if !held {
		s.places[key] = at
		s.rules.Reset(&s.groups[at].state)
	}
	s.link(at)
	return &s.groups[at].state
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

// all returns the groups, longest unused first.
func (s *alertStates) all() iter.Seq2[string, *alert.State] {
	return func(yield func(string, *alert.State) bool) {
		for at := s.groups[0].after; at != 0; at = s.groups[at].after {
			if !yield(s.groups[at].key, &s.groups[at].state) {
				return
			}
		}
	}
}
