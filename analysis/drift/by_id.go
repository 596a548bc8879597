package drift

import (
	"bytes"
	"hash/maphash"
)

// heldByID finds the sessions of a window by their ids. A session that joins a
// full window looks for its id, is put, and another is removed: in a table with
// linear probing that takes a quarter of what a map of strings takes, and no
// memory for the strings.
type heldByID struct {
	seed maphash.Seed
	// slots are a power of two, at most half of them taken.
	slots []idSlot
	taken int
}

type idSlot struct {
	hash uint64
	held *held // nil = free
}

const fewestSlots = 16

func (t *heldByID) init() { t.seed, t.slots = maphash.MakeSeed(), make([]idSlot, fewestSlots) }

func (t *heldByID) hash(id []byte) uint64 { return maphash.Bytes(t.seed, id) }

// get returns the session with an id; nil when there is none.
func (t *heldByID) get(hash uint64, id []byte) *held {
	for i := t.home(hash); t.slots[i].held != nil; i = t.next(i) {
		if s := &t.slots[i]; s.hash == hash && bytes.Equal(s.held.id(), id) {
			return s.held
		}
	}
	return nil
}

// put adds a session, under an id that no other has.
func (t *heldByID) put(x *held) {
	if t.taken++; 2*t.taken > len(t.slots) {
		old := t.slots
		t.slots = make([]idSlot, 2*len(old))
		for _, s := range old {
			if s.held != nil {
				t.fill(s)
			}
		}
	}
	t.fill(idSlot{x.hash, x})
}

func (t *heldByID) fill(s idSlot) {
	i := t.home(s.hash)
	for t.slots[i].held != nil {
		i = t.next(i)
	}
	t.slots[i] = s
}

// remove takes a session out, if it is there, and moves those behind it that
// would have stood before, so that no gap hides them.
func (t *heldByID) remove(x *held) {
	free := t.home(x.hash)
	for t.slots[free].held != x {
		if t.slots[free].held == nil {
			return
		}
		free = t.next(free)
	}
	t.taken--
	for i := t.next(free); t.slots[i].held != nil; i = t.next(i) {
		// How far it is from its home, and how far the gap is.
		if mask := len(t.slots) - 1; (i-t.home(t.slots[i].hash))&mask >= (i-free)&mask {
			t.slots[free] = t.slots[i]
			free = i
		}
	}
	t.slots[free] = idSlot{}
}

func (t *heldByID) home(hash uint64) int { return int(hash & uint64(len(t.slots)-1)) }

func (t *heldByID) next(i int) int { return (i + 1) & (len(t.slots) - 1) }
