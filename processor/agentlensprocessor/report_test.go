package agentlensprocessor

import (
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
)

// A report's span id is the hash of what it reports on, which another collector,
// of another version too, comes to as well.
func TestReportSpanID(t *testing.T) {
	for _, trace := range []pcommon.TraceID{{}, {1, 0xab}} {
		for _, session := range []string{"", "s", "a session's id that is longer than most, and longer than the room for it on the stack, which is a hundred and twenty-eight bytes"} {
			for _, revision := range []int64{1, 12} {
				rep := report{summary: &analysis.Summary{SessionID: session}, traceID: trace, revision: revision}
				h := fnv.New64a()
				fmt.Fprintf(h, "%s/%s/%d", trace, session, revision)
				require.Equal(t, fmt.Sprintf("%016x", h.Sum64()), rep.spanID().String())
			}
		}
	}
}
