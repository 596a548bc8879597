package sessions

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// It says what a map would, as it grows, as hashes that belong in one place come
// and go, and around the end.
func TestPlaceTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		homes := rapid.Uint64Range(1, 40).Draw(t, "homes")
		hashes := rapid.Uint64Range(1, 60).Draw(t, "hashes")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		table, want := newPlaceTable(), map[uint64]place{}
		for range 600 {
			n := random.Uint64N(hashes)
			// The lowest bits say where it belongs: the last places, and the first.
			hash := (n+1)<<32 | (n%homes-homes/2)&0xffff
			at := place(random.Uint64())
			switch random.IntN(3) {
			case 0:
				table.remove(hash)
				delete(want, hash)
			default:
				table.set(hash, at)
				want[hash] = at
			}
			require.Equal(t, len(want), table.len)
			for n := range hashes {
				hash := (n+1)<<32 | (n%homes-homes/2)&0xffff
				have, held := table.get(hash)
				at, wanted := want[hash]
				if held != wanted || held && have != at {
					t.Fatalf("%x is at %x: %v, want %x: %v", hash, have, held, at, wanted)
				}
			}
		}
	})
}

// A look-up goes on for few places, however many sessions came and went.
func TestPlaceTableStaysSparse(t *testing.T) {
	const held = 10_000
	table := newPlaceTable()
	random := rand.New(rand.NewPCG(1, 1))
	var hashes []uint64
	for n := range 10 * held {
		hash := max(1, random.Uint64())
		table.set(hash, place(n))
		if hashes = append(hashes, hash); len(hashes) > held {
			table.remove(hashes[0])
			hashes = hashes[1:]
		}
	}
	assert.Equal(t, held, table.len)
	assert.LessOrEqual(t, len(table.entries), 4*held)
	steps := 0
	for _, hash := range hashes {
		steps += 1 + table.behind(table.find(hash), table.home(hash))
	}
	assert.Less(t, float64(steps)/held, 2.0)
}
