package pricing

import (
	"strings"
	"sync"
	"sync/atomic"
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
	// recent holds what was asked for last, by cacheKey.place. Most calls are of a
	// few models, which are found there without a lock or a hash of their names.
	recent [64]atomic.Pointer[meaning]

	mu         sync.RWMutex
	young, old map[cacheKey]*meaning
}

// cacheKey is the names as they stand on the span.
type cacheKey struct{ provider, model, serviceTier string }

// meaning is what names mean: a model, or nil for nothing. It does not change.
type meaning struct {
	names cacheKey
	model *model
}

// get returns what names mean, nil for nothing, and whether it is known.
func (c *cache) get(k *cacheKey) (*model, bool) {
	recent := &c.recent[k.place()%len(c.recent)]
	if m := recent.Load(); m != nil && m.names == *k {
		return m.model, true
	}
	c.mu.RLock()
	m := c.young[*k]
	inOld := false
	if m == nil {
		m = c.old[*k]
		inOld = m != nil
	}
	c.mu.RUnlock()
	if m == nil {
		return nil, false
	}
	if inOld {
		c.keep(m)
	}
	recent.Store(m)
	return m.model, true
}

// place tells names apart that are in use together.
func (k *cacheKey) place() int {
	n := len(k.model)
	if n == 0 {
		return len(k.provider)
	}
	return int(k.model[0]) + 3*int(k.model[n/2]) + 5*int(k.model[n-1]) + 7*n + 11*len(k.provider)
}

func (c *cache) put(k cacheKey, m *model) {
	if max(len(k.provider), len(k.model), len(k.serviceTier)) > maxCachedName {
		return
	}
	// The names may be slices of a whole request, which must not be kept alive.
	c.keep(&meaning{cacheKey{strings.Clone(k.provider), strings.Clone(k.model), strings.Clone(k.serviceTier)}, m})
}

func (c *cache) keep(m *meaning) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= cacheSize {
		c.young, c.old = nil, c.young
	}
	if c.young == nil {
		c.young = make(map[cacheKey]*meaning)
	}
	c.young[m.names] = m
}
