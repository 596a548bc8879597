package sessions

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// It holds what a list would, in its order, in memory that does not grow with
// what was taken out.
func TestRestIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r rest
		r.reset(newSessionIndex(maphash.MakeSeed()))
		var list []string
		payload := rapid.SampledFrom([]int{0, 100, 5_000, 100_000}).Draw(t, "size")
		largest := 0
		for n := range rapid.IntRange(0, 300).Draw(t, "steps") {
			switch key := fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "key")); rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				s := newSession(key, Service{Attributes: strings.Repeat("x", payload)})
				s.arrived = time.Duration(n)
				if slices.Contains(list, key) {
					continue
				}
				r.enter(s)
				require.True(t, r.put(s))
				list = append(list, key)
				largest = max(largest, len(r.packer.b))
			case 2:
				s, woken := r.get(key)
				at := slices.Index(list, key)
				require.Equal(t, at >= 0, s != nil)
				require.Equal(t, at >= 0, woken)
				if at >= 0 {
					r.leave(s)
					require.Equal(t, key, s.Key)
					require.Len(t, s.Service().Attributes, payload)
					list = slices.Delete(list, at, at+1)
				}
			case 3:
				held := r.oldest()
				require.Equal(t, len(list) > 0, held != nil)
				if held != nil {
					require.Equal(t, list[0], r.session(held).Key)
					r.remove(held)
					list = list[1:]
				}
			}
			var keys []string
			live := 0
			for held := range r.all() {
				keys = append(keys, r.session(held).Key)
				live += len(held)
			}
			require.True(t, slices.Equal(list, keys), "%v, want %v", keys, list)
			require.Equal(t, len(list), r.len())
			require.Equal(t, live, r.live)
			// What is free at the end of a chunk is less than the session that
			// went into the next.
			require.LessOrEqual(t, r.room(), 2*(2*live+largest)+3*restChunkBytes)
		}
	})
}

func (r *rest) room() (bytes int) {
	for _, c := range r.chunks {
		bytes += cap(c.b)
	}
	return bytes
}

// Sessions that are taken out leave no memory behind, in whichever order they
// go.
func TestRestLetsGoOfMemory(t *testing.T) {
	var r rest
	r.reset(newSessionIndex(maphash.MakeSeed()))
	one := newSession("", Service{})
	put := func(n int) {
		one.Key = fmt.Sprint(n)
		r.enter(one)
		require.True(t, r.put(one))
	}
	for n := range 20_000 {
		put(n)
	}
	full := r.room()
	require.Greater(t, full, 10*restChunkBytes)
	for n := range 50_000 {
		r.remove(r.oldest())
		put(20_000 + n)
	}
	assert.Less(t, r.room(), full+3*restChunkBytes, "as they came")
	for n := range 20_000 {
		if n%50 != 0 {
			s, woken := r.get(fmt.Sprint(50_000 + n))
			require.True(t, woken)
			r.leave(s)
		}
	}
	assert.Less(t, r.room(), full/10, "from between others")
	assert.Equal(t, 400, r.len())
}

// What is written anew is as it was, and takes the memory that it is taken from.
func TestRestCompactsInItsOwnMemory(t *testing.T) {
	var r rest
	r.reset(newSessionIndex(maphash.MakeSeed()))
	const n = 5_000
	for i := range n {
		s := newSession(fmt.Sprint(i), Service{})
		s.Revision = int64(i)
		r.enter(s)
		require.True(t, r.put(s))
	}
	had := map[*byte]bool{}
	for _, c := range r.chunks {
		had[&c.b[0]] = true
	}
	require.Greater(t, len(had), 8)
	for i := 1; i < n; i += 3 {
		s, _ := r.get(fmt.Sprint(i))
		r.leave(s)
	}
	r.compact()
	added := 0
	for _, c := range r.chunks {
		if !had[&c.b[0]] {
			added++
		}
	}
	assert.LessOrEqual(t, added, 2)
	next := 0
	for held := range r.all() {
		require.Equal(t, fmt.Sprint(next), r.session(held).Key)
		require.Equal(t, int64(next), r.session(held).Revision)
		if next++; next%3 == 1 {
			next++
		}
	}
	require.Equal(t, n, next)
}

// Another key with the same hash is not taken for it, and not put beside it.
func TestRestOfEqualHashes(t *testing.T) {
	var r rest
	r.reset(newSessionIndex(maphash.MakeSeed()))
	sessions := map[string]*Session{}
	// As if b had the hash of a.
	asIfEqual := func() {
		at, _ := r.places.get(r.hash("a"))
		r.places.set(r.hash("b"), at)
	}
	for _, key := range []string{"a", "b"} {
		sessions[key] = newSession(key, Service{})
		r.enter(sessions[key])
		asIfEqual()
	}
	rest := func(key string, is bool) {
		assert.Equal(t, is, r.put(sessions[key]))
	}
	awake := func(key string, was bool) {
		s, woken := r.get(key)
		require.NotNil(t, s)
		assert.Equal(t, key, s.Key)
		assert.Equal(t, was, woken)
		sessions[key] = s
	}
	awake("a", false)
	awake("b", false)
	rest("a", true)
	rest("b", false)
	asIfEqual()
	awake("b", false)
	awake("a", true)
	r.leave(sessions["a"])
	r.places.remove(r.hash("b"))
	awake("b", false)
	r.leave(sessions["b"])
	s, _ := r.get("b")
	assert.Nil(t, s)
}

// A session that rests between any two of its spans adds up to what it would
// have awake, and the table counts what it holds.
func TestRestChangesNothing(t *testing.T) {
	readings := stream(t)
	want := states(assembled(readings))
	limits := testLimits
	// Nothing is completed or let go of by time before the end.
	limits.IdleTimeout, limits.Retention = 100*time.Hour, 200*time.Hour
	rapid.Check(t, func(t *rapid.T) {
		table, now := NewTable(limits), time.Unix(0, 0)
		table.awakeOpen = rapid.IntRange(0, 3).Draw(t, "awake")
		asleep := 0
		for _, r := range readings {
			table.Observe(&r, Service{}, now, ignore, ignore)
			if rapid.Bool().Draw(t, "rest") {
				table.Rest(now)
			}
			if rapid.IntRange(0, 3).Draw(t, "sweep") == 0 {
				now = now.Add(restAfter / 2)
				table.Sweep(now.Add(restAfter), ignore)
			}
			asleep = max(asleep, table.asleep())
		}
		assert.Positive(t, asleep)
		table.checkCounts(t)
		require.True(t, want == states(table.finish(now)), "another outcome than without rest")
		table.checkCounts(t)
		table.Sweep(now.Add(limits.Retention), ignore)
		require.Zero(t, table.count.Load())
		require.Zero(t, table.records.Load())
		require.Zero(t, table.unnamed.Load())
	})
}

// Of the open sessions only a few stay awake, and those that would be long in
// packing.
func TestFewStayAwake(t *testing.T) {
	table := NewTable(testLimits)
	observe := func(session string, call byte) {
		r := told{what: "llm", id: call + 1, session: session}.reading()
		copy(r.TraceID[:], session)
		table.Observe(&r, Service{}, time.Now(), ignore, ignore)
	}
	awake := func() (n int) {
		for i := range table.shards {
			n += table.shards[i].open.len
		}
		return n
	}
	for call := range byte(indexFrom + 1) {
		observe("long", call)
	}
	for n := range 4 * len(table.shards) * maxAwakeOpen {
		observe(fmt.Sprint(n), 0)
	}
	table.Rest(time.Now())
	assert.Equal(t, len(table.shards)*maxAwakeOpen, awake())
	assert.NotNil(t, table.shard("long").awake("long"))
	table.checkCounts(t)
	var asleep string
	for n := 0; asleep == ""; n++ {
		if key := fmt.Sprint(n); table.shard(key).awake(key) == nil {
			asleep = key
		}
	}
	observe(asleep, 1)
	assert.NotNil(t, table.shard(asleep).awake(asleep))
	table.Rest(time.Now())
	assert.Equal(t, len(table.shards)*maxAwakeOpen, awake(), "another one rests for it")
	open, _ := table.Len()
	assert.Equal(t, 4*len(table.shards)*maxAwakeOpen+1, open)
}

// awake returns a session that is awake, else nil.
func (sh *shard) awake(key string) *Session {
	for s := range sh.held.allAwake() {
		if s.Key == key {
			return s
		}
	}
	return nil
}

func (t *Table) asleep() (n int) {
	for i := range t.shards {
		n += t.shards[i].openRest.len() + t.shards[i].doneRest.len()
	}
	return n
}

// checkCounts compares what the table counts with what it holds.
func (t *Table) checkCounts(tb require.TestingT) {
	sessions, records, unnamed := 0, 0, 0
	count := func(key string) {
		sessions++
		if isTrace(key) {
			unnamed++
		}
	}
	for i := range t.shards {
		sh := &t.shards[i]
		awake := 0
		for s := range sh.held.allAwake() {
			awake++
			count(s.Key)
			records += s.room()
		}
		require.Equal(tb, awake, sh.open.len+sh.long.len+sh.done.len)
		for _, r := range sh.held.rests {
			for s := range r.all() {
				key, _ := s.split()
				count(string(key))
				records += s.records()
			}
		}
	}
	require.Equal(tb, int64(sessions), t.count.Load())
	require.Equal(tb, int64(records), t.records.Load())
	require.Equal(tb, int64(unnamed), t.unnamed.Load())
}

// Of too many sessions those go first that are completed, then those that have
// been idle longest, at rest or awake.
func TestEvictionAtRest(t *testing.T) {
	limits := testLimits
	limits.MaxSessions = 2
	table, now := NewTable(limits), time.Unix(0, 0)
	// All of one shard, so that the order is that of all.
	var keys []string
	for i := 0; len(keys) < 4; i++ {
		if key := fmt.Sprintf("s%d", i); table.shard(key) == &table.shards[0] {
			keys = append(keys, key)
		}
	}
	var gone []string
	observe := func(key string, id byte) {
		r := told{what: "llm", scope: "sdk", trace: id, id: id, from: 0, to: 5, model: "m", in: 1, session: key}.reading()
		table.Observe(&r, Service{}, now, ignore, func(s *Session, what Event) {
			assert.Equal(t, Evicted, what)
			assert.Equal(t, int64(1), s.Summary.LLMCalls)
			gone = append(gone, s.Key)
		})
	}
	observe(keys[0], 1)
	now = now.Add(restAfter)
	table.Sweep(now, ignore)
	require.Equal(t, 1, table.asleep())
	observe(keys[1], 2)
	observe(keys[2], 3)
	assert.Equal(t, keys[:1], gone, "at rest")
	observe(keys[3], 4)
	assert.Equal(t, keys[:2], gone, "awake")
	table.checkCounts(t)
}

func TestShardsFor(t *testing.T) {
	for goroutines, want := range map[int]int{1: 4, 2: 8, 3: 8, 4: shardCount, 64: shardCount} {
		assert.Equal(t, want, shardsFor(goroutines), "%d goroutines", goroutines)
	}
}
