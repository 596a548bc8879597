package agentlensprocessor

import (
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// price sets the cost of an inference unless the span brought one, and returns
// where the cost is from: "" when none is known.
func (e *engines) price(ev *analysis.Event) (source, version string) {
	if ev.CostUSD.OK {
		return semconv.CostSourceProvider, ""
	}
	if e.prices == nil || !priced(ev.Type) {
		return "", ""
	}
	q := pricing.Query{
		Provider: ev.Provider, ServiceTier: ev.ServiceTier, At: ev.Timestamp,
		Usage: pricing.Usage{
			InputTokens: ev.TokensIn, OutputTokens: ev.TokensOut,
			CacheReadTokens: ev.CacheReadTokens, CacheWriteTokens: ev.CacheWriteTokens,
		},
	}
	// What answered is what is billed; its name is not always in the table.
	for _, q.Model = range [...]string{ev.ResponseModel, ev.Model} {
		if q.Model == "" {
			continue
		}
		if cost, ok := e.prices.Cost(q); ok {
			ev.CostUSD = analysis.Some(cost.TotalUSD)
			return semconv.CostSourceLocal, e.prices.Version()
		}
	}
	return "", ""
}

// priced reports whether events of a type are calls of a model.
func priced(t analysis.EventType) bool {
	return t == analysis.EventLLMCall || t == semconv.OperationEmbeddings
}

// countCost counts what a call cost, or that its price is not known.
func (p *agentLensProcessor) countCost(b *batch, r *spanevent.Reading, source string) {
	switch {
	case source != "":
		l := costLabels{r.Agent(), r.Event.Model}
		if !b.tally.spend(l, r.Event.CostUSD.V) {
			p.spendMore(&b.tally)
			b.tally.spend(l, r.Event.CostUSD.V)
		}
	case p.engines.prices != nil && priced(r.Event.Type):
		b.tally.unpriced++
		p.tellUnpriced(&r.Event)
	}
}

// tellUnpriced logs once of each model, up to a hundred, that no price is known.
func (p *agentLensProcessor) tellUnpriced(e *analysis.Event) {
	if (e.Model != "" || e.ResponseModel != "") && (e.TokensIn.OK || e.TokensOut.OK) && p.unpriced.add(e.Provider+"/"+e.Model+"/"+e.ResponseModel) {
		p.logger.Info("No price is known of a model; its calls have no cost. Prices can be added under `cost::prices`",
			zap.String("provider", e.Provider), zap.String("model", e.Model), zap.String("response_model", e.ResponseModel))
	}
}
