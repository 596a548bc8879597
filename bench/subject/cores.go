package subject

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// Cores says where the collector and the generator run.
type Cores struct {
	collector, generator string
}

// PinSelf gives this process, the generator, one core and the collector
// another, and makes the Go scheduler here use one. Where taskset or a second
// core is missing each process still uses one core at a time, and the cores are
// the kernel's choice.
func PinSelf() (Cores, error) {
	runtime.GOMAXPROCS(1)
	allowed, err := allowedCores()
	if err != nil || len(allowed) < 2 {
		return Cores{}, err
	}
	if _, err := exec.LookPath("taskset"); err != nil {
		return Cores{}, nil
	}
	c := Cores{collector: allowed[0], generator: allowed[1]}
	out, err := exec.Command("taskset", "-a", "-c", "-p", c.generator, strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return Cores{}, fmt.Errorf("taskset: %w: %s", err, out)
	}
	return c, nil
}

// String says it for a report.
func (c Cores) String() string {
	if c.collector == "" {
		return "not pinned, GOMAXPROCS=1 each"
	}
	return fmt.Sprintf("collector on core %s, generator on core %s, GOMAXPROCS=1 each", c.collector, c.generator)
}

// onCollector returns the command line that runs a program on the collector's
// core.
func (c Cores) onCollector(binary string) []string {
	if c.collector == "" {
		return []string{binary}
	}
	return []string{"taskset", "-c", c.collector, binary}
}

// allowedCores returns the numbers of the cores that this process may use.
func allowedCores() ([]string, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(status), "\nCpus_allowed_list:")
	list, _, _ := strings.Cut(rest, "\n")
	return parseCores(strings.TrimSpace(list))
}

// parseCores reads a list as 0-3,8.
func parseCores(list string) (cores []string, err error) {
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			return nil, fmt.Errorf("the list of allowed cores is %q: %w", list, err)
		}
		to, err := strconv.Atoi(last)
		if err != nil {
			return nil, fmt.Errorf("the list of allowed cores is %q: %w", list, err)
		}
		for n := from; n <= to; n++ {
			cores = append(cores, strconv.Itoa(n))
		}
	}
	return cores, nil
}
