package backend

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Alert rules of the API compare a sum over the last minutes with a threshold,
// as the original's do, when POST /alerts/evaluate asks. Rules that watch every
// event as it passes are the collector's.

// Limits of an alert rule, the original's.
const (
	maxRuleName    = 128
	maxRuleAgent   = 256
	maxRuleMinutes = 7 * 24 * 60

	defaultRuleWindow   = 60
	defaultRuleCooldown = 15
)

// ruleBody is the body of POST and PUT /alerts/rules; what is absent keeps its
// value.
type ruleBody struct {
	Name      *string         `json:"name"`
	Metric    *string         `json:"metric"`
	Operator  *string         `json:"operator"`
	Threshold *float64        `json:"threshold"`
	Window    *float64        `json:"window_minutes"`
	Cooldown  *float64        `json:"cooldown_minutes"`
	Agent     json.RawMessage `json:"agent_filter"` // a text, or null for none
	Enabled   *bool           `json:"enabled"`
}

// ruleAnswer is the answer with one rule.
type ruleAnswer struct {
	Rule *store.AlertRule `json:"rule"`
}

func (s *Server) getAlertRules(w http.ResponseWriter, r *http.Request) {
	enabled, err := optionalBool(r, "enabled")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	rules, err := s.store.AlertRules(r.Context(), enabled)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"rules": rules})
}

func (s *Server) postAlertRule(w http.ResponseWriter, r *http.Request) {
	rule := &store.AlertRule{Threshold: math.NaN(), Window: defaultRuleWindow, Cooldown: defaultRuleCooldown, Enabled: true}
	s.putRule(w, r, rule, http.StatusCreated)
}

func (s *Server) putAlertRule(w http.ResponseWriter, r *http.Request) {
	id, err := ruleID(r)
	var rule *store.AlertRule
	if err == nil {
		rule, err = s.store.AlertRule(r.Context(), id)
	}
	if err != nil {
		s.failRule(w, r, err)
		return
	}
	s.putRule(w, r, rule, http.StatusOK)
}

// putRule gives rule what the body says, and stores it.
func (s *Server) putRule(w http.ResponseWriter, r *http.Request, rule *store.AlertRule, status int) {
	var in ruleBody
	if !s.readFinding(w, r, &in) {
		return
	}
	err := in.change(rule)
	if err == nil {
		err = s.store.PutAlertRule(r.Context(), rule)
	}
	if err != nil {
		s.failRule(w, r, err)
		return
	}
	s.answer(w, status, ruleAnswer{rule})
}

// change gives rule what the body says, cut as the original cuts.
func (b *ruleBody) change(rule *store.AlertRule) error {
	if b.Name != nil {
		rule.Name = strings.TrimSpace(*b.Name)
		if chars := []rune(rule.Name); len(chars) > maxRuleName {
			rule.Name = string(chars[:maxRuleName])
		}
	}
	if b.Metric != nil {
		rule.Metric = *b.Metric
	}
	if b.Operator != nil {
		rule.Operator = *b.Operator
	}
	if b.Threshold != nil {
		rule.Threshold = *b.Threshold
	}
	if b.Window != nil {
		rule.Window = int(min(max(1, *b.Window), maxRuleMinutes))
	}
	if b.Cooldown != nil {
		rule.Cooldown = int(min(max(0, *b.Cooldown), maxRuleMinutes))
	}
	if b.Enabled != nil {
		rule.Enabled = *b.Enabled
	}
	if len(b.Agent) > 0 {
		rule.Agent = nil
		if err := json.Unmarshal(b.Agent, &rule.Agent); err != nil || rule.Agent != nil && len(*rule.Agent) > maxRuleAgent {
			return &analysis.FieldError{Field: "agent_filter", Value: short(string(b.Agent)), Want: "an agent's name, of " + strconv.Itoa(maxRuleAgent) + " bytes at most"}
		}
		if rule.Agent != nil && *rule.Agent == "" {
			rule.Agent = nil
		}
	}
	switch {
	case rule.Name == "":
		return &analysis.FieldError{Field: "name", Value: "empty", Want: "a name"}
	case !slices.ContainsFunc(insight.Metrics, func(m insight.Metric) bool { return m.Name == rule.Metric }):
		return &analysis.FieldError{Field: "metric", Value: short(rule.Metric), Want: "one of those of GET /alerts/metrics"}
	case !slices.Contains(insight.Operators, rule.Operator):
		return &analysis.FieldError{Field: "operator", Value: short(rule.Operator), Want: strings.Join(insight.Operators, ", ")}
	case math.IsNaN(rule.Threshold):
		return &analysis.FieldError{Field: "threshold", Value: "missing", Want: "a number"}
	}
	return nil
}

func (s *Server) deleteAlertRule(w http.ResponseWriter, r *http.Request) {
	id, err := ruleID(r)
	if err == nil {
		err = s.store.RemoveAlertRule(r.Context(), id)
	}
	if err != nil {
		s.failRule(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"deleted": true, "rule_id": r.PathValue("rule")})
}

func (s *Server) failRule(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrNotFound) {
		refuse(w, http.StatusNotFound, "Rule not found")
		return
	}
	s.fail(w, r, err)
}

func ruleID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("rule"), 10, 64)
	if err != nil {
		return 0, store.ErrNotFound
	}
	return id, nil
}

func (s *Server) getAlertMetrics(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, map[string]any{"metrics": insight.Metrics, "operators": insight.Operators})
}

// postEvaluate is POST /alerts/evaluate: it evaluates every enabled rule, and
// records those that fire outside of their cooldown.
func (s *Server) postEvaluate(w http.ResponseWriter, r *http.Request) {
	verdicts, err := s.figures.EvaluateRules(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	n := map[insight.RuleStatus]int{}
	for _, v := range verdicts {
		n[v.Status]++
	}
	s.answer(w, http.StatusOK, map[string]any{
		"evaluated": len(verdicts), "fired": n[insight.RuleFired], "cooldown": n[insight.RuleCooldown], "ok": n[insight.RuleOK], "results": verdicts,
	})
}

// alertList is the answer to GET /alerts/events.
type alertList struct {
	Events []insight.AlertEvent `json:"events"`
	// Count is how many are on this page, Total on all.
	Count  int `json:"count"`
	Total  int `json:"total"`
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
	// FiringRules counts the rules that fire now, whatever the page.
	FiringRules int `json:"firing_rules"`
}

// getAlertEvents is GET /alerts/events: what the collector's rules and those of
// the API fired. Parameters: rule_id (of the API's), acknowledged, agent, after,
// before, limit and offset.
func (s *Server) getAlertEvents(w http.ResponseWriter, r *http.Request) {
	q, err := alertQuery(r, defaultSessions)
	var found insight.AlertPage
	if err == nil {
		found, err = s.figures.Alerts(r.Context(), q)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, alertList{
		Events: found.Events, Count: len(found.Events), Total: found.Total, Limit: q.Limit, Offset: q.Offset, FiringRules: found.FiringRules(),
	})
}

// alertQuery reads the parameters of getAlertEvents and of the page of alerts.
func alertQuery(r *http.Request, limit int) (q insight.AlertQuery, err error) {
	q.Agent = r.URL.Query().Get("agent")
	if q.Limit, q.Offset, err = page(r, limit, maxSessions); err != nil {
		return q, err
	}
	if text := r.URL.Query().Get("rule_id"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			id = -1 // no rule has it
		}
		q.RuleID = analysis.Some(id)
	}
	if q.Acknowledged, err = optionalBool(r, "acknowledged"); err != nil {
		return q, err
	}
	for name, to := range map[string]*time.Time{"after": &q.After, "before": &q.Before} {
		if *to, err = moment(r, name); err != nil {
			return q, err
		}
	}
	return q, nil
}

// putAcknowledge is PUT /alerts/events/{alert}/acknowledge.
func (s *Server) putAcknowledge(w http.ResponseWriter, r *http.Request) {
	err := s.figures.Acknowledge(r.Context(), r.PathValue("alert"))
	if errors.Is(err, store.ErrNotFound) {
		refuse(w, http.StatusNotFound, "Alert event not found")
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"acknowledged": true, "alert_id": r.PathValue("alert")})
}
