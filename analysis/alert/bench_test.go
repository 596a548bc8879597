package alert

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

var benchConditions = []struct {
	name      string
	condition Condition
}{
	{"threshold", ThresholdCondition("tokens_out", ">", 10000)},
	{"rate", RateCondition("event_type", "llm_call", 1, 1001)},
	{"consecutive", ConsecutiveCondition("error", 5)},
	{"aggregate avg", AggregateCondition("duration_ms", "avg", ">", 1e6)},
	{"aggregate max", AggregateCondition("duration_ms", "max", ">", 1e6)},
	{"composite of 3", CompositeCondition("any",
		ThresholdCondition("tokens_out", ">", 10000), ConsecutiveCondition("error", 5), AggregateCondition("duration_ms", "sum", ">", 1e9))},
	{"path", ThresholdCondition("output_data.score", "<", 0)},
	{"pattern", PatternCondition("output_data", `\b\d{3}-\d{2}-\d{4}\b`)},
}

func benchEvents() []analysis.Event {
	events := make([]analysis.Event, 1000)
	for i := range events {
		events[i] = analysis.Event{
			Type: analysis.EventLLMCall, Timestamp: time.Unix(1_780_000_000+int64(i), 0), Model: "gpt-4o",
			TokensIn: analysis.Some(int64(1200)), TokensOut: analysis.Some(int64(350)), DurationMS: analysis.Some(float64(i*7919%1000) + 0.5),
			Output: json.RawMessage(`{"response":"The article discusses a number of things.","score":0.5}`),
		}
	}
	return events
}

// One rule, an event after the other, nothing fires.
func BenchmarkObserve(b *testing.B) {
	for _, c := range benchConditions {
		b.Run(c.name, func(b *testing.B) {
			rs, err := NewRuleSet([]Rule{{Name: "r", Condition: c.condition}})
			require.NoError(b, err)
			st, events, i := rs.NewState(), benchEvents(), 0
			b.ReportAllocs()
			for b.Loop() {
				e := &events[i%len(events)]
				e.Timestamp = time.Unix(1_780_000_000, int64(i)*1_000_000)
				i++
				if len(rs.Observe(st, e, nil)) > 0 {
					b.Fatal("fired")
				}
			}
		})
	}
}

// A pattern over an output of 2 kB that is a text, as it is and with an escape.
func BenchmarkObserveText(b *testing.B) {
	for name, end := range map[string]string{"as it is": `.`, "escaped": `.\n`} {
		b.Run(name, func(b *testing.B) {
			rs, err := NewRuleSet([]Rule{{Name: "r", Condition: PatternCondition("output_data", `\b\d{3}-\d{2}-\d{4}\b`)}})
			require.NoError(b, err)
			st, e := rs.NewState(), analysis.Event{Output: json.RawMessage(`"` + strings.Repeat("The well-known article. ", 80) + end + `"`)}
			b.ReportAllocs()
			for b.Loop() {
				if len(rs.Observe(st, &e, nil)) > 0 {
					b.Fatal("fired")
				}
			}
		})
	}
}

// The stream allocates nothing while nothing fires.
func TestObserveDoesNotAllocate(t *testing.T) {
	for _, c := range benchConditions[:6] {
		rs := compileOne(t, c.condition, 60)
		st, events := rs.NewState(), benchEvents()
		for i := range events { // the queues grow to their size
			rs.Observe(st, &events[i], nil)
		}
		allocs := testing.AllocsPerRun(10, func() {
			for i := range 100 {
				rs.Observe(st, &events[i], nil)
			}
		})
		require.Less(t, allocs, 1.0, c.name)
	}
}
