package alert

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

// at is an event of a type at a second.
func at(second int, typ analysis.EventType) analysis.Event {
	return analysis.Event{
		ID: fmt.Sprintf("e%d", second), SessionID: "s1", Type: typ, Timestamp: time.Date(2026, 2, 14, 10, 0, second, 0, time.UTC),
	}
}

// transitions observes events and writes what happened at each, such as "3 fired".
func transitions(t *testing.T, rs *RuleSet, events []analysis.Event) (log []string) {
	t.Helper()
	st := rs.NewState()
	for i := range events {
		for _, a := range rs.Observe(st, &events[i], nil) {
			word := "fired"
			if a.Resolved {
				word = "resolved"
			}
			assert.Equal(t, events[i].ID, a.EventID)
			assert.Equal(t, events[i].Timestamp, a.Timestamp)
			log = append(log, fmt.Sprintf("%s %s", a.EventID, word))
		}
	}
	return log
}

func TestTransitions(t *testing.T) {
	failed, fine := analysis.EventError, analysis.EventGeneric
	slow := func(second int, ms float64) analysis.Event {
		e := at(second, fine)
		e.DurationMS = analysis.Some(ms)
		return e
	}
	says := func(second int, output string) analysis.Event {
		e := at(second, fine)
		e.Output = json.RawMessage(output)
		return e
	}
	slowest := AggregateCondition("duration_ms", "max", ">=", 100)
	slowest.Window = 3
	both := CompositeCondition("all", ConsecutiveCondition("error", 1), ThresholdCondition("duration_ms", ">", 50))
	both.Window = 2
	for _, c := range []struct {
		name     string
		rule     Condition
		cooldown float64
		events   []analysis.Event
		want     []string
	}{
		{
			"threshold fires once a crossing, absent is not zero", ThresholdCondition("duration_ms", "<", 10), 0,
			[]analysis.Event{slow(1, 5), slow(2, 4), at(3, fine), slow(4, 3), slow(5, 10), slow(6, 11), at(7, fine), slow(8, 0), at(9, fine)},
			[]string{"e1 fired", "e5 resolved", "e8 fired"},
		},
		{
			"pattern fires once a crossing, an event without the field says nothing", PatternCondition("output_data", "secret"), 0,
			[]analysis.Event{
				says(1, `"fine"`), says(2, `{"a":"a secret"}`), at(3, fine), says(4, `"secret"`), says(5, `7`), says(6, `"none"`), says(7, `["secret"]`),
			},
			[]string{"e2 fired", "e6 resolved", "e7 fired"},
		},
		{
			"a value of another type says nothing", ThresholdCondition("output_data.score", ">", 0.5), 0,
			[]analysis.Event{says(1, `{"score":1}`), says(2, `{"score":"low"}`), says(3, `{"score":null}`), says(4, `{"score":0.5}`)},
			[]string{"e1 fired", "e4 resolved"},
		},
		{
			"cooldown in event time", ThresholdCondition("duration_ms", ">", 10), 10,
			[]analysis.Event{slow(1, 50), slow(2, 5), slow(10, 50), slow(11, 50), slow(12, 50), slow(20, 5), slow(21, 50)},
			[]string{"e1 fired", "e2 resolved", "e11 fired", "e20 resolved", "e21 fired"},
		},
		{
			"what the cooldown kept silent is not resolved, and fires at an event that matches", ThresholdCondition("duration_ms", ">", 10), 10,
			[]analysis.Event{slow(1, 50), slow(2, 5), slow(3, 50), slow(4, 5), slow(9, 50), at(12, fine), slow(13, 50)},
			[]string{"e1 fired", "e2 resolved", "e13 fired"},
		},
		{
			"rate: more than threshold, bounds included", RateCondition("event_type", "error", 10, 2), 0,
			[]analysis.Event{at(0, failed), at(5, failed), at(10, failed), at(11, fine), at(15, failed), at(40, fine)},
			[]string{"e10 fired", "e11 resolved", "e15 fired", "e40 resolved"},
		},
		{
			"rate: a late event counts", RateCondition("event_type", "error", 10, 2), 0,
			[]analysis.Event{at(1, failed), at(9, failed), at(20, fine), at(12, failed), at(15, failed), at(11, failed), at(10, failed)},
			[]string{"e11 fired"},
		},
		{
			"consecutive fires once a run", ConsecutiveCondition("error", 2), 0,
			[]analysis.Event{at(0, failed), at(1, failed), at(2, failed), at(3, fine), at(4, failed), at(5, failed)},
			[]string{"e1 fired", "e3 resolved", "e5 fired"},
		},
		{
			"still holding when the cooldown ends", ConsecutiveCondition("error", 2), 10,
			[]analysis.Event{at(0, failed), at(1, failed), at(2, fine), at(3, failed), at(4, failed), at(11, failed)},
			[]string{"e1 fired", "e2 resolved", "e11 fired"},
		},
		{
			"aggregate over a window of events", slowest, 0,
			[]analysis.Event{slow(1, 50), slow(2, 100), slow(3, 20), at(4, fine), slow(5, 99)},
			[]string{"e2 fired", "e5 resolved"},
		},
		{
			"an aggregate of nothing never fires", AggregateCondition("duration_ms", "count", "==", 0), 0,
			[]analysis.Event{at(1, fine), at(2, fine)},
			nil,
		},
		{
			"composite members hold for its window", both, 0,
			[]analysis.Event{at(1, failed), slow(2, 60), slow(3, 60), at(4, failed), at(5, fine)},
			[]string{"e2 fired", "e3 resolved", "e4 fired", "e5 resolved"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, transitions(t, compileOne(t, c.rule, c.cooldown), c.events))
		})
	}
}

func TestAdvanceResolvesRates(t *testing.T) {
	rs, err := NewRuleSet([]Rule{
		{Name: "spike", Condition: RateCondition("event_type", "error", 10, 0), Severity: SeverityCritical},
		{Name: "run", Condition: ConsecutiveCondition("error", 1)},
	})
	require.NoError(t, err)
	st := rs.NewState()
	e := at(0, analysis.EventError)
	require.Len(t, rs.Observe(st, &e, nil), 2)
	assert.Equal(t, []string{"spike", "run"}, rs.Firing(st))
	assert.Empty(t, rs.Advance(st, e.Timestamp.Add(10*time.Second), nil))
	resolved := rs.Advance(st, e.Timestamp.Add(11*time.Second), nil)
	require.Len(t, resolved, 1)
	assert.Equal(t, "[resolved] spike: more than 0 events with event_type == error within 10 s", resolved[0].String())
	assert.Equal(t, []string{"run"}, rs.Firing(st))
}

func TestFields(t *testing.T) {
	e := analysis.Event{
		Type: "llm_call", SessionID: "s", Model: "m", Provider: "p", TokensIn: analysis.Some(int64(0)), TokensOut: analysis.Some(int64(7)),
		CacheReadTokens: analysis.Some(int64(1)), CacheWriteTokens: analysis.Some(int64(2)), ReasoningTokens: analysis.Some(int64(3)),
		DurationMS: analysis.Some(1.5), CostUSD: analysis.Some(0.25), Error: &analysis.Failure{Type: "429", Message: "slow down"},
		ToolCall:      &analysis.ToolCall{Name: "search", Input: json.RawMessage(`{"q":[{"text":"a"}]}`), Output: json.RawMessage(`"plain"`)},
		DecisionTrace: &analysis.DecisionTrace{Reasoning: "why", Confidence: analysis.Some(0.5)},
		Input:         json.RawMessage(` {"prompt":"hi","a.b":1,"deep":{"n":-2.5e1,"yes":true,"nothing":null}}`),
		Output:        json.RawMessage(`[10,"x"]`),
	}
	for name, want := range map[string]string{
		"event_type": "llm_call", "session_id": "s", "model": "m", "provider": "p", "tool_name": "search", "reasoning": "why",
		"error_type": "429", "message": "slow down", "tool_output": "plain", "tool_input.q.0.text": "a", "input_data.prompt": "hi", "output_data.1": "x",
	} {
		f, ok := compileField(name)
		require.True(t, ok, name)
		v := f.of(&e)
		assert.Equal(t, text, v.kind, name)
		assert.Equal(t, want, v.string(), name)
	}
	for name, want := range map[string]float64{
		"tokens_in": 0, "tokens_out": 7, "tokens_total": 7, "cache_read_tokens": 1, "cache_write_tokens": 2, "reasoning_tokens": 3,
		"duration_ms": 1.5, "cost_usd": 0.25, "confidence": 0.5, "input_data.deep.n": -25, "output_data.0": 10,
	} {
		f, ok := compileField(name)
		require.True(t, ok, name)
		assert.Equal(t, value{kind: number, number: want}, f.of(&e), name)
	}
	for _, name := range []string{"failed", "input_data.deep.yes"} {
		f, _ := compileField(name)
		assert.Equal(t, value{kind: boolean, truth: true}, f.of(&e), name)
	}
	for _, name := range []string{
		"input_data.deep.nothing", "input_data.deep.missing", "input_data.prompt.x", "output_data.2", "output_data.-1", "output_data.x", "tool_output.x",
	} {
		f, ok := compileField(name)
		require.True(t, ok, name)
		assert.Zero(t, f.of(&e), name)
	}
	// Of an event that knows nothing, only its type and that it did not fail are known.
	for _, name := range Fields() {
		f, _ := compileField(name)
		v := f.of(&analysis.Event{})
		assert.Equal(t, name == "event_type" || name == "failed", v.kind != absent, name)
	}
	for _, name := range []string{"", "tokens", "model.x", "output_data.", "output_data..x", ".x"} {
		_, ok := compileField(name)
		assert.False(t, ok, name)
	}
}

func TestPatternReadsJSON(t *testing.T) {
	for _, c := range []struct {
		output, pattern string
		want            bool
	}{
		{`{"response":"SSN 123-45-6789 leaked"}`, `\b\d{3}-\d{2}-\d{4}\b`, true},
		{`{"a":{"b":["123\u002d45-6789"]}}`, `\b\d{3}-\d{2}-\d{4}\b`, true},
		{`{"text":"caf\u00e9"}`, `café`, true},
		{`{"text":"\u003cscript\u003e"}`, `<script>`, true},
		{`["\u0041"]`, `A`, true},
		{`"SSN 123-45-6789"`, `^SSN`, true},
		{`{"key":1}`, `"key"`, true},
		{`12345`, `123`, false}, // a number is no text
		{`null`, `null`, false},
		{`{"broken\u`, `broken`, true}, // not JSON: searched as it is
	} {
		rs := compileOne(t, PatternCondition("output_data", c.pattern), 0)
		got := rs.Evaluate([]analysis.Event{{Output: json.RawMessage(c.output)}})
		assert.Equal(t, c.want, len(got) == 1, "%s in %s", c.pattern, c.output)
	}
}

func TestEvaluateSaysWhichEvents(t *testing.T) {
	failed, fine := analysis.EventError, analysis.EventGeneric
	events := []analysis.Event{
		at(0, failed), at(20, failed), at(21, fine), at(22, failed), at(23, failed), at(50, fine), at(51, failed), at(55, fine),
	}
	for _, c := range []struct {
		name    string
		rule    Condition
		matched []int
		event   string
		message string
	}{
		{"threshold", ThresholdCondition("event_type", "!=", "error"), []int{2, 5, 7}, "e55", "event_type != error"},
		{"rate", RateCondition("event_type", "error", 10, 2), []int{1, 3, 4}, "e23", "more than 2 events with event_type == error within 10 s: 3"},
		{"consecutive", ConsecutiveCondition("error", 2), []int{3, 4}, "e23", "2 events in a row with event_type == error: 2"},
		{"aggregate", AggregateCondition("duration_ms", "avg", ">", 1), nil, "", ""},
		{
			"composite", CompositeCondition("or", RateCondition("failed", true, 10, 2), ConsecutiveCondition("generic", 1)),
			[]int{1, 3, 4, 7},
			"e55", "(more than 2 events with failed == true within 10 s or 1 events in a row with event_type == generic)",
		},
		{
			"a composite looks back over its window only",
			Condition{Type: Composite, Mode: "all", Window: 3, Conditions: []Condition{
				ThresholdCondition("failed", "==", true), ConsecutiveCondition("generic", 1),
			}},
			[]int{6, 7},
			"e55", "(failed == true and 1 events in a row with event_type == generic)",
		},
		{
			"and so finds no rate that has passed",
			Condition{Type: Composite, Mode: "all", Window: 2, Conditions: []Condition{
				RateCondition("failed", true, 10, 2),
			}},
			nil, "", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			alerts := compileOne(t, c.rule, 0).Evaluate(events)
			if c.matched == nil {
				assert.Empty(t, alerts)
				return
			}
			require.Len(t, alerts, 1)
			assert.Equal(t, c.matched, alerts[0].MatchedEvents)
			assert.Equal(t, c.event, alerts[0].EventID)
			assert.Equal(t, c.message, alerts[0].Message)
		})
	}
}

// Where rounding decides, the stream adds up as the slice does.
func TestSumsOnTheEdge(t *testing.T) {
	var events []analysis.Event
	for _, ms := range []float64{0.1, 0.2, 0.3, 0.7, 4714.9, 0.1, 1e-9} {
		events = append(events, analysis.Event{DurationMS: analysis.Some(ms)})
	}
	for _, fn := range []string{"sum", "avg"} {
		for window := 1; window <= 4; window++ {
			x := 0.0
			for _, e := range events[len(events)-window:] {
				x += e.DurationMS.V
			}
			if fn == "avg" {
				x /= float64(window)
			}
			for _, limit := range []float64{x, math.Nextafter(x, 0), math.Nextafter(x, 1e9)} {
				for _, op := range operators {
					c := AggregateCondition("duration_ms", fn, op, limit)
					c.Window = float64(window)
					rs := compileOne(t, c, 0)
					st := rs.NewState()
					for i := range events {
						rs.Observe(st, &events[i], nil)
					}
					assert.Equal(t, len(rs.Evaluate(events)) == 1, rs.Firing(st) != nil, "%s of %d %s %v", fn, window, op, limit)
				}
			}
		}
	}
}

func TestOverflowingSumIsWritten(t *testing.T) {
	rs := compileOne(t, AggregateCondition("output_data.x", "sum", ">", 1), 0)
	huge := analysis.Event{Output: json.RawMessage(`{"x":1.7e308}`)}
	alerts := rs.Evaluate([]analysis.Event{huge, huge})
	require.Len(t, alerts, 1)
	assert.False(t, alerts[0].Value.OK)
	_, err := json.Marshal(alerts)
	assert.NoError(t, err)
}

func TestAlertSaysWhatItKnows(t *testing.T) {
	rs, err := NewRuleSet([]Rule{
		{Name: "number", Condition: ThresholdCondition("tokens_in", ">=", 2_000_000)},
		{Name: "text", Condition: ThresholdCondition("model", "==", "gpt-4o"), Severity: SeverityInfo},
		{Name: "pattern", Condition: PatternCondition("model", "^gpt"), Severity: SeverityCritical},
		{Name: "aggregate", Condition: AggregateCondition("tokens_in", "count", ">=", 1)},
		{Name: "composite", Condition: CompositeCondition("any", PatternCondition("model", "4o"))},
	})
	require.NoError(t, err)
	e := at(5, "llm_call")
	e.Model, e.TokensIn = "gpt-4o", analysis.Some(int64(2_500_000))
	var want []Alert
	for _, a := range []Alert{
		{RuleName: "number", Severity: SeverityWarning, Message: "tokens_in >= 2000000: 2500000", Value: analysis.Some(2.5e6), Threshold: analysis.Some(2e6)},
		{RuleName: "text", Severity: SeverityInfo, Message: "model == gpt-4o"},
		{RuleName: "pattern", Severity: SeverityCritical, Message: "model matches ^gpt"},
		{
			RuleName: "aggregate", Severity: SeverityWarning, Message: "count of tokens_in over the last 50 events >= 1: 1",
			Value: analysis.Some(1.0), Threshold: analysis.Some(1.0),
		},
		{RuleName: "composite", Severity: SeverityWarning, Message: "(model matches 4o)"},
	} {
		a.Timestamp, a.SessionID, a.EventID, a.MatchedEvents = e.Timestamp, "s1", "e5", []int{0}
		want = append(want, a)
	}
	assert.Equal(t, want, rs.Evaluate([]analysis.Event{e}))
	for i := range want {
		want[i].MatchedEvents = nil
	}
	assert.Equal(t, want, rs.Observe(rs.NewState(), &e, nil))

	text, err := json.Marshal(want[1])
	require.NoError(t, err)
	assert.JSONEq(t, `{"rule_name":"text","severity":"info","message":"model == gpt-4o","timestamp":"2026-02-14T10:00:05Z","session_id":"s1","event_id":"e5"}`, string(text))
	assert.Equal(t, "No alerts.\n", Render(nil))
}

func TestEngineIsSafeForConcurrentUse(t *testing.T) {
	engine, err := NewEngine([]Rule{{Name: "r", Condition: ThresholdCondition("failed", "==", true)}})
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	for range 4 {
		wg.Go(func() {
			for i := range 100 {
				e := at(i%60, analysis.EventError)
				alerts := engine.Observe(&e)
				mu.Lock()
				n += len(alerts)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 1, n, "four goroutines have seen one crossing")
	assert.Equal(t, []string{"r"}, engine.Firing())
}
