package sessions

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// It finds every number that is live by each of its hashes, also one that was
// entered late, and not by one that another number took its place for.
func TestNumberIndexFindsWhatIsLive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		buckets := rapid.IntRange(1, 6).Draw(t, "buckets")
		homes := rapid.Uint64Range(1, 8).Draw(t, "homes")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		x := newNumberIndex(1000, 1)
		x.buckets = make([]bucket, buckets)
		type slot struct {
			hash   uint64
			number uint32
		}
		var slots []slot
		aHash := func() uint64 {
			return random.Uint64N(homes)*(1<<63/homes*2) + random.Uint64N(4)<<x.numberBits
		}
		for range 400 {
			live := slots[:0]
			for _, s := range slots {
				if x.live(s.number) {
					live = append(live, s)
				}
			}
			slots = live
			what := random.IntN(4)
			if len(slots) == perBucket*buckets {
				what = 3
			}
			switch {
			case what == 1 && len(slots) > 0: // an older number
				s := slot{aHash(), slots[random.IntN(len(slots))].number}
				x.put(s.hash, s.number)
				slots = append(slots, s)
			case what == 2 && len(slots) > 0:
				s := &slots[random.IntN(len(slots))]
				x.next++
				x.replace(s.hash, s.number, x.next-1)
				s.number = x.next - 1
			case what == 3:
				x.oldest += min(x.next-x.oldest, random.Uint32N(4))
			default:
				s := slot{aHash(), x.next}
				x.next++
				x.put(s.hash, s.number)
				slots = append(slots, s)
			}
			have := map[slot]int{}
			for _, s := range slots {
				if x.live(s.number) {
					have[s]++
				}
			}
			for s, n := range have {
				x.find(s.hash, func(number uint32) bool {
					if number == s.number {
						n--
					}
					return false
				})
				if n > 0 {
					t.Fatalf("%d is not found", s.number)
				}
			}
			for _, b := range x.buckets {
				if !slices.IsSortedFunc(b.slots[:], func(a, b uint32) int { return cmp.Compare(x.number(b), x.number(a)) }) {
					t.Fatal("a bucket is not in order")
				}
			}
		}
	})
}
