package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/bench/growth"
	"github.com/agentlens/agentlens-otel/bench/measure"
	"github.com/agentlens/agentlens-otel/bench/subject"
)

// bench is a run of the program.
type bench struct {
	setup    measure.Setup
	rounds   int
	sessions int
	count    int
	results  string
	report   io.Writer
}

// part is a table of the report.
type part struct {
	name string
	run  func(*bench, context.Context) error
}

var parts = []part{
	{"pipelines", (*bench).pipelines},
	{"small", (*bench).small},
	{"http", (*bench).http},
	{"rate", (*bench).rate},
	{"growth", (*bench).growth},
	{"backend", (*bench).backend},
	{"latency", (*bench).latency},
	{"profiles", (*bench).profiles},
	{"go", (*bench).goBenchmarks},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	b := &bench{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&b.setup.Binary, "collector", "../bin/agentlens-bench", "the collector with all components")
	flags.DurationVar(&b.setup.Warm, "warm", 2500*time.Millisecond, "how long a pipeline runs before it is measured")
	flags.DurationVar(&b.setup.Length, "length", 4*time.Second, "how long it is measured, 30s at most")
	flags.IntVar(&b.rounds, "rounds", 5, "how often, each time between two bare runs")
	flags.IntVar(&b.sessions, "sessions", 1_000_000, "how many open sessions the growth goes up to")
	flags.IntVar(&b.count, "count", 6, "how often the Go benchmarks run")
	flags.StringVar(&b.results, "results", "results", "the folder for profiles, Go benchmarks and the report")
	selected := flags.String("parts", strings.Join(names, ","), "which tables")
	short := flags.Bool("short", false, "compare all engines with bare in a few rounds; fail on a gross regression")
	row := flags.String("growth-row", "", "measure sessions,events,spans in this process (the program calls itself)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.setup.Length > 30*time.Second {
		return fmt.Errorf("-length is %s, want 30s at most", b.setup.Length)
	}
	if b.rounds < 1 {
		return fmt.Errorf("-rounds is %d, want 1 or more", b.rounds)
	}
	var err error
	if b.setup.Cores, err = subject.PinSelf(); err != nil {
		return err
	}
	switch {
	case *row != "":
		return growthRow(ctx, *row)
	case *short:
		return b.short(ctx)
	}
	chosen := strings.Split(*selected, ",")
	for _, name := range chosen {
		if !slices.Contains(names, name) {
			return fmt.Errorf("-parts has %q, want some of %s", name, strings.Join(names, ", "))
		}
	}
	return b.parts(ctx, chosen)
}

// parts writes the report of the chosen parts to the terminal and into the
// folder of results.
func (b *bench) parts(ctx context.Context, chosen []string) error {
	if err := os.MkdirAll(b.results, 0o755); err != nil {
		return err
	}
	machine, err := machine(ctx) // before the report is written, which is a file of the commit
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(b.results, "table.md"))
	if err != nil {
		return err
	}
	defer file.Close()
	b.report = io.MultiWriter(os.Stdout, file)
	fmt.Fprintf(b.report, "Measured on %s, with `make bench`; %s.\n", machine, b.setup.Cores)
	fmt.Fprintf(b.report, "%d rounds, %s of warm-up and %s of measuring a run; medians, with the least and the largest ratio.\n", b.rounds, b.setup.Warm, b.setup.Length)
	for _, p := range parts {
		if slices.Contains(chosen, p.name) {
			if err := p.run(b, ctx); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	return file.Close()
}

// growthRow measures one row and writes it to the standard output.
func growthRow(ctx context.Context, spec string) error {
	var sessions, events, spans int
	if _, err := fmt.Sscanf(spec, "%d,%d,%d", &sessions, &events, &spans); err != nil {
		return fmt.Errorf("-growth-row is %q, want sessions,events,spans: %w", spec, err)
	}
	row, err := growth.Measure(ctx, sessions, events, spans)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(row)
}
