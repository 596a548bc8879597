package measure

import (
	"context"
	"fmt"
	"io"

	"github.com/agentlens/agentlens-otel/bench/pipelines"
)

// Row is what a pipeline costs, over all rounds.
type Row struct {
	Pipeline string
	// Sample holds the medians.
	Sample Sample
	// Throughput, CPU, Bytes, Mallocs and RSS are ratios to the bare pipeline.
	Throughput, CPU, Bytes, Mallocs, RSS Spread
}

// Compare runs every pipeline so many rounds, each between two runs of the bare
// one. The first row is the bare pipeline itself, without ratios. What is going
// on is told to progress.
func (s Setup) Compare(ctx context.Context, l Load, rounds int, compared []pipelines.Pipeline, progress io.Writer) ([]Row, error) {
	run := func(p pipelines.Pipeline) (Sample, error) {
		sample, err := s.Run(ctx, p, l)
		if err == nil {
			fmt.Fprintf(progress, "%-28s %8.0f spans/s %6.2f µs/span %3.0f %% busy %6.0f B/span %5.1f mallocs/span %4.0f MiB\n",
				p.Name, sample.SpansPerSecond, sample.CPUPerSpan, 100*sample.Busy, sample.BytesPerSpan, sample.MallocsPerSpan, sample.PeakRSS/(1<<20))
		}
		return sample, err
	}
	var bare []Sample
	pairs := make([][]pair, len(compared))
	before, err := run(pipelines.Bare)
	if err != nil {
		return nil, err
	}
	bare = append(bare, before)
	for range rounds {
		for i, p := range compared {
			sample, err := run(p)
			if err != nil {
				return nil, err
			}
			after, err := run(pipelines.Bare)
			if err != nil {
				return nil, err
			}
			pairs[i] = append(pairs[i], pair{sample, mean(before, after)})
			bare, before = append(bare, after), after
		}
	}
	rows := []Row{{Pipeline: pipelines.Bare.Name, Sample: medians(bare)}}
	for i, p := range compared {
		rows = append(rows, summarize(p.Name, pairs[i]))
	}
	return rows, nil
}

// pair is a run of a pipeline and the mean of the bare runs around it.
type pair struct{ sample, bare Sample }

func mean(a, b Sample) Sample {
	return Sample{
		SpansPerSecond: (a.SpansPerSecond + b.SpansPerSecond) / 2,
		CPUPerSpan:     (a.CPUPerSpan + b.CPUPerSpan) / 2,
		Busy:           (a.Busy + b.Busy) / 2,
		BytesPerSpan:   (a.BytesPerSpan + b.BytesPerSpan) / 2,
		MallocsPerSpan: (a.MallocsPerSpan + b.MallocsPerSpan) / 2,
		PeakRSS:        (a.PeakRSS + b.PeakRSS) / 2,
	}
}

func medians(samples []Sample) Sample {
	of := func(f func(Sample) float64) float64 { return Median(each(samples, f)) }
	return Sample{
		SpansPerSecond: of(func(s Sample) float64 { return s.SpansPerSecond }),
		CPUPerSpan:     of(func(s Sample) float64 { return s.CPUPerSpan }),
		Busy:           of(func(s Sample) float64 { return s.Busy }),
		BytesPerSpan:   of(func(s Sample) float64 { return s.BytesPerSpan }),
		MallocsPerSpan: of(func(s Sample) float64 { return s.MallocsPerSpan }),
		PeakRSS:        of(func(s Sample) float64 { return s.PeakRSS }),
	}
}

func summarize(name string, pairs []pair) Row {
	samples := each(pairs, func(p pair) Sample { return p.sample })
	ratio := func(f func(Sample) float64) Spread {
		return spread(each(pairs, func(p pair) float64 { return f(p.sample) / f(p.bare) }))
	}
	return Row{
		Pipeline: name, Sample: medians(samples),
		Throughput: ratio(func(s Sample) float64 { return s.SpansPerSecond }),
		CPU:        ratio(func(s Sample) float64 { return s.CPUPerSpan }),
		Bytes:      ratio(func(s Sample) float64 { return s.BytesPerSpan }),
		Mallocs:    ratio(func(s Sample) float64 { return s.MallocsPerSpan }),
		RSS:        ratio(func(s Sample) float64 { return s.PeakRSS }),
	}
}

func each[T, U any](from []T, f func(T) U) []U {
	to := make([]U, len(from))
	for i, v := range from {
		to[i] = f(v)
	}
	return to
}
