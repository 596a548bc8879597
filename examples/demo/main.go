// Demo runs the whole road on one machine: it starts the collector, runs the
// quickstart against it, reads everything back from the backend's API, compares
// it with what was tracked, and shows sessions, an explanation and findings.
// `make demo` builds what it needs and runs it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/roundtrip"
)

func main() {
	bin := flag.String("bin", "bin", "`folder` with the built agentlens and quickstart")
	config := flag.String("config", "config/demo.yaml", "the collector's configuration `file`")
	exit := flag.Bool("exit", os.Getenv("DEMO_EXIT") == "1", "stop after printing (DEMO_EXIT=1)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, *config, *exit); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, config string, exit bool) (err error) {
	p := portsFromEnv()
	if err := p.check(); err != nil {
		return err
	}
	step("Starting the collector with %s: OTLP on %s and %s, backend on %s", config, p.grpc.number, p.http.number, p.backend.number)
	collector, err := startCollector(ctx, filepath.Join(bin, "agentlens"), config, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, collector.stop()) }()

	endpoint := "http://localhost:" + p.http.number
	api := roundtrip.Client{BaseURL: "http://localhost:" + p.backend.number, APIKey: os.Getenv("AGENTLENS_API_KEY")}
	step("Sending %d days of an agent's history through the same road, with timestamps in the past", historyDays)
	past, err := history(ctx, &api, endpoint)
	if err != nil {
		return err
	}
	want := expected
	if past == nil {
		fmt.Println("It is there already, from an earlier demo, which has told drift, forecast and error spike: those are told once.")
		want = expectedAgain
	}
	step("Running examples/quickstart: four sessions, one of which breaks the policy")
	tracked, err := runQuickstart(ctx, filepath.Join(bin, "quickstart"), p)
	if err != nil {
		return err
	}
	step("Running an incident: errors in a row, and a social security number in an answer")
	last, err := incident(ctx, endpoint)
	if err != nil {
		return err
	}
	step("Reading back from the backend's API")
	recent := append(tracked, last)
	all, err := readBack(ctx, &api, append(past, recent...), want)
	if err != nil {
		return err
	}
	if err := show(ctx, &api, all[len(past):], all); err != nil {
		return err
	}
	if exit {
		return nil
	}
	fmt.Printf("\nThe sessions are on http://localhost:%s — Ctrl-C stops the collector.\n", p.backend.number)
	select {
	case <-ctx.Done():
		return nil
	case err := <-collector.exited:
		return fmt.Errorf("the collector stopped by itself: %w", err)
	}
}

// runQuickstart returns what the quickstart tracked.
func runQuickstart(ctx context.Context, binary string, p ports) ([]*analysis.Session, error) {
	dir, err := os.MkdirTemp("", "agentlens-demo-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "tracked.json")
	cmd := exec.CommandContext(ctx, binary, "-endpoint", "http://localhost:"+p.http.number, "-json", file)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("quickstart: %w", err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tracked []*analysis.Session
	if err := json.Unmarshal(b, &tracked); err != nil {
		return nil, fmt.Errorf("quickstart's -json file: %w", err)
	}
	return tracked, nil
}

// expected are findings that the sessions of the demo must bring about, by the
// beginning of their text; expectedAgain are those of a demo with the data of
// another before it.
var (
	expectedAgain = []string{"Compliance (error): policy production-policy", "Alert (critical): rule Sensitive data in output"}
	expected      = append([]string{"Alert (critical): rule Error spike", "Forecast: " + historyAgent, "Drift: "}, expectedAgain...)
)

// readBack waits until the backend holds all that was tracked, and the findings
// on it.
func readBack(ctx context.Context, api *roundtrip.Client, tracked []*analysis.Session, want []string) ([]*roundtrip.Detail, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		held, missing := compareAll(ctx, api, tracked, want)
		if len(missing) == 0 {
			step("Everything that was tracked is in the backend: %d sessions, %d events", len(held), countEvents(tracked))
			return held, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("not everything that was tracked is in the backend:\n  %s", strings.Join(missing, "\n  "))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func compareAll(ctx context.Context, api *roundtrip.Client, tracked []*analysis.Session, want []string) (held []*roundtrip.Detail, missing []string) {
	var findings []string
	for _, s := range tracked {
		d, err := api.Session(ctx, s.ID)
		if err != nil {
			missing = append(missing, err.Error())
			continue
		}
		missing = append(missing, roundtrip.Compare(s, d)...)
		held = append(held, d)
		for _, a := range d.Annotations {
			findings = append(findings, a.Text)
		}
	}
	for _, text := range want {
		if !slices.ContainsFunc(findings, func(f string) bool { return strings.HasPrefix(f, text) }) {
			missing = append(missing, "no finding yet that begins with "+strconv.Quote(text))
		}
	}
	return held, missing
}

func countEvents(sessions []*analysis.Session) int {
	n := 0
	for _, s := range sessions {
		n += len(s.Events)
	}
	return n
}

func step(format string, args ...any) {
	fmt.Printf("\n▸ "+format+"\n", args...)
}
