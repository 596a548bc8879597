package sessions

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// ignored is a batch of readings of which nothing is asked.
func ignored(readings ...*spanevent.Reading) *Batch {
	return &Batch{
		Size: len(readings), Reading: func(i int) *spanevent.Reading { return readings[i] },
		Service: func(int) Service { return Service{} }, Observed: func(int, *Session, Event, Copies) {}, Evicted: func(int, *Session, Event) {},
	}
}

// A Binder binds as the table does reading by reading, also while other batches
// bind the same traces.
func TestBinderBindsAsTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables := [2]*Table{NewTable(testLimits), NewTable(testLimits)}
		binder := tables[1].Binder()
		for range rapid.IntRange(1, 60).Draw(t, "readings") {
			r := spanevent.Reading{
				TraceID:   pcommon.TraceID{15: rapid.Byte().Draw(t, "trace") % 2},
				SessionID: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "session"),
				Start:     time.Unix(0, rapid.Int64Range(1, 5).Draw(t, "start")),
			}
			want, got := r, r
			tables[0].Bind(&want)
			if rapid.Bool().Draw(t, "of another batch") {
				tables[1].Bind(&got)
			} else {
				binder.Bind(&got)
			}
			require.Equal(t, want, got)
			require.Equal(t, tables[0].traces.bindings(), tables[1].traces.bindings())
		}
	})
}

// What a Binder tells of a batch, and what is held after it, is the same as when
// the table observes reading by reading: whatever is evicted between them, or was
// seen before.
func TestBinderObservesAsTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := testLimits
		limits.MaxSessions = rapid.IntRange(1, 4).Draw(t, "sessions")
		limits.MaxSpanIDs = shardCount * rapid.IntRange(1, 40).Draw(t, "span ids")
		tables, now := [2]*Table{NewTable(limits), NewTable(limits)}, time.Unix(1_800_000_000, 0)
		become := func(i int, s *Session, what Event) string {
			return fmt.Sprint(i, " ", s.Key, " ", s.Service(), " ", what, " ", s.Summary.LLMCalls)
		}
		service := func(i int) Service { return Service{Name: fmt.Sprint(i)} }
		for range rapid.IntRange(1, 5).Draw(t, "batches") {
			batch := make([]spanevent.Reading, rapid.SampledFrom([]int{1, 10, 2*maxTogether + 3}).Draw(t, "readings"))
			for i := range batch {
				r := &batch[i]
				if i > 0 && rapid.IntRange(0, 9).Draw(t, "go on") > 0 {
					*r = batch[i-1]
				} else {
					*r = told{what: "llm", trace: rapid.Byte().Draw(t, "trace") % 4, from: i, to: i + 5, model: "m", in: 1}.reading()
				}
				r.SpanID = pcommon.SpanID{rapid.Byte().Draw(t, "span")}
				r.SessionID = rapid.SampledFrom([]string{"", "a", "a", "b", "b", "c"}).Draw(t, "session")
				r.Role = rapid.SampledFrom([]spanevent.Role{spanevent.RoleEvent, spanevent.RoleEvent, spanevent.RoleSession, spanevent.RoleSessionReport}).Draw(t, "role")
			}
			binder, other := tables[1].Binder(), slices.Clone(batch)
			for i := range batch {
				tables[0].Bind(&batch[i])
				binder.Bind(&other[i])
			}
			observed := func(i int) bool { return batch[i].Role != spanevent.RoleSessionReport }
			var want, got []string
			for i := range batch {
				if !observed(i) {
					continue
				}
				var told string
				var evicted []string
				copies := tables[0].Observe(&batch[i], service(i), now, func(s *Session, what Event) {
					told = become(i, s, what)
				}, func(s *Session, what Event) { evicted = append(evicted, become(i, s, what)) })
				want = append(append(want, told+fmt.Sprint(copies)), evicted...)
			}
			binder.Observe(&Batch{
				Size: len(other), Service: service,
				Reading: func(i int) *spanevent.Reading {
					if observed(i) {
						return &other[i]
					}
					return nil
				},
				Observed: func(i int, s *Session, what Event, copies Copies) {
					got = append(got, become(i, s, what)+fmt.Sprint(copies))
				},
				Evicted: func(i int, s *Session, what Event) { got = append(got, become(i, s, what)) },
			}, now)
			require.Equal(t, want, got)
			require.Equal(t, batch, other)
			if rapid.Bool().Draw(t, "rest") {
				tables[0].Rest(now)
				tables[1].Rest(now)
			}
			var snapshots [2]bytes.Buffer
			for of, table := range tables {
				table.checkCounts(t)
				require.NoError(t, table.Snapshot(&snapshots[of]))
			}
			require.True(t, bytes.Equal(snapshots[0].Bytes(), snapshots[1].Bytes()))
			now = now.Add(time.Second)
		}
	})
}

// Of the copies of a span that goroutines observe at once, in batches cut
// differently, one is the first, and the others are duplicates.
func TestEachSpanIsObservedOnce(t *testing.T) {
	readings := sdkSession("s", 300, 1)
	for i := range readings {
		readings[i].TraceID[15] = byte(i / 20)
	}
	table, now := NewTable(testLimits), time.Unix(0, 0)
	first := make([]atomic.Int32, len(readings))
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			mine := slices.Clone(readings)
			for from := 0; from < len(mine); {
				batch := mine[from:min(from+worker*9+1, len(mine))]
				binder := table.Binder()
				for i := range batch {
					binder.Bind(&batch[i])
				}
				binder.Observe(&Batch{
					Size: len(batch), Reading: func(i int) *spanevent.Reading { return &batch[i] }, Service: func(int) Service { return Service{} },
					Observed: func(i int, _ *Session, what Event, _ Copies) {
						if what != Duplicate {
							first[from+i].Add(1)
						}
					},
					Evicted: func(int, *Session, Event) {},
				}, now)
				from += len(batch)
			}
		})
	}
	wg.Wait()
	for i := range first {
		require.Equal(t, int32(1), first[i].Load(), "span %d", i)
	}
	require.Equal(t, states(assembled(readings)), states(table.finish(now)))
}
