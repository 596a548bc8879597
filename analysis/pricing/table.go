package pricing

import (
	"math"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Table is a set of prices. It is safe for concurrent use and never changes;
// With returns another one. Get it from Default, Load or With.
type Table struct {
	version   string
	providers []*provider
	// byName finds a provider by its id, its name or an alias, lower-cased.
	byName    map[string]*provider
	overrides map[overrideKey]*model
	cache     cache
}

// Query is a call to be priced.
type Query struct {
	// Provider is who bills the call: an OpenTelemetry provider name
	// ("gcp.vertex_ai"), an id or name of the table, or what a library calls it
	// ("openai.chat"). Empty, the table finds it by the model's name; then the
	// vendor in "openai/gpt-oss-120b" does not count as the provider, for others
	// serve that model at other prices. Where it does name the provider, as
	// behind a LiteLLM proxy, Provider is "litellm".
	Provider string
	// Model is the name as sent or answered.
	Model string
	// ServiceTier is the tier that served the call. Empty, "default",
	// "standard", "auto" and "on_demand" are the standard one; any other is
	// priced only where the table or an override has "model:tier".
	ServiceTier string
	// At is when the call was made; zero = now.
	At time.Time
	Usage
}

// Usage is the tokens of one call. Absent is not known, not zero.
type Usage struct {
	// InputTokens includes the tokens read from and written to a cache.
	InputTokens analysis.Opt[int64]
	// OutputTokens includes reasoning.
	OutputTokens analysis.Opt[int64]
	// CacheReadTokens and CacheWriteTokens are parts of InputTokens.
	CacheReadTokens  analysis.Opt[int64]
	CacheWriteTokens analysis.Opt[int64]
}

// Cost is the price of one call.
type Cost struct {
	// Provider and Model are the table's ids, not the names in the query.
	Provider, Model string
	// InputUSD includes what the cache cost.
	InputUSD, OutputUSD float64
	// TotalUSD is input, output and, where the provider takes one, the fee of
	// the request.
	TotalUSD float64
}

// Cost returns what a call costs. It is false, and never a zero or a guess,
// when the table has no price for the model, when neither the input nor the
// output is known, when a count is negative, and when the cache parts that have
// prices of their own exceed the input.
//
// For a model seen before it allocates nothing.
func (t *Table) Cost(q Query) (Cost, bool) {
	if !q.InputTokens.OK && !q.OutputTokens.OK {
		return Cost{}, false
	}
	m := t.lookup(cacheKey{q.Provider, q.Model, q.ServiceTier})
	if m == nil {
		return Cost{}, false
	}
	c := Cost{Provider: m.provider, Model: m.id}
	var ok bool
	c.InputUSD, c.OutputUSD, c.TotalUSD, ok = m.pricesAt(q.At).cost(q.Usage)
	if !ok || math.IsInf(c.TotalUSD, 0) {
		return Cost{}, false
	}
	return c, true
}

// Version names the table: "genai-prices 0.1.8" for the embedded one, a hash of
// its content for one whose file does not say, and "+overrides" behind either
// when prices of the user's own lie over it.
func (t *Table) Version() string { return t.version }
