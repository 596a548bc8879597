package agentlensprocessor

import (
	"context"
	"sync"
	"time"
)

// sums is what was counted and has not been told to the meter. To add to a
// counter of OpenTelemetry costs several times what it costs to count, and each
// request has a few dozen sums: they are told when the metrics are collected
// (registerGauges), and once a second, for whoever has no use for the metric
// that the collection calls for. Nothing is told late.
type sums struct {
	mu sync.Mutex
	// asked says that the collection of metrics asks for the sums. Without that,
	// before Start and after Shutdown, each request tells its own.
	asked bool
	// told is when they were last told.
	told time.Time

	tally tally
	costs map[costLabels]*costSum

	ofDialect, ofStatus measured[string]
	ofCost              measured[costLabels]
	ofRule              measured[ruleLabels]
}

// costSum is what calls cost under two labels, as they stand on the metric.
type costSum struct {
	labels costLabels
	calls  int64
	usd    float64
}

const tellEvery = time.Second

// tell adds what a request has counted to the metrics, at the time now, and
// clears it.
func (p *agentLensProcessor) tell(ctx context.Context, t *tally, now time.Time) {
	p.sums.mu.Lock()
	defer p.sums.mu.Unlock()
	p.addToSums(t)
	if !p.sums.asked || now.Sub(p.sums.told) >= tellEvery {
		p.sums.told = now
		p.tellSums(ctx)
	}
}

// tellNow adds to the metrics what requests have counted.
func (p *agentLensProcessor) tellNow(ctx context.Context) {
	p.sums.mu.Lock()
	defer p.sums.mu.Unlock()
	p.tellSums(ctx)
}

// ask says whether the collection of metrics asks for the sums.
func (s *sums) ask(asked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = asked
}

// addToSums empties a tally into the sums, which are locked.
func (p *agentLensProcessor) addToSums(t *tally) {
	s := &p.sums
	for _, d := range t.dialects {
		s.tally.dialects = count(s.tally.dialects, d.label, d.n)
	}
	for _, d := range t.statuses {
		s.tally.statuses = count(s.tally.statuses, p.statuses.of(d.label), d.n)
	}
	for len(s.tally.results) < len(t.results) {
		s.tally.results = append(s.tally.results, 0)
	}
	for i, n := range t.results {
		s.tally.results[i] += n
	}
	p.addCosts(t)
	s.tally.duplicates += t.duplicates
	s.tally.evicted += t.evicted
	s.tally.unpriced += t.unpriced
	t.clear()
}

func (p *agentLensProcessor) addCosts(t *tally) {
	for i := range t.costs {
		c := &t.costs[i]
		if c.calls == 0 {
			continue
		}
		if c.sum == nil {
			c.sum = p.costSum(c.costLabels)
		}
		c.sum.calls += c.calls
		c.sum.usd += c.usd
	}
}

// costSum returns the sum that the cost of an agent's calls of a model belongs to:
// for good, for a label that had no room once never has.
func (p *agentLensProcessor) costSum(of costLabels) *costSum {
	labels := costLabels{p.agents.of(of.agent), p.models.of(of.model)}
	sum := p.sums.costs[labels]
	if sum == nil {
		sum = &costSum{labels: labels}
		p.sums.costs[labels] = sum
	}
	return sum
}

// spendMore makes room in a tally for the costs of other labels.
func (p *agentLensProcessor) spendMore(t *tally) {
	p.sums.mu.Lock()
	defer p.sums.mu.Unlock()
	p.addCosts(t)
	clear(t.costs)
	clear(t.places)
	t.costs = t.costs[:0]
}

// tellSums adds the sums, which are locked, to the metrics.
func (p *agentLensProcessor) tellSums(ctx context.Context) {
	s, t := &p.sums, &p.sums.tally
	for _, d := range t.dialects {
		p.telemetry.ProcessorAgentlensSpans.Add(ctx, d.n, s.ofDialect.of(d.label, dialectLabel)...)
	}
	for _, d := range t.statuses {
		p.telemetry.ProcessorAgentlensSessionsCompleted.Add(ctx, d.n, s.ofStatus.of(d.label, statusLabel)...)
	}
	for i, n := range t.results {
		if n > 0 {
			p.telemetry.ProcessorAgentlensComplianceResults.Add(ctx, n, s.ofRule.of(p.engines.results[i], ruleLabels.keyValues)...)
		}
	}
	for _, c := range s.costs {
		if c.calls > 0 {
			p.telemetry.ProcessorAgentlensCost.Add(ctx, c.usd, s.ofCost.of(c.labels, costLabels.keyValues)...)
			c.calls, c.usd = 0, 0
		}
	}
	if t.duplicates > 0 {
		p.telemetry.ProcessorAgentlensSpansDuplicate.Add(ctx, t.duplicates)
	}
	if t.evicted > 0 {
		p.telemetry.ProcessorAgentlensSessionsEvicted.Add(ctx, t.evicted)
	}
	if t.unpriced > 0 {
		p.telemetry.ProcessorAgentlensUnpricedCalls.Add(ctx, t.unpriced)
	}
	t.clear()
}
