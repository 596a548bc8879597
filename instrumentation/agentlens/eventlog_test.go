package agentlens

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"
)

// The log holds the last events that fit its limits in number and bytes, and
// all of those.
func TestEventLogKeepsTheLast(t *testing.T) {
	data := make([]byte, 5<<20)
	rapid.Check(t, func(t *rapid.T) {
		l := eventLog{limit: rapid.IntRange(0, 60).Draw(t, "limit")}
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 10, 1 << 10, 1 << 17, 3 << 19, 5 << 20}), 0, 200).Draw(t, "sizes")
		var all []Event
		for i, size := range sizes {
			id := trace.SpanID{0: byte(i), 7: 1}
			e := Event{ID: id.String(), Input: data[:size]}
			all = append(all, e)
			l.add(&Event{Input: e.Input}, id)

			// The longest tail within both limits.
			want, bytes := len(all), 0
			for want > 0 && len(all)-want < l.limit && bytes+eventBytes(&all[want-1]) <= maxEventBytes {
				want--
				bytes += eventBytes(&all[want])
			}
			require.Equal(t, len(all)-want, l.len())
			require.Equal(t, bytes, l.bytes)
			for k, kept := range l.all("s") {
				assert.Equal(t, all[want+k].ID, kept.ID)
			}
			require.LessOrEqual(t, len(l.ring), l.limit, "there is room for no more")
		}
	})
}
