package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"

	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// driftTables prints how often the drift engine calls a drift where nothing
// changed, and how often where something did.
func driftTables(w io.Writer, seed uint64, runs int) error {
	usual := usualAgent()
	alarms := newTable("baseline", "current", "false alarms", "not enough evidence", "plain d of 0.5 or more")
	for _, n := range [][2]int{{5, 5}, {10, 10}, {30, 30}, {100, 100}, {200, 20}} {
		o, err := compareAgents(usual, usual, n, seed, runs)
		if err != nil {
			return err
		}
		alarms.row(n[0], n[1], share(o.drift(), runs), share(o.status[drift.NotEnoughEvidence], runs), share(o.plain, runs))
	}
	fmt.Fprintf(w, "Drift, nothing changed: %d comparisons a row\n\n", runs)
	if err := alarms.write(w); err != nil {
		return err
	}

	power := newTable("change", "sessions a side", "found", "minor", "significant", "degraded")
	for _, c := range driftChanges() {
		for _, n := range c.sessions {
			o, err := compareAgents(usual, c.agent, [2]int{n, n}, seed, runs)
			if err != nil {
				return err
			}
			power.row(c.name, n, share(o.drift(), runs), share(o.status[drift.MinorDrift], runs),
				share(o.status[drift.SignificantDrift], runs), share(o.status[drift.Degraded], runs))
		}
	}
	fmt.Fprintf(w, "\nDrift, something changed: %d comparisons a row\n\n", runs)
	return power.write(w)
}

// driftChange is a change of the usual agent.
type driftChange struct {
	name     string
	agent    agent
	sessions []int
}

func driftChanges() []driftChange {
	changed := func(name string, sessions []int, change func(*agent)) driftChange {
		a := usualAgent()
		change(&a)
		return driftChange{name, a, sessions}
	}
	return []driftChange{
		changed("tokens doubled", []int{30, 100}, func(a *agent) { a.tokens = 2 }),
		changed("errors 2 % to 10 %", []int{30, 100}, func(a *agent) { a.errorRate = 0.1 }),
		changed("latency times 1.5", []int{30, 100}, func(a *agent) { a.latency = 1.5 }),
		changed("second model 20 % to 50 %", []int{30, 100}, func(a *agent) { a.otherModel = 0.5 }),
		changed("one tool three times as often", []int{30, 100}, func(a *agent) { a.searches = 3 }),
		changed("tokens +5 %, too small to matter", []int{300}, func(a *agent) { a.tokens = 1.05 }),
	}
}

// outcomes counts the answers of many comparisons.
type outcomes struct {
	status map[drift.Status]int
	// plain counts those in which the plain Cohen's d of any metric reached
	// the original's threshold.
	plain int
}

// drift is how often the status was one of drift.
func (o *outcomes) drift() int {
	return o.status[drift.MinorDrift] + o.status[drift.SignificantDrift] + o.status[drift.Degraded]
}

// compareAgents compares n[0] sessions of one agent with n[1] of another, many
// times. Each comparison has its own random numbers, so that the outcome does not
// depend on the number of processors.
func compareAgents(baseline, current agent, n [2]int, seed uint64, runs int) (*outcomes, error) {
	total := &outcomes{status: map[drift.Status]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failure error
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() {
			for run := worker; run < runs; run += workers {
				report, err := compareOnce(&baseline, &current, n, rand.New(rand.NewPCG(seed, uint64(run))))
				mu.Lock()
				if err != nil {
					failure = err
				} else {
					total.status[report.Status]++
					if len(report.DriftingMetrics) > 0 {
						total.plain++
					}
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return total, failure
}

func compareOnce(baseline, current *agent, n [2]int, r *rand.Rand) (*drift.Report, error) {
	var windows [2]*drift.Window
	for i, a := range [2]*agent{baseline, current} {
		w, err := drift.NewWindow(n[i])
		if err != nil {
			return nil, err
		}
		for k := range n[i] {
			if err := w.Add(a.session(r, strconv.Itoa(k))); err != nil {
				return nil, err
			}
		}
		windows[i] = w
	}
	return drift.CompareWindows(windows[0], windows[1], drift.DefaultConfig())
}

// share is a percentage of all runs.
func share(n, runs int) string {
	return strconv.FormatFloat(100*float64(n)/float64(runs), 'f', 1, 64) + " %"
}
