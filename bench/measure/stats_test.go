package measure

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMedianAndQuantile(t *testing.T) {
	assert.Zero(t, Median(nil))
	assert.Equal(t, 3.0, Median([]float64{9, 3, 1}))
	assert.Equal(t, 2.5, Median([]float64{4, 1, 3, 2}))
	values := make([]float64, 200)
	for i := range values {
		values[len(values)-1-i] = float64(i + 1)
	}
	assert.Equal(t, 100.0, Quantile(values, 0.5))
	assert.Equal(t, 198.0, Quantile(values, 0.99))
	assert.Equal(t, 200.0, Quantile(values, 1))
	assert.Equal(t, 1.0, Quantile(values, 0))
	assert.Equal(t, 200.0, values[0], "the values stay in their order")
	assert.Zero(t, Quantile(nil, 0.5))
}

// A machine that becomes half as fast meanwhile does not change the ratios.
func TestRatiosAreToTheBareRunsAround(t *testing.T) {
	run := func(speed, cost float64) Sample {
		return Sample{
			SpansPerSecond: speed / cost, CPUPerSpan: cost / speed, BytesPerSpan: 100 * cost,
			MallocsPerSpan: 10 * cost, PeakRSS: 1000 * cost, Busy: 1,
		}
	}
	pairs := []pair{
		{run(1, 2), mean(run(1, 1), run(1, 1))},
		{run(0.75, 2), mean(run(1, 1), run(0.5, 1))},
		{run(0.5, 2), mean(run(0.5, 1), run(0.5, 1))},
	}
	row := summarize("twice", pairs)
	assert.Equal(t, 0.5, row.Throughput.Median)
	assert.Equal(t, 2.0, row.CPU.Median)
	assert.Equal(t, 2.0, row.Bytes.Median)
	assert.Equal(t, 2.0, row.Mallocs.Median)
	assert.Equal(t, 2.0, row.RSS.Median)
	assert.InDelta(t, 0.5, row.Throughput.Min, 1e-9)
	assert.InDelta(t, 1.78, row.CPU.Min, 0.01)
	assert.InDelta(t, 2.67, row.Sample.CPUPerSpan, 0.01, "the median of 2, 2.67 and 4")
}

func TestTable(t *testing.T) {
	bare := Row{Pipeline: "bare", Sample: Sample{SpansPerSecond: 100_000, CPUPerSpan: 3.456, BytesPerSpan: 1000, MallocsPerSpan: 12.34, PeakRSS: 50 << 20, Busy: 0.987}}
	ours := bare
	ours.Pipeline = "µ"
	ours.CPU = Spread{1.5, 1.25, 1.75}
	ours.RSS = Spread{2, 2, 2}
	assert.Equal(t, ""+
		"| pipeline | spans/s | × bare | CPU µs/span | × bare           | B/span | × bare | mallocs/span | × bare | peak RSS MiB | × bare | core busy |\n"+
		"| -------- | ------- | ------ | ----------- | ---------------- | ------ | ------ | ------------ | ------ | ------------ | ------ | --------- |\n"+
		"| bare     | 100000  |        | 3.46        |                  | 1000   |        | 12.3         |        | 50           |        | 99 %      |\n"+
		"| µ        | 100000  |        | 3.46        | 1.50 (1.25–1.75) | 1000   |        | 12.3         |        | 50           | 2.00   | 99 %      |\n",
		PipelineTable([]Row{bare, ours}))
}
