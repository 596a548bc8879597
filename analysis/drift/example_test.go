package drift_test

import (
	"fmt"
	"log"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// sessions returns n sessions of some calls each, every call of about the given
// number of tokens.
func sessions(n int, model string, tokens int64) []*analysis.Session {
	out := make([]*analysis.Session, n)
	for i := range out {
		s := &analysis.Session{ID: fmt.Sprint(i), AgentName: "researcher", Status: analysis.StatusCompleted}
		for call := range 5 + i%4 {
			s.Events = append(s.Events, analysis.Event{
				Type: analysis.EventLLMCall, Model: model,
				TokensIn:   analysis.Some(tokens + int64(i*37%200)),
				DurationMS: analysis.Some(float64(900 + i*31%300 + call)),
			})
		}
		out[i] = s
	}
	return out
}

func ExampleDetector() {
	detector, err := drift.NewDetector(drift.DefaultConfig())
	if err != nil {
		log.Fatal(err)
	}
	// Add sessions from two time periods
	for _, s := range sessions(40, "gpt-4o", 1000) {
		if err := detector.AddBaseline(s.Summary()); err != nil {
			log.Fatal(err)
		}
	}
	for _, s := range sessions(40, "gpt-4o", 1500) {
		if err := detector.AddCurrent(s.Summary()); err != nil {
			log.Fatal(err)
		}
	}

	// Detect drift
	report, err := detector.Detect()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report.Format())
	fmt.Printf("\nDrift score: %.0f/100\n", report.Score)
	fmt.Printf("Status: %s\n", report.Status)
	// Output:
	// Drift: degraded, score 100/100
	// Sessions: 40 baseline, 40 current
	//
	// tokens_per_event rose 46 %, total_tokens rose 46 %.
	//
	// Changed
	//   tokens_per_event rose 46 %: 1095 -> 1595 typically, g = 7.97 (6.66 to 9.28), p < 0.0001
	//   total_tokens rose 46 %: 7010 -> 10214 typically, g = 2.08 (1.54 to 2.62), p < 0.0001
	//
	// metric             baseline  current  change  g                     p        d
	// avg_latency_ms     1050      1050     +0 %    0.00 (-0.44 to 0.44)  1.0000   0.00
	// error_rate         0.0 %     0.0 %    +0 %    -                     -        0.00
	// event_count        6.5       6.5      +0 %    0.00 (-0.44 to 0.44)  1.0000   0.00
	// p95_latency_ms     1052      1052     +0 %    0.00 (-0.44 to 0.44)  1.0000   0.00
	// tokens_per_event   1096      1596     +46 %   7.97 (6.66 to 9.28)   <0.0001  8.46
	// tool_call_rate     0.0 %     0.0 %    +0 %    -                     -        0.00
	// tool_failure_rate  0.0 %     0.0 %    +0 %    -                     -        0.00
	// total_tokens       7121      10371    +46 %   2.08 (1.54 to 2.62)   <0.0001  2.10
	//
	// g: change in standard deviations with its 95 % interval; p: adjusted for all tests; d: plain Cohen's d.
	//
	// Drift score: 100/100
	// Status: degraded
}

// Or compare two session lists directly.
func ExampleCompare() {
	report, err := drift.Compare(sessions(6, "gpt-4o", 1000), sessions(6, "gpt-4o", 1010))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Status)
	fmt.Println(report.Summary)
	// Output:
	// not_enough_evidence
	// Nothing can be said yet: so few sessions would show only a change of 2.1 standard deviations or more. About 13 more sessions on each side would do.
}
