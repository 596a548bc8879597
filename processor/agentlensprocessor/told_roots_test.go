package agentlensprocessor

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Of the roots that come, the latest are remembered, at least as many as there
// shall be and at most twice as many, each as it was last told; and when their
// bytes are full, the last one.
func TestToldRootsAreTheLatest(t *testing.T) {
	type want struct {
		key      spanKey
		packed   sessions.Packed
		drift    *driftFinding
		forecast *forecastFinding
	}
	drifts := []*driftFinding{nil, {Score: 1}, {Score: 2}}
	forecasts := []*forecastFinding{nil, {News: true}, {}}
	forgotten, again := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		maxRoots := rapid.IntRange(1, 8).Draw(t, "roots")
		maxBytes := rapid.SampledFrom([]int{1, 1 << 20}).Draw(t, "bytes")
		roots := newToldRoots(maxRoots, maxBytes)
		var all []want
		table := sessions.NewTable(sessions.Limits{MaxSessions: 100, MaxSpanIDs: 1000})
		for i := range rapid.IntRange(1, 60).Draw(t, "n") {
			key := spanKey{span: pcommon.SpanID{byte(rapid.IntRange(0, 30).Draw(t, "span"))}}
			v := verdict{drift: rapid.SampledFrom(drifts).Draw(t, "drift"), forecast: rapid.SampledFrom(forecasts).Draw(t, "forecast")}
			at := time.Unix(1_790_000_000, 0)
			root := &spanevent.Reading{
				Role: spanevent.RoleSession, TraceID: pcommon.TraceID{1}, SpanID: pcommon.SpanID{2, byte(i)}, SessionID: fmt.Sprint("session-", i),
				Start: at, End: at, Session: spanevent.SessionFacts{StartedAt: at, EndedAt: at, Status: analysis.StatusCompleted},
			}
			table.Observe(root, sessions.Service{Name: "svc"}, at, func(s *sessions.Session, what sessions.Event) {
				require.Equal(t, sessions.Ended, what)
				roots.add(key, s, &v)
				all = append(all, want{key, s.Pack(), v.drift, v.forecast})
			}, nil)

			last := map[spanKey]want{}
			distinct := 0
			for j := len(all) - 1; j >= 0; j-- {
				w := all[j]
				if _, said := last[w.key]; said {
					again++
					continue
				}
				last[w.key] = w
				distinct++
				got := roots.of(w.key)
				if got == nil {
					forgotten++
					require.Greater(t, distinct, 1)
					require.True(t, distinct > maxRoots || maxBytes == 1)
					continue
				}
				require.Equal(t, w.packed, got.session)
				require.Same(t, w.drift, got.drift)
				require.Same(t, w.forecast, got.forecast)
			}
			most := maxRoots
			if maxBytes == 1 {
				most = 1
			}
			require.LessOrEqual(t, len(roots.young.at), most)
			require.LessOrEqual(t, len(roots.old.at), most)
			require.Nil(t, roots.of(spanKey{trace: pcommon.TraceID{9}}))
		}
	})
	require.Positive(t, forgotten)
	require.Positive(t, again)
}
