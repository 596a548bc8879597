package agentlensprocessor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// The sessions that wait are those that came, were not dropped, replaced or
// joined, in the order of their ends and ids, each as it came; also after a
// restart. Their bytes are bounded by what waits.
func TestWaitingSessions(t *testing.T) {
	type one struct {
		end         time.Time
		id, version string
		session     string
	}
	joined, dropped, moved := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var q waitingSessions
		var want []one
		take := func(id string) {
			n := len(want)
			want = slices.DeleteFunc(want, func(o one) bool { return o.id == id })
			dropped += n - len(want)
		}
		// Some time nobody joins, then all do.
		joins := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 6).Draw(t, "joins")
		for i := range 120 {
			switch step := rapid.IntRange(0, 19).Draw(t, "step"); {
			case step == 0:
				id := fmt.Sprint("s-", rapid.IntRange(0, 30).Draw(t, "drop"))
				q.drop(id)
				take(id)
			case step == 1:
				b, err := json.Marshal(q)
				require.NoError(t, err)
				require.NoError(t, json.Unmarshal(b, &q))
			default:
				o := one{
					end:     driftNow.Add(time.Duration(i/4+rapid.IntRange(0, 2).Draw(t, "end")) * 700 * time.Millisecond),
					id:      fmt.Sprint("s-", i%40),
					version: rapid.SampledFrom([]string{"", "1.2", strings.Repeat("a long version ", 10)}).Draw(t, "version"),
				}
				s := analysis.NewSummary(o.id, "agent")
				s.EndedAt, s.Events = o.end, int64(i)
				// An id that comes again is a revision.
				revision := int64(1 + i/40)
				b, err := drift.AppendSession(nil, s, revision)
				require.NoError(t, err)
				o.session = string(b)
				require.NoError(t, q.add(s, o.version, revision))
				take(o.id)
				want = append(want, o)
				slices.SortFunc(want, func(a, b one) int { return cmp.Or(a.end.Compare(b.end), cmp.Compare(a.id, b.id)) })
				s.Events = -1
				require.Error(t, q.add(s, "bad", 9), "and changes nothing")
			}
			for range joins[i/20%len(joins)] {
				if q.len() > 0 {
					joined++
					require.True(t, q.waiting()[0].ended(want[0].end))
					require.False(t, q.waiting()[0].ended(want[0].end.Add(-1)))
					q.join()
					want = want[1:]
				}
			}
			var got []one
			for _, w := range q.waiting() {
				s := q.session(&w)
				got = append(got, one{w.end(), string(s.ID()), string(q.version(&w)), string(s)})
			}
			require.ElementsMatch(t, want, got)
			require.Equal(t, len(want) == 0, q.IsZero())
			if len(want) > 0 {
				require.Equal(t, want, got)
			}
			live := 0
			for i := range want {
				live += len(want[i].version) + len(want[i].session)
			}
			require.Equal(t, live, q.live)
			require.LessOrEqual(t, len(q.bytes), 2*live+minMoved)
			require.LessOrEqual(t, len(q.list), max(1, 2*len(want)))
			moved = max(moved, len(q.list)-q.len())
		}
	})
	require.Positive(t, min(joined, dropped, moved), "joined, dropped, waited in a list with others that had joined")
}

// The memory of a time when many waited is let go of when few do.
func TestWaitingSessionsLetGoOfMemory(t *testing.T) {
	var q waitingSessions
	add := func(n int) {
		s := analysis.NewSummary(fmt.Sprint("session-", n), "agent")
		s.EndedAt = driftNow.Add(time.Duration(n) * time.Second)
		require.NoError(t, q.add(s, "1.2", 1))
	}
	for n := range 3000 {
		add(n)
	}
	many := cap(q.bytes)
	for n := range 300 {
		for q.len() > 10 {
			q.join()
		}
		add(3000 + n)
	}
	require.Less(t, cap(q.bytes)+cap(q.spare), many/10)
}
