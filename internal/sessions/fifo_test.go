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
			v, added := f.at(k)
			require.True(t, added)
			*v = n
			list = append(list, k)
			list = list[max(0, len(list)-limit):]
			var held []uint8
			f.each(func(k uint8, _ int) { held = append(held, k) })
			require.Equal(t, list, held)
		}
	})
}

// A key that is there is found, and one that is not is not, whatever was moved
// up before.
func TestFifoMovesUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 600).Draw(t, "limit")
		f := newFifo[uint16, uint16](limit)
		first := rapid.Uint16().Draw(t, "first")
		for i := range uint16(2000) {
			v, _ := f.at(first + i*7)
			*v = i
			for _, back := range []uint16{0, uint16(limit) / 2, uint16(limit) - 1} {
				if back <= i {
					have := f.get(first + (i-back)*7)
					require.NotNil(t, have)
					require.Equal(t, i-back, *have)
				}
			}
			require.Nil(t, f.get(first+(i+1)*7))
		}
		for slot := range f.slots {
			if f.slots[slot] != 0 {
				home := f.home(f.hash(f.ring[f.place(slot)].key))
				require.Equal(t, (slot-home)&(len(f.slots)-1), f.distance(slot))
			}
		}
	})
}
