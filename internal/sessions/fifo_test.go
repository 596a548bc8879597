package sessions

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// It holds the newest keys in their order, as a list would, however their hashes
// meet: through full buckets, and when the numbers begin anew.
func TestFifoHoldsTheNewest(t *testing.T) {
	mix := func(k uint16) uint64 { return (uint64(k) + 1) * 0x9e3779b97f4a7c15 }
	hashes := map[string]func(uint16) uint64{
		"its own":      nil,
		"of no use":    func(uint16) uint64 { return 0 },
		"of one place": func(k uint16) uint64 { return mix(k) >> 32 },
		"at the end":   func(k uint16) uint64 { return ^uint64(k % 7) },
		"of one tag":   func(k uint16) uint64 { return mix(k) >> 32 << 32 },
	}
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				limit := rapid.IntRange(1, 80).Draw(t, "limit")
				keys := uint32(limit * rapid.IntRange(1, 20).Draw(t, "keys a place"))
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
				f := newFifo[uint16, int](limit)
				if hash != nil {
					f.hash = hash
				}
				var list []uint16
				begun := 0
				// Plain comparisons, for there are a million.
				for n := range 1500 {
					k := uint16(random.Uint32N(keys))
					had := slices.Contains(list, k)
					if v := f.get(k); had != (v != nil) {
						t.Fatalf("key %d held: %v, want %v", k, v != nil, had)
					}
					before := f.next
					v, added := f.at(k)
					if *v = n; added == had || *f.get(k) != n {
						t.Fatalf("key %d added: %v with the value %d, want %v, %d", k, added, *f.get(k), !had, n)
					}
					if added {
						list = append(list, k)
						list = list[max(0, len(list)-limit):]
					}
					if f.get(list[0]) == nil {
						t.Fatalf("the oldest, %d, is not held", list[0])
					}
					if f.next < before {
						begun++
					}
					if added && (n < 100 || n%97 == 0 || f.next < before) {
						var held []uint16
						f.each(func(k uint16, _ int) { held = append(held, k) })
						require.Equal(t, list, held)
					}
				}
				if limit < 20 && keys >= 5*uint32(limit) {
					require.Positive(t, begun, "the numbers never began anew")
				}
			})
		})
	}
}

// A bucket that was full is passed only as long as what passed it is live: it
// does not make the way to all keys longer for ever.
func TestFifoForgetsThatABucketWasFull(t *testing.T) {
	f := newFifo[int, int](1000)
	// The first belong in one bucket, the others in all alike.
	f.hash = func(k int) uint64 {
		if k < 100 {
			return uint64(k)
		}
		return uint64(k) * 0x9e3779b97f4a7c15
	}
	full := func() (n int) {
		for i := range f.buckets {
			if f.live(f.buckets[i].passed) {
				n++
			}
		}
		return n
	}
	for k := range 3000 {
		f.at(k)
		if k == 999 {
			assert.GreaterOrEqual(t, full(), 100/len(bucket{}.slots))
		}
	}
	assert.Zero(t, full())
}

// Within as many keys as it remembers, all of its buckets may have been full.
func TestFifoLooksNoFurtherThanAllBuckets(t *testing.T) {
	f := newFifo[int, int](16)
	f.hash = func(k int) uint64 {
		if k < 16 {
			return 0
		}
		return 1 << 63
	}
	for k := range 31 {
		f.at(k)
	}
	require.Len(t, f.buckets, 2)
	require.True(t, f.live(f.buckets[0].passed) && f.live(f.buckets[1].passed))
	assert.Nil(t, f.get(31))
	for k := range 31 {
		assert.Equal(t, k >= 15, f.get(k) != nil)
	}
}

// It takes memory as it fills, and then about 8 bytes a key beside the ring.
func TestFifoGrowsWithUse(t *testing.T) {
	const limit = 50_000
	f := newFifo[uint32, struct{}](limit)
	for k := range uint32(3 * limit) {
		f.at(k)
		n := int(min(k+1, limit))
		if cap(f.ring) > 2*n+8 || len(f.buckets) > 2*n/perBucket+1 {
			t.Fatalf("room for %d keys and %d buckets for %d keys", cap(f.ring), len(f.buckets), n)
		}
	}
	assert.Len(t, f.buckets, limit/perBucket)
}
