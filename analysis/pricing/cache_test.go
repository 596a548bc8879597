package pricing

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

func (c *cache) size() int { return len(c.young) + len(c.old) }

func TestCacheIsBounded(t *testing.T) {
	var c cache
	used := cacheKey{model: "in use"}
	m := &model{id: "in use"}
	c.put(used, m)
	for i := range 10 * cacheSize {
		c.put(cacheKey{model: fmt.Sprint("hostile ", i)}, nil)
		if i%2 == 0 {
			c.recent = [len(c.recent)]atomic.Pointer[meaning]{}
		}
		got, ok := c.get(&used)
		require.True(t, ok, "forgotten after %d others", i)
		require.Same(t, m, got)
	}
	assert.LessOrEqual(t, c.size(), 2*cacheSize)

	before := c.size()
	c.put(cacheKey{model: strings.Repeat("x", maxCachedName+1)}, nil)
	assert.Equal(t, before, c.size())
}

// Names mean what they did when they were put, whichever others are at their
// place among the recent ones.
func TestCacheTellsNamesApart(t *testing.T) {
	var c cache
	parts := []string{"", "a", "b", "ab", "aba", "bab", "abab", strings.Repeat("a", maxCachedName)}
	want := map[cacheKey]*model{}
	for _, provider := range parts {
		for _, name := range parts {
			for _, tier := range parts {
				k := cacheKey{provider, name, tier}
				if want[k] = (&model{id: provider + "/" + name + ":" + tier}); name == "ab" {
					want[k] = nil
				}
				_, known := c.get(&k)
				require.False(t, known)
				c.put(k, want[k])
			}
		}
	}
	for range 2 {
		for k, m := range want {
			for range 2 {
				got, known := c.get(&k)
				require.True(t, known)
				require.Same(t, m, got)
			}
		}
	}
}

func TestCostConcurrently(t *testing.T) {
	table := Default()
	usage := Usage{InputTokens: analysis.Some[int64](1000000)}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range cacheSize {
				c, ok := table.Cost(Query{Provider: "openai", Model: "gpt-4o", Usage: usage})
				if !ok || c.Model != "gpt-4o" {
					t.Errorf("gpt-4o: %+v, %v", c, ok)
				}
				if c, ok := table.Cost(Query{Model: fmt.Sprint("hostile ", g, " ", i), Usage: usage}); ok {
					t.Errorf("hostile name: %+v", c)
				}
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, table.cache.size(), 2*cacheSize)
}

func TestCostDoesNotAllocate(t *testing.T) {
	table := Default()
	for _, q := range []Query{
		{Provider: "openai", Model: "gpt-4o"},
		{Provider: "gcp.vertex_ai", Model: "publishers/google/models/gemini-2.5-pro"},
		{Provider: "azure.ai.openai", Model: "gpt-4o"},
		{Provider: "openai", Model: "gpt-4o", ServiceTier: "batch"},
		{Model: "nobody knows it"},
	} {
		q.InputTokens = analysis.Some[int64](1000)
		assert.Zero(t, testing.AllocsPerRun(100, func() { table.Cost(q) }), "%+v", q)
	}
}
