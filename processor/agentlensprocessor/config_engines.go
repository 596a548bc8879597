package agentlensprocessor

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

// Bounds on what is kept apart by name. Beyond them what is new is left out.
const (
	maxAgents = 1_000
	maxGroups = 10_000
)

// ComplianceConfig configures the policies.
type ComplianceConfig struct {
	// Enabled switches the checks. Default true.
	Enabled bool `mapstructure:"enabled"`
	// Policies are evaluated on every session they match when it completes.
	// Default none.
	Policies []PolicyConfig `mapstructure:"policies"`
}

// PolicyConfig is a policy and the sessions it is for.
type PolicyConfig struct {
	// Name is unique among the policies.
	Name string `mapstructure:"name"`
	// Rules are what it requires: kind and the parameters of that kind.
	Rules []compliance.Rule `mapstructure:"rules"`
	// Match says which sessions the policy is for. Default all.
	Match MatchConfig `mapstructure:"match"`
}

func (p *PolicyConfig) policy() *compliance.Policy {
	return &compliance.Policy{Name: p.Name, Rules: p.Rules}
}

// MatchConfig selects sessions; all that it names must hold.
type MatchConfig struct {
	// Agents are patterns of agent names, as path.Match reads them: research-*.
	// One of them must match.
	Agents []string `mapstructure:"agents"`
	// ResourceAttributes are values that the resource of the session's first
	// span must have.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`
}

func (c *ComplianceConfig) validate() error {
	var errs []error
	names := map[string]int{}
	for i := range c.Policies {
		p := &c.Policies[i]
		at := fmt.Sprintf("compliance::policies::%d", i)
		_, err := compliance.NewChecker(p.policy())
		errs = append(errs, located(at, err)...)
		at = "`" + at
		if first, ok := names[p.Name]; ok {
			errs = append(errs, fmt.Errorf("%s::name` is %q, which policy %d has already", at, p.Name, first))
		}
		names[p.Name] = i
		for j, pattern := range p.Match.Agents {
			if _, err := path.Match(pattern, ""); err != nil {
				errs = append(errs, fmt.Errorf("%s::match::agents::%d` is %q: %w", at, j, pattern, err))
			}
		}
	}
	return errors.Join(errs...)
}

// DriftMode says what an agent's latest sessions are compared with.
type DriftMode string

// The modes.
const (
	// DriftRolling: the sessions right before them.
	DriftRolling DriftMode = "rolling"
	// DriftVersion: the sessions of the version before (gen_ai.agent.version,
	// else service.version).
	DriftVersion DriftMode = "version"
	// DriftPinned: the first sessions seen, which stay the baseline under the
	// name Baseline.
	DriftPinned DriftMode = "pinned"
)

// DriftConfig configures drift detection, which is by agent.
type DriftConfig struct {
	// Enabled switches the engine. Default true.
	Enabled bool `mapstructure:"enabled"`
	// Mode is rolling (default), version or pinned.
	Mode DriftMode `mapstructure:"mode"`
	// Baseline names the pinned baseline: another name starts another one.
	Baseline string `mapstructure:"baseline"`
	// BaselineSessions and CurrentSessions are how many sessions are compared.
	// Default 100 and 30.
	BaselineSessions int `mapstructure:"baseline_sessions"`
	CurrentSessions  int `mapstructure:"current_sessions"`
	// AllowedLateness is how much later than the root of a session that ended
	// after it a session's spans may come and it still joins the windows in the
	// order in which sessions ended. A session is compared when another has
	// ended so long after it. Default 1m.
	AllowedLateness time.Duration `mapstructure:"allowed_lateness"`
}

func (c *DriftConfig) validate() error {
	var errs []error
	switch c.Mode {
	case DriftRolling, DriftVersion:
		if c.Baseline != "" {
			errs = append(errs, fmt.Errorf("`drift::baseline` is %q, which only the mode pinned has", c.Baseline))
		}
	case DriftPinned:
		if c.Baseline == "" {
			errs = append(errs, errors.New("`drift::baseline` is empty, want a name for the pinned baseline"))
		}
	default:
		errs = append(errs, fmt.Errorf("`drift::mode` is %q, want rolling, version or pinned", c.Mode))
	}
	if c.AllowedLateness < 0 {
		errs = append(errs, fmt.Errorf("`drift::allowed_lateness` is %v, want 0 or more", c.AllowedLateness))
	}
	errs = append(errs, underPath("drift", c.rolling().Check())...)
	return errors.Join(errs...)
}

// rolling returns which sessions the mode rolling compares.
func (c *DriftConfig) rolling() drift.Rolling {
	return drift.Rolling{BaselineSessions: c.BaselineSessions, CurrentSessions: c.CurrentSessions}
}

// underPath puts the path of a setting before the fields of an engine's errors.
func underPath(path string, err error) (errs []error) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, err := range all {
		var field *analysis.FieldError
		if errors.As(err, &field) {
			errs = append(errs, fmt.Errorf("`%s::%s` is %v, want %s", path, field.Field, field.Value, field.Want))
		} else if err != nil {
			errs = append(errs, fmt.Errorf("`%s`: %w", path, err))
		}
	}
	return errs
}

// ForecastConfig configures the cost forecast, which is by agent and in total.
type ForecastConfig struct {
	// Enabled switches the engine. Default true.
	Enabled bool `mapstructure:"enabled"`
	// Method is auto, linear, ema, average, seasonal_naive, holt_winters or
	// best. Default best.
	Method forecast.Method `mapstructure:"method"`
	// HorizonDays is how far it looks, 1 to 90. Default 7.
	HorizonDays int `mapstructure:"horizon_days"`
	// HistoryDays is how many UTC days of usage are kept. Default 400.
	HistoryDays int `mapstructure:"history_days"`
	// Interval is how often forecasts and budgets are computed anew, by the
	// time of the events. Default 1m.
	Interval time.Duration `mapstructure:"interval"`
	// Budgets are watched. Default none.
	Budgets []BudgetConfig `mapstructure:"budgets"`
}

// BudgetConfig is a limit on what may be spent.
type BudgetConfig = forecast.NamedBudget

func (c *ForecastConfig) validate() error {
	var errs []error
	if c.HorizonDays < 1 || c.HorizonDays > forecast.MaxDays {
		errs = append(errs, fmt.Errorf("`forecast::horizon_days` is %d, want 1 to %d", c.HorizonDays, forecast.MaxDays))
	}
	if _, err := forecast.New(forecast.WithHistory(c.HistoryDays)); err != nil {
		errs = append(errs, fmt.Errorf("`forecast::history_days`: %w", err))
	}
	if c.Interval <= 0 {
		errs = append(errs, fmt.Errorf("`forecast::interval` is %v, want more than 0", c.Interval))
	}
	switch c.Method {
	case forecast.MethodAuto, forecast.MethodLinear, forecast.MethodEMA, forecast.MethodAverage,
		forecast.MethodSeasonalNaive, forecast.MethodHoltWinters, forecast.MethodBest:
	default:
		errs = append(errs, fmt.Errorf("`forecast::method` is %q, want auto, linear, ema, average, seasonal_naive, holt_winters or best", c.Method))
	}
	errs = append(errs, underPath("forecast::budgets", forecast.ValidateBudgets(c.Budgets))...)
	return errors.Join(errs...)
}

// GroupBy says which events a rule sees together.
type GroupBy string

// The groupings.
const (
	GroupByNone    GroupBy = "none"
	GroupByAgent   GroupBy = "agent"
	GroupBySession GroupBy = "session"
	GroupByModel   GroupBy = "model"
)

var groupings = [...]GroupBy{GroupByNone, GroupByAgent, GroupBySession, GroupByModel}

// AlertsConfig configures the alert rules.
type AlertsConfig struct {
	// Enabled switches the engine. Default true.
	Enabled bool `mapstructure:"enabled"`
	// AllowedLateness is how much older than the newest event of its group an
	// event may be and still be seen. Default 1m.
	AllowedLateness time.Duration `mapstructure:"allowed_lateness"`
	// Rules watch the stream of events. Default none.
	Rules []AlertRuleConfig `mapstructure:"rules"`
}

// AlertRuleConfig is a rule and how events are grouped for it.
type AlertRuleConfig struct {
	// Name is unique among the rules.
	Name string `mapstructure:"name"`
	// Severity is info, warning (default) or critical.
	Severity alert.Severity `mapstructure:"severity"`
	// Condition is what the rule waits for: type and the parameters of that
	// type, as alert.Condition has them. Conditions nest.
	Condition map[string]any `mapstructure:"condition"`
	// CooldownSeconds is how long the rule stays silent after an alert.
	CooldownSeconds float64 `mapstructure:"cooldown_seconds"`
	// GroupBy is none (default), agent, session or model.
	GroupBy GroupBy `mapstructure:"group_by"`
}

func (r *AlertRuleConfig) groupBy() GroupBy {
	if r.GroupBy == "" {
		return GroupByNone
	}
	return r.GroupBy
}

// rules reads the rules as the alert engine does, strictly.
func (c *AlertsConfig) rules() ([]alert.Rule, error) {
	type rule struct {
		Name            string         `json:"name"`
		Severity        alert.Severity `json:"severity,omitempty"`
		Condition       map[string]any `json:"condition"`
		CooldownSeconds float64        `json:"cooldown_seconds,omitempty"`
	}
	all := make([]rule, len(c.Rules))
	for i, r := range c.Rules {
		all[i] = rule{r.Name, r.Severity, r.Condition, r.CooldownSeconds}
	}
	b, err := json.Marshal(map[string]any{"rules": all})
	if err != nil {
		return nil, err
	}
	return alert.ParseJSON(b)
}

func (c *AlertsConfig) validate() error {
	var errs []error
	if c.AllowedLateness < 0 {
		errs = append(errs, fmt.Errorf("`alerts::allowed_lateness` is %v, want 0 or more", c.AllowedLateness))
	}
	for i := range c.Rules {
		switch c.Rules[i].groupBy() {
		case GroupByNone, GroupByAgent, GroupBySession, GroupByModel:
		default:
			errs = append(errs, fmt.Errorf("`alerts::rules::%d::group_by` is %q, want none, agent, session or model", i, c.Rules[i].GroupBy))
		}
	}
	if len(c.Rules) > 0 {
		rules, err := c.rules()
		if err == nil {
			_, err = alert.NewRuleSet(rules)
		}
		errs = append(errs, located("alerts", err)...)
	}
	return errors.Join(errs...)
}
