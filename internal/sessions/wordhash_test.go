package sessions

import (
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Ids that differ in few bits, wherever these are, spread over the buckets and over
// the tags as random numbers would.
func TestWordHashSpreads(t *testing.T) {
	const n, places = 1 << 14, 1 << 10
	for word := range 3 {
		for _, shift := range []int{0, 20, 50} {
			h := newWordHash()
			var high, low [places]int
			for i := range uint64(n) {
				w := spanWords{0x0102030405060708, 1 << 40, 0}
				w[word] ^= i << shift
				hash := h.of(w[0], w[1], w[2])
				high[hash>>(64-10)]++
				low[uint32(hash)>>(32-10)]++
			}
			for _, counts := range [...][places]int{high, low} {
				var chi float64
				for _, c := range counts {
					chi += math.Pow(float64(c)-n/places, 2) / (n / places)
				}
				// Of random ones it is about the number of places, in the mean.
				assert.Less(t, chi/places, 2.0, "word %d from bit %d on", word, shift)
			}
		}
	}
}

// With other seeds other ids meet.
func TestWordHashIsSeeded(t *testing.T) {
	a, b := newWordHash(), newWordHash()
	differ := 0
	for i := range uint64(1000) {
		require.Equal(t, a.of(i, i, i), a.of(i, i, i))
		differ += bits.OnesCount64(a.of(i, i, i) ^ b.of(i, i, i))
	}
	assert.InDelta(t, 32_000, differ, 4000)
}
