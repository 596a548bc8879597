package pricing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/internal/golden"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
)

func TestGoldenPricing(t *testing.T) {
	type input struct {
		Provider  string    `json:"provider"`
		Model     string    `json:"model"`
		Timestamp time.Time `json:"timestamp"`
		Usage     struct {
			Input      analysis.Opt[int64] `json:"input_tokens"`
			Output     analysis.Opt[int64] `json:"output_tokens"`
			CacheRead  analysis.Opt[int64] `json:"cache_read_tokens"`
			CacheWrite analysis.Opt[int64] `json:"cache_write_tokens"`
		} `json:"usage"`
	}
	type expected struct {
		Provider string  `json:"provider"`
		Model    string  `json:"model"`
		Input    float64 `json:"input_price"`
		Output   float64 `json:"output_price"`
		Total    float64 `json:"total_price"`
	}
	table := pricing.Default()
	for _, c := range golden.Load(t, "pricing.jsonl") {
		t.Run(c.ID, func(t *testing.T) {
			in := golden.Decode[input](t, c.Input)
			got, ok := table.Cost(pricing.Query{
				Provider: in.Provider, Model: in.Model, At: in.Timestamp,
				Usage: pricing.Usage{
					InputTokens: in.Usage.Input, OutputTokens: in.Usage.Output,
					CacheReadTokens: in.Usage.CacheRead, CacheWriteTokens: in.Usage.CacheWrite,
				},
			})
			want := golden.Decode[*expected](t, c.Expected)
			if want == nil {
				require.False(t, ok, "want no price, got %+v", got)
				return
			}
			require.True(t, ok, "no price, want %+v", *want)
			assert.Equal(t, want.Provider, got.Provider)
			assert.Equal(t, want.Model, got.Model)
			closeUSD(t, want.Input, got.InputUSD, "input")
			closeUSD(t, want.Output, got.OutputUSD, "output")
			closeUSD(t, want.Total, got.TotalUSD, "total")
		})
	}
}

// closeUSD holds two amounts to a relative 1e-9.
func closeUSD(t *testing.T, want, got float64, what string) {
	t.Helper()
	if !(math.Abs(want-got) <= 1e-9*math.Abs(want)) {
		t.Errorf("%s is %v USD, want %v", what, got, want)
	}
}
