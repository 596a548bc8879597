package growth

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.yaml.in/yaml/v3"

	"github.com/agentlens/agentlens-otel/bench/load"
	"github.com/agentlens/agentlens-otel/bench/pipelines"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor"
)

// Row is one size of the state.
type Row struct {
	// Sessions are open, each with Events events when the measuring starts.
	Sessions, Events int
	// CPUPerSpan is the processor's time in µs, garbage collection included and
	// decoding excluded.
	CPUPerSpan float64
	// BytesPerSession is what the heap holds more than before, a session.
	BytesPerSession float64
}

const (
	sessionsPerRequest = 10
	// eventsPerRound is what a round of a Batches request adds to a session.
	eventsPerRound = 5
	// spanIDs bounds the ids that the processor remembers, the same in every
	// row: they are no part of a session.
	spanIDs = 100_000
)

// Measure opens so many sessions of the SDK, brings each to the given number of
// events, and measures the next spans of all of them, in turns.
func Measure(ctx context.Context, sessions, events, measuredSpans int) (Row, error) {
	m, err := newMachine(ctx, sessions)
	if err != nil {
		return Row{}, err
	}
	defer m.processor.Shutdown(ctx)
	requests := sessions / sessionsPerRequest
	// Other sessions fill the span ids first, so that the heap grows by
	// sessions alone.
	for number := range spanIDs / m.batches.Spans {
		if err := m.feed(ctx, requests+number%10, number/10, true); err != nil {
			return Row{}, err
		}
	}
	empty := heap()
	rounds := max(1, events/eventsPerRound)
	for round := range rounds {
		for number := range requests {
			if err := m.feed(ctx, number, round, true); err != nil {
				return Row{}, err
			}
		}
	}
	row := Row{Sessions: sessions, Events: rounds * eventsPerRound, BytesPerSession: float64(heap()-empty) / float64(sessions)}

	// Both with the same sessions alive, so that the collector of garbage has
	// the same to do.
	n := measuredSpans / m.batches.Spans
	with, err := m.time(ctx, n, requests, rounds, true)
	if err != nil {
		return Row{}, err
	}
	without, err := m.time(ctx, n, requests, rounds, false)
	row.CPUPerSpan = (with - without).Seconds() * 1e6 / float64(n*m.batches.Spans)
	return row, err
}

// machine is the processor under a stream of requests.
type machine struct {
	processor processor.Traces
	batches   *load.Batches
}

func newMachine(ctx context.Context, sessions int) (*machine, error) {
	cfg, err := config(sessions)
	if err != nil {
		return nil, err
	}
	factory := agentlensprocessor.NewFactory()
	p, err := factory.CreateTraces(ctx, processortest.NewNopSettings(factory.Type()), cfg, consumertest.NewNop())
	if err != nil {
		return nil, err
	}
	if err := p.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	b, err := load.NewBatches(sessionsPerRequest, []load.Shape{load.ShapeSDK})
	return &machine{p, b}, err
}

// config is that of the pipeline with all engines, with room for the sessions.
func config(sessions int) (*agentlensprocessor.Config, error) {
	dir, err := os.MkdirTemp("", "agentlens-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	files, err := pipelines.AllEngines.Write(dir)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		return nil, err
	}
	all := map[string]any{}
	if err := yaml.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(files[len(files)-1]), err)
	}
	own, err := confmap.NewFromStringMap(all).Sub("processors::agentlens")
	if err != nil {
		return nil, err
	}
	cfg := agentlensprocessor.NewFactory().CreateDefaultConfig().(*agentlensprocessor.Config)
	if err := own.Unmarshal(cfg); err != nil {
		return nil, err
	}
	cfg.MaxSessions, cfg.MaxSpanIDs, cfg.IdleTimeout = 2*sessions+1000, spanIDs, time.Hour
	return cfg, cfg.Validate()
}

// feed decodes one request and, when asked to, hands it to the processor.
func (m *machine) feed(ctx context.Context, number, round int, process bool) error {
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(m.batches.Get(number, round, time.Now()))
	if err != nil || !process {
		return err
	}
	return m.processor.ConsumeTraces(ctx, td)
}

// time returns the processor time of n requests that go around the sessions,
// from the given round on.
func (m *machine) time(ctx context.Context, n, requests, round int, process bool) (time.Duration, error) {
	runtime.GC()
	before, err := cpuTime()
	if err != nil {
		return 0, err
	}
	for i := range n {
		if err := m.feed(ctx, i%requests, round+i/requests, process); err != nil {
			return 0, err
		}
	}
	after, err := cpuTime()
	return after - before, err
}

func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one's finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
