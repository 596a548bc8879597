package agentlensprocessor

import (
	"context"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
)

// tally is what is still to be added to the metrics: to count costs a tenth of
// adding each for itself.
type tally struct {
	// dialects counts spans, statuses sessions that had their first verdict.
	dialects, statuses []labelCount
	// results counts by the places of engines.results.
	results []int64
	// costs sums what calls cost by their labels.
	costs []costCount
}

type labelCount struct {
	label string
	n     int64
}

type costCount struct {
	costLabels
	usd float64
}

// maxCosts is how many sums are as quickly looked through.
const maxCosts = 32

// count counts one of a label, of which there are few.
func count(counts []labelCount, label string) []labelCount {
	for i := range counts {
		if counts[i].label == label {
			counts[i].n++
			return counts
		}
	}
	return append(counts, labelCount{label, 1})
}

// spend counts what a call cost. It reports false when there are too many sums.
func (t *tally) spend(l costLabels, usd float64) bool {
	for i := range t.costs {
		if t.costs[i].costLabels == l {
			t.costs[i].usd += usd
			return true
		}
	}
	if len(t.costs) == maxCosts {
		return false
	}
	t.costs = append(t.costs, costCount{l, usd})
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

// tell adds to the metrics what was counted.
func (p *agentLensProcessor) tell(ctx context.Context, t *tally) {
	for _, d := range t.dialects {
		p.telemetry.ProcessorAgentlensSpans.Add(ctx, d.n, p.ofDialect.of(d.label, dialectLabel)...)
	}
	for _, s := range t.statuses {
		p.telemetry.ProcessorAgentlensSessionsCompleted.Add(ctx, s.n, p.ofStatus.of(p.statuses.of(s.label), statusLabel)...)
	}
	for i, n := range t.results {
		if n > 0 {
			p.telemetry.ProcessorAgentlensComplianceResults.Add(ctx, n, p.ofRule.of(p.engines.results[i], ruleLabels.keyValues)...)
		}
	}
	p.tellCosts(ctx, t)
	t.clear()
}

func (p *agentLensProcessor) tellCosts(ctx context.Context, t *tally) {
	for _, c := range t.costs {
		l := costLabels{p.agents.of(c.agent), p.models.of(c.model)}
		p.telemetry.ProcessorAgentlensCost.Add(ctx, c.usd, p.ofCost.of(l, costLabels.keyValues)...)
	}
	clear(t.costs)
	t.costs = t.costs[:0]
}

// clear forgets what was counted, but keeps the memory.
func (t *tally) clear() {
	clear(t.dialects)
	clear(t.statuses)
	clear(t.results)
	clear(t.costs)
	*t = tally{dialects: t.dialects[:0], statuses: t.statuses[:0], results: t.results, costs: t.costs[:0]}
}
