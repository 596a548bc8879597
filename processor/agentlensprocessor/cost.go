package agentlensprocessor

import (
	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
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
