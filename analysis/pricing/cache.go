package pricing

import (
	"strings"
	"sync"
)

const (
	// cacheSize bounds one generation of the cache; two are kept.
	cacheSize = 2048
	// maxCachedName bounds the names it holds; real ones are far shorter.
	maxCachedName = 256
)

// cache remembers what names mean, in two generations: when the young one is
// full it becomes the old one, and what is still asked for moves back. So it is
// bounded whatever the names, and a flood of new ones does not drive out those
// in use. The zero cache is ready.
type cache struct {
	mu         sync.RWMutex
	young, old map[cacheKey]*model
}

// cacheKey is the names as they stand on the span.
type cacheKey struct{ provider, model, serviceTier string }

// get returns what names mean, nil for nothing, and whether it is known.
func (c *cache) get(k cacheKey) (*model, bool) {
	c.mu.RLock()
	m, ok := c.young[k]
	inOld := false
	if !ok {
		m, inOld = c.old[k]
	}
	c.mu.RUnlock()
	if inOld {
		c.put(k, m)
	}
	return m, ok || inOld
}

func (c *cache) put(k cacheKey, m *model) {
	if max(len(k.provider), len(k.model), len(k.serviceTier)) > maxCachedName {
		return
	}
	// The names may be slices of a whole request, which must not be kept alive.
	k = cacheKey{strings.Clone(k.provider), strings.Clone(k.model), strings.Clone(k.serviceTier)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= cacheSize {
		c.young, c.old = nil, c.young
	}
	if c.young == nil {
		c.young = make(map[cacheKey]*model)
	}
	c.young[k] = m
}
