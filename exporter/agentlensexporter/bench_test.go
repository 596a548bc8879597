package agentlensexporter

import (
	"encoding/json"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// BenchmarkRequests makes requests of batches of 400 spans as they come from
// the queue: ten sessions of 40 spans.
func BenchmarkRequests(b *testing.B) {
	td := ptrace.NewTraces()
	for i := range 10 {
		_, more := whole(i, 38)
		more.ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	}
	known := newKnownSessions()
	b.ReportAllocs()
	for b.Loop() {
		items := readItems(td)
		for _, req := range buildRequests(items, known.observe(items)) {
			if err := req.encode(nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*td.SpanCount()), "ns/span")
}

// BenchmarkCut cuts a field of 1 MB.
func BenchmarkCut(b *testing.B) {
	raw := json.RawMessage(`{"prompt":"` + strings.Repeat("why and how ", 90_000) + `"}`)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		fitJSON(raw, 256<<10)
	}
}
