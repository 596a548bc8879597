package sessions

import (
	"fmt"
	"math/bits"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Each id of many that goroutines add at once is new to one of them, and of the
// sessions that they bind its trace to at once it is in that of the earliest span.
func TestTracesAtOnce(t *testing.T) {
	const count, spans = 100, 50
	var of traces
	of.reset(16*count, 1<<16)
	id := func(n int) pcommon.TraceID { return pcommon.TraceID{0: 1, 9: byte(n), 15: byte(n)} }
	var fresh [4]int
	var wg sync.WaitGroup
	for g := range fresh {
		wg.Go(func() {
			var ids [spans]uint64
			for i := range ids {
				ids[i] = uint64(i)
			}
			for n := range count {
				of.bind(id(n), binding{fmt.Sprint("session-", g), int64(g)})
				for left := ids[:]; len(left) > 0; {
					some := left[:min(len(left), 1+g*6)]
					left = left[len(some):]
					fresh[g] += bits.OnesCount64(of.addSpans(id(n), some))
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range fresh {
		sum += n
	}
	assert.Equal(t, count*spans, sum)
	for n := range count {
		require.Equal(t, "session-0", of.session(id(n)))
	}
}
