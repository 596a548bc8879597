package pricing_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis/pricing"
)

func BenchmarkCost(b *testing.B) {
	table := pricing.Default()
	usage := tokens(250000, 1000, 100000, 1000)
	at := time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	for name, q := range map[string]pricing.Query{
		"plain":   {Provider: "openai", Model: "gpt-4o", At: at, Usage: usage},
		"tiered":  {Provider: "gcp.vertex_ai", Model: "publishers/google/models/gemini-2.5-pro", At: at, Usage: usage},
		"hourly":  {Provider: "deepseek", Model: "deepseek-v4-pro", At: at, Usage: usage},
		"unknown": {Provider: "openai", Model: "no-such-model", At: at, Usage: usage},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table.Cost(q)
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		q := pricing.Query{Provider: "openai", Model: "gpt-4o", At: at, Usage: usage}
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				table.Cost(q)
			}
		})
	})
	// The worst case: a name never seen, so that nothing is remembered.
	b.Run("new name", func(b *testing.B) {
		names := make([]string, 1<<16)
		for i := range names {
			names[i] = fmt.Sprint("hostile-", i)
		}
		b.ResetTimer()
		for i := 0; b.Loop(); i++ {
			table.Cost(pricing.Query{Provider: "aws.bedrock", Model: names[i%len(names)], At: at, Usage: usage})
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	data, err := os.ReadFile("data/genai-prices.json")
	require.NoError(b, err)
	for b.Loop() {
		_, err := pricing.Load(bytes.NewReader(data))
		require.NoError(b, err)
	}
}
