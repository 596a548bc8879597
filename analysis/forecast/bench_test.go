package forecast

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkAdd adds records of several models spread over the last few days,
// as a collector sees them.
func BenchmarkAdd(b *testing.B) {
	for _, models := range []int{1, 4} {
		b.Run(fmt.Sprintf("models=%d", models), func(b *testing.B) {
			records := make([]UsageRecord, 1024)
			for i := range records {
				records[i] = use(i/512, 0.01)
				records[i].Timestamp = records[i].Timestamp.Add(time.Duration(i) * time.Second)
				records[i].Model = []string{"gpt-4o", "gpt-4o-mini", "claude-3.5-sonnet", "llama-3-70b"}[i*7%11%models]
			}
			f := forecasterOf(b, nil)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := f.Add(records[i&1023]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
		})
	}
}

// BenchmarkDaily forecasts 90 days from 365.
func BenchmarkDaily(b *testing.B) {
	f := forecasterOf(b, weekly(365, 10, 3))
	for _, m := range []Method{MethodAverage, MethodLinear, MethodHoltWinters, MethodBest} {
		b.Run(string(m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Daily(90, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSummary(b *testing.B) {
	f := forecasterOf(b, weekly(365, 10, 3))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Summary(); err != nil {
			b.Fatal(err)
		}
	}
}
