package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine names this machine: CPU, cores, memory, kernel, Go, and the commit
// that is measured.
func machine(ctx context.Context) (string, error) {
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "", err
	}
	commit, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return fmt.Sprintf("%s, %d cores, Linux %s, %s, commit %s",
		cpuModel(string(cpu)), runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version(), strings.TrimSpace(string(commit))), nil
}

// cpuModel reads the first model name of /proc/cpuinfo, which not every
// architecture has.
func cpuModel(cpuinfo string) string {
	_, rest, ok := strings.Cut(cpuinfo, "model name")
	if !ok {
		return runtime.GOARCH
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, " \t:"))
}
