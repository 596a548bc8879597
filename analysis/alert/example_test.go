package alert_test

import (
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
)

// The three rules of the documentation.
func Example() {
	engine, err := alert.NewEngine([]alert.Rule{
		{
			Name:      "High token usage",
			Condition: alert.ThresholdCondition("tokens_out", ">", 10000),
			Severity:  alert.SeverityWarning,
		},
		{
			Name:      "Error spike",
			Condition: alert.RateCondition("event_type", "error", 300, 5),
			Severity:  alert.SeverityCritical,
		},
		{
			Name:      "Sensitive data in output",
			Condition: alert.PatternCondition("output_data", `\b\d{3}-\d{2}-\d{4}\b`),
			Severity:  alert.SeverityCritical,
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	start := time.Date(2026, 2, 14, 10, 30, 0, 0, time.UTC)
	events := []analysis.Event{
		{Type: analysis.EventLLMCall, Timestamp: start, TokensOut: analysis.Some(int64(12000))},
		{Type: analysis.EventLLMCall, Timestamp: start.Add(time.Second), Output: json.RawMessage(`{"response":"SSN 123-45-6789"}`)},
	}
	for i := range 6 {
		events = append(events, analysis.Event{Type: analysis.EventError, Timestamp: start.Add(time.Duration(i) * time.Minute)})
	}
	for _, a := range engine.Evaluate(events) {
		fmt.Println(a, a.MatchedEvents)
	}
	// Output:
	// [warning] High token usage: tokens_out > 10000: 12000 [0]
	// [critical] Error spike: more than 5 events with event_type == error within 300 s: 6 [2 3 4 5 6 7]
	// [critical] Sensitive data in output: output_data matches \b\d{3}-\d{2}-\d{4}\b [1]
}

// On a stream a rule fires when its condition begins to hold, and is resolved
// when it holds no more.
func ExampleEngine_Observe() {
	rules, err := alert.ParseYAML([]byte(`
rules:
  - name: Stuck
    severity: critical
    condition: {type: consecutive, event_type: error, count: 2}
  - name: Failing
    condition: {type: threshold, field: failed, op: ==, value: true}
`))
	if err != nil {
		log.Fatal(err)
	}
	engine, err := alert.NewEngine(rules)
	if err != nil {
		log.Fatal(err)
	}
	start := time.Date(2026, 2, 14, 10, 30, 0, 0, time.UTC)
	var all []alert.Alert
	for i, typ := range []analysis.EventType{"llm_call", "error", "error", "error", "llm_call"} {
		all = append(all, engine.Observe(&analysis.Event{
			Type: typ, SessionID: "a1b2c3d4", Timestamp: start.Add(time.Duration(i) * time.Second),
		})...)
	}
	fmt.Print(alert.Render(all))
	// Output:
	// TIME                 SEVERITY  RULE     SESSION   WHY
	// 2026-02-14 10:30:01  warning   Failing  a1b2c3d4  failed == true
	// 2026-02-14 10:30:02  critical  Stuck    a1b2c3d4  2 events in a row with event_type == error: 2
	// 2026-02-14 10:30:04  resolved  Stuck    a1b2c3d4  2 events in a row with event_type == error
	// 2026-02-14 10:30:04  resolved  Failing  a1b2c3d4  failed == true
}
