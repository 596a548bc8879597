package spanevent

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/semconv"
)

// StampCompliance writes the reports of all policies onto the span that ends a
// session: the sums as attributes, one event a failed rule.
func StampCompliance(span ptrace.Span, reports []*compliance.Report, at time.Time) {
	if len(reports) == 0 {
		return
	}
	compliant, passed, failed, skipped := true, 0, 0, 0
	policies := ""
	for i, report := range reports {
		if i > 0 {
			policies += ","
		}
		policies += report.Policy
		compliant = compliant && report.Compliant
		passed += report.Passed
		failed += report.Failed
		skipped += report.Skipped
		for j := range report.Results {
			if result := &report.Results[j]; result.Verdict == compliance.Fail {
				stampFailedRule(span, report.Policy, result, at)
			}
		}
	}
	attrs := span.Attributes()
	attrs.PutBool(semconv.ComplianceCompliant, compliant)
	attrs.PutStr(semconv.CompliancePolicy, policies)
	attrs.PutInt(semconv.CompliancePassed, int64(passed))
	attrs.PutInt(semconv.ComplianceFailed, int64(failed))
	attrs.PutInt(semconv.ComplianceSkipped, int64(skipped))
}

func stampFailedRule(span ptrace.Span, policy string, result *compliance.Result, at time.Time) {
	attrs := addEvent(span, semconv.EventEvaluationResult, at)
	makeRoom(attrs, failedRuleKeys)
	attrs.PutStr(semconv.GenAIEvaluationName, evaluationNames[result.Kind])
	attrs.PutStr(semconv.GenAIEvaluationScoreLabel, string(result.Verdict))
	attrs.PutStr(semconv.GenAIEvaluationExplanation, result.Message)
	attrs.PutStr(semconv.ComplianceSeverity, string(result.Severity))
	attrs.PutStr(semconv.CompliancePolicy, policy)
}

// evaluationNames are those of the events for failed rules.
var evaluationNames = func() map[compliance.Kind]string {
	names := map[compliance.Kind]string{}
	for _, kind := range compliance.Kinds() {
		names[kind] = semconv.ComplianceEvaluationPrefix + string(kind)
	}
	return names
}()

// Finding is something an engine found, as it stands on a span.
type Finding struct {
	// Tag is what a session with this finding is tagged with, "" for none.
	Tag string
	// Text says it to a person; "" where nothing is to be said of what is in
	// order.
	Text string
	// OnEvent says that it concerns the event of the span it stands on, not
	// the whole session.
	OnEvent bool
	// Group is that of an alert; empty where the span does not say it.
	Group alert.Group
}

// Tags of sessions, or the beginnings of them.
const (
	tagComplianceFail = "compliance:fail"
	tagCompliancePass = "compliance:pass"
	tagAlert          = "alert:"
	tagDrift          = "drift:"
	tagBudget         = "budget:"
)

// Findings returns what the engines wrote onto a span, in the order it was
// written.
func Findings(span ptrace.Span) []Finding {
	var out []Finding
	for _, event := range span.Events().All() {
		if read := findingReaders[event.Name()]; read != nil {
			if f, ok := read(event.Attributes()); ok {
				out = append(out, f)
			}
		}
	}
	if v, ok := span.Attributes().Get(semconv.ComplianceCompliant); ok && v.Type() == pcommon.ValueTypeBool && v.Bool() {
		out = append(out, Finding{Tag: tagCompliancePass})
	}
	return mergeDrift(out)
}

// findingReaders puts the span events of each engine into words.
var findingReaders = map[string]func(pcommon.Map) (Finding, bool){
	semconv.EventEvaluationResult: complianceFinding,
	semconv.EventAlertFired:       alertFinding,
	semconv.EventAlertResolved:    resolvedFinding,
	semconv.EventDriftDetected:    driftFinding,
	semconv.EventBudgetExceeded:   budgetFinding,
	semconv.EventForecastComputed: forecastFinding,
}

func complianceFinding(attrs pcommon.Map) (Finding, bool) {
	kind, ok := strings.CutPrefix(text(attrs, semconv.GenAIEvaluationName), semconv.ComplianceEvaluationPrefix)
	if !ok || text(attrs, semconv.GenAIEvaluationScoreLabel) != string(compliance.Fail) {
		return Finding{}, false
	}
	return Finding{
		Tag: tagComplianceFail,
		Text: fmt.Sprintf("Compliance (%s): policy %s, rule %s failed: %s",
			text(attrs, semconv.ComplianceSeverity), text(attrs, semconv.CompliancePolicy), kind,
			text(attrs, semconv.GenAIEvaluationExplanation)),
	}, true
}

func alertFinding(attrs pcommon.Map) (Finding, bool) {
	rule := text(attrs, semconv.AlertRule)
	return Finding{
		Tag:     tag(tagAlert, rule),
		Text:    fmt.Sprintf("Alert (%s): rule %s: %s", text(attrs, semconv.AlertSeverity), rule, text(attrs, semconv.AlertMessage)),
		OnEvent: true,
		Group:   alertGroup(attrs),
	}, rule != ""
}

func resolvedFinding(attrs pcommon.Map) (Finding, bool) {
	rule := text(attrs, semconv.AlertRule)
	return Finding{
		Text:    fmt.Sprintf("Alert resolved: rule %s: %s", rule, text(attrs, semconv.AlertMessage)),
		OnEvent: true,
		Group:   alertGroup(attrs),
	}, rule != ""
}

func alertGroup(attrs pcommon.Map) alert.Group {
	return alert.Group{
		By: text(attrs, semconv.AlertGroupBy), Value: text(attrs, semconv.AlertGroup), StateID: text(attrs, semconv.AlertStateID),
	}
}

func driftFinding(attrs pcommon.Map) (Finding, bool) {
	status := text(attrs, semconv.DriftStatus)
	return Finding{
		Tag:  tag(tagDrift, status),
		Text: fmt.Sprintf("Drift: %s, score %s of 100. %s", status, figure(attrs, semconv.DriftScore), text(attrs, semconv.DriftSummary)),
	}, status != ""
}

// mergeDrift keeps one of the findings of a status change, which has an event
// for each metric: its text, the summary, is the same.
func mergeDrift(all []Finding) []Finding {
	seen := map[Finding]bool{}
	return slices.DeleteFunc(all, func(f Finding) bool {
		if !strings.HasPrefix(f.Tag, tagDrift) {
			return false
		}
		again := seen[f]
		seen[f] = true
		return again
	})
}

func budgetFinding(attrs pcommon.Map) (Finding, bool) {
	name := text(attrs, semconv.BudgetName)
	return Finding{
		Tag: tag(tagBudget, name),
		Text: fmt.Sprintf("Budget: %s (%s, %s USD): %s",
			name, text(attrs, semconv.BudgetPeriod), figure(attrs, semconv.BudgetLimit), text(attrs, semconv.BudgetMessage)),
	}, name != ""
}

func forecastFinding(attrs pcommon.Map) (Finding, bool) {
	agent := text(attrs, semconv.AgentLensAgentName)
	return Finding{
		Text: fmt.Sprintf("Forecast: %s is expected to cost %s USD over the next %s days, %s USD a day (method %s)",
			agent, figure(attrs, semconv.ForecastTotalCost), text(attrs, semconv.ForecastHorizonDays),
			figure(attrs, semconv.ForecastDailyCost), text(attrs, semconv.ForecastMethod)),
	}, agent != ""
}

// round keeps two decimals, and three digits of what is less than 1.
func round(x float64) float64 {
	scale := 100.0
	for a := math.Abs(x); a != 0 && a < 1 && scale < 1e12; a *= 10 {
		scale *= 10
	}
	return math.Round(x*scale) / scale
}

// figure returns a number as a person writes it.
func figure(attrs pcommon.Map, key string) string {
	v, ok := attrs.Get(key)
	if !ok {
		return "–"
	}
	return strconv.FormatFloat(round(v.Double()), 'f', -1, 64)
}

// tag returns a tag of characters that the backend takes.
func tag(prefix, name string) string {
	return prefix + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-.:/ ", r):
			return r
		}
		return '_'
	}, name)
}

func text(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.AsString()
	}
	return ""
}
