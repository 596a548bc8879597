package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// benchmarked are the packages whose Go benchmarks are run, by the name of the
// file with the result, which benchstat reads.
var benchmarked = []struct {
	name     string
	packages []string
}{
	{"sdk", []string{"./instrumentation/agentlens"}},
	{"engines", []string{"./analysis/..."}},
	{"spanevent", []string{"./internal/spanevent"}},
	{"sessions", []string{"./internal/sessions"}},
	{"processor", []string{"./processor/agentlensprocessor"}},
	{"exporter", []string{"./exporter/agentlensexporter"}},
}

// goBenchmarks runs the Go benchmarks. The results are files, one a group; the
// report names them.
func (b *bench) goBenchmarks(ctx context.Context) error {
	fmt.Fprintf(b.report, "\n### Go benchmarks\n\n%d runs each, for benchstat, in %s:", b.count, b.results)
	for _, group := range benchmarked {
		args := append([]string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", "200ms", "-count", fmt.Sprint(b.count)}, group.packages...)
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = ".."
		var failed bytes.Buffer
		cmd.Stderr = &failed
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("go %s: %w\n%s%s", strings.Join(args, " "), err, out, &failed)
		}
		if err := os.WriteFile(filepath.Join(b.results, group.name+".txt"), out, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(b.report, " %s.txt", group.name)
	}
	_, err := fmt.Fprintln(b.report, ".")
	return err
}
