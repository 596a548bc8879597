package agentlensprocessor

import (
	"fmt"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/semconv"
)

// engines are the analysis engines as configured. One that is switched off is
// nil and costs nothing.
type engines struct {
	prices   *pricing.Table
	policies []*compliance.Checker
}

func newEngines(cfg *Config) (*engines, error) {
	var e engines
	if cfg.Cost.Enabled {
		prices, err := pricing.Default().With(cfg.Cost.Prices...)
		if err != nil {
			return nil, fmt.Errorf("`cost::prices`: %w", err)
		}
		e.prices = prices
	}
	for i := range cfg.Compliance.Policies {
		checker, err := compliance.NewChecker(&cfg.Compliance.Policies[i])
		if err != nil {
			return nil, fmt.Errorf("`compliance::policies::%d`: %w", i, err)
		}
		e.policies = append(e.policies, checker)
	}
	return &e, nil
}

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

// verdict is what the engines say of a whole session.
type verdict struct {
	compliance []*compliance.Report
}

func (e *engines) judge(s *analysis.Summary) verdict {
	var v verdict
	for _, checker := range e.policies {
		v.compliance = append(v.compliance, checker.Check(s))
	}
	return v
}

// String is equal for verdicts that say the same.
func (v *verdict) String() string {
	var b []byte
	for _, report := range v.compliance {
		for _, r := range report.Results {
			b = fmt.Appendf(b, "%s/%s=%s:%s;", report.Policy, r.Kind, r.Verdict, r.Message)
		}
	}
	return string(b)
}
