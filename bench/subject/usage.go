package subject

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what the collector has used since it started.
type Usage struct {
	At time.Time
	// CPU is processor time, user and system.
	CPU time.Duration
	// PeakRSS is the largest resident set so far, in bytes.
	PeakRSS int64
	// Mallocs and AllocBytes are how many objects were allocated on the heap,
	// and how large they were together.
	Mallocs, AllocBytes int64
}

// clockTick is the unit of /proc/PID/stat, USER_HZ, which is 100 on every
// architecture that Go runs Linux on.
const clockTick = 10 * time.Millisecond

// Usage returns what the collector has used so far.
func (c *Collector) Usage(ctx context.Context) (Usage, error) {
	heap, err := c.get(ctx, "http://"+c.pprof+"/debug/pprof/heap?debug=1")
	if err != nil {
		return Usage{}, err
	}
	u := Usage{}
	if u.Mallocs, err = memStat(heap, "Mallocs"); err != nil {
		return Usage{}, err
	}
	if u.AllocBytes, err = memStat(heap, "TotalAlloc"); err != nil {
		return Usage{}, err
	}
	proc := fmt.Sprintf("/proc/%d/", c.cmd.Process.Pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		return Usage{}, err
	}
	if u.PeakRSS, err = peakRSS(status); err != nil {
		return Usage{}, err
	}
	stat, err := os.ReadFile(proc + "stat")
	if err != nil {
		return Usage{}, err
	}
	u.At = time.Now()
	u.CPU, err = cpuTime(stat)
	return u, err
}

// memStat reads one of runtime.MemStats, which the heap profile ends with.
func memStat(profile []byte, name string) (int64, error) {
	_, rest, ok := bytes.Cut(profile, []byte("\n# "+name+" = "))
	if !ok {
		return 0, fmt.Errorf("the heap profile does not tell %s", name)
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return strconv.ParseInt(string(line), 10, 64)
}

// cpuTime reads utime and stime of /proc/PID/stat, the 14th and 15th field. The
// second, the command's name, may hold spaces and parentheses.
func cpuTime(stat []byte) (time.Duration, error) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system = 14 - 3, 15 - 3
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc/PID/stat is %q, want 15 fields or more", stat)
	}
	var ticks int64
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/PID/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// peakRSS reads VmHWM of /proc/PID/status, which is in kB.
func peakRSS(status []byte) (int64, error) {
	_, rest, ok := strings.Cut(string(status), "\nVmHWM:")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 2 || fields[1] != "kB" {
		return 0, fmt.Errorf("/proc/PID/status does not tell VmHWM in kB")
	}
	kilobytes, err := strconv.ParseInt(fields[0], 10, 64)
	return kilobytes << 10, err
}

// Metric returns the sum over all labels of a counter of the collector, given
// without the suffix _total. One that is not there is 0.
func (c *Collector) Metric(ctx context.Context, name string) (float64, error) {
	exposition, err := c.get(ctx, "http://"+c.metrics+"/metrics")
	if err != nil {
		return 0, err
	}
	return sumMetric(string(exposition), name)
}

func sumMetric(exposition, name string) (float64, error) {
	var sum float64
	for line := range strings.Lines(exposition) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), name)
		if !ok {
			continue
		}
		rest = strings.TrimPrefix(rest, "_total")
		if strings.HasPrefix(rest, "{") {
			// The last brace: a label's value may hold one.
			rest = rest[strings.LastIndexByte(rest, '}')+1:]
		}
		number, ok := strings.CutPrefix(rest, " ")
		if !ok {
			continue // another metric, which begins with this one's name
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		sum += value
	}
	return sum, nil
}

// Profile returns a CPU profile of the next so many seconds.
func (c *Collector) Profile(ctx context.Context, seconds int) ([]byte, error) {
	return c.get(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", c.pprof, seconds))
}
