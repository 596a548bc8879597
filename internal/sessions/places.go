package sessions

// placeTable says where the sessions of a shard are, by the hashes of their keys,
// which are above 0. It is an open hash table of which most look-ups read one line
// of memory, where a map reads three: between two requests of a session none of
// them stays in the processor's cache.
type placeTable struct {
	// entries are a power of two, at most five of eight taken. One that is not
	// where its hash belongs is in the next free one behind that.
	entries []placeEntry
	len     int
}

// placeEntry is empty without a hash.
type placeEntry struct {
	hash uint64
	at   place
}

const leastPlaces = 16

func newPlaceTable() placeTable { return placeTable{entries: make([]placeEntry, leastPlaces)} }

// get returns the place of a hash.
func (t *placeTable) get(hash uint64) (at place, held bool) {
	e := &t.entries[t.find(hash)]
	return e.at, e.hash != 0
}

// set puts a hash at a place.
func (t *placeTable) set(hash uint64, at place) {
	e := &t.entries[t.find(hash)]
	if e.hash == 0 {
		if t.len++; 8*t.len > 5*len(t.entries) {
			t.grow()
			e = &t.entries[t.find(hash)]
		}
		e.hash = hash
	}
	e.at = at
}

// remove lets go of a hash. Those behind it that it was in the way of move up.
func (t *placeTable) remove(hash uint64) {
	free := t.find(hash)
	if t.entries[free].hash == 0 {
		return
	}
	t.len--
	for i := t.after(free); t.entries[i].hash != 0; i = t.after(i) {
		if t.behind(i, t.home(t.entries[i].hash)) >= t.behind(i, free) {
			t.entries[free], free = t.entries[i], i
		}
	}
	t.entries[free] = placeEntry{}
}

// find returns where a hash is or, if it is not there, where it would be.
func (t *placeTable) find(hash uint64) int {
	i := t.home(hash)
	for t.entries[i].hash != hash && t.entries[i].hash != 0 {
		i = t.after(i)
	}
	return i
}

func (t *placeTable) home(hash uint64) int { return int(hash) & (len(t.entries) - 1) }
func (t *placeTable) after(i int) int      { return (i + 1) & (len(t.entries) - 1) }

// behind is how many entries i is behind another.
func (t *placeTable) behind(i, other int) int { return (i - other) & (len(t.entries) - 1) }

func (t *placeTable) grow() {
	old := t.entries
	t.entries = make([]placeEntry, 2*len(old))
	for _, e := range old {
		if e.hash != 0 {
			t.entries[t.find(e.hash)] = e
		}
	}
}
