package agentlensprocessor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
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
						group := ""
						if by == lanes {
							group = call.lane
						}
						requireGroup(t, h, span, by, group)
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

// requireGroup requires that the alerts on a span say for which group they are,
// and in whose state. A group of "" is any that all calls are in.
func requireGroup(t *testing.T, h *harness, span ptrace.Span, by GroupBy, group string) {
	t.Helper()
	for _, event := range span.Events().All() {
		attrs := event.Attributes().AsRaw()
		require.Equal(t, string(by), attrs[semconv.AlertGroupBy])
		require.Equal(t, h.engines.alerts.sets[0].id, attrs[semconv.AlertStateID])
		switch {
		case by == GroupByNone:
			require.NotContains(t, attrs, semconv.AlertGroup)
		case group != "":
			require.Equal(t, group, attrs[semconv.AlertGroup])
		default:
			require.NotEmpty(t, attrs[semconv.AlertGroup])
		}
	}
}

// A rule that fired before a restart is resolved after it in the same state; a
// processor that knows nothing of it has a state of its own.
func TestAlertsKeepTheirStateOverARestart(t *testing.T) {
	rule := func(cfg *Config) {
		cfg.Alerts.Rules = []AlertRuleConfig{{Name: "r", Condition: map[string]any{"type": "threshold", "field": "tokens_out", "op": ">", "value": 500}}}
	}
	feed := func(h *harness, number byte, tokens int64) (word, state string) {
		td, span := chat("conversation", 1, number)
		span.Attributes().PutInt(semconv.GenAIUsageOutputTokens, tokens)
		h.feed(t, td)
		require.Equal(t, 1, span.Events().Len())
		return alertsOn(t, span, 0)[0], span.Events().At(0).Attributes().AsRaw()[semconv.AlertStateID].(string)
	}
	h := newHarness(t, rule)
	word, before := feed(h, 1, 1000)
	require.Equal(t, "0 fired", word)
	held, err := h.engines.alerts.snapshot()
	require.NoError(t, err)

	other := newHarness(t, rule)
	_, elsewhere := feed(other, 1, 1000)
	require.NotEqual(t, before, elsewhere)
	restarted := newHarness(t, rule)
	require.NoError(t, restarted.engines.alerts.restore(held))
	word, after := feed(restarted, 2, 1)
	require.Equal(t, "0 resolved", word)
	require.Equal(t, before, after)
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

// Content that a rule looks at is read, wherever a library writes it; the rest
// is left alone, and leaves as it came.
func TestRulesSeeTheContentTheyLookAt(t *testing.T) {
	for field, want := range map[string]spanevent.Content{
		"input_data": spanevent.ContentInput, "output_data": spanevent.ContentOutput,
		"tool_input.q": spanevent.ContentToolInput, "tool_output.r": spanevent.ContentToolOutput, "model": 0,
	} {
		t.Run(field, func(t *testing.T) {
			h := newHarness(t, func(cfg *Config) {
				cfg.Alerts.Rules = []AlertRuleConfig{{Name: "r", Condition: map[string]any{"type": "pattern", "field": field, "pattern": "secret"}}}
			})
			assert.Equal(t, spanevent.ContentAll&^want, h.unread)
			td, span := chat("conversation", 1, 1)
			attrs := span.Attributes()
			attrs.PutStr(semconv.GenAIInputMessages, `["a secret"]`)
			attrs.PutStr(semconv.GenAIOutputMessages, `["a secret"]`)
			attrs.PutStr(semconv.GenAIToolName, "search")
			attrs.PutStr(semconv.GenAIToolCallArguments, `{"q":"a secret"}`)
			attrs.PutStr(semconv.GenAIToolCallResult, `{"r":"a secret"}`)
			h.feed(t, td)
			fired := 0
			if want != 0 {
				fired = 1
			}
			assert.Len(t, alertsOn(t, span, 0), fired)
			_, kept := span.Attributes().Get(semconv.GenAIInputMessages)
			assert.True(t, kept)
		})
	}
	h := newHarness(t, func(cfg *Config) { cfg.Normalize = true })
	assert.Zero(t, h.unread, "what is written again is read")
	h = newHarness(t, func(*Config) {})
	assert.Equal(t, spanevent.ContentAll, h.unread)
}
