package agentlenstest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Session is a session as the collector sees it, at the time it was asked for.
type Session struct {
	// Session has the events in the order in which they ended, without copies
	// of a call that several libraries recorded. Model calls are priced as the
	// collector prices them, from the table that comes with it.
	analysis.Session
	// Summary is what a policy is checked against.
	Summary *analysis.Summary

	t testing.TB
}

// RequireTool returns the first call of the tool, and fails the test when there
// is none.
func (s *Session) RequireTool(name string) analysis.Event {
	s.t.Helper()
	e, ok := s.tool(name)
	if !ok {
		require.FailNow(s.t, fmt.Sprintf("no call of tool %q in the session of %s", name, s.AgentName), "tools: %v", s.Summary.Tools.Names())
	}
	return e
}

// RequireModel returns the first event that names the model, and fails the test
// when there is none.
func (s *Session) RequireModel(name string) analysis.Event {
	s.t.Helper()
	i := slices.IndexFunc(s.Events, func(e analysis.Event) bool { return e.Model == name })
	if i < 0 {
		require.FailNow(s.t, fmt.Sprintf("no call of model %q in the session of %s", name, s.AgentName), "models: %v", s.Summary.Models.Names())
	}
	return s.Events[i]
}

// RequireStatus fails the test unless the session has the status; one that has
// not ended has StatusActive.
func (s *Session) RequireStatus(status analysis.Status) {
	s.t.Helper()
	require.Equal(s.t, status, s.Status, "status of the session of %s", s.AgentName)
}

// RequireCompliant checks the session and returns the report. The test fails
// when the session breaks a rule of severity error, or the policy is not valid.
func (s *Session) RequireCompliant(policy *compliance.Policy, opts ...compliance.Option) *compliance.Report {
	s.t.Helper()
	report := s.check(policy, opts)
	if !report.Compliant {
		require.FailNow(s.t, fmt.Sprintf("the session of %s breaks policy %q", s.AgentName, policy.Name), "%s", report.Render())
	}
	return report
}

// RequireViolation checks the session and returns the broken rule of the kind.
// The test fails when that rule is not broken: so a policy can be shown to hold
// what it is for.
func (s *Session) RequireViolation(policy *compliance.Policy, kind compliance.Kind, opts ...compliance.Option) compliance.Result {
	s.t.Helper()
	report := s.check(policy, opts)
	i := slices.IndexFunc(report.Results, func(r compliance.Result) bool { return r.Kind == kind && r.Verdict == compliance.Fail })
	if i < 0 {
		require.FailNow(s.t, fmt.Sprintf("the session of %s does not break %s of policy %q", s.AgentName, kind, policy.Name), "%s", report.Render())
	}
	return report.Results[i]
}

// RequireNoAlerts runs the rules over the session's events, and fails the test
// when one fires, or the rules are not valid.
func (s *Session) RequireNoAlerts(rules []alert.Rule) {
	s.t.Helper()
	if alerts := s.alerts(rules); len(alerts) > 0 {
		require.FailNow(s.t, fmt.Sprintf("%d alerts in the session of %s", len(alerts), s.AgentName), "%s", alert.Render(alerts))
	}
}

// RequireAlert runs the rules and returns the alert of the rule with the name.
// The test fails when that rule does not fire.
func (s *Session) RequireAlert(rules []alert.Rule, name string) alert.Alert {
	s.t.Helper()
	alerts := s.alerts(rules)
	i := slices.IndexFunc(alerts, func(a alert.Alert) bool { return a.RuleName == name })
	if i < 0 {
		require.FailNow(s.t, fmt.Sprintf("rule %q does not fire in the session of %s", name, s.AgentName), "%s", alert.Render(alerts))
	}
	return alerts[i]
}

func (s *Session) check(policy *compliance.Policy, opts []compliance.Option) *compliance.Report {
	s.t.Helper()
	checker, err := compliance.NewChecker(policy, opts...)
	require.NoError(s.t, err, "load the policy")
	return checker.Check(s.Summary)
}

func (s *Session) alerts(rules []alert.Rule) []alert.Alert {
	s.t.Helper()
	engine, err := alert.NewEngine(rules)
	require.NoError(s.t, err, "load the rules")
	return engine.Evaluate(s.Events)
}

func (s *Session) tool(name string) (analysis.Event, bool) {
	i := slices.IndexFunc(s.Events, func(e analysis.Event) bool { return e.ToolCall != nil && e.ToolCall.Name == name })
	if i < 0 {
		return analysis.Event{}, false
	}
	return s.Events[i], true
}

// assemble makes sessions of the spans, as the collector's processor does with
// a batch.
func assemble(t testing.TB, traces ptrace.Traces) []*Session {
	table := sessions.NewTable(sessions.Limits{
		MaxSessions: 1 << 20, IdleTimeout: time.Hour, Retention: time.Hour,
		MaxSpanIDs: max(1, traces.SpanCount()) * 64, MaxCalls: math.MaxInt32,
	})
	var readings []spanevent.Reading
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			scope := spanevent.ForScope(ss.Scope())
			for _, span := range ss.Spans().All() {
				if r := scope.Read(span); r.Role != spanevent.RoleNone {
					table.Bind(&r)
					readings = append(readings, r)
				}
			}
		}
	}
	now := time.Now()
	ignore := func(*sessions.Session, sessions.Event) {}
	found := map[string]*Session{}
	of := func(key string) *Session {
		if found[key] == nil {
			found[key] = &Session{t: t}
		}
		return found[key]
	}
	told := make([]sessions.Told, len(readings))
	for i := range readings {
		r := &readings[i]
		if r.Role == spanevent.RoleEvent {
			price(&r.Event)
		}
		told[i] = sessions.Told{Reading: r, Copies: table.Observe(r, sessions.Service{}, now, ignore, ignore)}
	}
	sessions.PreferOwn(told)
	for i := range readings {
		r := &readings[i]
		s := of(r.Key())
		if r.Role == spanevent.RoleEvent {
			s.Events = append(s.Events, r.Event)
		}
		if r.Session.Metadata != nil {
			s.Metadata = r.Session.Metadata
		}
	}
	var all []*Session
	table.Each(func(made *sessions.Session) {
		made.Assemble()
		s := of(made.Key)
		sum := analysis.NewSummary(made.Key, made.Summary.AgentName)
		sum.Merge(made.Summary)
		if sum.Status == "" {
			sum.Status = analysis.StatusActive
		}
		s.Summary = sum
		s.ID, s.AgentName, s.Status = made.Key, sum.AgentName, sum.Status
		s.StartedAt, s.EndedAt = sum.StartedAt, sum.EndedAt
		s.TotalTokensIn, s.TotalTokensOut = sum.TokensIn, sum.TokensOut
		all = append(all, s)
	})
	slices.SortFunc(all, func(a, b *Session) int { return a.StartedAt.Compare(b.StartedAt) })
	return all
}

// price sets the cost of a model's call that brought none.
func price(e *analysis.Event) {
	if e.CostUSD.OK || e.Type != analysis.EventLLMCall {
		return
	}
	q := pricing.Query{
		Provider: e.Provider, ServiceTier: e.ServiceTier, At: e.Timestamp,
		Usage: pricing.Usage{
			InputTokens: e.TokensIn, OutputTokens: e.TokensOut,
			CacheReadTokens: e.CacheReadTokens, CacheWriteTokens: e.CacheWriteTokens,
		},
	}
	for _, q.Model = range [...]string{e.ResponseModel, e.Model} {
		if cost, ok := pricing.Default().Cost(q); ok {
			e.CostUSD = analysis.Some(cost.TotalUSD)
			return
		}
	}
}
