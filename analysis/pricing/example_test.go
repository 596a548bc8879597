package pricing_test

import (
	"fmt"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
)

func ExampleTable_Cost() {
	cost, ok := pricing.Default().Cost(pricing.Query{
		Provider: "openai",
		Model:    "gpt-4o-2024-08-06",
		At:       time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC),
		Usage: pricing.Usage{
			InputTokens:     analysis.Some[int64](10_000),
			OutputTokens:    analysis.Some[int64](500),
			CacheReadTokens: analysis.Some[int64](8_000),
		},
	})
	fmt.Printf("%s %s $%.4f %v\n", cost.Provider, cost.Model, cost.TotalUSD, ok)
	// Output: openai gpt-4o $0.0200 true
}

func ExampleTable_With() {
	price := 0.4
	table, err := pricing.Default().With(pricing.Override{Provider: "ollama", Model: "llama3.2", InputMtok: &price})
	if err != nil {
		fmt.Println(err)
		return
	}
	cost, ok := table.Cost(pricing.Query{
		Provider: "ollama", Model: "llama3.2",
		Usage: pricing.Usage{InputTokens: analysis.Some[int64](1_000_000)},
	})
	fmt.Printf("$%.2f %v\n", cost.TotalUSD, ok)
	// Output: $0.40 true
}
