package alert

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/go-viper/mapstructure/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/agentlens/agentlens-otel/analysis"
)

const everyType = `
rules:
  - name: High token usage
    severity: warning
    condition: {type: threshold, field: tokens_out, op: ">", value: 10000}
  - name: Error spike
    severity: critical
    cooldown_seconds: 600
    condition: {type: rate, field: event_type, value: error, window_seconds: 300, threshold: 5}
  - name: Sensitive data in output
    severity: critical
    condition: {type: pattern, field: output_data, pattern: '\b\d{3}-\d{2}-\d{4}\b'}
  - name: Stuck
    condition: {type: consecutive, event_type: error, count: 3}
  - name: Stuck on one tool
    condition: {type: consecutive, field: tool_name, value: web_search, count: 10}
  - name: Slow
    severity: info
    condition: {type: aggregate, metric: duration_ms, agg_func: avg, op: ">=", value: 2329.105, window: 20}
  - name: Slow and failing
    condition:
      type: composite
      mode: and
      window: 10
      conditions:
        - {type: aggregate, metric: output_data.score, agg_func: min, op: "<", value: 0.5}
        - {type: composite, mode: any, conditions: []}
        - {type: rate, field: failed, op: "!=", value: false, window_seconds: 0.5, threshold: 0}
        - {type: threshold, field: output_data.result.ok, op: "==", value: false}
`

func TestRuleRoads(t *testing.T) {
	rules, err := ParseYAML([]byte(everyType))
	require.NoError(t, err)
	compiled, err := NewRuleSet(rules)
	require.NoError(t, err)

	asJSON, err := json.Marshal(map[string]any{"rules": rules})
	require.NoError(t, err)
	fromJSON, err := ParseJSON(asJSON)
	require.NoError(t, err)
	again, err := NewRuleSet(fromJSON)
	require.NoError(t, err)
	for i := range compiled.rules {
		assert.Equal(t, compiled.rules[i].hash, again.rules[i].hash, "a state written under one form of the rules is read under the other")
		assert.Equal(t, compiled.rules[i].nodes[0].text, again.rules[i].nodes[0].text)
	}

	// The collector decodes its configuration from maps.
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(everyType), &tree))
	var fromMap struct {
		Rules []Rule `mapstructure:"rules"`
	}
	require.NoError(t, mapstructure.Decode(tree, &fromMap))
	assert.Equal(t, rules, fromMap.Rules)

	// The functions build what the file says.
	assert.Equal(t, rules[0].Condition, ThresholdCondition("tokens_out", ">", 10000))
	assert.Equal(t, rules[1].Condition, RateCondition("event_type", "error", 300, 5))
	assert.Equal(t, rules[2].Condition, PatternCondition("output_data", `\b\d{3}-\d{2}-\d{4}\b`))
	assert.Equal(t, rules[3].Condition, ConsecutiveCondition("error", 3))
	assert.Equal(t, rules[6].Condition.Conditions[1], CompositeCondition("any"))
}

func TestRulesRefused(t *testing.T) {
	for _, c := range []struct{ name, condition, field, message string }{
		{"unknown type", `{type: treshold}`, ".type", `"treshold", want one of [threshold rate`},
		{"no type", `{field: model}`, ".type", `"", want one of`},
		{"unknown parameter", `{type: threshold, field: model, operator: "=="}`, ".operator", "want one of type, field, op"},
		{"unknown field", `{type: threshold, field: tokens, op: ">", value: 1}`, ".field", `"tokens", want one of event_type`},
		{"object without a path", `{type: threshold, field: output_data, op: ">", value: 1}`, ".field", "output_data.score"},
		{"unknown operator", `{type: threshold, field: tokens_in, op: gt, value: 1}`, ".op", `"gt", want one of >, >=`},
		{"no operator", `{type: threshold, field: tokens_in, value: 1}`, ".op", ""},
		{"ordered text", `{type: threshold, field: model, op: ">", value: gpt}`, ".op", "== or !="},
		{"no value", `{type: threshold, field: tokens_in, op: ">"}`, ".value", "missing, want a finite number"},
		{"text for a number", `{type: threshold, field: tokens_in, op: ">", value: "10000"}`, ".value", `"10000", want a finite number`},
		{"number for a text", `{type: rate, field: event_type, value: 5, window_seconds: 1, threshold: 1}`, ".value", "want a string"},
		{"list for a value", `{type: threshold, field: output_data.x, op: "==", value: [1]}`, ".value", ""},
		{"NaN", `{type: threshold, field: tokens_in, op: ">", value: .nan}`, ".value", "want a finite number"},
		{"infinite aggregate", `{type: aggregate, metric: tokens_in, agg_func: sum, op: ">", value: .inf}`, ".value", ""},
		{"no window", `{type: rate, field: failed, value: true, threshold: 1}`, ".window_seconds", "above 0"},
		{"negative window", `{type: rate, field: failed, value: true, threshold: 1, window_seconds: -5}`, ".window_seconds", "-5"},
		{"NaN window", `{type: rate, field: failed, value: true, threshold: 1, window_seconds: .nan}`, ".window_seconds", ""},
		{"no rate threshold", `{type: rate, field: failed, value: true, window_seconds: 5}`, ".threshold", "missing"},
		{"fractional rate threshold", `{type: rate, field: failed, value: true, window_seconds: 5, threshold: 0.5}`, ".threshold", "0.5, want a whole number"},
		{"huge rate threshold", `{type: rate, field: failed, value: true, window_seconds: 5, threshold: 1e9}`, ".threshold", "100000"},
		{"no run", `{type: consecutive, count: 3}`, ".event_type", "missing"},
		{"two ways to run", `{type: consecutive, event_type: error, field: model, value: x, count: 3}`, ".event_type", "either"},
		{"no count", `{type: consecutive, event_type: error}`, ".count", "from 1"},
		{"negative count", `{type: consecutive, event_type: error, count: -1}`, ".count", "-1"},
		{"no pattern", `{type: pattern, field: model}`, ".pattern", "missing"},
		{"bad pattern", `{type: pattern, field: model, pattern: "(?<=a)b"}`, ".pattern", "RE2"},
		{"pattern on a number", `{type: pattern, field: tokens_in, pattern: "1"}`, ".field", "a text or an object"},
		{"aggregate of a text", `{type: aggregate, metric: model, agg_func: sum, op: ">", value: 1}`, ".metric", "a field that is a number"},
		{"unknown function", `{type: aggregate, metric: tokens_in, agg_func: median, op: ">", value: 1}`, ".agg_func", "[sum avg min max count]"},
		{"fractional window", `{type: aggregate, metric: tokens_in, agg_func: sum, op: ">", value: 1, window: 1.5}`, ".window", "1.5"},
		{"unknown mode", `{type: composite, mode: xor, conditions: []}`, ".mode", `"xor"`},
		{"no conditions", `{type: composite, mode: all}`, ".conditions", "missing"},
		{"wrong below", `{type: composite, mode: all, conditions: [{type: composite, mode: any, conditions: [{type: consecutive, event_type: error}]}]}`, ".conditions[0].conditions[0].count", ""},
		{"what the type does not take", `{type: threshold, field: tokens_in, op: ">", value: 1, window_seconds: 5}`, ".window_seconds", "only field, op, value for a threshold condition"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules, err := ParseYAML([]byte("rules:\n- {name: a, condition: {type: pattern, field: model, pattern: x}}\n- name: b\n  condition: " + c.condition))
			if err == nil {
				_, err = NewRuleSet(rules)
			}
			var fieldErr *analysis.FieldError
			require.ErrorAs(t, err, &fieldErr)
			assert.Equal(t, "rules[1].condition"+c.field, fieldErr.Field)
			assert.ErrorContains(t, err, c.message)
		})
	}

	fine := PatternCondition("model", "x")
	_, err := NewRuleSet([]Rule{
		{Name: "a", Condition: fine, CooldownSeconds: -1},
		{Name: "a", Condition: fine, CooldownSeconds: math.NaN()},
		{Name: " ", Condition: fine, Severity: "fatal"},
	})
	assert.ErrorContains(t, err, `rules[1].name is "a", want a name of its own: rules[0] has this one`)
	var got []string
	for _, e := range errors.Unwrap(err).(interface{ Unwrap() []error }).Unwrap() {
		var fieldErr *analysis.FieldError
		require.ErrorAs(t, e, &fieldErr)
		got = append(got, fieldErr.Field)
	}
	assert.Equal(t, []string{"rules[0].cooldown_seconds", "rules[1].name", "rules[1].cooldown_seconds", "rules[2].name", "rules[2].severity"}, got)

	for name, text := range map[string]string{"empty": "", "no rules": "{}", "a list": "- a", "broken": "rules: ["} {
		_, err := ParseYAML([]byte(text))
		assert.Error(t, err, name)
	}
}

// Rules that compile can watch anything, alike as a slice and as a stream, and
// read back what they wrote.
func checkCompiled(t *testing.T, rules []Rule, err error) {
	if err != nil {
		return
	}
	rs, err := NewRuleSet(rules)
	if err != nil {
		return
	}
	events := []analysis.Event{
		at(1, analysis.EventError),
		{Type: "llm_call", Model: "gpt-4o", TokensIn: analysis.Some(int64(5)), DurationMS: analysis.Some(0.1), Output: json.RawMessage(`{"a":{"b":[1,"x"]}}`)},
		at(2, analysis.EventError),
	}
	st := rs.NewState()
	for i := range events {
		rs.Observe(st, &events[i], nil)
	}
	_, err = json.Marshal(rs.Evaluate(events))
	require.NoError(t, err)
	text, err := json.Marshal(rs.Snapshot(st))
	require.NoError(t, err)
	var read Snapshot
	require.NoError(t, json.Unmarshal(text, &read))
	require.Equal(t, rs.Firing(st), rs.Firing(rs.Adopt(&read)))
}

func FuzzParseYAML(f *testing.F) {
	f.Add([]byte(everyType))
	f.Add([]byte("rules: [{name: a, condition: {type: rate, field: failed, value: true, window_seconds: .inf, threshold: 1}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, err := ParseYAML(data)
		checkCompiled(t, rules, err)
	})
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"rules":[{"name":"a","condition":{"type":"aggregate","metric":"output_data.a.b.0","agg_func":"sum","op":">","value":1e308}}]}`))
	f.Add([]byte(`{"rules":[{"name":"a","condition":{"type":"composite","mode":"all","conditions":[{"type":"pattern","field":"model","pattern":"(x|y)*"}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, err := ParseJSON(data)
		checkCompiled(t, rules, err)
	})
}

// A state from a file that is damaged must not break the stream.
func FuzzAdopt(f *testing.F) {
	rules, err := ParseYAML([]byte(everyType))
	require.NoError(f, err)
	rs, err := NewRuleSet(rules)
	require.NoError(f, err)
	st := rs.NewState()
	events := []analysis.Event{at(1, analysis.EventError), {DurationMS: analysis.Some(0.5), Output: json.RawMessage(`{"score":0.1}`)}, at(2, analysis.EventError)}
	for i := range events {
		rs.Observe(st, &events[i], nil)
	}
	text, err := json.Marshal(rs.Snapshot(st))
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		var read Snapshot
		if json.Unmarshal(data, &read) != nil {
			return
		}
		st := rs.Adopt(&read)
		for i := range events {
			rs.Observe(st, &events[i], nil)
		}
		_, err := json.Marshal(rs.Snapshot(st))
		require.NoError(t, err)
	})
}
