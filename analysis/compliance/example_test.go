package compliance_test

import (
	"fmt"
	"log"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
)

// The policy of the documentation.
func Example() {
	policy, err := compliance.ParseYAML([]byte(`
name: production-policy
rules:
  - {kind: max_tokens, limit: 50000}
  - {kind: forbidden_tools, tools: [execute_code, rm]}
  - {kind: allowed_models, models: [gpt-4o, claude-3.5-sonnet]}
  - {kind: max_events, limit: 200}
  - {kind: max_duration_ms, limit: 300000}
  - {kind: required_tools, tools: [safety_check]}
  - {kind: max_error_rate, limit: 0.05}
  - {kind: require_reasoning}
`))
	if err != nil {
		log.Fatal(err)
	}
	checker, err := compliance.NewChecker(policy)
	if err != nil {
		log.Fatal(err)
	}

	start := time.Date(2026, 2, 14, 10, 30, 0, 0, time.UTC)
	session := &analysis.Session{
		ID: "a1b2c3d4e5f60718", AgentName: "research-agent-v2", StartedAt: start, EndedAt: start.Add(4 * time.Second), Status: analysis.StatusCompleted,
		Events: []analysis.Event{
			{
				Type: analysis.EventLLMCall, Model: "gpt-4o", TokensIn: analysis.Some(int64(1200)), TokensOut: analysis.Some(int64(350)),
				DecisionTrace: &analysis.DecisionTrace{Reasoning: "User asked for a summary."},
			},
			{Type: analysis.EventToolCall, ToolCall: &analysis.ToolCall{Name: "execute_code"}},
		},
	}
	report := checker.CheckSession(session)
	fmt.Print(report.Render())
	fmt.Printf("Compliant: %v\nPassed: %d/%d\n", report.Compliant, report.Passed, report.TotalRules)
	// Output:
	// Compliance: NOT COMPLIANT (policy production-policy, session a1b2c3d4e5f60718, agent research-agent-v2)
	// 6 of 8 rules passed, 2 failed (2 errors, 0 warnings), 0 skipped
	//
	// VERDICT  RULE               SEVERITY  ACTUAL        EXPECTED                   WHY
	// pass     max_tokens         error     1550          50000
	// fail     forbidden_tools    error     execute_code  -                          forbidden: execute_code
	// pass     allowed_models     error     gpt-4o        claude-3.5-sonnet, gpt-4o
	// pass     max_events         error     2             200
	// pass     max_duration_ms    error     4000          300000
	// fail     required_tools     error     execute_code  safety_check               missing: safety_check
	// pass     max_error_rate     error     0             0.05
	// pass     require_reasoning  error     1             1
	// Compliant: false
	// Passed: 6/8
}

// A custom rule is a Go function under a name; its message explains a failure.
func ExampleWithCustom() {
	policy := &compliance.Policy{Name: "priced", Rules: []compliance.Rule{
		{Kind: compliance.Custom, Name: "every_call_priced", Severity: compliance.SeverityWarning},
	}}
	checker, err := compliance.NewChecker(policy, compliance.WithCustom("every_call_priced",
		func(s *analysis.Summary) (bool, string) {
			return s.Unpriced == 0, fmt.Sprintf("%d calls have no known price", s.Unpriced)
		}))
	if err != nil {
		log.Fatal(err)
	}
	report := checker.Check(&analysis.Summary{Unpriced: 2})
	fmt.Println(report.Compliant, report.FailedWarnings, report.Results[0].Message)
	// Output: true 1 2 calls have no known price
}
