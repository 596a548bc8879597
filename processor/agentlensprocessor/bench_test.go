package agentlensprocessor

import (
	"encoding/binary"
	"runtime"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/semconv"
)

// BenchmarkProcess is the time of a span in a batch of 100, spans of the SDK in
// 1,000 open sessions, with no engine, each alone, and all.
func BenchmarkProcess(b *testing.B) {
	off := func(cfg *Config) {
		cfg.Cost.Enabled, cfg.Compliance.Enabled, cfg.Drift.Enabled, cfg.Forecast.Enabled, cfg.Alerts.Enabled = false, false, false, false, false
	}
	for _, c := range []struct {
		name      string
		configure func(*Config)
	}{
		{"none", off},
		{"cost", func(cfg *Config) { off(cfg); cfg.Cost.Enabled = true }},
		{"compliance", func(cfg *Config) {
			off(cfg)
			cfg.Compliance = ComplianceConfig{Enabled: true, Policies: []PolicyConfig{strictPolicy()}}
		}},
		{"forecast", func(cfg *Config) { off(cfg); cfg.Cost.Enabled, cfg.Forecast.Enabled = true, true }},
		{"alerts", func(cfg *Config) { allEngines(cfg); alerts := cfg.Alerts; off(cfg); cfg.Alerts = alerts }},
		{"all", allEngines},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := newHarness(b, c.configure)
			batch := ptrace.NewTraces()
			scope := batch.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
			scope.Scope().SetName(semconv.ScopeName)
			for i := range 100 {
				soakSpan(scope.Spans().AppendEmpty(), i*10, i, false)
			}
			n := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				td := ptrace.NewTraces()
				batch.CopyTo(td)
				for _, span := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
					n++
					var id pcommon.SpanID
					binary.BigEndian.PutUint64(id[:], n)
					span.SetSpanID(id)
				}
				if _, err := h.process(b.Context(), td); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/span")
		})
	}
}

// BenchmarkSessionEnds is the time of a session of four spans of the SDK, the
// last of them its root, with policies, drift, a budget and alerts by agent and
// by session; and what is alive after 10,000 of them, in objects, and in
// milliseconds that the garbage collector takes for all that there is. What is
// allocated includes the spans.
func BenchmarkSessionEnds(b *testing.B) {
	h := newHarness(b, fourEngines)
	h.now = time.Now
	const perBatch, alive = 25, 10_000
	var n int
	var busy time.Duration
	process := func() {
		td := ptrace.NewTraces()
		scope := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		scope.Scope().SetName(semconv.ScopeName)
		for i := range 4 * perBatch {
			span := scope.Spans().AppendEmpty()
			if i%4 == 3 {
				soakRoot(span, n/4, n)
			} else {
				soakSpan(span, n/4, n, i%4 == 2)
				span.Attributes().PutStr(semconv.EventOutput, `"the weather is fine"`)
			}
			end := pcommon.NewTimestampFromTime(time.Unix(1_790_000_000, int64(n)*10_000)) // 25,000 sessions a second
			span.SetStartTimestamp(end - 1_000_000)
			span.SetEndTimestamp(end)
			n++
		}
		begin := time.Now()
		if _, err := h.process(b.Context(), td); err != nil {
			b.Fatal(err)
		}
		busy += time.Since(begin)
	}
	for range alive / perBatch {
		process()
	}
	objects := heapObjects()
	begin := time.Now()
	runtime.GC()
	collection := time.Since(begin)
	busy = 0
	b.ReportAllocs()
	for b.Loop() {
		process()
	}
	b.ReportMetric(float64(busy.Nanoseconds())/float64(b.N*perBatch), "ns/session")
	b.ReportMetric(float64(objects), "objects")
	b.ReportMetric(float64(collection.Microseconds())/1e3, "gc-ms")
}

func heapObjects() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapObjects
}

// fourEngines is the configuration of the project's README.
func fourEngines(cfg *Config) {
	cfg.Compliance.Policies = []PolicyConfig{{
		Name: "production-policy", Match: MatchConfig{Agents: []string{"agent-*"}},
		Rules: []compliance.Rule{
			{Kind: compliance.MaxTokens, Limit: limit(50_000)},
			{Kind: compliance.ForbiddenTools, Tools: []string{"execute_code", "rm"}},
			{Kind: compliance.MaxErrorRate, Limit: limit(0.05)},
			{Kind: compliance.RequireReasoning},
		},
	}}
	cfg.Drift.AllowedLateness = time.Second
	cfg.Forecast.Budgets = []BudgetConfig{{Name: "team", LimitUSD: 500_000, Period: "monthly"}}
	cfg.Alerts.Rules = []AlertRuleConfig{
		{Name: "Error spike", Severity: "critical", GroupBy: GroupByAgent, Condition: map[string]any{
			"type": "rate", "field": "event_type", "value": "error", "window_seconds": 300, "threshold": 5,
		}},
		{Name: "Sensitive data in output", Severity: "critical", GroupBy: GroupBySession, Condition: map[string]any{
			"type": "pattern", "field": "output_data", "pattern": `\b\d{3}-\d{2}-\d{4}\b`,
		}},
	}
}

// soakRoot is the n-th span, the root of a session of the SDK.
func soakRoot(span ptrace.Span, session, n int) {
	soakTimes(span, session, n)
	span.SetParentSpanID(pcommon.SpanID{})
	attrs := span.Attributes()
	attrs.PutStr(semconv.SessionID, "session-"+strconv.Itoa(session))
	attrs.PutStr(semconv.GenAIAgentName, "agent-"+strconv.Itoa(session%50))
	attrs.PutStr(semconv.EventType, semconv.EventTypeSession)
	attrs.PutStr(semconv.SessionStatus, "completed")
}
