package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/agentlens/agentlens-otel/bench/load"
	"github.com/agentlens/agentlens-otel/bench/measure"
	"github.com/agentlens/agentlens-otel/bench/pipelines"
)

// maxRatio is what all engines may cost at most, in processor time a span, of
// what the bare pipeline costs on the same machine in the same minute: more
// than twice what they do cost. It is for gross regressions, not for drifts of a tenth.
const maxRatio = 8.0

// short compares all engines with bare in three rounds.
func (b *bench) short(ctx context.Context) error {
	setup := b.setup
	setup.Warm, setup.Length = time.Second, 3*time.Second
	rows, err := setup.Compare(ctx, measure.Load{Protocol: load.GRPC, Content: withContent}, 3, []pipelines.Pipeline{pipelines.AllEngines}, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Print(measure.PipelineTable(rows))
	return regression(rows[1])
}

// regression returns an error when a pipeline costs too much of bare.
func regression(row measure.Row) error {
	if row.CPU.Median > maxRatio {
		return fmt.Errorf("%s costs %.1f times the processor time of bare a span, want %.1f at most", row.Pipeline, row.CPU.Median, maxRatio)
	}
	return nil
}
