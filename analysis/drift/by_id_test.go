package drift

import (
	"cmp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Whatever stands in the way of an id, it is found as in a map: with hashes of
// which many are the same and most are neighbours, at the end of the table too.
func TestHeldByIDIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var byID heldByID
		byID.init()
		want := map[string]*held{}
		all := map[string]*held{}
		for i := range 40 {
			id := strconv.Itoa(i)
			all[id] = &held{packed: (&sample{id: id}).pack(nil), hash: rapid.SampledFrom([]uint64{0, 1, 2, 14, 15, 16, 17, 31, 1 << 40}).Draw(t, "hash")}
		}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			id := strconv.Itoa(rapid.IntRange(0, len(all)-1).Draw(t, "id"))
			if x := all[id]; want[id] == nil && rapid.Bool().Draw(t, "put") {
				byID.put(x)
				want[id] = x
			} else {
				byID.remove(x)
				delete(want, id)
			}
			for id, x := range all {
				require.Same(t, want[id], byID.get(x.hash, x.id()), id)
			}
			require.Equal(t, len(want), byID.taken)
		}
	})
}

// A window is a list of sessions in order, of which the oldest goes.
func TestWindowIsAList(t *testing.T) {
	type one struct {
		id       string
		end      int
		revision int64
		events   int
	}
	inOrder := func(a, b one) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.id, b.id), cmp.Compare(a.events, b.events), cmp.Compare(a.revision, b.revision))
	}
	const apart = 300 * time.Millisecond
	replaced, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.IntRange(1, 20).Draw(t, "bound")
		w, err := NewWindow(bound)
		require.NoError(t, err)
		var list []one
		var session Session
		for range rapid.IntRange(0, 60).Draw(t, "sessions") {
			x := one{
				id: rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}).Draw(t, "id"), end: rapid.IntRange(0, 8).Draw(t, "end"),
				revision: rapid.Int64Range(0, 2).Draw(t, "revision"), events: rapid.IntRange(0, 3).Draw(t, "events"),
			}
			s := analysis.NewSummary(x.id, "agent")
			for range x.events {
				s.Observe(&analysis.Event{Type: analysis.EventGeneric})
			}
			s.EndedAt = testStart.Add(time.Duration(x.end) * apart)
			session, err = AppendSession(session[:0], s, x.revision)
			require.NoError(t, err)
			w.AddSession(session)

			same := slices.IndexFunc(list, func(o one) bool { return x.id != "" && x.id == o.id })
			switch {
			case same >= 0:
				o := list[same]
				if cmp.Or(cmp.Compare(x.revision, o.revision), cmp.Compare(x.events, o.events), cmp.Compare(x.end, o.end)) > 0 {
					replaced++
					list[same] = x
				}
			case len(list) < bound:
				list = append(list, x)
			case inOrder(x, list[0]) > 0:
				list[0] = x
			default:
				refused++
			}
			slices.SortFunc(list, inOrder)

			require.Equal(t, len(list), w.Len())
			if rapid.IntRange(0, 3).Draw(t, "looked at") > 0 {
				continue
			}
			var held []one
			for _, s := range w.samples() {
				held = append(held, one{s.id, int(s.end.Sub(testStart) / apart), s.revision, int(s.events())})
			}
			require.Equal(t, list, held)
		}
	})
	require.Positive(t, replaced)
	require.Positive(t, refused)
}
