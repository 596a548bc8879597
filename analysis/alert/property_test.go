package alert

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

var (
	eventGen = rapid.Custom(func(t *rapid.T) analysis.Event {
		e := analysis.Event{
			Type:  rapid.SampledFrom([]analysis.EventType{analysis.EventLLMCall, analysis.EventToolCall, analysis.EventError}).Draw(t, "type"),
			Model: rapid.SampledFrom([]string{"", "gpt-4o", "llama-3"}).Draw(t, "model"),
		}
		if rapid.IntRange(0, 9).Draw(t, "timed") > 0 {
			// Out of order by up to 20 seconds.
			e.Timestamp = time.Unix(1_780_000_000+rapid.Int64Range(0, 20).Draw(t, "s"), 0)
		}
		if rapid.Bool().Draw(t, "measured") {
			// Tenths are no binary fractions, so that sums of them round.
			e.DurationMS = analysis.Some(float64(rapid.IntRange(0, 30).Draw(t, "ms")) / 10)
		}
		if rapid.Bool().Draw(t, "tokens") {
			e.TokensIn = analysis.Some(rapid.Int64Range(0, 3).Draw(t, "in"))
		}
		if rapid.Bool().Draw(t, "scored") {
			score := rapid.SampledFrom([]string{"-0.1", "0.3", "1e300", "-1e300", `"high"`, "null", "true"}).Draw(t, "score")
			e.Output = json.RawMessage(`{"score":` + score + `}`)
		}
		if rapid.Bool().Draw(t, "asked") {
			e.Input = json.RawMessage(`{"risk":"high"}`)
		}
		if rapid.Bool().Draw(t, "tool") {
			e.ToolCall = &analysis.ToolCall{Name: "search", Output: json.RawMessage(`"gpt-4o"`)}
		}
		return e
	})
	opGen = rapid.SampledFrom(operators)

	// leafGens generate the conditions of each simple type.
	leafGens = []*rapid.Generator[Condition]{
		rapid.Custom(func(t *rapid.T) Condition {
			return ThresholdCondition(rapid.SampledFrom([]string{"duration_ms", "output_data.score"}).Draw(t, "field"), opGen.Draw(t, "op"), float64(rapid.IntRange(0, 30).Draw(t, "limit"))/10)
		}),
		rapid.Custom(func(t *rapid.T) Condition {
			return PatternCondition(rapid.SampledFrom([]string{"model", "input_data", "output_data", "tool_output"}).Draw(t, "field"), "4o|high")
		}),
		rapid.Custom(func(t *rapid.T) Condition {
			return RateCondition("event_type", "error", float64(rapid.IntRange(1, 8).Draw(t, "seconds")), rapid.IntRange(0, 3).Draw(t, "threshold"))
		}),
		rapid.Custom(func(t *rapid.T) Condition {
			return ConsecutiveCondition("error", rapid.IntRange(1, 3).Draw(t, "count"))
		}),
		rapid.Custom(func(t *rapid.T) Condition {
			c := AggregateCondition(
				rapid.SampledFrom([]string{"duration_ms", "tokens_in", "output_data.score"}).Draw(t, "metric"),
				string(rapid.SampledFrom(aggFuncs).Draw(t, "fn")), opGen.Draw(t, "op"), float64(rapid.IntRange(-5, 60).Draw(t, "limit"))/10,
			)
			c.Window = float64(rapid.IntRange(0, 6).Draw(t, "window"))
			return c
		}),
	}
	leafGen = rapid.OneOf(leafGens...)
	modeGen = rapid.SampledFrom([]string{"all", "and", "any", "or"})

	compositeGen = rapid.Custom(func(t *rapid.T) Condition {
		inner := CompositeCondition(modeGen.Draw(t, "inner mode"), rapid.SliceOfN(leafGen, 0, 2).Draw(t, "inner")...)
		c := CompositeCondition(modeGen.Draw(t, "mode"), append(rapid.SliceOfN(leafGen, 1, 3).Draw(t, "members"), inner)...)
		c.Window = float64(rapid.IntRange(0, 5).Draw(t, "hold"))
		return c
	})
	conditionGen = rapid.OneOf(append(slices.Clone(leafGens), compositeGen)...)

	// rulesGen generates one rule of each type, without cooldown.
	rulesGen = rapid.Custom(func(t *rapid.T) []Rule {
		var rules []Rule
		for i, gen := range append(slices.Clone(leafGens), compositeGen) {
			rules = append(rules, Rule{Name: fmt.Sprint(i), Condition: gen.Draw(t, "condition")})
		}
		return rules
	})
)

func compileOne(t require.TestingT, c Condition, cooldown float64) *RuleSet {
	rs, err := NewRuleSet([]Rule{{Name: "r", Condition: c, CooldownSeconds: cooldown}})
	require.NoError(t, err)
	return rs
}

// After every event of a stream, Observe has said what Evaluate says of the
// events so far. The two are written apart: one step by step, one with the
// whole slice at hand.
func TestEvaluateEqualsObserve(t *testing.T) {
	fired := map[ConditionType]int{}
	rapid.Check(t, func(t *rapid.T) {
		rules := rulesGen.Draw(t, "rules")
		rs, err := NewRuleSet(rules)
		require.NoError(t, err)
		events := rapid.SliceOfN(eventGen, 5, 30).Draw(t, "events")
		st := rs.NewState()
		everFired := map[string]bool{}
		for i := range events {
			for _, a := range rs.Observe(st, &events[i], nil) {
				everFired[a.RuleName] = everFired[a.RuleName] || !a.Resolved
			}
			evaluated := map[string]bool{}
			for _, a := range rs.Evaluate(events[:i+1]) {
				evaluated[a.RuleName] = true
			}
			for j := range rules {
				kind := rules[j].Condition.Type
				observed := everFired[rules[j].Name]
				if kind == Aggregate || kind == Composite {
					observed = st.nodes[rs.rules[j].first].firing
				}
				require.Equal(t, evaluated[rules[j].Name], observed, "after event %d: %s", i, rs.rules[j].nodes[0].text)
				if observed {
					fired[kind]++
				}
			}
		}
	})
	for _, kind := range []ConditionType{Threshold, Rate, Consecutive, Pattern, Aggregate, Composite} {
		require.Positive(t, fired[kind], "no %s ever fired, so nothing was compared", kind)
	}
}

// A stream that is cut, its state written down and read back, goes on as if it
// had not been.
func TestStateSurvivesSnapshots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := compileOne(t, conditionGen.Draw(t, "condition"), float64(rapid.IntRange(0, 5).Draw(t, "cooldown")))
		events := rapid.SliceOfN(eventGen, 0, 25).Draw(t, "events")
		whole, cut := rs.NewState(), rs.NewState()
		for i := range events {
			want := rs.Observe(whole, &events[i], nil)
			require.Equal(t, want, rs.Observe(cut, &events[i], nil))
			if rapid.Bool().Draw(t, "cut") {
				text, err := json.Marshal(rs.Snapshot(cut))
				require.NoError(t, err)
				var read Snapshot
				require.NoError(t, json.Unmarshal(text, &read))
				cut = rs.Adopt(&read)
			}
		}
	})
}

// Of an idle state the clock is enough: one that goes on from it cannot be told
// from the one that has seen all.
func TestIdleStateIsItsClock(t *testing.T) {
	idle, awake := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		rs := compileOne(t, conditionGen.Draw(t, "condition"), float64(rapid.IntRange(0, 5).Draw(t, "cooldown")))
		whole, cut := rs.NewState(), rs.NewState()
		for _, e := range rapid.SliceOfN(eventGen, 0, 25).Draw(t, "events") {
			require.Equal(t, rs.Observe(whole, &e, nil), rs.Observe(cut, &e, nil))
			if !cut.Idle() {
				awake++
				continue
			}
			idle++
			clock := cut.Clock()
			cut = rs.NewState()
			cut.SetClock(clock)
			require.Equal(t, rs.Snapshot(whole), rs.Snapshot(cut))
		}
	})
	require.Positive(t, idle)
	require.Positive(t, awake)
}

// Alerts of a rule are at least its cooldown apart in event time, and a
// cooldown never silences the first.
func TestCooldown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := conditionGen.Draw(t, "condition")
		cooldown := rapid.IntRange(1, 10).Draw(t, "cooldown")
		free, cooled := compileOne(t, c, 0), compileOne(t, c, float64(cooldown))
		freeState, cooledState := free.NewState(), cooled.NewState()
		events := rapid.SliceOfN(eventGen, 0, 25).Draw(t, "events")
		var last time.Time
		var newest time.Time
		freeFired, cooledFired := false, false
		for i := range events {
			if events[i].Timestamp.After(newest) {
				newest = events[i].Timestamp
			}
			for _, a := range free.Observe(freeState, &events[i], nil) {
				freeFired = freeFired || !a.Resolved
			}
			for _, a := range cooled.Observe(cooledState, &events[i], nil) {
				if a.Resolved {
					continue
				}
				cooledFired = true
				if !last.IsZero() {
					require.GreaterOrEqual(t, newest.Sub(last), time.Duration(cooldown)*time.Second)
				}
				last = newest
			}
			require.Equal(t, freeFired, cooledFired)
		}
	})
}

// What a state holds is bounded by the rules, however long the stream.
func TestStateIsBounded(t *testing.T) {
	aggregate := AggregateCondition("duration_ms", "sum", ">", 1e9)
	aggregate.Window = 40
	rising := AggregateCondition("duration_ms", "min", ">", 1e9)
	rs, err := NewRuleSet([]Rule{
		{Name: "rate", Condition: RateCondition("event_type", "error", 1e6, 7)},
		{Name: "sum", Condition: aggregate},
		{Name: "min", Condition: rising},
	})
	require.NoError(t, err)
	st := rs.NewState()
	var sizes []int
	for i := range 20_000 {
		rs.Observe(st, &analysis.Event{
			Type: analysis.EventError, Timestamp: time.Unix(1_780_000_000+int64(i), 0), DurationMS: analysis.Some(float64(i)),
		}, nil)
		if i%5_000 == 4_999 {
			sizes = append(sizes, len(st.times[0].buf), len(st.windows[0].samples.buf), len(st.windows[1].samples.buf))
		}
	}
	require.Equal(t, 8, st.times[0].len())
	require.Equal(t, 40, st.windows[0].samples.len())
	require.Equal(t, DefaultWindow, st.windows[1].samples.len())
	require.Less(t, slices.Max(sizes), 4*DefaultWindow, fmt.Sprint(sizes))
}

// A rule of any type fires and is resolved in turns, whatever its cooldown, and
// Firing says where it stands.
func TestFiresAndResolvesInTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := compileOne(t, conditionGen.Draw(t, "condition"), float64(rapid.IntRange(0, 5).Draw(t, "cooldown")))
		st, firing := rs.NewState(), false
		for _, e := range rapid.SliceOfN(eventGen, 0, 25).Draw(t, "events") {
			alerts := rs.Observe(st, &e, nil)
			require.LessOrEqual(t, len(alerts), 1)
			for _, a := range alerts {
				require.Equal(t, firing, a.Resolved)
				firing = !a.Resolved
			}
			require.Equal(t, firing, len(rs.Firing(st)) == 1)
		}
	})
}

// A threshold or pattern fires once for each run of events that match, as told
// by Evaluate of each event alone: an event that matches neither the rule nor
// its opposite interrupts no run.
func TestPointRulesFireOnceACrossing(t *testing.T) {
	opposite := map[string]string{">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.OneOf(leafGens[:2]...).Draw(t, "condition")
		against := c
		if c.Type == Threshold {
			against.Op = opposite[c.Op]
		} else {
			against.Pattern = "^" // matches whatever a pattern can be held against
		}
		rs, other := compileOne(t, c, 0), compileOne(t, against, 0)
		st, holds := rs.NewState(), false
		for _, e := range rapid.SliceOfN(eventGen, 0, 40).Draw(t, "events") {
			var want []bool // Resolved of what Observe has to say
			switch alone := []analysis.Event{e}; {
			case len(rs.Evaluate(alone)) > 0:
				if !holds {
					want = []bool{false}
				}
				holds = true
			case len(other.Evaluate(alone)) > 0:
				if holds {
					want = []bool{true}
				}
				holds = false
			}
			var got []bool
			for _, a := range rs.Observe(st, &e, nil) {
				got = append(got, a.Resolved)
			}
			require.Equal(t, want, got)
		}
	})
}

// A state that is used again is as new, and takes no memory that it has.
func TestResetStateIsNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs, err := NewRuleSet(rulesGen.Draw(t, "rules"))
		require.NoError(t, err)
		used := rs.NewState()
		for i, e := range rapid.SliceOfN(eventGen, 0, 25).Draw(t, "before") {
			rs.Observe(used, &e, nil)
			if i%10 == 9 {
				rs.Reset(used)
			}
		}
		rs.Reset(used)
		fresh := rs.NewState()
		require.Equal(t, rs.Snapshot(fresh), rs.Snapshot(used))
		for _, e := range rapid.SliceOfN(eventGen, 0, 25).Draw(t, "events") {
			require.Equal(t, rs.Observe(fresh, &e, nil), rs.Observe(used, &e, nil))
		}
		require.Equal(t, rs.Snapshot(fresh), rs.Snapshot(used))
		require.Zero(t, testing.AllocsPerRun(10, func() { rs.Reset(used) }))
	})
}

// An event that is quiet to the rules moves the clock of an idle state, and does
// nothing else: no rule fires, and it stays idle.
func TestQuietEventsOnlyMoveTheClock(t *testing.T) {
	quiet, loud := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		rs := compileOne(t, conditionGen.Draw(t, "condition"), 0)
		for _, e := range rapid.SliceOfN(eventGen, 0, 10).Draw(t, "events") {
			st := rs.NewState()
			st.SetClock(Clock{Events: 7, NewestMicros: 1_780_000_010_000_000, Timed: rapid.Bool().Draw(t, "timed")})
			passed, j := st.Clock(), rs.Judge(&e)
			alerts := rs.ObserveJudged(st, &e, j, nil)
			if !rs.Quiet(j) {
				loud++
				continue
			}
			quiet++
			require.Empty(t, alerts)
			require.True(t, st.Idle())
			passed.Pass(e.Timestamp)
			require.Equal(t, passed, st.Clock())
		}
	})
	require.Positive(t, quiet)
	require.Positive(t, loud)
}

// However many conditions there are, each rule of a set fires as it does alone,
// and what is quiet to all is so to each.
func TestRulesFireAsAlone(t *testing.T) {
	quiet := 0
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		var sets []*RuleSet
		var states []*State
		gen := rapid.SampledFrom([]*rapid.Generator[Condition]{conditionGen, rapid.OneOf(leafGens[:4]...)}).Draw(t, "conditions")
		for i := range rapid.SampledFrom([]int{2, maxJudged - 1, maxJudged, maxJudged + 1, 2 * maxJudged}).Draw(t, "rules") {
			rules = append(rules, Rule{Name: fmt.Sprint(i), Condition: gen.Draw(t, "condition")})
			rs, err := NewRuleSet(rules[i:])
			require.NoError(t, err)
			sets, states = append(sets, rs), append(states, rs.NewState())
		}
		together, err := NewRuleSet(rules)
		require.NoError(t, err)
		st := together.NewState()
		for _, e := range rapid.SliceOfN(eventGen, 0, 10).Draw(t, "events") {
			var want []Alert
			j := together.Judge(&e)
			if together.Quiet(j) {
				quiet++
			}
			for i, rs := range sets {
				require.True(t, !together.Quiet(j) || rs.Quiet(rs.Judge(&e)))
				want = rs.Observe(states[i], &e, want)
			}
			require.Equal(t, want, together.Observe(st, &e, nil))
		}
	})
	require.Positive(t, quiet)
}

// Rules that are chosen from a set fire by what the set says of an event as they do
// in a set of their own, and states go from one to the other. The set stays as it was.
func TestChosenRulesFireAsAlone(t *testing.T) {
	quiet, loud, fired := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var rules, chosen []Rule
		gen := rapid.SampledFrom([]*rapid.Generator[Condition]{conditionGen, rapid.OneOf(leafGens[:4]...)}).Draw(t, "conditions")
		is := map[int]bool{}
		for i := range rapid.SampledFrom([]int{1, 4, maxJudged - 1, maxJudged, maxJudged + 1, 2 * maxJudged}).Draw(t, "rules") {
			rules = append(rules, Rule{Name: fmt.Sprint(i), Condition: gen.Draw(t, "condition")})
			if is[i] = rapid.Bool().Draw(t, "chosen"); is[i] {
				chosen = append(chosen, rules[i])
			}
		}
		all, err := NewRuleSet(rules)
		require.NoError(t, err)
		alone, err := NewRuleSet(chosen)
		require.NoError(t, err)
		some := all.Choose(func(i int) bool { return is[i] })
		untouched, err := NewRuleSet(rules)
		require.NoError(t, err)
		before, after := untouched.NewState(), all.NewState()
		want, got := alone.NewState(), some.NewState()
		for _, e := range rapid.SliceOfN(eventGen, 0, 10).Draw(t, "events") {
			j := all.Judge(&e)
			if some.Quiet(j) {
				quiet++
				require.True(t, alone.Quiet(alone.Judge(&e)))
			} else if loud++; bits.OnesCount64(all.bits) < maxJudged {
				require.False(t, alone.Quiet(alone.Judge(&e)))
			}
			require.Equal(t, some.Quiet(j), some.Quiet(some.Judge(&e)))
			wantAlerts := alone.Observe(want, &e, nil)
			fired += len(wantAlerts)
			require.Equal(t, wantAlerts, some.ObserveJudged(got, &e, j, nil))
			require.Equal(t, alone.Snapshot(want), some.Snapshot(got))
			require.Equal(t, untouched.Observe(before, &e, nil), all.ObserveJudged(after, &e, j, nil))
			if rapid.IntRange(0, 5).Draw(t, "restart") == 0 {
				got = some.Adopt(alone.Snapshot(want))
			}
		}
	})
	require.Positive(t, quiet)
	require.Positive(t, loud)
	require.Positive(t, fired)
}
