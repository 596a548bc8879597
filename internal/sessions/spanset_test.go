package sessions

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func keyOf(trace, span int) (k spanKey) {
	k.Trace[0] = 1 // all of one part
	binary.LittleEndian.PutUint32(k.Trace[9:], uint32(trace))
	binary.LittleEndian.PutUint32(k.Span[:], uint32(span))
	return k
}

func (s *spanSet) addOne(k spanKey) bool {
	return s.add(k.Trace, []uint64{binary.LittleEndian.Uint64(k.Span[:])}) != 0
}

// without returns the ids but those of the same trace.
func without(ids []spanKey, of spanKey) []spanKey {
	return slices.DeleteFunc(slices.Clone(ids), func(k spanKey) bool { return k.Trace == of.Trace })
}

// It remembers as many ids as its limit says, and says of each whether it does,
// however traces take turns, long or short, and however their hashes meet. Those
// are forgotten that are first in order, in which the traces that go on move to
// the end.
func TestSpanSetRemembersAsManyAsItsLimit(t *testing.T) {
	mix := func(w spanWords) uint64 { return (w[0]*31+w[1])*31 + w[2]*0x9e3779b97f4a7c15 }
	hashes := map[string]func(spanWords) uint64{
		"its own":         nil,
		"of no use":       func(spanWords) uint64 { return 0 },
		"of the trace":    func(w spanWords) uint64 { return mix(spanWords{w[0], w[1]}) * 0x9e3779b97f4a7c15 },
		"of one tag":      func(w spanWords) uint64 { return mix(w) >> 32 << 32 },
		"at the end":      func(w spanWords) uint64 { return ^(mix(w) % 7) },
		"of other traces": func(w spanWords) uint64 { return mix(spanWords{w[0], w[1] / 2, w[2]}) },
	}
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				limit := rapid.IntRange(1, 150).Draw(t, "limit")
				traces := rapid.IntRange(1, 2*limit).Draw(t, "traces")
				spans := rapid.SampledFrom([]int{1, 3, 30, 1000}).Draw(t, "spans of a trace")
				together := rapid.IntRange(1, 12).Draw(t, "that come together")
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
				var s spanSet
				s.reset(limit)
				if hash != nil {
					s.hash = func(high, low, id uint64) uint64 { return hash(spanWords{high, low, id}) }
				}
				// The numbers begin anew after a while.
				s.first = 1<<s.numberBits - uint32(s.chunkWords()*rapid.IntRange(1, 4).Draw(t, "chunks before"))
				s.oldest, s.next = s.first, s.first
				held := map[spanKey]bool{}
				var order []spanKey
				trace := 0
				for n := range 1000 {
					if n%together == 0 {
						trace = random.IntN(traces)
					}
					k := keyOf(trace, random.IntN(spans))
					had := held[k]
					if added := s.addOne(k); added == had {
						t.Fatalf("id %x added: %v, want %v", k, added, !had)
					}
					if had {
						continue
					}
					held[k] = true
					after := s.inOrder()
					if len(after) != s.ids || len(after) > limit {
						t.Fatalf("%d ids are remembered, and counted as %d; the limit is %d", len(after), s.ids, limit)
					}
					if len(after) < min(len(order)+1, limit) {
						require.Greater(t, s.next-s.oldest+runIDs+maxRunIDs, s.maxWords, "%d ids are remembered, after %d", len(after), len(order))
					}
					// The others keep their order, and the first of them are forgotten.
					was, is := without(order, k), without(after, k)
					require.GreaterOrEqual(t, len(was), len(is))
					require.True(t, slices.Equal(was[len(was)-len(is):], is))
					forgotten := len(order) + 1 - len(after)
					for i := 0; i < len(order) && forgotten > 0; i++ {
						if !slices.Contains(after, order[i]) {
							delete(held, order[i])
							forgotten--
						}
					}
					order = after
				}
				require.Len(t, held, len(order))
				var restored spanSet
				restored.reset(limit)
				for _, k := range order {
					require.True(t, held[k], "%x is remembered, but never was added", k)
					require.True(t, restored.addOne(k))
				}
				for _, k := range order {
					require.False(t, restored.addOne(k), "%x is lost in a snapshot", k)
				}
			})
		})
	}
}

// Ids of a trace that are added together are remembered, and forgotten, as one by
// one, those too that are among them twice.
func TestSpanSetAddsTogetherAsOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{1, 10, 60, 70, 100, 1000}).Draw(t, "limit")
		traces := rapid.IntRange(1, 40).Draw(t, "traces")
		spans := rapid.SampledFrom([]int{3, 30, 1000}).Draw(t, "spans of a trace")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var together, single spanSet
		for _, s := range []*spanSet{&together, &single} {
			s.reset(limit)
			// The numbers begin anew after a while.
			s.first = 1<<s.numberBits - uint32(2*s.chunkWords())
			s.oldest, s.next = s.first, s.first
		}
		for range 100 {
			trace := keyOf(random.IntN(traces), 0).Trace
			ids := make([]uint64, 1+random.IntN(64))
			for i := range ids {
				ids[i] = uint64(random.IntN(spans))
			}
			var want uint64
			for i := range ids {
				want |= single.add(trace, ids[i:i+1]) << i
			}
			if got := together.add(trace, ids); got != want {
				t.Fatalf("of the ids %d, %b were added, want %b", ids, got, want)
			}
			require.True(t, slices.Equal(single.inOrder(), together.inOrder()))
			require.Equal(t, single.placed, together.placed)
			require.Equal(t, single.next-single.oldest, together.next-together.oldest)
		}
	})
}

// What came lately is remembered, if it came to a trace that began long ago too.
func TestSpanSetRemembersTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit, spans = 2000, 4
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		traces := rapid.IntRange(limit/8, 2*limit).Draw(t, "traces")
		var s spanSet
		s.reset(limit)
		// An eighth of the ids is older than the run that one is added to.
		const newest = (limit/8 - maxRunIDs) / spans
		var added []spanKey
		count := map[int]int{}
		for range 4 * limit {
			trace := random.IntN(traces)
			k := keyOf(trace+traces*(count[trace]/spans), count[trace]%spans)
			count[trace]++
			require.True(t, s.addOne(k))
			added = append(added, k)
			if k := added[max(0, len(added)-1-random.IntN(newest))]; s.addOne(k) {
				t.Fatalf("%x is forgotten", k)
			}
		}
	})
}

// Traces of many more ids than are compared are remembered id by id, and begin
// anew when all of one was forgotten.
func TestSpanSetOfLongTraces(t *testing.T) {
	const limit = 1000
	var s spanSet
	s.reset(limit)
	for n := range 10 * limit {
		// Three at first, then one, then three others, and those again.
		of := func(n int) spanKey { return keyOf([]int{n % 3, 0, 3 + n%3, n % 3}[n/limit%4], n) }
		require.True(t, s.addOne(of(n)))
		for _, before := range []int{0, 1, limit / 2, 3 * limit / 4} {
			if before <= n {
				require.False(t, s.addOne(of(n-before)), "the %d. before %d is forgotten", before, n)
			}
		}
	}
	indexed := 0
	for at := s.oldest; at != s.next; at = s.after(at) {
		if s.run(at).is(isIndexed) {
			indexed += len(s.remembered(at))
		}
	}
	assert.Greater(t, indexed, limit/2)
}

// It takes memory as it fills, and no more than it was said to.
func TestSpanSetGrowsWithUse(t *testing.T) {
	const limit = 20_000
	for _, c := range []struct {
		name                          string
		traces, spans, inRequest, max int
	}{
		{"a span a trace", 1, 1, 1, 42},
		{"two, each in a request of its own", 5000, 2, 1, 52},
		{"twelve in two requests", 1000, 12, 6, 26},
		{"twelve, each in a request of its own", 1000, 12, 1, 48},
		{"long ones", 10, 10_000, 6, 27},
		{"long ones, each span in a request of its own", 100, 10_000, 1, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s spanSet
			s.reset(limit)
			for n := range 5 * limit {
				request := n / c.inRequest
				place, round := request%c.traces, request/c.traces*c.inRequest+n%c.inRequest
				require.True(t, s.addOne(keyOf(place+round/c.spans*c.traces, round%c.spans)))
				bytes := 8*len(s.chunks)*s.chunkWords() + 64*len(s.buckets)
				room := c.max*s.ids + 2*8*s.chunkWords() + 64
				if s.ids < limit {
					room += 12 * s.ids // The index grows by doubling.
				}
				if bytes > room {
					t.Fatalf("%d bytes for %d ids", bytes, s.ids)
				}
			}
			assert.Equal(t, limit, s.ids)
		})
	}
}
