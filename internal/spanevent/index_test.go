package spanevent

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/semconv"
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
		f.collect(attrs)
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

// The one pass over a span's attributes finds what taking each by itself does.
func TestCollectTakesEachAttribute(t *testing.T) {
	known := []string{
		"http.request.method", "server.port", semconv.SessionMetadataPrefix, semconv.SessionMetadataPrefix + "a", "a",
		semconv.SessionMetadataPrefix + strings.Repeat("a", 40),
	}
	for _, d := range dialects {
		for _, b := range slices.Concat(d.keys, d.ownKeys) {
			known = append(known, b.key)
		}
	}
	// What has the hash of a known key without being one.
	for _, key := range slices.Clone(known) {
		if w := wordsOf(key); len(key) > 16 {
			other := []byte(key)
			other[len(key)/2] ^= 1
			if v := wordsOf(string(other)); v.first == w.first && v.last == w.last {
				known = append(known, string(other))
			}
		}
	}
	for i, found := 0, 0; found < 5; i++ {
		key := fmt.Sprintf("%s%08d", semconv.SessionMetadataPrefix, i)
		if w := wordsOf(key); keys.places[hash(w.first, w.last, len(key))] > 0 {
			known = append(known, key)
			found++
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		want := facts{
			scope:        rapid.SampledFrom(append([]*dialect{nil}, dialects...)).Draw(t, "scope"),
			withMetadata: rapid.Bool().Draw(t, "with metadata"),
		}
		got := want
		attrs := pcommon.NewMap()
		if own := want.scope; own != nil && own.ownKeys != nil {
			attrs.PutStr(rapid.SampledFrom(own.ownKeys).Draw(t, "own key").key, "own")
		}
		for _, key := range rapid.SliceOfN(rapid.SampledFrom(known), 0, 30).Draw(t, "keys") {
			attrs.PutStr(key, key)
		}
		for key, v := range attrs.All() {
			want.take(key, v)
		}
		got.collect(attrs)
		require.Equal(t, want, got)
	})
}

// The dialects of a span come each once, the scope's own before the others.
func TestDialectsOfASpan(t *testing.T) {
	for _, own := range append([]*dialect{nil}, dialects...) {
		f := facts{scope: own, seen: general.bit | genAI.bit | liveKit.bit}
		want := []*dialect{&genAI, &general, &liveKit}
		if own != nil {
			f.seen |= own.bit
			want = append([]*dialect{own}, slices.DeleteFunc(want, func(d *dialect) bool { return d == own })...)
		}
		require.Equal(t, want, slices.Collect(f.dialects()))
	}

	stamped := facts{seen: agentLens.bit | genAI.bit | general.bit}
	require.Equal(t, genAI.name, dialectName(&stamped, nil))
	stamped.seen |= liveKit.bit
	require.Equal(t, liveKit.name, dialectName(&stamped, nil))
	require.Equal(t, langfuse.name, dialectName(&stamped, &langfuse))
	stamped.scope = &agentLens
	require.Equal(t, agentLens.name, dialectName(&stamped, &langfuse))
}
