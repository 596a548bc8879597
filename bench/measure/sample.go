package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/agentlens/agentlens-otel/bench/load"
	"github.com/agentlens/agentlens-otel/bench/pipelines"
	"github.com/agentlens/agentlens-otel/bench/subject"
)

// Sample is what one run of a pipeline has shown.
type Sample struct {
	// SpansPerSecond is how many spans were accepted.
	SpansPerSecond float64
	// CPUPerSpan is the collector's processor time in µs, which is also CPU
	// seconds a million spans.
	CPUPerSpan float64
	// Busy is the share of its core that the collector used. Near 1 the
	// collector is what limits, and not the generator.
	Busy float64
	// BytesPerSpan and MallocsPerSpan are allocations on the collector's heap.
	BytesPerSpan, MallocsPerSpan float64
	// PeakRSS is the collector's largest resident set, in bytes.
	PeakRSS float64
}

// Setup is how pipelines are run.
type Setup struct {
	// Binary is the collector with all components.
	Binary string
	Cores  subject.Cores
	// Warm is how long a pipeline runs before it is measured for Length.
	Warm, Length time.Duration
}

// Load is what is sent to a pipeline.
type Load struct {
	Protocol load.Protocol
	Content  load.Content
	// Rate in spans a second; 0 = as many as are taken.
	Rate int
}

// Run measures a pipeline once.
func (s Setup) Run(ctx context.Context, p pipelines.Pipeline, l Load) (Sample, error) {
	sample := Sample{}
	err := s.under(ctx, p, l, func(c *subject.Collector, r *load.Run) error {
		before, accepted, err := usage(ctx, c, r)
		if err != nil {
			return err
		}
		if err := sleep(ctx, s.Length); err != nil {
			return err
		}
		after, acceptedAfter, err := usage(ctx, c, r)
		if err != nil {
			return err
		}
		spans := float64(acceptedAfter - accepted)
		if spans == 0 {
			return errors.New("no span was accepted")
		}
		took, cpu := after.At.Sub(before.At).Seconds(), (after.CPU - before.CPU).Seconds()
		sample = Sample{
			SpansPerSecond: spans / took,
			CPUPerSpan:     cpu / spans * 1e6,
			Busy:           cpu / took,
			BytesPerSpan:   float64(after.AllocBytes-before.AllocBytes) / spans,
			MallocsPerSpan: float64(after.Mallocs-before.Mallocs) / spans,
			PeakRSS:        float64(after.PeakRSS),
		}
		return nil
	})
	return sample, err
}

// Profile returns a CPU profile of a pipeline under load.
func (s Setup) Profile(ctx context.Context, p pipelines.Pipeline, l Load) (profile []byte, err error) {
	err = s.under(ctx, p, l, func(c *subject.Collector, _ *load.Run) error {
		profile, err = c.Profile(ctx, max(1, int(s.Length.Seconds())))
		return err
	})
	return profile, err
}

// under runs a pipeline under load, calls f when it is warm, and checks at the
// end that the pipeline has seen every span.
func (s Setup) under(ctx context.Context, p pipelines.Pipeline, l Load, f func(*subject.Collector, *load.Run) error) error {
	c, err := subject.Start(ctx, s.Binary, p, s.Cores)
	if err != nil {
		return err
	}
	endpoint := c.GRPC
	if l.Protocol == load.HTTP {
		endpoint = c.HTTP
	}
	r, err := load.Start(load.Options{Protocol: l.Protocol, Endpoint: endpoint, Content: l.Content, Rate: l.Rate})
	if err != nil {
		return errors.Join(err, c.Stop())
	}
	if err = sleep(ctx, s.Warm); err == nil {
		err = f(c, r)
	}
	err = errors.Join(err, r.Stop())
	if err == nil {
		err = saw(ctx, c, p, r)
	}
	if err != nil {
		err = fmt.Errorf("pipeline %s: %w\n%s", p.Name, err, c.Log())
	}
	return errors.Join(err, c.Stop())
}

// saw checks the collector's own counts: the receiver has accepted what the
// generator thinks, and AgentLens's processor has recognised spans.
func saw(ctx context.Context, c *subject.Collector, p pipelines.Pipeline, r *load.Run) error {
	received, err := c.Metric(ctx, "otelcol_receiver_accepted_spans")
	if err != nil {
		return err
	}
	if received < float64(r.Accepted()) {
		return fmt.Errorf("the receiver counts %.0f spans, the generator %d", received, r.Accepted())
	}
	if !p.Sessions {
		return nil
	}
	read, err := c.Metric(ctx, "otelcol_processor_agentlens_spans")
	if err != nil {
		return err
	}
	if read < 0.4*received {
		return fmt.Errorf("the processor has recognised %.0f of %.0f spans", read, received)
	}
	return nil
}

func usage(ctx context.Context, c *subject.Collector, r *load.Run) (subject.Usage, int64, error) {
	u, err := c.Usage(ctx)
	return u, r.Accepted(), err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
