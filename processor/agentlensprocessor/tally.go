package agentlensprocessor

import "github.com/agentlens/agentlens-otel/analysis/compliance"

// tally is what a request has counted, until it goes into the sums of all.
type tally struct {
	// dialects counts spans, statuses sessions that had their first verdict.
	dialects, statuses []labelCount
	// results counts by the places of engines.results.
	results []int64
	// costs sums what calls cost by their labels. Most requests tell of the same
	// agents and models: the labels stay when it is cleared, up to maxCosts.
	costs []labelCost
	// places are those of the labels in costs, last is that of the latest call:
	// calls of one session stand together.
	places                        map[costLabels]int
	last                          int
	duplicates, evicted, unpriced int64
}

type labelCount struct {
	label string
	n     int64
}

type labelCost struct {
	costLabels
	// calls and usd are what there were, and what they cost.
	calls int64
	usd   float64
	// sum is where it goes; nil = not looked up yet.
	sum *costSum
}

// maxCosts bounds the labels that a tally keeps.
const maxCosts = 64

// count counts one of a label, of which there are few.
func count(counts []labelCount, label string, n int64) []labelCount {
	for i := range counts {
		if counts[i].label == label {
			counts[i].n += n
			return counts
		}
	}
	return append(counts, labelCount{label, n})
}

// spend counts what a call cost. It reports false when there are too many sums.
func (t *tally) spend(l costLabels, usd float64) bool {
	if t.last >= len(t.costs) || t.costs[t.last].costLabels != l {
		at, known := t.places[l]
		if !known {
			if at = len(t.costs); at == maxCosts {
				return false
			}
			if t.places == nil {
				t.places = map[costLabels]int{}
			}
			t.places[l] = at
			t.costs = append(t.costs, labelCost{costLabels: l})
		}
		t.last = at
	}
	c := &t.costs[t.last]
	c.calls++
	c.usd += usd
	return true
}

// verdicts are what a rule can say, in the order of engines.results.
var verdicts = [...]compliance.Verdict{compliance.Pass, compliance.Fail, compliance.Skip}

// check counts the results of a policy.
func (t *tally) check(p *policy, report *compliance.Report) {
	for len(t.results) < p.results+len(verdicts)*len(report.Results) {
		t.results = append(t.results, 0)
	}
	for i := range report.Results {
		for j, verdict := range verdicts {
			if report.Results[i].Verdict == verdict {
				t.results[p.results+len(verdicts)*i+j]++
			}
		}
	}
}

// clear forgets what was counted, but keeps the memory.
func (t *tally) clear() {
	clear(t.dialects)
	clear(t.statuses)
	clear(t.results)
	for i := range t.costs {
		t.costs[i].calls, t.costs[i].usd = 0, 0
	}
	*t = tally{dialects: t.dialects[:0], statuses: t.statuses[:0], results: t.results, costs: t.costs, places: t.places}
}
