package agentlensprocessor

import (
	"encoding/binary"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

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
