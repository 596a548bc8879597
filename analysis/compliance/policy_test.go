package compliance

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/go-viper/mapstructure/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/agentlens/agentlens-otel/analysis"
)

const everyKind = `
name: every kind
rules:
  - {kind: max_tokens, limit: 50000}
  - {kind: min_tokens, limit: 1, severity: warning}
  - {kind: allowed_models, models: [gpt-4o]}
  - {kind: forbidden_models, models: []}
  - {kind: required_tools, tools: [safety_check]}
  - {kind: forbidden_tools, tools: [rm], severity: error, name: no deletion}
  - {kind: max_events, limit: 200}
  - {kind: min_events, limit: 0}
  - {kind: max_duration_ms, limit: 0.5}
  - {kind: max_tool_calls, limit: 3}
  - {kind: require_reasoning}
  - {kind: require_reasoning, threshold: 0.5}
  - {kind: max_error_rate, limit: 0.05}
  - {kind: max_error_rate, threshold: 1}
  - {kind: max_error_rate, threshold: 0.1, limit: 0.1}
  - {kind: custom, name: mine}
`

func TestPolicyRoads(t *testing.T) {
	policy, err := ParseYAML([]byte(everyKind))
	require.NoError(t, err)
	require.Len(t, policy.Rules, 16)

	asJSON, err := json.Marshal(policy)
	require.NoError(t, err)
	fromJSON, err := ParseJSON(asJSON)
	require.NoError(t, err)
	assert.Equal(t, policy, fromJSON)

	// The collector decodes its configuration from maps.
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(everyKind), &tree))
	var fromMap Policy
	require.NoError(t, mapstructure.Decode(tree, &fromMap))
	assert.Equal(t, policy, &fromMap)
}

func TestPolicyRefused(t *testing.T) {
	for _, c := range []struct{ name, rule, field, message string }{
		{"unknown kind", `{kind: max_token, limit: 1}`, "rules[2].kind", `"max_token", want one of [max_tokens`},
		{"no kind", `{limit: 1}`, "rules[2].kind", `""`},
		{"unknown parameter", `{kind: max_tokens, limt: 1}`, "rules[2].limt", "want one of kind, name, severity, limit, threshold, models, tools"},
		{"missing limit", `{kind: max_tokens}`, "rules[2].limit", "missing, want a whole number"},
		{"null limit", `{kind: max_tokens, limit: null}`, "rules[2].limit", "missing"},
		{"negative limit", `{kind: max_events, limit: -1}`, "rules[2].limit", "-1, want a whole number, 0 or more"},
		{"fractional limit", `{kind: max_tool_calls, limit: 2.5}`, "rules[2].limit", "2.5"},
		{"limit beyond whole numbers", `{kind: max_tokens, limit: 1e300}`, "rules[2].limit", ""},
		{"NaN limit", `{kind: max_duration_ms, limit: .nan}`, "rules[2].limit", "NaN, want a number of milliseconds"},
		{"infinite limit", `{kind: max_duration_ms, limit: .inf}`, "rules[2].limit", ""},
		{"text limit", `{kind: max_tokens, limit: "50000"}`, "rules[2].limit", `"50000", want a number`},
		{"limit where none belongs", `{kind: forbidden_tools, tools: [rm], limit: 1}`, "rules[2].limit", "nothing: forbidden_tools"},
		{"threshold where none belongs", `{kind: max_tokens, limit: 1, threshold: 1}`, "rules[2].threshold", ""},
		{"limit for reasoning", `{kind: require_reasoning, limit: 1}`, "rules[2].limit", ""},
		{"share above 1", `{kind: require_reasoning, threshold: 1.1}`, "rules[2].threshold", "1.1, want a number from 0 to 1"},
		{"percentage", `{kind: max_error_rate, limit: 5}`, "rules[2].limit", "5, want a number from 0 to 1"},
		{"no error rate", `{kind: max_error_rate}`, "rules[2].limit", "missing"},
		{"two error rates", `{kind: max_error_rate, limit: 0.1, threshold: 0.2}`, "rules[2].threshold", "0.2, want the same as limit (0.1)"},
		{"missing models", `{kind: allowed_models}`, "rules[2].models", "missing, want a list"},
		{"tools for models", `{kind: allowed_models, tools: [rm]}`, "rules[2].models", "missing"},
		{"one name instead of a list", `{kind: required_tools, tools: rm}`, "rules[2].tools", ""},
		{"blank name", `{kind: required_tools, tools: [rm, " "]}`, "rules[2].tools[1]", `" ", want a name`},
		{"bad severity", `{kind: max_tokens, limit: 1, severity: critical}`, "rules[2].severity", `"critical", want error or warning`},
		{"custom without function", `{kind: custom}`, "rules[2].name", "missing"},
		{"given twice", `{kind: max_tokens, limit: 1, limit: 2}`, "", "already defined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			policy, err := ParseYAML([]byte("name: p\nrules:\n- {kind: min_events, limit: 0}\n- {kind: require_reasoning}\n- " + c.rule))
			assert.Nil(t, policy)
			require.ErrorContains(t, err, c.message)
			if c.field != "" {
				var fieldErr *analysis.FieldError
				require.ErrorAs(t, err, &fieldErr)
				assert.Equal(t, c.field, fieldErr.Field)
			}
		})
	}
	for name, text := range map[string]string{
		"empty": "", "no name": "rules: []", "no rules": "name: p", "a list": "- a", "broken": "name: [",
	} {
		_, err := ParseYAML([]byte(text))
		assert.Error(t, err, name)
	}
	_, err := ParseJSON([]byte(`{"name":"p","rules":[{"kind":"max_tokens","limit":1,"limit":2}]}`))
	assert.ErrorContains(t, err, "rules[0].limit is given twice")
}

func TestEveryMistakeIsTold(t *testing.T) {
	p := Policy{Rules: []Rule{{Kind: MaxTokens}, {Kind: "x"}, {Kind: MinEvents, Limit: new(math.NaN()), Severity: "y"}}}
	err := p.Validate()
	var fields []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var fieldErr *analysis.FieldError
		require.True(t, errors.As(e, &fieldErr))
		fields = append(fields, fieldErr.Field)
	}
	assert.Equal(t, []string{"name", "rules[0].limit", "rules[1].kind", "rules[2].severity", "rules[2].limit"}, fields)
}

func TestKindsAreAllTaken(t *testing.T) {
	assert.Len(t, Kinds(), 13)
	for _, k := range Kinds() {
		_, known := parametersOf(k)
		assert.True(t, known, k)
		assert.Contains(t, everyKind, "kind: "+string(k))
	}
}

// What is accepted can be checked, and reads back as the same policy.
func checkDecoded(t *testing.T, policy *Policy, err error) {
	if err != nil {
		return
	}
	checker, err := NewChecker(policy)
	if err == nil {
		report := checker.Check(analysis.NewSummary("s", "a"))
		require.Equal(t, len(policy.Rules), report.Passed+report.Failed+report.Skipped)
		_, err = report.JSON()
		require.NoError(t, err)
		require.NotEmpty(t, report.Render())
	} else {
		require.ErrorContains(t, err, "a registered function")
	}
	text, err := json.Marshal(policy)
	require.NoError(t, err)
	again, err := ParseJSON(text)
	require.NoError(t, err)
	if !strings.Contains(string(text), `\ufffd`) { // invalid UTF-8 does not survive JSON
		require.Equal(t, policy, again)
	}
}

func FuzzParseYAML(f *testing.F) {
	f.Add([]byte(everyKind))
	f.Add([]byte("name: p\nrules:\n- kind: max_tokens\n  limit: .nan"))
	f.Add([]byte("name: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		policy, err := ParseYAML(data)
		checkDecoded(t, policy, err)
	})
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"name":"p","rules":[{"kind":"max_tokens","limit":5e4},{"kind":"allowed_models","models":["GPT-4o"],"severity":"warning"}]}`))
	f.Add([]byte(`{"name":"p","rules":[{"kind":"max_error_rate","limit":0.05,"threshold":0.05}]}`))
	f.Add([]byte(`{"name":"p","rules":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		policy, err := ParseJSON(data)
		checkDecoded(t, policy, err)
	})
}
