package insight

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Metric is what a rule of the API can compare, over its window.
type Metric struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	of          func(store.WindowSums, int) float64
}

// Metrics are the original's.
var Metrics = []Metric{
	{"total_tokens", "tokens in and out of the sessions that started in the window", func(w store.WindowSums, _ int) float64 { return float64(w.SessionTokens) }},
	{"avg_tokens_per_session", "mean tokens in and out of the sessions that started in the window", func(w store.WindowSums, _ int) float64 { return ratio(float64(w.SessionTokens), w.Sessions) }},
	{"error_rate", "percentage of the window's events that failed, 0 to 100", func(w store.WindowSums, _ int) float64 { return 100 * ratio(float64(w.Failed), w.Events) }},
	{"avg_duration_ms", "mean duration of the window's events, in milliseconds", func(w store.WindowSums, _ int) float64 { return ratio(w.DurationMS, w.Timed) }},
	{"max_duration_ms", "longest duration of the window's events, in milliseconds", func(w store.WindowSums, _ int) float64 { return w.MaxDurationMS }},
	{"session_count", "sessions that started in the window", func(w store.WindowSums, _ int) float64 { return float64(w.Sessions) }},
	{"event_count", "events in the window", func(w store.WindowSums, _ int) float64 { return float64(w.Events) }},
	{"token_rate", "tokens in and out per minute, of the window's events", func(w store.WindowSums, minutes int) float64 { return ratio(float64(w.Tokens), int64(minutes)) }},
}

// Operators are the comparisons a rule of the API can make.
var Operators = []string{"<", ">", "<=", ">=", "==", "!="}

// RuleStatus is the outcome of evaluating a rule.
type RuleStatus string

// The outcomes: it does not hold, it fired, or it would have but did so a short
// time ago.
const (
	RuleOK       RuleStatus = "ok"
	RuleFired    RuleStatus = "fired"
	RuleCooldown RuleStatus = "cooldown"
)

// RuleVerdict is what an evaluation says of one rule.
type RuleVerdict struct {
	RuleID    int64      `json:"rule_id,string"`
	Name      string     `json:"name"`
	Metric    string     `json:"metric"`
	Operator  string     `json:"operator"`
	Threshold float64    `json:"threshold"`
	Value     float64    `json:"current_value"` // rounded to hundredths
	Triggered bool       `json:"triggered"`
	Window    int        `json:"window_minutes"`
	Agent     *string    `json:"agent_filter"`
	Status    RuleStatus `json:"status"`
	// AlertID names what was recorded when it fired.
	AlertID string `json:"alert_id,omitempty"`
}

// EvaluateRules evaluates every enabled rule of the API on what is stored now,
// and records those that fire.
func (s *Source) EvaluateRules(ctx context.Context) ([]RuleVerdict, error) {
	rules, err := s.store.AlertRules(ctx, analysis.Some(true))
	if err != nil {
		return nil, err
	}
	out := make([]RuleVerdict, 0, len(rules))
	for i := range rules {
		v, err := s.evaluate(ctx, &rules[i])
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Source) evaluate(ctx context.Context, r *store.AlertRule) (RuleVerdict, error) {
	v := RuleVerdict{
		RuleID: r.ID, Name: r.Name, Metric: r.Metric, Operator: r.Operator, Threshold: r.Threshold, Window: r.Window, Agent: r.Agent, Status: RuleOK,
	}
	agent := ""
	if r.Agent != nil {
		agent = *r.Agent
	}
	sums, err := s.store.WindowSums(ctx, s.now().Add(-time.Duration(r.Window)*time.Minute), agent)
	if err != nil {
		return v, err
	}
	value := math.NaN()
	for _, m := range Metrics {
		if m.Name == r.Metric {
			value = m.of(sums, r.Window)
		}
	}
	if math.IsNaN(value) {
		return v, fmt.Errorf("alert rule %q: there is no metric %q", r.Name, r.Metric)
	}
	v.Value, v.Triggered = math.Round(value*100)/100, holds(value, r.Operator, r.Threshold)
	if !v.Triggered {
		return v, nil
	}
	id, err := s.store.FireRule(ctx, r, value)
	if err != nil {
		return v, err
	}
	v.Status = RuleCooldown
	if id != 0 {
		v.Status, v.AlertID = RuleFired, firingID(id)
	}
	return v, nil
}

func holds(value float64, operator string, threshold float64) bool {
	switch operator {
	case "<":
		return value < threshold
	case ">":
		return value > threshold
	case "<=":
		return value <= threshold
	case ">=":
		return value >= threshold
	case "==":
		return value == threshold
	default:
		return value != threshold
	}
}

// Acknowledge marks an alert as seen, by its AlertEvent.ID. It returns
// store.ErrNotFound when there is none.
func (s *Source) Acknowledge(ctx context.Context, alertID string) error {
	number, fired := strings.CutPrefix(alertID, firingPrefix)
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return store.ErrNotFound
	}
	if fired {
		return s.store.AcknowledgeFiring(ctx, id)
	}
	return s.store.AcknowledgeNote(ctx, id)
}

// firingPrefix tells the ids of what rules of the API fired from those of the
// collector's findings.
const firingPrefix = "rule-"

func firingID(id int64) string { return firingPrefix + strconv.FormatInt(id, 10) }

func firedByRule(f *store.RuleFiring) AlertEvent {
	return AlertEvent{
		ID: firingID(f.ID), AgentName: f.Agent, At: f.At, Acknowledged: f.AcknowledgedAt.OK, AcknowledgedAt: f.AcknowledgedAt, RuleName: f.RuleName,
		Finding: finding.Finding{
			Kind: finding.Alert, Severity: "warning", Rule: f.RuleName,
			Message: fmt.Sprintf("%s is %s, %s %s over %d minutes", f.Metric, short(f.Value), f.Operator, short(f.Threshold), f.Window),
		},
		Compared: &Compared{RuleID: f.RuleID, Metric: f.Metric, Value: f.Value, Operator: f.Operator, Threshold: f.Threshold, Window: f.Window},
	}
}

// short writes a number with two decimals at most.
func short(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

func ratio(sum float64, n int64) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}
