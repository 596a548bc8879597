package pricing_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis/pricing"
)

// The list as upstream publishes it has no version, and more in it.
func TestLoadList(t *testing.T) {
	const list = `
	[{"id":"acme","name":"Acme","api_pattern":".*","extractors":[{"root":"usage"}],"models":[
	  {"id":"m","description":"text","match":{"equals":"m"},"prices":{"input_mtok":1,"input_audio_mtok":9}}]}]`
	table, err := pricing.Load(strings.NewReader(list))
	require.NoError(t, err)
	assert.Regexp(t, regexp.MustCompile(`^sha256:[0-9a-f]{12}$`), table.Version())
	got, ok := table.Cost(pricing.Query{Provider: "acme", Model: "m", Usage: tokens(1000000, 0, -1, -1)})
	require.True(t, ok)
	closeUSD(t, 1, got.TotalUSD, "total")

	other, err := pricing.Load(strings.NewReader(strings.Replace(list, `"input_mtok":1`, `"input_mtok":2`, 1)))
	require.NoError(t, err)
	assert.NotEqual(t, table.Version(), other.Version())
}

// An id is nobody else's name.
func TestLoadIDBeforeName(t *testing.T) {
	table, err := pricing.Load(strings.NewReader(`[
		{"id":"a","name":"B","models":[{"id":"m","match":{"equals":"m"},"prices":{"input_mtok":1}}]},
		{"id":"b","name":"A","models":[{"id":"m","match":{"equals":"m"},"prices":{"input_mtok":2}}]}]`))
	require.NoError(t, err)
	for _, id := range []string{"a", "b"} {
		got, ok := table.Cost(pricing.Query{Provider: id, Model: "m", Usage: tokens(1000, 0, -1, -1)})
		require.True(t, ok)
		assert.Equal(t, id, got.Provider)
	}
}

// The embedded table and the file it is made of price alike.
func TestDefaultIsTheFile(t *testing.T) {
	f, err := os.Open("data/genai-prices.json")
	require.NoError(t, err)
	defer f.Close()
	table, err := pricing.Load(f)
	require.NoError(t, err)
	assert.Equal(t, table.Version(), pricing.Default().Version())
	assert.Regexp(t, `^genai-prices \d+\.\d+\.\d+$`, table.Version())
}

func TestLoadRefuses(t *testing.T) {
	model := func(match, prices string) string {
		return `[{"id":"acme","models":[{"id":"m1","match":` + match + `,"prices":` + prices + `}]}]`
	}
	const ok = `{"equals":"m"}`
	for name, c := range map[string]struct{ in, want string }{
		"nothing":             {``, "unexpected end"},
		"not JSON":            {`prices`, "invalid character"},
		"no providers":        {`{"version":"1"}`, "providers is empty, want at least one provider"},
		"empty list":          {`[]`, "providers is empty"},
		"null provider":       {`[null]`, `providers[0].id is "", want a name`},
		"provider without id": {`[{"name":"x"}]`, `providers[0].id is "", want a name`},
		"model without id":    {`[{"id":"acme","models":[{}]}]`, `provider "acme": models[0].id is "", want a name`},
		"no match":            {`[{"id":"acme","models":[{"id":"m1","prices":{}}]}]`, `provider "acme": model "m1": match has 0 known keys`},
		"unknown match":       {model(`{"sounds_like":"m"}`, `{}`), "match has 0 known keys"},
		"two matches":         {model(`{"equals":"m","contains":"n"}`, `{}`), "match has 2 known keys"},
		"or and another":      {model(`{"or":[{"equals":"m"}],"contains":"n"}`, `{}`), "match has 2 known keys"},
		"null in or":          {model(`{"or":[null]}`, `{}`), "match has 0 known keys"},
		"bad part of and":     {model(`{"and":[{"equals":"m"},{}]}`, `{}`), "match has 0 known keys"},
		"bad regex":           {model(`{"regex":"("}`, `{}`), `regex "("`},
		"bad lookahead":       {model(`{"regex":"^(?!a"}`, `{}`), "want (?!…) first"},
		"lookahead and or":    {model(`{"regex":"^(?!a)b|c"}`, `{}`), "want (?!…) first"},
		"lookahead inside":    {model(`{"regex":"^a(?!b)"}`, `{}`), `regex "^a(?!b)"`},
		"bad provider_match":  {`[{"id":"acme","provider_match":{}}]`, `provider "acme": provider_match: match has 0`},
		"bad model_match":     {`[{"id":"acme","model_match":{}}]`, `provider "acme": model_match: match has 0`},
		"no prices":           {`[{"id":"acme","models":[{"id":"m1","match":{"equals":"m"}}]}]`, "prices is absent, want a price set"},
		"null prices":         {model(ok, `null`), "prices is absent"},
		"no price set":        {model(ok, `[]`), "prices is [], want at least one price set"},
		"negative price":      {model(ok, `{"input_mtok":-1}`), `model "m1": input_mtok is -1, want a finite price`},
		"text for a price":    {model(ok, `{"output_mtok":"1"}`), "cannot unmarshal string"},
		"no base":             {model(ok, `{"input_mtok":{"tiers":[]}}`), "no base"},
		"half a tier":         {model(ok, `{"input_mtok":{"base":1,"tiers":[{"start":5}]}}`), "no start or no price"},
		"negative start":      {model(ok, `{"input_mtok":{"base":1,"tiers":[{"start":-5,"price":1}]}}`), "input_mtok.tiers[0].start is -5"},
		"negative tier":       {model(ok, `{"input_mtok":{"base":1,"tiers":[{"start":5,"price":-1}]}}`), "input_mtok.tiers[0].price is -1"},
		"tiered requests":     {model(ok, `{"requests_kcount":{"base":1,"tiers":[{"start":5,"price":1}]}}`), "requests_kcount is tiered"},
		"cache without input": {model(ok, `{"cache_read_mtok":1}`), "input_mtok is absent, want a price, since the cache has one"},
		"bad date":            {model(ok, `[{"constraint":{"start_date":"2025-02-30"},"prices":{}}]`), "constraint.start_date is 2025-02-30"},
		"bad start time":      {model(ok, `[{"constraint":{"start_time":"25:00:00Z","end_time":"01:00:00Z"},"prices":{}}]`), "constraint.start_time is 25:00:00Z"},
		"bad end time":        {model(ok, `[{"constraint":{"start_time":"01:00:00Z"},"prices":{}}]`), "constraint.end_time is , want a time"},
		"time without a zone": {model(ok, `[{"constraint":{"start_time":"01:00:00","end_time":"02:00:00Z"},"prices":{}}]`), "constraint.start_time is 01:00:00"},
		"unknown constraint":  {model(ok, `[{"constraint":{"type":"weekday"},"prices":{}}]`), "want start_date, or start_time and end_time"},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := pricing.Load(strings.NewReader(c.in))
			assert.Nil(t, table)
			require.ErrorContains(t, err, c.want)
		})
	}
	broken := errors.New("broken pipe")
	_, err := pricing.Load(iotest.ErrReader(broken))
	assert.ErrorIs(t, err, broken)
}

// Whatever Load accepts can be priced with, and no price is negative or none.
func FuzzLoad(f *testing.F) {
	sample, err := os.ReadFile("testdata/table.json")
	require.NoError(f, err)
	f.Add(sample, "acme", "acme-1", int64(300000), int64(10))
	f.Add([]byte(`[{"id":"a","models":[{"id":"m","match":{"regex":"^(?!x)m"},"prices":{"input_mtok":{"base":1,"tiers":[{"start":0,"price":2}]}}}]}]`), "a", "m", int64(1), int64(0))
	f.Add([]byte(`[{"id":"a","fallback_model_providers":["a"],"models":[]}]`), "litellm", "a/models/models/x@", int64(1), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, provider, model string, in, out int64) {
		table, err := pricing.Load(bytes.NewReader(data))
		if err != nil {
			return
		}
		got, ok := table.Cost(pricing.Query{Provider: provider, Model: model, Usage: tokens(in, out, in/2, -1)})
		if !ok {
			require.Zero(t, got)
			return
		}
		for _, usd := range []float64{got.InputUSD, got.OutputUSD, got.TotalUSD} {
			require.False(t, usd < 0 || math.IsNaN(usd) || math.IsInf(usd, 0), "%+v", got)
		}
	})
}
