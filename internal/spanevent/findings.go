package spanevent

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

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
	policies := make([]string, 0, len(reports))
	for _, report := range reports {
		compliant = compliant && report.Compliant
		passed += report.Passed
		failed += report.Failed
		skipped += report.Skipped
		policies = append(policies, report.Policy)
		for _, result := range report.Results {
			if result.Verdict == compliance.Fail {
				stampFailedRule(span, report.Policy, &result, at)
			}
		}
	}
	attrs := span.Attributes()
	attrs.PutBool(semconv.ComplianceCompliant, compliant)
	attrs.PutStr(semconv.CompliancePolicy, strings.Join(policies, ","))
	attrs.PutInt(semconv.CompliancePassed, int64(passed))
	attrs.PutInt(semconv.ComplianceFailed, int64(failed))
	attrs.PutInt(semconv.ComplianceSkipped, int64(skipped))
}

func stampFailedRule(span ptrace.Span, policy string, result *compliance.Result, at time.Time) {
	event := span.Events().AppendEmpty()
	event.SetName(semconv.EventEvaluationResult)
	event.SetTimestamp(pcommon.NewTimestampFromTime(at))
	attrs := event.Attributes()
	attrs.PutStr(semconv.GenAIEvaluationName, semconv.ComplianceEvaluationPrefix+string(result.Kind))
	attrs.PutStr(semconv.GenAIEvaluationScoreLabel, string(result.Verdict))
	attrs.PutStr(semconv.GenAIEvaluationExplanation, result.Message)
	attrs.PutStr(semconv.ComplianceSeverity, string(result.Severity))
	attrs.PutStr(semconv.CompliancePolicy, policy)
}

// Finding is something an engine found, as it stands on a span.
type Finding struct {
	// Tag is what a session with this finding is tagged with, "" for none.
	Tag string
	// Text says it to a person.
	Text string
	// OnEvent says that it concerns the event of the span it stands on, not
	// the whole session.
	OnEvent bool
}

// Tag of a session that breaks a policy.
const tagComplianceFail = "compliance:fail"

// Findings returns what the engines wrote onto a span, in the order it was
// written.
func Findings(span ptrace.Span) []Finding {
	var out []Finding
	for _, event := range span.Events().All() {
		if event.Name() == semconv.EventEvaluationResult {
			if f, ok := complianceFinding(event.Attributes()); ok {
				out = append(out, f)
			}
		}
	}
	return out
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

func text(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.AsString()
	}
	return ""
}
