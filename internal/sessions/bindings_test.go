package sessions

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"
)

// They say what a map would, of ids of any length, and forget the oldest traces
// of a part only when it is full.
func TestBindingsAreThoseOfTheEarliest(t *testing.T) {
	ids := []string{"a", "b", strings.Repeat("x", maxBoundID), strings.Repeat("y", maxBoundID+1), strings.Repeat("z", 300)}
	rapid.Check(t, func(t *rapid.T) {
		var b traces
		b.reset(0, 1)
		want := map[pcommon.TraceID]binding{}
		var order []pcommon.TraceID
		var trace pcommon.TraceID
		for range rapid.IntRange(1, 300).Draw(t, "puts") {
			// All of one part, and often as the one before.
			if rapid.Bool().Draw(t, "another") {
				trace = pcommon.TraceID{1: rapid.Byte().Draw(t, "trace")}
			}
			to := binding{rapid.SampledFrom(ids).Draw(t, "session"), rapid.Int64Range(1, 3).Draw(t, "start")}
			have, bound := want[trace]
			old, changed := b.bind(trace, to)
			switch {
			case !bound:
				require.True(t, changed)
				require.Empty(t, old)
				want[trace], order = to, append(order, trace)
				if len(order) > leastBound {
					delete(want, order[0])
					order = order[1:]
				}
			case to.before(have):
				require.Equal(t, to.Session != have.Session, changed)
				require.Equal(t, have.Session, old)
				want[trace] = to
			default:
				require.False(t, changed)
			}
			asked := trace
			if rapid.Bool().Draw(t, "of another") {
				asked = pcommon.TraceID{1: rapid.Byte().Draw(t, "asked")}
			}
			have, bound = want[asked]
			// Not always both, for what is asked is remembered for the next.
			if rapid.Bool().Draw(t, "get") {
				require.Equal(t, have.Session, b.session(asked))
			}
			if rapid.Bool().Draw(t, "is") {
				isBound, same := b.isBound(asked, to.Session)
				require.Equal(t, bound, isBound)
				require.Equal(t, bound && have.Session == to.Session, same)
			}
		}
		states := b.bindings()
		require.Len(t, states, len(order))
		for i, state := range states {
			require.Equal(t, traceState{order[i], want[order[i]]}, state)
		}
		for trace := range b[0].bound.long {
			require.Greater(t, len(want[trace].Session), maxBoundID, "an id that is no longer said is not kept")
		}
	})
}
