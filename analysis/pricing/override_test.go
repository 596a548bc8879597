package pricing_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
)

func usd(v float64) *float64 { return &v }

func TestWith(t *testing.T) {
	base := testTable(t)
	table, err := base.With(
		pricing.Override{Provider: "acme", Model: "Acme-1", InputMtok: usd(1), OutputMtok: usd(5), CacheReadMtok: usd(0.1)},
		pricing.Override{Provider: "acme", Model: "acme-1-big", InputMtok: usd(7)},
		pricing.Override{Provider: "Ollama", Model: "llama3.2", InputMtok: usd(0), OutputMtok: usd(0)},
		pricing.Override{Model: "in-house", InputMtok: usd(2)},
		pricing.Override{Model: "acme-1:batch", InputMtok: usd(0.5)},
		pricing.Override{Provider: "The Reseller", Model: "own", InputMtok: usd(3)},
	)
	require.NoError(t, err)
	assert.Equal(t, "test 1+overrides", table.Version())
	assert.Equal(t, "test 1", base.Version())

	// 1000000 input tokens, 400000 of them from a cache, so that USD are prices.
	usage := tokens(1000000, 0, 400000, -1)
	for name, c := range map[string]struct {
		q    pricing.Query
		want pricing.Cost
	}{
		// 600000 × 1/1e6 + 400000 × 0.1/1e6.
		"instead of the table's": {
			pricing.Query{Provider: "acme.chat", Model: "ACME-1"},
			pricing.Cost{Provider: "acme", Model: "Acme-1", InputUSD: 0.64, TotalUSD: 0.64},
		},
		"for all names of a model": {
			pricing.Query{Provider: "acme", Model: "acme-1-20250101"},
			pricing.Cost{Provider: "acme", Model: "Acme-1", InputUSD: 0.64, TotalUSD: 0.64},
		},
		"for a model found without a provider": {
			pricing.Query{Model: "acme-1"},
			pricing.Cost{Provider: "acme", Model: "Acme-1", InputUSD: 0.64, TotalUSD: 0.64},
		},
		// No cache price: 1000000 × 7/1e6.
		"the nearer name first": {
			pricing.Query{Provider: "acme", Model: "acme/acme-1-big"},
			pricing.Cost{Provider: "acme", Model: "acme-1-big", InputUSD: 7, TotalUSD: 7},
		},
		"a provider beside the table": {
			pricing.Query{Provider: "ollama", Model: "Llama3.2"},
			pricing.Cost{Provider: "ollama", Model: "llama3.2"},
		},
		"any provider": {
			pricing.Query{Provider: "acme", Model: "in-house"},
			pricing.Cost{Provider: "acme", Model: "in-house", InputUSD: 2, TotalUSD: 2},
		},
		"any provider, none known": {
			pricing.Query{Model: "in-house"},
			pricing.Cost{Model: "in-house", InputUSD: 2, TotalUSD: 2},
		},
		"a service tier": {
			pricing.Query{Provider: "acme", Model: "acme-1", ServiceTier: "batch"},
			pricing.Cost{Provider: "acme", Model: "acme-1:batch", InputUSD: 0.5, TotalUSD: 0.5},
		},
		"a provider by the table's name": {
			pricing.Query{Provider: "reseller", Model: "own"},
			pricing.Cost{Provider: "reseller", Model: "own", InputUSD: 3, TotalUSD: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.q.Usage = usage
			got, ok := table.Cost(c.q)
			require.True(t, ok)
			assert.Equal(t, c.want, got)
		})
	}

	_, ok := table.Cost(pricing.Query{Provider: "elsewhere", Model: "llama3.2", Usage: usage})
	assert.False(t, ok, "another provider's price")
	got, ok := base.Cost(pricing.Query{Provider: "acme", Model: "acme-1", Usage: usage})
	require.True(t, ok)
	closeUSD(t, 1.92, got.TotalUSD, "the table that was built on") // 600000 × 3/1e6 + 400000 × 0.3/1e6

	again, err := table.With(pricing.Override{Provider: "acme", Model: "acme-1", InputMtok: usd(2)})
	require.NoError(t, err)
	assert.Equal(t, "test 1+overrides", again.Version())
	got, ok = again.Cost(pricing.Query{Provider: "acme", Model: "acme-1", Usage: usage})
	require.True(t, ok)
	closeUSD(t, 2, got.TotalUSD, "the later override")
	got, ok = again.Cost(pricing.Query{Model: "in-house", Usage: usage})
	require.True(t, ok)
	closeUSD(t, 2, got.TotalUSD, "the override of before")
}

func TestWithRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		o     pricing.Override
		field string
	}{
		"no model":       {pricing.Override{Model: " ", InputMtok: usd(1)}, "overrides[1].model"},
		"no price":       {pricing.Override{Model: "m"}, "overrides[1].input_mtok"},
		"only the cache": {pricing.Override{Model: "m", CacheReadMtok: usd(1)}, "overrides[1].input_mtok"},
		"negative input": {pricing.Override{Model: "m", InputMtok: usd(-1)}, "overrides[1].input_mtok"},
		"NaN output":     {pricing.Override{Model: "m", InputMtok: usd(1), OutputMtok: usd(math.NaN())}, "overrides[1].output_mtok"},
		"infinite read":  {pricing.Override{Model: "m", InputMtok: usd(1), CacheReadMtok: usd(math.Inf(1))}, "overrides[1].cache_read_mtok"},
		"negative write": {pricing.Override{Model: "m", InputMtok: usd(1), CacheWriteMtok: usd(-0.1)}, "overrides[1].cache_write_mtok"},
		"twice":          {pricing.Override{Model: "FIRST", InputMtok: usd(1)}, "overrides[1].model"},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := testTable(t).With(pricing.Override{Model: "first", InputMtok: usd(1)}, c.o)
			assert.Nil(t, table)
			var field *analysis.FieldError
			require.ErrorAs(t, err, &field)
			assert.Equal(t, c.field, field.Field)
		})
	}
}

func TestOverrideJSON(t *testing.T) {
	var o pricing.Override
	require.NoError(t, json.Unmarshal([]byte(`{"provider":"acme","model":"m","input_mtok":1,"output_mtok":2,"cache_read_mtok":0.1,"cache_write_mtok":0}`), &o))
	assert.Equal(t, pricing.Override{
		Provider: "acme", Model: "m", InputMtok: usd(1), OutputMtok: usd(2), CacheReadMtok: usd(0.1), CacheWriteMtok: usd(0),
	}, o)
}
