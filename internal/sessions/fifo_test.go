package sessions

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// It holds the newest keys in their order, as a list would.
func TestFifoHoldsTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		f := newFifo[uint8, int](limit)
		var list []uint8
		for n, k := range rapid.SliceOfN(rapid.Uint8Range(0, 40), 0, 200).Draw(t, "keys") {
			v := f.get(k)
			require.Equal(t, slices.Contains(list, k), v != nil)
			if v != nil {
				*v = n
				require.Equal(t, n, *f.get(k), "changed in place")
				continue
			}
			f.add(k, n)
			list = append(list, k)
			list = list[max(0, len(list)-limit):]
			var held []uint8
			f.each(func(k uint8, _ int) { held = append(held, k) })
			require.Equal(t, list, held)
		}
	})
}
