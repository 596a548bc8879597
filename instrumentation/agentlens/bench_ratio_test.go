package agentlens_test

import (
	"context"
	"slices"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exportedOptions make a provider hand every span to a batch processor, as an
// application's does; without it a span that ends is dropped on the spot.
func exportedOptions() []sdktrace.TracerProviderOption {
	return []sdktrace.TracerProviderOption{sdktrace.WithBatcher(discarding{})}
}

// discarding is an exporter that exports to nowhere.
type discarding struct{}

func (discarding) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discarding) Shutdown(context.Context) error                             { return nil }

// BenchmarkOverhead reports how many times as long AgentLens takes as a span by
// hand. Both run in turns, a batch each, and the medians are compared: so the
// ratio holds on a machine that does other things too.
func BenchmarkOverhead(b *testing.B) {
	for _, c := range []struct {
		name        string
		with, plain func(*benchmark)
		opts        []sdktrace.TracerProviderOption
	}{
		{"Track", (*benchmark).track, (*benchmark).trackByHand, nil},
		{"Live", (*benchmark).live, (*benchmark).liveByHand, nil},
		{"TrackExported", (*benchmark).track, (*benchmark).trackByHand, exportedOptions()},
		{"LiveExported", (*benchmark).live, (*benchmark).liveByHand, exportedOptions()},
	} {
		b.Run(c.name, func(b *testing.B) {
			bench := newBenchmark(b, sdktrace.AlwaysSample(), c.opts)
			took := func(f func(*benchmark)) time.Duration {
				start := time.Now()
				for range 256 {
					f(bench)
				}
				return time.Since(start) / 256
			}
			var with, plain []time.Duration
			for b.Loop() {
				with, plain = append(with, took(c.with)), append(plain, took(c.plain))
			}
			slices.Sort(with)
			slices.Sort(plain)
			median := func(all []time.Duration) float64 { return float64(all[len(all)/2]) }
			b.ReportMetric(0, "ns/op") // of both together, which says nothing
			b.ReportMetric(median(with), "ns/with")
			b.ReportMetric(median(plain), "ns/by-hand")
			b.ReportMetric(median(with)/median(plain), "times")
		})
	}
}
