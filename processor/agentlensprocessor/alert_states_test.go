package agentlensprocessor

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
)

// The states are those of a plain list of the groups used last, each with what
// its own group has seen since it came to the list.
func TestAlertStatesAreThoseOfTheGroupsUsedLast(t *testing.T) {
	rules, err := alert.NewRuleSet([]alert.Rule{{Name: "r", Condition: alert.ConsecutiveCondition("error", 3)}})
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		type group struct {
			key    string
			events int64
		}
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		states, want := newAlertStates(rules, limit), []group{}
		for _, key := range rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e", "f"}), 0, 50).Draw(t, "keys") {
			rules.Observe(states.of(key), &analysis.Event{Type: analysis.EventError}, nil)

			g := group{key: key}
			if i := slices.IndexFunc(want, func(g group) bool { return g.key == key }); i >= 0 {
				g = want[i]
				want = slices.Delete(want, i, i+1)
			}
			g.events++
			want = append(want, g)
			want = want[max(0, len(want)-limit):]

			got := []group{}
			for key, st := range states.all() {
				got = append(got, group{key, rules.Snapshot(st).Events})
			}
			require.Equal(t, want, got)
			require.Len(t, states.places, len(want))
		}
	})
}

// The next session's state is that of one that has gone.
func TestAlertStatesAllocations(t *testing.T) {
	rules, err := alert.NewRuleSet([]alert.Rule{{Name: "r", Condition: alert.PatternCondition("output_data", "secret")}})
	require.NoError(t, err)
	states := newAlertStates(rules, 4)
	keys := []string{"a", "b", "c", "d", "e", "f", "g"}
	next := 0
	use := func() {
		for range keys {
			states.of(keys[next%len(keys)])
			next++
		}
	}
	use()
	require.Zero(t, testing.AllocsPerRun(100, use))
}
