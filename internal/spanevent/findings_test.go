package spanevent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

// What the processor stamps is what the exporter reads, in words.
func TestFindingsReadBack(t *testing.T) {
	span := ptrace.NewSpan()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	group, stream := alert.Group{By: "model", Value: "gpt-4o", StateID: "0123456789abcdef"}, alert.Group{By: "none", StateID: "0123456789abcdef"}
	StampAlerts(span, []alert.Alert{
		{RuleName: "SSN (output)", Severity: alert.SeverityCritical, Message: "output_data matches", Timestamp: at, Group: group},
		{RuleName: "Error spike", Severity: alert.SeverityWarning, Message: "2 in 300 s", Timestamp: at, Resolved: true, Group: stream},
	})
	StampCompliance(span, []*compliance.Report{{Policy: "p", Failed: 1, Passed: 2, Results: []compliance.Result{
		{Kind: compliance.MaxTokens, Severity: compliance.SeverityError, Verdict: compliance.Fail, Message: "9 tokens, at most 5 allowed"},
		{Kind: compliance.MaxEvents, Severity: compliance.SeverityError, Verdict: compliance.Pass},
	}}}, at)
	StampDriftDetected(span, &drift.Report{
		Score: 57.318, Status: drift.SignificantDrift, Summary: "total_tokens rose.", Changes: []string{"total_tokens", "tools"},
		Metrics: []drift.Metric{{Name: "total_tokens", BaselineMean: 100, CurrentMean: 200}},
		Tools:   drift.Mix{Shares: []drift.Share{{Name: "rm", IsNew: true}, {Name: "ls", IsDropped: true}}},
	}, at)
	StampBudget(span, "team", "", &forecast.BudgetReport{Period: forecast.PeriodMonthly, BudgetUSD: 500, Message: "spent"}, at)
	StampForecastComputed(span, "coder", &forecast.Result{
		Method: forecast.MethodBest, TotalPredictedCost: 0.0123456, DailyPredictions: make([]forecast.DailyPrediction, 2),
	}, at)

	assert.Equal(t, []Finding{
		{Tag: "alert:SSN _output_", Text: "Alert (critical): rule SSN (output): output_data matches", OnEvent: true, Group: group},
		{Text: "Alert resolved: rule Error spike: 2 in 300 s", OnEvent: true, Group: stream},
		{Tag: "compliance:fail", Text: "Compliance (error): policy p, rule max_tokens failed: 9 tokens, at most 5 allowed"},
		{Tag: "drift:significant_drift", Text: "Drift: significant_drift, score 57.32 of 100. total_tokens rose."},
		{Tag: "budget:team", Text: "Budget: team (monthly, 500 USD): spent"},
		{Text: "Forecast: coder is expected to cost 0.0123 USD over the next 2 days, 0.00617 USD a day (method best)"},
	}, Findings(span))
	require.Equal(t, map[string]any{
		"agentlens.alert.rule": "Error spike", "agentlens.alert.severity": "warning", "agentlens.alert.message": "2 in 300 s",
		"agentlens.alert.group_by": "none", "agentlens.alert.state_id": "0123456789abcdef",
	}, span.Events().At(1).Attributes().AsRaw())
	assert.Equal(t, "gpt-4o", span.Events().At(0).Attributes().AsRaw()["agentlens.alert.group"])
	drifted := span.Events().At(4).Attributes().AsRaw()
	assert.Equal(t, "rm", drifted["agentlens.drift.new"])
	assert.Equal(t, "ls", drifted["agentlens.drift.dropped"])
	assert.Equal(t, false, span.Attributes().AsRaw()["agentlens.compliance.compliant"])
}

// Evaluations of others, and events without what they need, are no findings.
func TestFindingsOfOthersAreNone(t *testing.T) {
	span := ptrace.NewSpan()
	span.Events().AppendEmpty().SetName("agentlens.alert.fired")
	e := span.Events().AppendEmpty()
	e.SetName("gen_ai.evaluation.result")
	e.Attributes().PutStr("gen_ai.evaluation.name", "relevance")
	e.Attributes().PutStr("gen_ai.evaluation.score.label", "fail")
	assert.Empty(t, Findings(span))
	StampForecast(span, &forecast.Result{})
	assert.Zero(t, span.Attributes().Len())
}

// A session that keeps its policies is tagged so, without a word.
func TestCompliantIsATagOnly(t *testing.T) {
	span := ptrace.NewSpan()
	StampCompliance(span, []*compliance.Report{{Policy: "p", Compliant: true, Passed: 2}}, time.Now())
	assert.Equal(t, []Finding{{Tag: "compliance:pass"}}, Findings(span))
}
