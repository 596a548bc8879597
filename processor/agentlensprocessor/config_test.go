package agentlensprocessor

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.yaml.in/yaml/v3"

	"go.opentelemetry.io/collector/confmap"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
)

// The documented policy and rules paste in as YAML.
func TestLoadConfig(t *testing.T) {
	cm, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := cm.Sub("agentlens/all")
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	require.NoError(t, cfg.Validate())

	assert.Equal(t, 10*time.Minute, cfg.IdleTimeout)
	storage := component.MustNewID("file_storage")
	assert.Equal(t, &storage, cfg.Storage)
	require.Len(t, cfg.Compliance.Policies, 1)
	policy := cfg.Compliance.Policies[0]
	assert.Equal(t, "production-policy", policy.Name)
	assert.Equal(t, []string{"research-*"}, policy.Match.Agents)
	require.Len(t, policy.Rules, 8)
	assert.Equal(t, compliance.Rule{Kind: compliance.MaxTokens, Limit: limit(50000)}, policy.Rules[0])
	assert.Equal(t, []string{"execute_code", "rm"}, policy.Rules[1].Tools)
	assert.Equal(t, DriftVersion, cfg.Drift.Mode)
	assert.Equal(t, BudgetConfig{Name: "team", LimitUSD: 500, Period: "weekly"}, cfg.Forecast.Budgets[0])

	rules, err := cfg.Alerts.rules()
	require.NoError(t, err)
	require.Len(t, rules, 4)
	assert.Equal(t, "Error spike", rules[1].Name)
	assert.Equal(t, 300.0, rules[1].Condition.WindowSeconds)
	assert.Equal(t, `\b\d{3}-\d{2}-\d{4}\b`, rules[2].Condition.Pattern)
	assert.Len(t, rules[3].Condition.Conditions, 2)
	_, err = newEngines(cfg)
	require.NoError(t, err)
}

func TestDefaultConfigIsValid(t *testing.T) {
	require.NoError(t, createDefaultConfig().(*Config).Validate())
}

// Every mistake is told with its path.
func TestValidateNamesEachMistake(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"idle timeout":        {`idle_timeout: 0s`, "`idle_timeout` is 0s"},
		"span ids":            {`max_span_ids: -1`, "`max_span_ids` is -1"},
		"snapshot interval":   {`snapshot_interval: 0s`, "`snapshot_interval`"},
		"price":               {`cost: {prices: [{model: m, input_mtok: -1}]}`, "`cost::prices::0::input_mtok` is -1"},
		"rule kind":           {`compliance: {policies: [{name: p, rules: [{kind: max_tokenz, limit: 1}]}]}`, "`compliance::policies::0::rules::0::kind` is"},
		"rule limit":          {`compliance: {policies: [{name: p, rules: [{kind: max_tokens, limit: -1}]}]}`, "`compliance::policies::0::rules::0::limit` is -1"},
		"missing limit":       {`compliance: {policies: [{name: p, rules: [{kind: max_tokens}]}]}`, "`compliance::policies::0::rules::0::limit` is missing"},
		"custom rule":         {`compliance: {policies: [{name: p, rules: [{kind: custom, name: f}]}]}`, "`compliance::policies::0::rules::0::name` is"},
		"agent pattern":       {`compliance: {policies: [{name: p, match: {agents: ["[a"]}}]}`, "`compliance::policies::0::match::agents::0`"},
		"policy twice":        {`compliance: {policies: [{name: p}, {name: p}]}`, "`compliance::policies::1::name`"},
		"drift mode":          {`drift: {mode: sideways}`, "`drift::mode` is \"sideways\""},
		"pinned without name": {`drift: {mode: pinned}`, "`drift::baseline`"},
		"name without pinned": {`drift: {baseline: golden}`, "`drift::baseline`"},
		"sessions":            {`drift: {current_sessions: 1}`, "`drift::current_sessions` is 1"},
		"drift lateness":      {`drift: {allowed_lateness: -1s}`, "`drift::allowed_lateness` is -1s"},
		"horizon":             {`forecast: {horizon_days: 91}`, "`forecast::horizon_days` is 91"},
		"history":             {`forecast: {history_days: 0}`, "`forecast::history_days`"},
		"method":              {`forecast: {method: tea_leaves}`, "`forecast::method` is \"tea_leaves\""},
		"budget":              {`forecast: {budgets: [{name: b, limit_usd: 0}]}`, "`forecast::budgets::0::limit_usd` is 0"},
		"period":              {`forecast: {budgets: [{name: b, limit_usd: 1, period: yearly}]}`, "`forecast::budgets::0::period`"},
		"budget twice":        {`forecast: {budgets: [{name: b, limit_usd: 1}, {name: b, limit_usd: 2}]}`, "`forecast::budgets::1::name`"},
		"lateness":            {`alerts: {allowed_lateness: -1s}`, "`alerts::allowed_lateness`"},
		"regex":               {`alerts: {rules: [{name: r, condition: {type: pattern, field: output_data, pattern: "("}}]}`, "`alerts::rules::0::condition::pattern` is"},
		"condition type":      {`alerts: {rules: [{name: r, condition: {type: hunch}}]}`, "`alerts::rules::0::condition::type` is"},
		"condition key":       {`alerts: {rules: [{name: r, condition: {type: threshold, feild: x, op: ">", value: 1}}]}`, "`alerts::rules::0::condition::feild` is"},
		"rule twice": {
			`alerts: {rules: [{name: r, condition: &c {type: threshold, field: tokens_in, op: ">", value: 1}}, {name: r, condition: *c}]}`,
			"`alerts::rules::1::name` is",
		},
		"group by": {`alerts: {rules: [{name: r, group_by: mood, condition: {type: threshold, field: tokens_in, op: ">", value: 1}}]}`, "`alerts::rules::0::group_by`"},
		"content":  {`content: {mode: burn}`, "content"},
	} {
		t.Run(name, func(t *testing.T) {
			var raw map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(c.yaml), &raw))
			cfg := createDefaultConfig().(*Config)
			err := confmap.NewFromStringMap(raw).Unmarshal(cfg)
			if err == nil {
				err = validateAll(cfg)
			}
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.NotContains(t, err.Error(), "\n", "one mistake is told once")
		})
	}
}

// validateAll validates as the collector does: the parts too.
func validateAll(cfg *Config) error { return confmap.Validate(cfg) }
