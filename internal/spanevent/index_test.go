package spanevent

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A key over which messages are spread has no binding: on a span whose keys all
// have one they are not looked for.
func TestSpreadKeysHaveNoBinding(t *testing.T) {
	for _, d := range dialects {
		for _, prefix := range slices.Concat(d.flatInput, d.flatOutput) {
			require.True(t, strings.HasSuffix(prefix, "."), prefix)
			for _, of := range dialects {
				for _, b := range slices.Concat(of.keys, of.ownKeys) {
					require.False(t, strings.HasPrefix(b.key, prefix), b.key)
				}
			}
		}
	}
}

// Each key has the meaning that the first dialect to list it gives it, also where
// others have its shape; and a key that only has the shape of one has none.
func TestIndexFindsKeys(t *testing.T) {
	first := map[string]binding{}
	shapes := map[uint]int{}
	for _, d := range dialects {
		for _, b := range d.keys {
			if _, listed := first[b.key]; !listed {
				first[b.key] = b
				shapes[shape(b.key)]++
			}
		}
	}
	for key, want := range first {
		got := keys.find(key)
		require.NotNil(t, got, key)
		require.Equal(t, want.key, got.key)
		require.Equal(t, want.field, got.field, key)
		require.Equal(t, want.rank, got.rank, key)

		other := []byte(key)
		other[1] ^= 1
		if _, listed := first[string(other)]; !listed && len(key) > 3 {
			require.Equal(t, shape(key), shape(string(other)), key)
			require.Nil(t, keys.find(string(other)), "%s", other)
		}
	}
	require.Less(t, len(shapes), len(first), "no two keys have one shape, so that was not tried")
	require.Nil(t, keys.find(""))
}
