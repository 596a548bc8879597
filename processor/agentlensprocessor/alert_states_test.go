package agentlensprocessor

import (
	"encoding/json"
	"hash/maphash"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
)

// rulesOfAllTypes have something to remember, and to forget, within a few events.
var rulesOfAllTypes = []alert.Rule{
	{Name: "threshold", Condition: alert.ThresholdCondition("tokens_out", ">", 2), CooldownSeconds: 3},
	{Name: "pattern", Condition: alert.PatternCondition("output_data", "secret")},
	{Name: "rate", Condition: alert.RateCondition("event_type", "error", 10, 1)},
	{Name: "consecutive", Condition: alert.ConsecutiveCondition("error", 2)},
	{Name: "aggregate", Condition: alert.Condition{Type: alert.Aggregate, Metric: "duration_ms", AggFunc: "sum", Op: ">", Value: 0.5, Window: 2}},
	{Name: "composite", Condition: alert.Condition{
		Type: alert.Composite, Mode: "all", Window: 2,
		Conditions: []alert.Condition{alert.ThresholdCondition("tokens_out", ">", 1), alert.PatternCondition("output_data", "secret")},
	}},
}

// eventsGen generates the events of groups with short and long keys, a part of
// them late.
var eventsGen = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) analysis.Event {
	e := analysis.Event{
		SessionID: rapid.SampledFrom([]string{
			"", "a", "b", "c", strings.Repeat("x", shortKey), strings.Repeat("x", shortKey+1), strings.Repeat("x", shortKey) + "y",
		}).Draw(t, "session"),
		Type: rapid.SampledFrom([]analysis.EventType{analysis.EventLLMCall, analysis.EventError}).Draw(t, "type"),
	}
	if second := rapid.Int64Range(0, 20).Draw(t, "second"); second > 0 {
		e.Timestamp = time.Unix(1_790_000_000+second, 0)
	}
	if tokens := rapid.Int64Range(0, 4).Draw(t, "tokens"); tokens > 0 {
		e.TokensOut = analysis.Some(tokens)
	}
	if tenths := rapid.IntRange(0, 4).Draw(t, "tenths"); tenths > 0 {
		e.DurationMS = analysis.Some(float64(tenths) / 10)
	}
	e.Output = rapid.SampledFrom([]json.RawMessage{nil, json.RawMessage(`"fine"`), json.RawMessage(`"secret"`)}).Draw(t, "output")
	return e
}), 20, 100)

// Groups find what a plain list of the groups used last does, each with a state
// that has seen what its own group has since it came to the list. So do those
// that a snapshot was taken of, and others by the side of them. Idle ones take no
// state.
func TestAlertGroupsAreThoseUsedLast(t *testing.T) {
	chosen := map[string][]alert.Rule{"all": rulesOfAllTypes}
	for _, r := range rulesOfAllTypes {
		chosen[r.Name] = []alert.Rule{r}
	}
	for name, chosen := range chosen {
		t.Run(name, func(t *testing.T) {
			both := slices.Clone(chosen)
			for _, r := range chosen {
				r.Name += " of an agent"
				both = append(both, r)
			}
			all, err := alert.NewRuleSet(both)
			require.NoError(t, err)
			rules, err := alert.NewRuleSet(chosen)
			require.NoError(t, err)
			rulesOfAgents, err := alert.NewRuleSet(both[len(chosen):])
			require.NoError(t, err)
			fired, idle := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				limit := rapid.IntRange(1, 8).Draw(t, "limit")
				newGroups := func() *alertGroups {
					groups := newAlertGroups(GroupBySession, all.Choose(func(i int) bool { return i < len(chosen) }), limit)
					groups.id = ""
					return groups
				}
				groups := newGroups()
				ofAgents := newAlertGroups(GroupByAgent, all.Choose(func(i int) bool { return i >= len(chosen) }), 2)
				ofAgents.id = ""
				engine := alertEngine{lateness: lateness, rules: all, sets: []*alertGroups{groups, ofAgents}}
				model := lastGroups{by: GroupBySession, rules: rules, limit: limit}
				modelOfAgents := lastGroups{by: GroupByAgent, rules: rulesOfAgents, limit: 2}
				for _, e := range eventsGen.Draw(t, "events") {
					agent := rapid.SampledFrom([]string{"a", "a", "b", "c"}).Draw(t, "agent")
					got, gotLate := engine.observe(&e, agent, time.Unix(1_790_000_008, 0))
					if limit := time.Unix(1_790_000_018, 0); e.Timestamp.After(limit) {
						e.Timestamp = limit
					}
					want, wantLate := model.observe(&e, e.SessionID)
					wantOfAgent, lateForAgent := modelOfAgents.observe(&e, agent)
					want = append(want, wantOfAgent...)
					require.Equal(t, wantLate || lateForAgent, gotLate)
					require.Equal(t, want, got)
					fired += len(want)

					stored, err := groups.snapshot()
					require.NoError(t, err)
					wantStored, err := json.Marshal(model.snapshot())
					require.NoError(t, err)
					require.JSONEq(t, string(wantStored), string(stored))
					require.Len(t, groups.states.groups, 1+len(model.groups))
					require.Len(t, groups.states.long, model.long())
					require.Equal(t, model.awake(), len(groups.states.states)-1-len(groups.states.spare))
					idle += len(model.groups) - model.awake()

					if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
						groups = newGroups()
						engine.sets[0] = groups
						require.NoError(t, groups.restore(model.snapshot()))
					}
				}
			})
			require.Positive(t, fired, "nothing fired, so nothing was compared")
			require.Positive(t, idle, "no group was ever idle")
		})
	}
}

const lateness = 10 * time.Second

// lastGroups are the groups used last, the latest at the end.
type lastGroups struct {
	by     GroupBy
	rules  *alert.RuleSet
	limit  int
	groups []lastGroup
}

type lastGroup struct {
	key   string
	state *alert.State
}

func (l *lastGroups) observe(e *analysis.Event, key string) (fired []alert.Alert, late bool) {
	g := lastGroup{key, l.rules.NewState()}
	if i := slices.IndexFunc(l.groups, func(g lastGroup) bool { return g.key == key }); i >= 0 {
		g = l.groups[i]
		l.groups = slices.Delete(l.groups, i, i+1)
	}
	l.groups = append(l.groups, g)
	l.groups = l.groups[max(0, len(l.groups)-l.limit):]
	if newest, timed := g.state.Newest(); timed && e.Timestamp.UnixMicro() < newest-lateness.Microseconds() {
		return nil, true
	}
	fired = l.rules.Observe(g.state, e, nil)
	for i := range fired {
		fired[i].Group = alert.Group{By: string(l.by), Value: key}
	}
	return fired, false
}

func (l *lastGroups) snapshot() *alertSnapshot {
	s := &alertSnapshot{By: GroupBySession}
	for _, g := range l.groups {
		s.Groups = append(s.Groups, groupInStore{g.key, l.rules.Snapshot(g.state)})
	}
	return s
}

// long counts the keys that have no room in their group.
func (l *lastGroups) long() (n int) {
	for _, g := range l.groups {
		if len(g.key) > shortKey {
			n++
		}
	}
	return n
}

// awake counts the states in which there is more than the clock to remember.
func (l *lastGroups) awake() (n int) {
	for _, g := range l.groups {
		fresh := l.rules.NewState()
		fresh.SetClock(g.state.Clock())
		if !reflect.DeepEqual(l.rules.Snapshot(fresh), l.rules.Snapshot(g.state)) {
			n++
		}
	}
	return n
}

// Two groups whose keys have one tag are apart.
func TestAlertGroupsOfOneTag(t *testing.T) {
	rules, err := alert.NewRuleSet(rulesOfAllTypes)
	require.NoError(t, err)
	states := newAlertStates(rules, 4)
	one, other := sameTag(states.seed)
	at := states.use(one)
	rules.Observe(states.wake(at), &analysis.Event{Type: analysis.EventError}, nil)
	states.rest(at)
	require.NotEqual(t, at, states.use(other))
	require.True(t, states.wake(states.use(other)).Idle())
	require.Equal(t, at, states.use(one))
	require.Equal(t, int64(1), states.wake(at).Clock().Events)
}

// sameTag returns two keys that have one tag.
func sameTag(seed maphash.Seed) (one, other string) {
	keys := map[uint32]string{}
	for i := 0; ; i++ {
		key := strconv.Itoa(i)
		tag := uint32(maphash.String(seed, key))
		if one, ok := keys[tag]; ok {
			return one, key
		}
		keys[tag] = key
	}
}

// An index has the places that were put there, however many share a tag, and is
// full when as many have come again as there were things.
func TestPlaceIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		things := rapid.IntRange(0, 40).Draw(t, "things")
		var x placeIndex
		x.reset(rapid.IntRange(0, 40).Draw(t, "before"))
		x.put(7, 7)
		x.reset(things)
		require.Equal(t, placeIndex{slots: make([]placeSlot, len(x.slots))}, x)
		require.LessOrEqual(t, len(x.slots), max(16, 6*things))
		var put []uint32
		for {
			tag := rapid.SampledFrom([]uint32{0, 1, 2, 3, 14, 15, 31, 32, 1 << 31, 1<<32 - 1}).Draw(t, "tag")
			if !x.put(tag, int32(len(put)+1)) {
				break
			}
			put = append(put, tag)
			for i, tag := range put {
				slot := x.home(tag)
				for ; x.slots[slot].at != int32(i+1); slot = x.next(slot) {
					require.NotZero(t, x.slots[slot].at, "the search for %d ends too soon", i+1)
				}
				require.Equal(t, tag, x.slots[slot].tag)
			}
		}
		require.GreaterOrEqual(t, len(put), 2*things)
		require.Less(t, len(put), len(x.slots), "no search would end")
	})
}

// The next session's state is that of one that has gone, whether there was
// anything to remember of it or not.
func TestAlertStatesAllocations(t *testing.T) {
	rules, err := alert.NewRuleSet([]alert.Rule{{Name: "r", Condition: alert.ConsecutiveCondition("error", 100)}})
	require.NoError(t, err)
	states := newAlertStates(rules, 4)
	keys := []string{"a", "b", "c", "d", "e", "f", "g"}
	failed, fine := &analysis.Event{Type: analysis.EventError}, &analysis.Event{Type: analysis.EventLLMCall}
	next := 0
	use := func() {
		for i := range keys {
			at := states.use(keys[next%len(keys)])
			e := fine
			if i%2 == 0 {
				e = failed
			}
			rules.Observe(states.wake(at), e, nil)
			states.rest(at)
			next++
		}
	}
	use()
	require.LessOrEqual(t, len(states.states), 1+4)
	require.Zero(t, testing.AllocsPerRun(100, use))
	require.LessOrEqual(t, len(states.states), 1+4)
}
