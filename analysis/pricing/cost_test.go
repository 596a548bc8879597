package pricing_test

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
)

// tokens is a usage; a negative number stands for absent.
func tokens(in, out, cacheRead, cacheWrite int64) pricing.Usage {
	opt := func(n int64) analysis.Opt[int64] {
		if n < 0 {
			return analysis.Opt[int64]{}
		}
		return analysis.Some(n)
	}
	return pricing.Usage{InputTokens: opt(in), OutputTokens: opt(out), CacheReadTokens: opt(cacheRead), CacheWriteTokens: opt(cacheWrite)}
}

func testTable(t testing.TB) *pricing.Table {
	t.Helper()
	f, err := os.Open("testdata/table.json")
	require.NoError(t, err)
	defer f.Close()
	table, err := pricing.Load(f)
	require.NoError(t, err)
	return table
}

// The amounts are worked out by hand from testdata/table.json.
func TestCost(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
		return v
	}
	for name, c := range map[string]struct {
		model      string
		at         time.Time
		usage      pricing.Usage
		in, out    float64
		requestUSD float64
	}{
		// 10000 × 3/1e6 = 0.03; 2000 × 15/1e6 = 0.03.
		"no cache": {model: "acme-1", usage: tokens(10000, 2000, -1, -1), in: 0.03, out: 0.03},
		// 10000 − 6000 − 1000 = 3000 plain: 0.009; read 6000 × 0.3/1e6 = 0.0018;
		// write 1000 × 3.75/1e6 = 0.00375.
		"cache parts at their prices": {model: "acme-1", usage: tokens(10000, 2000, 6000, 1000), in: 0.01455, out: 0.03},
		"all input from the cache":    {model: "acme-1", usage: tokens(10000, 0, 10000, -1), in: 0.003},
		// Without a price of its own a cached token costs 2/1e6 as any other.
		"cache without a price":              {model: "acme-plain", usage: tokens(10000, 0, 6000, 1000), in: 0.02},
		"cache without a price, over input":  {model: "acme-plain", usage: tokens(10, 0, 6000, -1), in: 0.00002},
		"reasoning is part of the output":    {model: "acme-plain", usage: tokens(0, 5000, -1, -1), out: 0.04},
		"output unknown":                     {model: "acme-plain", usage: tokens(1000, -1, -1, -1), in: 0.002},
		"input unknown":                      {model: "acme-plain", usage: tokens(-1, 1000, -1, -1), out: 0.008},
		"no tokens":                          {model: "acme-plain", usage: tokens(0, 0, -1, -1)},
		"a model that costs nothing":         {model: "acme-free", usage: tokens(1000, 1000, 500, -1)},
		"a fee for the request, not a token": {model: "acme-search", usage: tokens(1000, 1000, -1, -1), in: 0.001, out: 0.001, requestUSD: 0.012},
		// The tier begins above its start: 200000 × 1.25/1e6, 1000 × 10/1e6.
		"at the tier's start": {model: "acme-tiered", usage: tokens(200000, 1000, -1, -1), in: 0.25, out: 0.01},
		// One token more and all of them cost the tier's price, output too:
		// 200001 × 2.5/1e6, 1000 × 15/1e6.
		"above the tier's start": {model: "acme-tiered", usage: tokens(200001, 1000, -1, -1), in: 0.5000025, out: 0.015},
		// 150000 plain × 2.5/1e6 = 0.375; 100000 read × 0.25/1e6 = 0.025: the cache
		// counts towards the tier.
		"cached tokens reach the tier": {model: "acme-tiered", usage: tokens(250000, 0, 100000, -1), in: 0.4},
		"second tier":                  {model: "acme-tiered", usage: tokens(1000001, 0, -1, -1), in: 5.000005},

		"before the first date":     {model: "acme-dated", at: at("2025-06-09T23:59:59.999Z"), usage: tokens(1000, 1000, -1, -1), in: 0.01, out: 0.04},
		"at the date":               {model: "acme-dated", at: at("2025-06-10T00:00:00Z"), usage: tokens(1000, 1000, -1, -1), in: 0.002, out: 0.008},
		"still the day before, UTC": {model: "acme-dated", at: at("2025-06-10T01:30:00+02:00"), usage: tokens(1000, 1000, -1, -1), in: 0.01, out: 0.04},
		"the last date that holds":  {model: "acme-dated", at: at("2026-01-01T00:00:00Z"), usage: tokens(1000, 1000, -1, -1), in: 0.001, out: 0.004},

		"before the hour":          {model: "acme-hourly", at: at("2026-05-01T08:59:59.999Z"), usage: tokens(1000, -1, -1, -1), in: 0.004},
		"from the hour":            {model: "acme-hourly", at: at("2026-05-01T09:00:00Z"), usage: tokens(1000, -1, -1, -1), in: 0.006},
		"to the hour, excluded":    {model: "acme-hourly", at: at("2026-05-01T17:00:00Z"), usage: tokens(1000, -1, -1, -1), in: 0.004},
		"an hour of another zone":  {model: "acme-hourly", at: at("2026-05-01T17:30:00+02:00"), usage: tokens(1000, -1, -1, -1), in: 0.006},
		"over midnight, before":    {model: "acme-hourly", at: at("2026-05-01T23:00:00Z"), usage: tokens(1000, -1, -1, -1), in: 0.001},
		"over midnight, behind":    {model: "acme-hourly", at: at("2026-05-02T00:29:59Z"), usage: tokens(1000, -1, -1, -1), in: 0.001},
		"over midnight, at an end": {model: "acme-hourly", at: at("2026-05-02T00:30:00Z"), usage: tokens(1000, -1, -1, -1), in: 0.004},
		"before 1970":              {model: "acme-hourly", at: at("1969-12-31T10:00:00Z"), usage: tokens(1000, -1, -1, -1), in: 0.006},

		"lookahead lets pass": {model: "acme-talk-mini", usage: tokens(1000, -1, -1, -1), in: 0.007},
		"lookahead refuses":   {model: "acme-talk-tts", usage: tokens(1000, -1, -1, -1), in: 0.009},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := testTable(t).Cost(pricing.Query{Provider: "acme", Model: c.model, At: c.at, Usage: c.usage})
			require.True(t, ok)
			assert.Equal(t, "acme", got.Provider)
			closeUSD(t, c.in, got.InputUSD, "input")
			closeUSD(t, c.out, got.OutputUSD, "output")
			closeUSD(t, c.in+c.out+c.requestUSD, got.TotalUSD, "total")
		})
	}
}

// What has no price has none: not zero, and not that of something like it.
func TestNoCost(t *testing.T) {
	known := tokens(1000, 1000, -1, -1)
	for name, q := range map[string]pricing.Query{
		"unknown model":                  {Provider: "acme", Model: "acme-9", Usage: known},
		"unknown model, no provider":     {Model: "acme-9", Usage: known},
		"unknown provider":               {Provider: "elsewhere", Model: "acme-plain", Usage: known},
		"vendor is not the provider":     {Model: "acme/acme-plain", Usage: known},
		"model of another provider":      {Provider: "acme", Model: "own", Usage: known},
		"no model":                       {Provider: "acme", Usage: known},
		"nothing":                        {},
		"neither input nor output":       {Provider: "acme", Model: "acme-1"},
		"cache parts over input":         {Provider: "acme", Model: "acme-1", Usage: tokens(1000, 10, 800, 201)},
		"cache read over input":          {Provider: "acme", Model: "acme-1", Usage: tokens(1000, 10, 1001, -1)},
		"cache parts without input":      {Provider: "acme", Model: "acme-1", Usage: tokens(-1, 10, 5, -1)},
		"cache, price and input unknown": {Provider: "acme", Model: "acme-plain", Usage: tokens(-1, 10, 5, -1)},
		"vendor, no provider":            {Model: "acme-x/acme-plain", Usage: known},
		"snapshot, no provider":          {Model: "acme-dated-2025-08-07", Usage: known},
		"cache parts beyond int64":       {Provider: "acme", Model: "acme-1", Usage: tokens(1000, 10, math.MaxInt64, math.MaxInt64)},
		"negative input":                 {Provider: "acme", Model: "acme-1", Usage: pricing.Usage{InputTokens: analysis.Some[int64](-5)}},
		"negative output":                {Provider: "acme", Model: "acme-1", Usage: pricing.Usage{OutputTokens: analysis.Some[int64](-5)}},
		"tier without a price":           {Provider: "acme", Model: "acme-plain", ServiceTier: "priority", Usage: known},
		"tier under starts_with":         {Provider: "acme", Model: "acme-1", ServiceTier: "batch", Usage: known},
		"tier in the name and beside it": {Provider: "acme", Model: "acme-1:batch", ServiceTier: "batch", Usage: known},
		"tier in a model of one's own":   {Provider: "acme", Model: "acme-tiered", ServiceTier: "flex", Usage: known},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := testTable(t).Cost(q)
			assert.False(t, ok)
			assert.Zero(t, got)
		})
	}
}

func TestServiceTier(t *testing.T) {
	table := testTable(t)
	// 1000 × 2/1e6 + 1000 × 8/1e6, and half of it in a batch.
	for tier, want := range map[string]float64{
		"": 0.01, "default": 0.01, "standard": 0.01, "auto": 0.01, "on_demand": 0.01, "STANDARD": 0.01,
		"batch": 0.005, "Batch": 0.005,
	} {
		for range 2 { // as found, and as remembered
			got, ok := table.Cost(pricing.Query{Model: "acme-plain", ServiceTier: tier, Usage: tokens(1000, 1000, -1, -1)})
			require.True(t, ok, tier)
			closeUSD(t, want, got.TotalUSD, tier)
		}
	}
	got, ok := table.Cost(pricing.Query{Model: "acme-plain:batch", ServiceTier: "batch", Usage: tokens(1000, 1000, -1, -1)})
	require.True(t, ok)
	assert.Equal(t, "acme-plain:batch", got.Model)
}

func TestFallbackProviders(t *testing.T) {
	got, ok := testTable(t).Cost(pricing.Query{Provider: "reseller", Model: "acme-plain", Usage: tokens(1000, 0, -1, -1)})
	require.True(t, ok)
	assert.Equal(t, pricing.Cost{Provider: "reseller", Model: "acme-plain", InputUSD: 0.002, TotalUSD: 0.002}, got)
}

// A price by date goes by the clock when the call's time is not known.
func TestZeroTimeIsNow(t *testing.T) {
	q := pricing.Query{Model: "acme-dated", Usage: tokens(1000, 0, -1, -1)}
	got, ok := testTable(t).Cost(q)
	require.True(t, ok)
	closeUSD(t, 0.001, got.TotalUSD, "the price since 2026")
}
