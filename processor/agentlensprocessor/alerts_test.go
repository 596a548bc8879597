package agentlensprocessor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// A rule of every type fires once a crossing and is resolved, each group by
// itself: of calls that take turns between two agents, two sessions or two
// models, a rule that groups by just that sees two streams, and any other one.
func TestAlertsFireOnceACrossingInEveryGroup(t *testing.T) {
	large := map[string]any{"type": "threshold", "field": "tokens_out", "op": ">", "value": 500}
	types := map[string]map[string]any{
		"threshold":   large,
		"pattern":     {"type": "pattern", "field": "output_data", "pattern": "secret"},
		"rate":        {"type": "rate", "field": "tokens_out", "op": ">", "value": 500, "window_seconds": 0.5, "threshold": 0},
		"consecutive": {"type": "consecutive", "field": "tokens_out", "op": ">", "value": 500, "count": 1},
		"aggregate":   {"type": "aggregate", "metric": "tokens_out", "agg_func": "max", "op": ">", "value": 500, "window": 1},
		"composite":   {"type": "composite", "mode": "all", "window": 1, "conditions": []any{large}},
	}
	calls := []struct {
		lane  string
		large bool
	}{{"a", true}, {"b", true}, {"a", true}, {"b", false}, {"a", false}, {"b", true}, {"b", false}}
	apart := []string{"0 fired", "1 fired", "3 resolved", "4 resolved", "5 fired", "6 resolved"}
	together := []string{"0 fired", "3 resolved", "5 fired", "6 resolved"}

	for kind, condition := range types {
		for _, by := range groupings {
			for lanes, key := range map[GroupBy]string{
				GroupByAgent: semconv.GenAIAgentName, GroupBySession: semconv.GenAIConversationID, GroupByModel: semconv.GenAIRequestModel,
			} {
				t.Run(fmt.Sprintf("%s by %s of two %ss", kind, by, lanes), func(t *testing.T) {
					h := newHarness(t, func(cfg *Config) {
						cfg.Alerts.Rules = []AlertRuleConfig{{Name: "r", GroupBy: by, Condition: condition}}
					})
					var got []string
					for i, call := range calls {
						td, span := chat("conversation", 1, byte(i+1))
						attrs := span.Attributes()
						attrs.PutStr(semconv.GenAIAgentName, "agent")
						attrs.PutStr(key, call.lane)
						attrs.PutStr(semconv.GenAIOutputMessages, `["fine"]`)
						if call.large {
							attrs.PutInt(semconv.GenAIUsageOutputTokens, 1000)
							attrs.PutStr(semconv.GenAIOutputMessages, `["a secret"]`)
						}
						h.feed(t, td)
						got = append(got, alertsOn(t, span, i)...)
					}
					want := together
					if by == lanes {
						want = apart
					}
					assert.Equal(t, want, got)
				})
			}
		}
	}
}

// alertsOn returns what happened on the i-th span, such as "3 fired".
func alertsOn(t *testing.T, span ptrace.Span, i int) (log []string) {
	t.Helper()
	for _, event := range span.Events().All() {
		word := map[string]string{semconv.EventAlertFired: "fired", semconv.EventAlertResolved: "resolved"}[event.Name()]
		require.NotEmpty(t, word, event.Name())
		log = append(log, fmt.Sprintf("%d %s", i, word))
	}
	return log
}
