package agentlensprocessor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// alertEngine runs the alert rules over the stream of events. Rules that group
// alike share a rule set, and have one state a group.
type alertEngine struct {
	lateness time.Duration
	// rules are those of all sets, and judge for these.
	rules *alert.RuleSet

	mu   sync.Mutex // over the states of all sets
	sets []*alertGroups
}

// alertGroups is a rule set and its states, one for each value of its group.
type alertGroups struct {
	by    GroupBy
	key   groupKey
	rules *alert.RuleSet

	// id names these states among those of other collectors.
	id     string
	states alertStates
}

func newAlertEngine(cfg AlertsConfig) (*alertEngine, error) {
	a := &alertEngine{lateness: cfg.AllowedLateness}
	all, err := cfg.rules()
	if err != nil {
		return nil, err
	}
	if a.rules, err = alert.NewRuleSet(all); err != nil {
		return nil, err
	}
	for _, by := range groupings {
		of := func(rule int) bool { return cfg.Rules[rule].groupBy() == by }
		if set := a.rules.Choose(of); set.Len() > 0 {
			a.sets = append(a.sets, newAlertGroups(by, set, maxGroups))
		}
	}
	return a, nil
}

func newAlertGroups(by GroupBy, rules *alert.RuleSet, limit int) *alertGroups {
	return &alertGroups{
		by: by, key: groupKeys[by], rules: rules, id: fmt.Sprintf("%016x", rand.Uint64()), states: newAlertStates(rules, limit),
	}
}

// groupKey returns which group an event of an agent belongs to.
type groupKey func(e *analysis.Event, agent string) string

var groupKeys = map[GroupBy]groupKey{
	GroupByNone:    func(*analysis.Event, string) string { return "" },
	GroupByAgent:   func(_ *analysis.Event, agent string) string { return agent },
	GroupBySession: func(e *analysis.Event, _ string) string { return e.SessionID },
	GroupByModel:   func(e *analysis.Event, _ string) string { return e.Model },
}

// unread returns the content of events that no rule looks at.
func (a *alertEngine) unread() spanevent.Content {
	unread := spanevent.ContentAll
	for field, content := range map[string]spanevent.Content{
		"input_data": spanevent.ContentInput, "output_data": spanevent.ContentOutput,
		"tool_input": spanevent.ContentToolInput, "tool_output": spanevent.ContentToolOutput,
	} {
		if a.rules.LooksAt(field) {
			unread &^= content
		}
	}
	return unread
}

// screens return what of the content of events no rule finds anything in.
func (a *alertEngine) screens() *spanevent.Screens {
	of := func(field string) spanevent.Screen {
		if s, ok := a.rules.Screen(field); ok {
			return s
		}
		return nil
	}
	return &spanevent.Screens{Input: of("input_data"), Output: of("output_data"), ToolInput: of("tool_input"), ToolOutput: of("tool_output")}
}

// judgedEvent is an event with what all groups need of it, and what they say of it.
type judgedEvent struct {
	*analysis.Event
	agent  string
	judged alert.Judged
	// micros is its time in microseconds since 1970, where timed says that it has
	// one. It is late in a group that has seen an event after seenUntil.
	micros, seenUntil int64
	timed             bool

	late  bool
	fired []alert.Alert
}

// observe takes the next event of the stream and returns what fires at it or
// is resolved by it. late says that the event is too old for the rules to see.
func (a *alertEngine) observe(e *analysis.Event, agent string, now time.Time) (fired []alert.Alert, late bool) {
	micros := e.Timestamp.UnixMicro()
	// One clock far ahead would make everything after it late.
	if micros >= now.UnixMicro() {
		if limit := now.Add(a.lateness); e.Timestamp.After(limit) {
			e, micros = eventAt(e, limit), limit.UnixMicro()
		}
	}
	// Before the lock, for patterns may have much to read.
	j := judgedEvent{
		Event: e, agent: agent, judged: a.rules.Judge(e),
		micros: micros, seenUntil: micros + a.lateness.Microseconds(), timed: !e.Timestamp.IsZero(),
	}
	a.mu.Lock()
	for _, g := range a.sets {
		g.observe(&j)
	}
	a.mu.Unlock()
	return j.fired, j.late
}

// eventAt returns a copy of an event with another time.
func eventAt(e *analysis.Event, t time.Time) *analysis.Event {
	c := *e
	c.Timestamp = t
	return &c
}

// observe notes what fires at an event or is resolved by it.
func (g *alertGroups) observe(e *judgedEvent) {
	key := g.key(e.Event, e.agent)
	at := g.states.use(key)
	group := &g.states.groups[at]
	if group.timed && group.newest > e.seenUntil {
		e.late = true
		return
	}
	if g.rules.Quiet(e.judged) && group.pass(e) {
		return
	}
	before := len(e.fired)
	e.fired = g.rules.ObserveJudged(g.states.wake(at), e.Event, e.judged, e.fired)
	g.states.rest(at)
	for i := before; i < len(e.fired); i++ {
		e.fired[i].Group = alert.Group{By: string(g.by), Value: key, StateID: g.id}
	}
}

// alertSnapshot is the states of one grouping, longest unused first.
type alertSnapshot struct {
	By     GroupBy        `json:"group_by"`
	ID     string         `json:"id,omitempty"`
	Groups []groupInStore `json:"groups"`
}

type groupInStore struct {
	Key   string          `json:"key"`
	State *alert.Snapshot `json:"state"`
}

func (a *alertEngine) snapshot() ([]byte, error) {
	all := make([]json.RawMessage, len(a.sets))
	for i, g := range a.sets {
		var err error
		a.mu.Lock()
		all[i], err = g.snapshot()
		a.mu.Unlock()
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(all)
}

func (g *alertGroups) snapshot() ([]byte, error) {
	s := alertSnapshot{By: g.by, ID: g.id}
	for key, st := range g.states.all() {
		s.Groups = append(s.Groups, groupInStore{key, g.rules.Snapshot(st)})
	}
	return json.Marshal(s)
}

func (a *alertEngine) restore(b []byte) error {
	var all []alertSnapshot
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range all {
		for _, g := range a.sets {
			if g.by != s.By {
				continue
			}
			if err := g.restore(&s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *alertGroups) restore(s *alertSnapshot) error {
	g.id = cmp.Or(s.ID, g.id)
	for _, held := range s.Groups {
		if held.State == nil {
			return fmt.Errorf("alert group %q has no state", held.Key)
		}
		at := g.states.use(held.Key)
		*g.states.wake(at) = *g.rules.Adopt(held.State)
		g.states.rest(at)
	}
	return nil
}
