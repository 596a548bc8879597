package insight

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// told is what a collector says of a rule, on an event of an agent.
type told struct {
	rule, agent string
	ago         time.Duration // before now
	resolved    bool
	group       wire.AlertGroup
}

// alertsTold returns the page of alerts when a store was told these, in order.
func alertsTold(t *testing.T, limit int, all ...told) AlertPage {
	t.Helper()
	s, st := source(t)
	ctx := context.Background()
	for i, a := range all {
		at, session := wire.At(now.Add(-a.ago)), fmt.Sprint("s", i)
		_, err := st.Ingest(ctx, []wire.Event{
			{EventType: wire.TypeSessionStart, SessionID: session, AgentName: a.agent, Timestamp: at},
			{EventType: "generic", SessionID: session, EventID: "e", Timestamp: at},
		})
		require.NoError(t, err)
		text := "Alert (critical): rule " + a.rule + ": 6 > 5"
		if a.resolved {
			text = "Alert resolved: rule " + a.rule + ": 6 > 5"
		}
		_, _, err = st.Annotate(ctx, session, wire.Annotation{
			Text: text, Author: finding.Author, Type: wire.AnnotationWarning, EventID: "e", AlertGroup: a.group,
		})
		require.NoError(t, err)
	}
	p, err := s.Alerts(ctx, AlertQuery{Limit: limit})
	require.NoError(t, err)
	return p
}

func firingRules(p AlertPage) (out []string) {
	for _, r := range p.Rules() {
		if r.Firing {
			out = append(out, r.Name)
		}
	}
	return out
}

// Who does not say the group of an alert means its agent's.
func TestRulesFireUntilResolvedOrOld(t *testing.T) {
	p := alertsTold(t, 10,
		told{rule: "old", agent: "a", ago: 25 * time.Hour},
		told{rule: "cost", agent: "a", ago: 4 * time.Hour}, told{rule: "cost", agent: "b", ago: 3 * time.Hour},
		told{rule: "cost", agent: "a", ago: 2 * time.Hour, resolved: true},
		told{rule: "spike", agent: "a", ago: time.Hour}, told{rule: "spike", agent: "a", ago: time.Minute, resolved: true},
	)
	var got []string
	for _, r := range p.Rules() {
		got = append(got, fmt.Sprint(r.Name, " ", r.Firing, " ", r.Fired, " ", r.Agents))
	}
	require.Equal(t, []string{"cost true 2 [a b]", "spike false 1 [a]", "old false 1 [a]"}, got)
	require.Equal(t, 1, p.FiringRules())
	require.Equal(t, 6, p.Total)
	require.Equal(t, "b", p.Firing[0].AgentName)
}

// A rule is resolved in the group in which it fired, by the state that saw it
// fire, on whichever agent's span that was.
func TestRulesAreResolvedInTheirGroup(t *testing.T) {
	group := func(by, value, state string) wire.AlertGroup {
		return wire.AlertGroup{By: by, Value: value, StateID: state}
	}
	for name, c := range map[string]struct {
		fired, resolved told
		firing          bool
	}{
		"none, on another agent's span": {
			told{agent: "a", group: group("none", "", "1")}, told{agent: "b", group: group("none", "", "1")}, false,
		},
		"none, in another collector": {
			told{agent: "a", group: group("none", "", "1")}, told{agent: "a", group: group("none", "", "2")}, true,
		},
		"model, on another agent's span": {
			told{agent: "a", group: group("model", "m", "1")}, told{agent: "b", group: group("model", "m", "1")}, false,
		},
		"another model": {
			told{agent: "a", group: group("model", "m", "1")}, told{agent: "a", group: group("model", "n", "1")}, true,
		},
		"another session": {
			told{agent: "a", group: group("session", "x", "1")}, told{agent: "a", group: group("session", "y", "1")}, true,
		},
		"another agent": {
			told{agent: "a", group: group("agent", "a", "1")}, told{agent: "b", group: group("agent", "b", "1")}, true,
		},
		"by an event that came late": {
			told{agent: "a", ago: time.Minute, group: group("none", "", "1")}, told{agent: "a", ago: time.Hour, group: group("none", "", "1")}, false,
		},
		"fired before groups were said": {
			told{agent: "a"}, told{agent: "a", group: group("none", "", "1")}, false,
		},
		"no group, on another agent's span": {
			told{agent: "a"}, told{agent: "b"}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.fired.rule, c.resolved.rule, c.resolved.resolved = "r", "r", true
			p := alertsTold(t, 10, c.fired, c.resolved)
			require.Equal(t, c.firing, len(firingRules(p)) == 1)
			require.Equal(t, c.firing, len(p.Firing) == 1)
			for _, e := range p.Events {
				require.Equal(t, c.firing && !e.Resolved, e.Firing)
			}
		})
	}
}

// What fires is shown on every page, however much was told since.
func TestWhatFiresIsOnEveryPage(t *testing.T) {
	all := []told{{rule: "long", agent: "a", ago: 2 * time.Hour}}
	for i := range 5 {
		all = append(all, told{rule: "short", agent: "a", ago: time.Hour - time.Duration(i)*time.Minute, resolved: i%2 == 1})
	}
	all = append(all, told{rule: "short", agent: "a", resolved: true})
	p := alertsTold(t, 2, all...)
	require.Len(t, p.Events, 2)
	require.Equal(t, []string{"long"}, firingRules(p))
	require.Equal(t, 1, p.FiringRules())
}
