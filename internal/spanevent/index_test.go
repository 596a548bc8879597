package spanevent

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
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
// others have its hash; and a key that is like one has none.
func TestIndexFindsKeys(t *testing.T) {
	hashOf := func(key string) uint64 {
		w := wordsOf(key)
		return hash(w.first, w.last, len(key))
	}
	find := func(key string) *binding {
		b := keys.find(key)
		attrs := pcommon.NewMap()
		attrs.PutStr(key, "value")
		var f facts
		(&Scope{without: ContentMetadata}).collect(&f, attrs)
		if b == nil {
			require.Equal(t, facts{}, f, key)
		} else {
			require.Equal(t, 1, f.bound, key)
			require.Equal(t, b.dialect, f.seen, key)
			if b.expand == nil && b.field != fieldNothing {
				require.Equal(t, uint64(1)<<b.field, f.told, key)
			}
		}
		return b
	}
	first := map[string]binding{}
	hashes := map[uint64]int{}
	for _, d := range dialects {
		for _, b := range d.keys {
			if _, listed := first[b.key]; !listed {
				first[b.key] = b
				hashes[hashOf(b.key)]++
			}
		}
	}
	likeOne := 0
	for key, want := range first {
		got := find(key)
		require.NotNil(t, got, key)
		require.Equal(t, want.key, got.key)
		require.Equal(t, want.field, got.field, key)
		require.Equal(t, want.rank, got.rank, key)

		others := []string{key[1:], key[:len(key)-1], key + key[len(key)-1:]}
		for i := range key {
			other := []byte(key)
			other[i] ^= 1
			others = append(others, string(other))
		}
		for _, other := range others {
			if _, listed := first[other]; !listed {
				require.Nil(t, find(other), other)
				if hashOf(key) == hashOf(other) {
					likeOne++
				}
			}
		}
	}
	require.Positive(t, likeOne, "no other key has the hash of a known one, so that was not tried")
	require.Less(t, len(hashes), len(first), "no two keys have one hash, so that was not tried")
	require.Nil(t, find(""))
}
