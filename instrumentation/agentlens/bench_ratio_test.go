package agentlens_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// discarding is an exporter that exports to nowhere.
type discarding struct{}

func (discarding) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discarding) Shutdown(context.Context) error                             { return nil }

// providers are what the spans of a pair are written to: a provider that hands
// them to a batch processor, as an application's does, and the cheapest ones
// there are, which drop a span at its end or do not sample it.
var providers = []struct {
	name    string
	sampler sdktrace.Sampler
	with    func() []sdktrace.TracerProviderOption
}{
	{"Exported", sdktrace.AlwaysSample(), func() []sdktrace.TracerProviderOption {
		return []sdktrace.TracerProviderOption{sdktrace.WithBatcher(discarding{})}
	}},
	{"Dropped", sdktrace.AlwaysSample(), func() []sdktrace.TracerProviderOption { return nil }},
	{"NotSampled", sdktrace.NeverSample(), func() []sdktrace.TracerProviderOption { return nil }},
}

// Each pair side by side: time and allocations.
func BenchmarkCall(b *testing.B) {
	for _, p := range pairs {
		for _, to := range providers {
			for name, f := range map[string]func(*benchmark){"AgentLens": p.with, "ByHand": p.byHand} {
				b.Run(p.name+"/"+to.name+"/"+name, func(b *testing.B) {
					bench := newBenchmark(b, to.sampler, to.with())
					b.ReportAllocs()
					for b.Loop() {
						f(bench)
					}
				})
			}
		}
	}
}

// BenchmarkOverhead reports how many times as long AgentLens takes as a span by
// hand. They run in turns, and the median of the ratios of neighbouring runs
// counts: so it holds on a machine that does other things too.
func BenchmarkOverhead(b *testing.B) {
	for _, p := range pairs {
		for _, to := range providers {
			b.Run(p.name+"/"+to.name, func(b *testing.B) {
				bench := newBenchmark(b, to.sampler, to.with())
				var r ratios
				for b.Loop() {
					r.measure(bench, p)
				}
				b.ReportMetric(0, "ns/op") // of both together, which says nothing
				b.ReportMetric(median(r.with), "ns/with")
				b.ReportMetric(median(r.byHand), "ns/by-hand")
				b.ReportMetric(median(r.times), "times")
			})
		}
	}
}

// The benchmark says how much it is; this only that it is not out of all
// proportion.
func TestOverheadIsNotGross(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes more time than either")
	}
	for _, p := range pairs {
		bench := newBenchmark(t, sdktrace.AlwaysSample(), nil)
		best := math.Inf(1)
		for range 10 { // a busy machine can spoil some
			var r ratios
			for range 15 {
				r.measure(bench, p)
			}
			if best = min(best, median(r.times)); best < 2 {
				break
			}
		}
		assert.Less(t, best, 3.0, p.name)
	}
}

// ratios are times per call, in ns, and how many times as long one took as the
// other.
type ratios struct{ with, byHand, times []float64 }

// measure adds a run of each, and one more in reverse order.
func (r *ratios) measure(b *benchmark, p pair) {
	const calls = 256
	took := func(f func(*benchmark)) float64 {
		start := time.Now()
		for range calls {
			f(b)
		}
		return float64(time.Since(start)) / calls
	}
	with, byHand := took(p.with), took(p.byHand)
	byHand, with = (byHand+took(p.byHand))/2, (with+took(p.with))/2
	r.with, r.byHand, r.times = append(r.with, with), append(r.byHand, byHand), append(r.times, with/byHand)
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
