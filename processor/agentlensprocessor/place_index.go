package agentlensprocessor

// placeIndex finds the places of things by their tags, parts of the hashes of
// their keys. It is a hash table with open addressing, in one piece of memory
// without pointers of which a look-up mostly reads a single line. Things may
// share a tag, and a place stays in the index when its thing has gone, until the
// index is full and made anew: whether a place is that of the thing looked for is
// for the caller to see.
type placeIndex struct {
	// slots are a power of two, at most three quarters of them taken. A place is in
	// the first that was free from its tag's home on.
	slots []placeSlot
	taken int
}

// placeSlot is free when at is 0, which is no place.
type placeSlot struct {
	tag uint32
	at  int32
}

// reset empties the index, and gives it room for as many things as there are and
// for as many again to come.
func (x *placeIndex) reset(things int) {
	size := 16
	for 3*size < 8*things {
		size *= 2
	}
	if x.taken = 0; size == len(x.slots) {
		clear(x.slots)
	} else {
		x.slots = make([]placeSlot, size)
	}
}

// home is the slot from which to look for a tag, next the one behind a slot. The
// search is over at the first that is free.
func (x *placeIndex) home(tag uint32) int { return int(tag) & (len(x.slots) - 1) }
func (x *placeIndex) next(slot int) int   { return (slot + 1) & (len(x.slots) - 1) }

// put adds a place, and reports whether there was room for it.
func (x *placeIndex) put(tag uint32, at int32) bool {
	if 4*(x.taken+1) > 3*len(x.slots) {
		return false
	}
	i := x.home(tag)
	for x.slots[i].at != 0 {
		i = x.next(i)
	}
	x.slots[i] = placeSlot{tag, at}
	x.taken++
	return true
}
