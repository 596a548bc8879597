package sessions

import (
	"fmt"
	"strings"
	"testing"
	"unique"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"
)

// What is remembered of texts and traces is what there is to say of each by itself,
// whatever was asked for before it, and a number stands for one name.
func TestSymbolsAreWhatTheySay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := newSymbols()
		// Of these, many have one slot.
		text := rapid.Custom(func(t *rapid.T) string {
			n := rapid.SampledFrom([]int{0, 1, 5, maxSymbol, maxSymbol + 1}).Draw(t, "length")
			if n < 5 {
				return strings.Repeat("x", n)
			}
			return fmt.Sprintf("x%03d%s", rapid.IntRange(0, 9).Draw(t, "n"), strings.Repeat("x", n-4))
		})
		named := map[uint64]string{}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			s := text.Draw(t, "text")
			as := use(rapid.Uint8Max(uint8(uses-1)).Draw(t, "use"))
			of := y.numberOf(nameOf(s), as)
			n, ok := y.number(s)
			require.Equal(t, nameOf(s), y.name(s, as))
			require.Equal(t, scopeHash(s), y.scope(s))
			require.Equal(t, len(s) <= maxSymbol, ok)
			require.Equal(t, ok, of != unnumbered)
			if ok {
				require.Equal(t, n, uint64(of))
				require.Equal(t, nameOf(s), y.names[n])
				if before, known := named[n]; known {
					require.Equal(t, before, s)
				}
				named[n] = s
			}
			service := Service{Name: s, Version: rapid.SampledFrom([]string{"", "1"}).Draw(t, "version"), Attributes: s}
			require.Equal(t, unique.Make(service), y.service(service))
			id := pcommon.TraceID{15: byte(rapid.IntRange(0, 2).Draw(t, "trace"))}
			require.Equal(t, traceHash(id), y.trace(id))
		}
	})
}

// When all numbers are given, names still are names.
func TestSymbolsAreBounded(t *testing.T) {
	y := newSymbols()
	for i := range 2 * maxSymbols {
		s := fmt.Sprint("tool-", i)
		require.Equal(t, nameOf(s), y.name(s, asTool))
		_, ok := y.number(s)
		require.Equal(t, i < maxSymbols-1, ok, s)
		require.Equal(t, ok, y.numberOf(nameOf(s), asTool) != unnumbered)
		require.Equal(t, scopeHash(s), y.scope(s))
	}
	assert.Len(t, y.names, maxSymbols)
	n, ok := y.number("tool-7")
	assert.True(t, ok)
	assert.Equal(t, "tool-7", textOf(y.names[n]))
}
