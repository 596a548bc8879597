package agentlensprocessor

// placeIndex finds the places of things by their tags, parts of the hashes of
// their keys. It is a hash table with open addressing, in one piece of memory
// without pointers of which a look-up mostly reads a single line. Things may
// share a tag: whether one is the one looked for is for the caller to see.
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

// home is the slot from which to look for a tag, next the one behind a slot. The
// search is over at the first that is free.
func (x *placeIndex) home(tag uint32) int { return int(tag) & (len(x.slots) - 1) }
func (x *placeIndex) next(slot int) int   { return (slot + 1) & (len(x.slots) - 1) }

// put adds a place, which the index does not have.
func (x *placeIndex) put(tag uint32, at int32) {
	if 4*(x.taken+1) > 3*len(x.slots) {
		x.grow()
	}
	x.taken++
	x.insert(placeSlot{tag, at})
}

func (x *placeIndex) insert(s placeSlot) {
	i := x.home(s.tag)
	for x.slots[i].at != 0 {
		i = x.next(i)
	}
	x.slots[i] = s
}

func (x *placeIndex) grow() {
	old := x.slots
	x.slots = make([]placeSlot, max(16, 2*len(old)))
	for _, s := range old {
		if s.at != 0 {
			x.insert(s)
		}
	}
}

// remove takes away a place, which the index has.
func (x *placeIndex) remove(tag uint32, at int32) {
	free := x.home(tag)
	for x.slots[free].at != at {
		free = x.next(free)
	}
	// What comes behind moves up, so that no search ends at the free slot too soon:
	// all whose home is not between the two.
	mask := len(x.slots) - 1
	for i := x.next(free); x.slots[i].at != 0; i = x.next(i) {
		if s := x.slots[i]; (i-x.home(s.tag))&mask >= (i-free)&mask {
			x.slots[free], free = s, i
		}
	}
	x.slots[free] = placeSlot{}
	x.taken--
}
