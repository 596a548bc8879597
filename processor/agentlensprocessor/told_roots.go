package agentlensprocessor

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
)

// toldRoots remembers what the reports on the latest roots said, in bytes: there
// are thousands, which hardly anyone ever asks for, and the garbage collector
// would go around them each time. The young become the old when they are many,
// and the old ones before them are forgotten.
type toldRoots struct {
	maxRoots, maxBytes int
	seed               maphash.Seed

	mu         sync.Mutex
	young, old rootGeneration
}

// rootGeneration holds roots one after the other: the key of the span, the
// numbers of the findings, what else was told (told_root.go).
type rootGeneration struct {
	bytes []byte
	// starts are where in bytes the roots begin, and 1; the first indexed of them are
	// in the index. A place in it is mostly far from the one before, and of most
	// roots nobody asks: they come into it when somebody does, all at once.
	starts   []int32
	indexed  int
	index    placeIndex
	drift    numbered[driftFinding]
	forecast numbered[forecastFinding]
}

func newToldRoots(maxRoots, maxBytes int) *toldRoots {
	t := &toldRoots{maxRoots: maxRoots, maxBytes: maxBytes, seed: maphash.MakeSeed()}
	t.young.clear()
	t.old.clear()
	return t
}

// add remembers the report that stands on the span of the key.
func (t *toldRoots) add(k spanKey, rep *report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isFull(&t.young) {
		t.young, t.old = t.old, t.young
		t.young.clear()
	}
	g := &t.young
	g.starts = append(g.starts, int32(len(g.bytes)+1))
	g.bytes = append(append(g.bytes, k.trace[:]...), k.span[:]...)
	g.bytes = binary.AppendUvarint(g.bytes, g.drift.number(rep.verdict.drift))
	g.bytes = binary.AppendUvarint(g.bytes, g.forecast.number(rep.verdict.forecast))
	g.bytes = appendTold(g.bytes, rep)
}

// isFull reports whether a generation has as many roots as it shall have, or bytes.
func (t *toldRoots) isFull(g *rootGeneration) bool {
	if len(g.bytes) >= t.maxBytes {
		return true
	}
	if len(g.starts) < t.maxRoots {
		return false
	}
	t.bringIn(g) // some may be of one span
	return g.index.taken >= t.maxRoots
}

// bringIn brings the roots into the index that are not there yet.
func (t *toldRoots) bringIn(g *rootGeneration) {
	for ; g.indexed < len(g.starts); g.indexed++ {
		at := g.starts[g.indexed]
		k := g.keyAt(int(at))
		g.place(&k, t.tag(&k), at)
	}
}

// of returns what stands on the span of the key, as far as it is written onto
// one; nil when it is not known.
func (t *toldRoots) of(k spanKey) *report {
	t.mu.Lock()
	defer t.mu.Unlock()
	tag := t.tag(&k)
	for _, g := range [...]*rootGeneration{&t.young, &t.old} {
		t.bringIn(g)
		if at := g.slot(&k, tag).at; at != 0 {
			return g.report(int(at))
		}
	}
	return nil
}

func (t *toldRoots) tag(k *spanKey) uint32 {
	var b [spanKeySize]byte
	copy(b[copy(b[:], k.trace[:]):], k.span[:])
	return uint32(maphash.Bytes(t.seed, b[:]))
}

// spanKeySize is how many bytes a key takes.
const spanKeySize = len(spanKey{}.trace) + len(spanKey{}.span)

// place gives a root its place in the index: that of what was told on its span
// before, or another.
func (g *rootGeneration) place(k *spanKey, tag uint32, at int32) {
	if x := &g.index; 4*(x.taken+1) > 3*len(x.slots) {
		old := x.slots
		x.reset(x.taken)
		for _, s := range old {
			if s.at != 0 {
				x.put(s.tag, s.at)
			}
		}
	}
	s := g.slot(k, tag)
	if s.at == 0 {
		g.index.taken++
	}
	*s = placeSlot{tag, at}
}

// slot returns where the root of a key stands in the index, or would.
func (g *rootGeneration) slot(k *spanKey, tag uint32) *placeSlot {
	for i := g.index.home(tag); ; i = g.index.next(i) {
		s := &g.index.slots[i]
		if s.at == 0 || s.tag == tag && g.keyAt(int(s.at)) == *k {
			return s
		}
	}
}

func (g *rootGeneration) keyAt(at int) (k spanKey) {
	copy(k.span[:], g.bytes[at-1+copy(k.trace[:], g.bytes[at-1:]):])
	return k
}

func (g *rootGeneration) report(at int) *report {
	u := toldReader(g.bytes[at-1+spanKeySize:])
	drift, forecast := g.drift.of(u.uint()), g.forecast.of(u.uint())
	rep := u.report()
	rep.verdict.drift, rep.verdict.forecast = drift, forecast
	return rep
}

// clear forgets all roots, but keeps their memory.
func (g *rootGeneration) clear() {
	g.index.reset(g.index.taken / 2)
	g.bytes, g.starts, g.indexed = g.bytes[:0], g.starts[:0], 0
	g.drift.clear()
	g.forecast.clear()
}

// numbered gives findings numbers, from 1; 0 is none. Many roots share one.
type numbered[T any] struct {
	list    []*T
	numbers map[*T]uint64
}

func (n *numbered[T]) number(finding *T) uint64 {
	if finding == nil {
		return 0
	}
	number, ok := n.numbers[finding]
	if !ok {
		if n.numbers == nil {
			n.numbers = map[*T]uint64{}
		}
		n.list = append(n.list, finding)
		number = uint64(len(n.list))
		n.numbers[finding] = number
	}
	return number
}

func (n *numbered[T]) of(number uint64) *T {
	if number == 0 {
		return nil
	}
	return n.list[number-1]
}

func (n *numbered[T]) clear() {
	clear(n.list)
	n.list = n.list[:0]
	clear(n.numbers)
}
