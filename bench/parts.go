package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/bench/growth"
	"github.com/agentlens/agentlens-otel/bench/load"
	"github.com/agentlens/agentlens-otel/bench/measure"
	"github.com/agentlens/agentlens-otel/bench/pipelines"
	"github.com/agentlens/agentlens-otel/bench/road"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// withContent is content as agents that record prompts and answers send it.
var withContent = load.Content{Min: 200, Max: 20_000}

var (
	peers  = []pipelines.Pipeline{pipelines.Attributes, pipelines.SpanMetrics, pipelines.TailSampling, pipelines.GroupByTrace}
	allOf  = append([]pipelines.Pipeline{pipelines.AllEngines}, peers...)
	engine = []pipelines.Pipeline{pipelines.Sessions, pipelines.Forecast, pipelines.Compliance, pipelines.Drift, pipelines.Alerts}
)

func (b *bench) compare(ctx context.Context, title string, l measure.Load, compared []pipelines.Pipeline) error {
	rows, err := b.setup.Compare(ctx, l, b.rounds, compared, os.Stderr)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(b.report, "\n### %s\n\n%s", title, measure.PipelineTable(rows)); err != nil {
		return err
	}
	if busy := rows[0].Sample.Busy; l.Rate == 0 && busy < 0.9 {
		_, err = fmt.Fprintf(b.report, "\nThe bare collector's core was only %.0f %% busy: the generator or another process limits its spans/s. CPU µs/span holds.\n", 100*busy)
	}
	return err
}

func (b *bench) pipelines(ctx context.Context) error {
	all := append([]pipelines.Pipeline{pipelines.Batch, pipelines.AllEngines}, engine...)
	return b.compare(ctx, "Pipelines, OTLP/gRPC, content of 200 B to 20 kB a call, as fast as they go",
		measure.Load{Protocol: load.GRPC, Content: withContent}, append(all, peers...))
}

func (b *bench) small(ctx context.Context) error {
	return b.compare(ctx, "Pipelines, OTLP/gRPC, no content, as fast as they go",
		measure.Load{Protocol: load.GRPC}, append([]pipelines.Pipeline{pipelines.Sessions}, allOf...))
}

func (b *bench) http(ctx context.Context) error {
	return b.compare(ctx, "Pipelines, OTLP/HTTP, content of 200 B to 20 kB a call, as fast as they go",
		measure.Load{Protocol: load.HTTP, Content: withContent}, []pipelines.Pipeline{pipelines.AllEngines, pipelines.SpanMetrics})
}

// steadyRate is a load that every pipeline can bear, in spans a second.
const steadyRate = 10_000

func (b *bench) rate(ctx context.Context) error {
	return b.compare(ctx, fmt.Sprintf("Pipelines, OTLP/gRPC, content of 200 B to 20 kB a call, %d spans a second", steadyRate),
		measure.Load{Protocol: load.GRPC, Content: withContent, Rate: steadyRate}, allOf)
}

// growth measures the processor at growing numbers of open sessions and of
// events a session, each row in a process of its own.
func (b *bench) growth(ctx context.Context) error {
	const eventsEach = 5
	table := [][]string{{"open sessions", "events in each", "CPU µs/span", "× first row", "B/session"}}
	series := func(rows [][2]int) error {
		first := 0.0
		for _, size := range rows {
			var costs []float64
			var row growth.Row
			for range b.rounds {
				var err error
				if row, err = growthProcess(ctx, size[0], size[1]); err != nil {
					return err
				}
				fmt.Fprintf(os.Stderr, "%+v\n", row)
				costs = append(costs, row.CPUPerSpan)
				if size[0]*size[1] > 1_000_000 {
					break // a minute each
				}
			}
			cost := measure.Median(costs)
			if first == 0 {
				first = cost
			}
			table = append(table, []string{
				fmt.Sprint(row.Sessions), fmt.Sprint(row.Events), fmt.Sprintf("%.2f", cost), fmt.Sprintf("%.2f", cost/first), fmt.Sprintf("%.0f", row.BytesPerSession),
			})
		}
		return nil
	}
	var bySessions [][2]int
	for n := 1000; n <= b.sessions; n *= 10 {
		bySessions = append(bySessions, [2]int{n, eventsEach})
	}
	if err := series(bySessions); err != nil {
		return err
	}
	if err := series([][2]int{{500, 10}, {500, 100}, {500, 1000}, {500, 10_000}}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(b.report, "\n### Growth: the processor alone, four engines, sessions of the SDK without content\n\n%s", measure.Markdown(table))
	return err
}

func growthProcess(ctx context.Context, sessions, events int) (growth.Row, error) {
	self, err := os.Executable()
	if err != nil {
		return growth.Row{}, err
	}
	// Enough spans for several cycles of the garbage collector at any size. Few
	// sessions grow meanwhile, by a tenth of an event a span and session: less,
	// then.
	spans := min(2_000_000, max(200_000, 2*sessions))
	if sessions < 1000 {
		spans = 100 * sessions
	}
	cmd := exec.CommandContext(ctx, self, "-growth-row", fmt.Sprintf("%d,%d,%d", sessions, events, spans))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return growth.Row{}, fmt.Errorf("%d sessions of %d events: %w", sessions, events, err)
	}
	var row growth.Row
	return row, json.Unmarshal(out, &row)
}

// backendRequests hold some 53,000 spans, which is what fits the exporter's
// queue: the backend, not the queue, is what is measured.
const backendRequests = 350

func (b *bench) backend(ctx context.Context) error {
	var perSecond, cpu, bytes, rss []float64
	var events int64
	for range b.rounds {
		rows, err := road.ToRows(ctx, b.setup.Binary, b.setup.Cores, withContent, backendRequests)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%+v\n", rows)
		events = rows.Events
		perSecond, cpu = append(perSecond, rows.EventsPerSecond), append(cpu, rows.CPUPerEvent)
		bytes, rss = append(bytes, rows.BytesPerEvent/1e3), append(rss, float64(rows.PeakRSS)/(1<<20))
	}
	_, err := fmt.Fprintf(b.report, "\n### From OTLP to rows: one collector on one core with processor, exporter, queue on disk, backend and SQLite\n\n%s",
		measure.Markdown([][]string{
			{"events", "events/s until the last can be read", "CPU µs/event", "allocated kB/event", "peak RSS MiB"},
			{
				fmt.Sprint(events), fmt.Sprintf("%.0f", measure.Median(perSecond)), fmt.Sprintf("%.0f", measure.Median(cpu)),
				fmt.Sprintf("%.0f", measure.Median(bytes)), fmt.Sprintf("%.0f", measure.Median(rss)),
			},
		}))
	return err
}

func (b *bench) latency(ctx context.Context) error {
	table := [][]string{{"SDK flushes every", "exporter flushes every", "events", "p50 ms", "p99 ms"}}
	for _, every := range []time.Duration{agentlens.DefaultFlushInterval, 100 * time.Millisecond} {
		ms, err := road.Latencies(ctx, b.setup.Binary, b.setup.Cores, 300, 37*time.Millisecond, agentlens.WithFlushInterval(every))
		if err != nil {
			return err
		}
		table = append(table, []string{
			every.String(), "1s", fmt.Sprint(len(ms)), fmt.Sprintf("%.0f", measure.Quantile(ms, 0.5)), fmt.Sprintf("%.0f", measure.Quantile(ms, 0.99)),
		})
	}
	_, err := fmt.Fprintf(b.report, "\n### From Track to the API: SDK over OTLP/HTTP, processor, exporter, embedded backend\n\n%s", measure.Markdown(table))
	return err
}

// profiles writes where each pipeline spends its time.
func (b *bench) profiles(ctx context.Context) error {
	all := append([]pipelines.Pipeline{pipelines.Bare, pipelines.Batch}, allOf...)
	for _, p := range append(all, engine...) {
		for suffix, content := range map[string]load.Content{"": withContent, "-no-content": {}} {
			profile, err := b.setup.Profile(ctx, p, measure.Load{Protocol: load.GRPC, Content: content})
			if err != nil {
				return err
			}
			name := "profile-" + strings.NewReplacer(", ", "-", " ", "-").Replace(p.Name) + suffix + ".txt"
			if err := b.writeProfile(ctx, profile, name); err != nil {
				return err
			}
		}
	}
	profile, err := road.Profile(ctx, b.setup.Binary, b.setup.Cores, withContent, backendRequests)
	if err != nil {
		return err
	}
	return b.writeProfile(ctx, profile, "profile-backend.txt")
}

func (b *bench) writeProfile(ctx context.Context, profile []byte, name string) error {
	file, err := os.CreateTemp("", "agentlens-bench-*.pprof")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(profile); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	top, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-nodecount=120", b.setup.Binary, file.Name()).Output()
	if err != nil {
		return fmt.Errorf("go tool pprof: %w", err)
	}
	return os.WriteFile(filepath.Join(b.results, name), top, 0o644)
}
