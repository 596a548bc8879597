package agentlensprocessor

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// What the collector writes is, to the byte, what a client program finds that
// runs the engines itself, on whole sessions: the SDK's own record of them, or
// what a finished trace file assembles to. Costs, compliance, drift, forecasts,
// budgets and alerts with their resolutions are all compared, and nothing else
// may stand there.
func TestFindingsEqualClientSide(t *testing.T) {
	sdk, tracked := recordSessions(t, 160)
	files := captureFiles(t)
	slices.SortFunc(files, func(a, b []oneSpan) int {
		return spanOf(a[0]).EndTimestamp().AsTime().Compare(spanOf(b[0]).EndTimestamp().AsTime())
	})
	for name, c := range map[string]struct {
		// After each batch all sessions without a root have gone idle.
		batches [][]oneSpan
		tracked map[string]*analysis.Session
		engines func(*Config)
		// absent are findings that there are none of.
		absent []string
	}{
		"sdk":      {[][]oneSpan{sdk}, tracked, wideWindows, nil},
		"captures": {files, nil, allEngines, []string{semconv.EventBudgetExceeded, semconv.EventDriftDetected, semconv.ForecastDailyCost, semconv.EventForecastComputed}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(cfg *Config) {
				c.engines(cfg)
				cfg.Alerts.Rules = rulesOfEveryType()
			})
			for _, batch := range c.batches {
				h.feed(t, join(batch))
				h.clock.pass(h.cfg.IdleTimeout)
				h.sweep(t.Context())
			}
			want := newClient(t, h.cfg, c.tracked).findings(c.batches)
			all := strings.Join(want, "\n")
			for _, finding := range append(slices.Clone(everyFinding), semconv.EventDriftDetected) {
				assert.Equal(t, !slices.Contains(c.absent, finding), strings.Contains(all, finding), finding)
			}
			for _, rule := range h.cfg.Alerts.Rules {
				for _, event := range []string{semconv.EventAlertFired, semconv.EventAlertResolved} {
					assert.Regexp(t, event+`@\d+{[^@]*"agentlens.alert.rule":"`+rule.Name+`"`, all)
				}
			}
			assert.Empty(t, difference(want, findingsOf(h.sink)))
		})
	}
}

// rulesOfEveryType fire and are resolved, all of them, on SDK sessions and
// captures alike.
func rulesOfEveryType() []AlertRuleConfig {
	large := map[string]any{"type": "threshold", "field": "tokens_out", "op": ">", "value": 30}
	failed := map[string]any{"type": "consecutive", "field": "failed", "value": true, "count": 1}
	return []AlertRuleConfig{
		{Name: "High token usage", Condition: large},
		{Name: "Error spike", GroupBy: GroupByAgent, Condition: map[string]any{
			"type": "rate", "field": "failed", "value": true, "window_seconds": 1, "threshold": 0,
		}},
		{Name: "Sensitive data in output", GroupBy: GroupBySession, CooldownSeconds: 30, Condition: map[string]any{
			"type": "pattern", "field": "output_data", "pattern": `(?i)\b\d{3}-\d{2}-\d{4}\b|search`,
		}},
		{Name: "Failing", GroupBy: GroupByAgent, Condition: failed},
		{Name: "Slow", GroupBy: GroupByModel, Condition: map[string]any{
			"type": "aggregate", "metric": "tokens_out", "agg_func": "avg", "op": ">", "value": 20, "window": 2,
		}},
		{Name: "Large or failing", GroupBy: GroupBySession, Condition: map[string]any{
			"type": "composite", "mode": "any", "window": 1, "conditions": []any{large, failed},
		}},
	}
}

// client is a program that runs the engines without a collector.
type client struct {
	t       *testing.T
	cfg     *Config
	prices  *pricing.Table
	checker *compliance.Checker
	now     time.Time

	// tracked are the SDK's sessions by id, and events their events by id; both
	// nil where the sessions are another library's.
	tracked map[string]*analysis.Session
	events  map[string]*analysis.Event
	// whole are all sessions as they are in the end.
	whole map[string]*analysis.Summary

	alerts map[string]*alert.Engine
	// usage is by agent, that of all under "".
	usage    map[string]*forecast.Forecaster
	latest   time.Time
	due      map[string]time.Time
	last     map[string]*forecast.Result
	lastDay  map[string]forecast.Date
	exceeded bool
	told     map[string]int
	compared map[string]*drift.Report
}

func newClient(t *testing.T, cfg *Config, tracked map[string]*analysis.Session) *client {
	checker, err := compliance.NewChecker(cfg.Compliance.Policies[0].policy())
	require.NoError(t, err)
	c := &client{
		t: t, cfg: cfg, prices: pricing.Default(), checker: checker, now: time.Now(), tracked: tracked,
		events: map[string]*analysis.Event{}, whole: map[string]*analysis.Summary{}, alerts: map[string]*alert.Engine{},
		usage: map[string]*forecast.Forecaster{}, due: map[string]time.Time{}, last: map[string]*forecast.Result{},
		lastDay: map[string]forecast.Date{}, told: map[string]int{}, compared: map[string]*drift.Report{},
	}
	for id, s := range tracked {
		for i := range s.Events {
			c.price(&s.Events[i])
			c.events[s.Events[i].ID] = &s.Events[i]
		}
		c.whole[id] = s.Summary()
	}
	return c
}

// price prices a call, and reports whether it has one.
func (c *client) price(e *analysis.Event) bool {
	if e.Type != analysis.EventLLMCall {
		return false
	}
	for _, model := range []string{e.ResponseModel, e.Model} {
		cost, ok := c.prices.Cost(pricing.Query{
			Provider: e.Provider, Model: model, ServiceTier: e.ServiceTier, At: e.Timestamp, Usage: pricing.Usage{
				InputTokens: e.TokensIn, OutputTokens: e.TokensOut, CacheReadTokens: e.CacheReadTokens, CacheWriteTokens: e.CacheWriteTokens,
			},
		})
		if model != "" && ok {
			e.CostUSD = analysis.Some(cost.TotalUSD)
			return true
		}
	}
	return false
}

// findings returns what there is to find on the spans of the batches.
func (c *client) findings(batches [][]oneSpan) []string {
	if c.tracked == nil {
		c.assemble(batches)
	}
	sink := &consumertest.TracesSink{}
	send := func(spans ...oneSpan) { require.NoError(c.t, sink.ConsumeTraces(c.t.Context(), join(spans))) }
	table := c.table()
	for _, batch := range batches {
		batch = copies(batch)
		for i, r := range c.read(table, batch) {
			span := spanOf(batch[i])
			c.observe(table, &r, func(s *sessions.Session, what sessions.Event) {
				spanevent.Stamp(span, &r)
				require.NotContains(c.t, []sessions.Event{sessions.Late, sessions.Duplicate}, what)
				if what == sessions.Ended {
					rep := c.verdict(s)
					require.True(c.t, rep.fitsOn(&r))
					rep.stamp(span, &r)
				}
			})
			if r.Role == spanevent.RoleEvent {
				c.watch(span, &r)
			}
			send(batch[i])
		}
		c.sweep(table, func(s *sessions.Session) {
			td := ptrace.NewTraces()
			rep := c.verdict(s)
			rep.writeTo(td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
			send(oneSpan{td})
		})
	}
	return findingsOf(sink)
}

// assemble makes whole sessions out of the spans of other libraries.
func (c *client) assemble(batches [][]oneSpan) {
	table := c.table()
	for _, batch := range batches {
		for _, r := range c.read(table, batch) {
			c.observe(table, &r, func(*sessions.Session, sessions.Event) {})
		}
	}
	c.sweep(table, func(*sessions.Session) {})
	table.Each(func(s *sessions.Session) {
		whole := *s.Summary
		c.whole[s.Key] = &whole
	})
}

func (c *client) table() *sessions.Table {
	return sessions.NewTable(sessions.Limits{
		MaxSessions: c.cfg.MaxSessions, IdleTimeout: c.cfg.IdleTimeout, Retention: 1000 * time.Hour, MaxSpanIDs: c.cfg.MaxSpanIDs,
	})
}

func (c *client) read(table *sessions.Table, batch []oneSpan) []spanevent.Reading {
	readings := make([]spanevent.Reading, len(batch))
	for i, s := range batch {
		readings[i] = spanevent.ForScope(s.td.ResourceSpans().At(0).ScopeSpans().At(0).Scope()).Read(spanOf(s))
		if readings[i].Role != spanevent.RoleNone {
			table.Bind(&readings[i])
		}
	}
	return readings
}

func (c *client) observe(table *sessions.Table, r *spanevent.Reading, f func(*sessions.Session, sessions.Event)) {
	if r.Role == spanevent.RoleNone {
		return
	}
	if r.Role == spanevent.RoleEvent {
		c.price(&r.Event)
	}
	table.Observe(r, sessions.Service{}, c.now, f, func(*sessions.Session, sessions.Event) {})
}

// sweep lets all sessions go idle, those that ended first before the others.
func (c *client) sweep(table *sessions.Table, f func(*sessions.Session)) {
	c.now = c.now.Add(c.cfg.IdleTimeout)
	var idle []*sessions.Session
	table.Sweep(c.now, func(s *sessions.Session, _ sessions.Event) {
		held, sum := *s, analysis.Summary{SessionID: s.Summary.SessionID}
		sum.Merge(s.Summary)
		held.Summary = &sum
		idle = append(idle, &held)
	})
	slices.SortFunc(idle, func(a, b *sessions.Session) int { return a.Summary.EndedAt.Compare(b.Summary.EndedAt) })
	for _, s := range idle {
		f(s)
	}
}

// watch writes onto the span of an event what is found in it.
func (c *client) watch(span ptrace.Span, r *spanevent.Reading) {
	e, agent := &r.Event, r.Agent()
	if c.tracked != nil {
		e = c.events[r.SpanID.String()]
		require.NotNil(c.t, e)
		agent = c.tracked[e.SessionID].AgentName
	}
	if e.CostUSD.OK {
		spanevent.StampCost(span, e.CostUSD.V, semconv.CostSourceLocal, c.prices.Version())
	}
	rules, err := c.cfg.Alerts.rules()
	require.NoError(c.t, err)
	groups := map[GroupBy]string{GroupByAgent: agent, GroupBySession: e.SessionID, GroupByModel: e.Model}
	for _, by := range groupings {
		for i := range rules {
			if c.cfg.Alerts.Rules[i].groupBy() != by {
				continue
			}
			key := rules[i].Name + "/" + groups[by]
			if c.alerts[key] == nil {
				c.alerts[key], err = alert.NewEngine(rules[i : i+1])
				require.NoError(c.t, err)
			}
			alerts := c.alerts[key].Observe(e)
			for j := range alerts {
				alerts[j].Group = alert.Group{By: string(by), Value: groups[by]}
			}
			spanevent.StampAlerts(span, alerts)
		}
	}
	if e.CostUSD.OK {
		c.spend(span, e, agent)
	}
}

// spend adds a call's cost, and looks at the budget once an interval.
func (c *client) spend(span ptrace.Span, e *analysis.Event, agent string) {
	if e.Timestamp.After(c.latest) {
		c.latest = e.Timestamp.UTC()
	}
	for _, of := range []string{"", agent + "/"} {
		if c.usage[of] == nil {
			var err error
			c.usage[of], err = forecast.New(forecast.WithHistory(c.cfg.Forecast.HistoryDays), forecast.WithNow(func() time.Time { return c.latest }))
			require.NoError(c.t, err)
		}
		require.NoError(c.t, c.usage[of].Add(forecast.UsageRecord{
			Timestamp: e.Timestamp, TokensIn: e.TokensIn.Or(0), TokensOut: e.TokensOut.Or(0), CostUSD: e.CostUSD.V, Model: e.Model,
			SessionID: e.SessionID, AgentName: agent,
		}))
	}
	if c.latest.Before(c.due[""]) {
		return
	}
	c.due[""] = c.latest.Add(c.cfg.Forecast.Interval)
	b := c.cfg.Forecast.Budgets[0]
	report, err := c.usage[""].CheckBudget(forecast.Budget{LimitUSD: b.LimitUSD, Period: b.Period, Method: c.cfg.Forecast.Method})
	require.NoError(c.t, err)
	exceeded := report.Severity == forecast.SeverityCritical && (report.Insufficient == nil || report.SpentUSD > report.BudgetUSD)
	if exceeded && !c.exceeded {
		spanevent.StampBudget(span, b.Name, b.Agent, report, e.Timestamp)
	}
	c.exceeded = exceeded
}

// verdict judges a whole session.
func (c *client) verdict(s *sessions.Session) report {
	whole := c.whole[s.Key]
	require.NotNil(c.t, whole, s.Key)
	rep := report{summary: whole, traceID: s.TraceID, rootID: s.RootID, revision: 1}
	rep.verdict.compliance = []*compliance.Report{c.checker.Check(whole)}
	rep.verdict.forecast = c.forecast(whole.AgentName)
	if whole.Events > 0 {
		rep.verdict.drift = c.drift(whole)
	}
	return rep
}

func (c *client) forecast(agent string) *forecastFinding {
	of := agent + "/"
	if c.usage[of] == nil {
		return nil
	}
	if c.last[of] == nil || !c.latest.Before(c.due[of]) {
		result, err := c.usage[of].Daily(c.cfg.Forecast.HorizonDays, c.cfg.Forecast.Method)
		var few *forecast.InsufficientDataError
		if errors.As(err, &few) {
			return nil
		}
		require.NoError(c.t, err)
		c.last[of], c.due[of] = result, c.latest.Add(c.cfg.Forecast.Interval)
	}
	today := forecast.DateOf(c.latest)
	f := &forecastFinding{Result: c.last[of], News: today != c.lastDay[of]}
	c.lastDay[of] = today
	return f
}

// compare compares the newest of an agent's sessions with those right before
// them. The answer is kept: many sessions ask for it.
func (c *client) compare(ended []*analysis.Summary) *drift.Report {
	last := ended[len(ended)-1].SessionID
	if c.compared[last] == nil {
		current := len(ended) - c.cfg.Drift.CurrentSessions
		var err error
		c.compared[last], err = drift.Compare(ended[max(0, current-c.cfg.Drift.BaselineSessions):current], ended[current:])
		require.NoError(c.t, err)
	}
	return c.compared[last]
}

// drift compares the agent's sessions that had ended before a session by the
// allowed lateness: the newest with those right before them, after each.
func (c *client) drift(of *analysis.Summary) *driftFinding {
	var ended []*analysis.Summary
	for _, s := range c.whole {
		if s.AgentName == of.AgentName && s.Events > 0 && !s.EndedAt.After(of.EndedAt.Add(-c.cfg.Drift.AllowedLateness)) {
			ended = append(ended, s)
		}
	}
	slices.SortFunc(ended, func(a, b *analysis.Summary) int {
		return cmp.Or(a.EndedAt.Compare(b.EndedAt), cmp.Compare(a.SessionID, b.SessionID))
	})
	var f *driftFinding
	told := drift.Stable
	last := 0
	for n := c.cfg.Drift.CurrentSessions + 1; n <= len(ended); n++ {
		// After the first comparison the next comes when a tenth of the current
		// sessions are new, and a second has passed.
		if last > 0 && (n-last < max(1, c.cfg.Drift.CurrentSessions/10) || ended[n-1].EndedAt.Before(ended[last-1].EndedAt.Add(time.Second))) {
			continue
		}
		last = n
		report := c.compare(ended[:n])
		next := &driftFinding{Score: report.Score, Status: report.Status}
		status := report.Status
		if status == drift.NotEnoughEvidence {
			status = drift.Stable
		}
		// A status is news when two comparisons say it, and told once.
		if f != nil && f.Status == report.Status && status != told {
			told = status
			if n > c.told[of.AgentName] {
				next.Changed = []*drift.Report{report}
				c.told[of.AgentName] = n
			}
		}
		f = next
	}
	return f
}
