package agentlensprocessor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Calls are summed by their labels, however alike these are, as long as there is
// room for the labels.
func TestTallySumsByLabels(t *testing.T) {
	full := 0
	rapid.Check(t, func(t *rapid.T) {
		calls, names := 30, 2
		if rapid.Bool().Draw(t, "many") {
			calls, names = 400, 12
		}
		name := rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom([]string{"", "a", "aXa", "aYYa", fmt.Sprint("a", rapid.IntRange(1, names).Draw(t, "n"), "xa")}).Draw(t, "name")
		})
		var tallied tally
		want := map[costLabels]labelCost{}
		for range calls {
			l := costLabels{name.Draw(t, "agent"), name.Draw(t, "model")}
			usd := float64(rapid.IntRange(0, 8).Draw(t, "eighths")) / 8
			if _, known := want[l]; !known && len(want) == maxCosts {
				full++
				require.False(t, tallied.spend(l, usd))
				continue
			}
			require.True(t, tallied.spend(l, usd))
			c := want[l]
			want[l] = labelCost{costLabels: l, calls: c.calls + 1, usd: c.usd + usd}
		}
		for round := range 2 {
			require.Len(t, tallied.costs, len(want))
			for _, c := range tallied.costs {
				if round > 0 { // the labels stay
					require.Equal(t, labelCost{costLabels: c.costLabels}, c)
				} else {
					require.Equal(t, want[c.costLabels], c)
				}
			}
			tallied.clear()
		}
	})
	require.Positive(t, full)
}
