package agentlensprocessor

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/agentlens/agentlens-otel/internal/sessions"
)

// toldRoots remembers what the reports on the latest roots were made of, in
// bytes: there are thousands, which hardly anyone ever asks for, and the garbage
// collector would go around them each time. The young become the old when they
// are many, and the old ones before them are forgotten.
type toldRoots struct {
	maxRoots, maxBytes int

	mu         sync.Mutex
	young, old rootGeneration
}

// toldRoot is what the report on a root's span was made of.
type toldRoot struct {
	session  sessions.Packed
	drift    *driftFinding
	forecast *forecastFinding
}

// rootGeneration holds roots one after the other: the size of the rest in four
// bytes, the numbers of the findings, the session.
type rootGeneration struct {
	at       map[spanKey]uint32
	bytes    []byte
	drift    numbered[driftFinding]
	forecast numbered[forecastFinding]
}

func newToldRoots(maxRoots, maxBytes int) *toldRoots {
	return &toldRoots{
		maxRoots: maxRoots, maxBytes: maxBytes,
		young: rootGeneration{at: map[spanKey]uint32{}}, old: rootGeneration{at: map[spanKey]uint32{}},
	}
}

// add remembers the verdict on a session that stands on the span of the key.
func (t *toldRoots) add(k spanKey, s *sessions.Session, v *verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.young.at) >= t.maxRoots || len(t.young.bytes) >= t.maxBytes {
		t.young, t.old = t.old, t.young
		t.young.clear()
	}
	g := &t.young
	at := len(g.bytes)
	g.at[k] = uint32(at)
	g.bytes = append(g.bytes, make([]byte, rootSize)...)
	g.bytes = binary.AppendUvarint(g.bytes, g.drift.number(v.drift))
	g.bytes = binary.AppendUvarint(g.bytes, g.forecast.number(v.forecast))
	g.bytes = s.AppendPacked(g.bytes)
	binary.LittleEndian.PutUint32(g.bytes[at:], uint32(len(g.bytes)-at-rootSize))
}

// rootSize is how many bytes the size of a root takes.
const rootSize = 4

// of returns what stands on the span of the key; nil when it is not known.
func (t *toldRoots) of(k spanKey) *toldRoot {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, g := range [...]*rootGeneration{&t.young, &t.old} {
		if at, ok := g.at[k]; ok {
			return g.root(g.bytes[at:])
		}
	}
	return nil
}

func (g *rootGeneration) root(b []byte) *toldRoot {
	b = b[rootSize:][:binary.LittleEndian.Uint32(b)]
	var numbers [2]uint64
	for i := range numbers {
		n, width := binary.Uvarint(b)
		numbers[i], b = n, b[width:]
	}
	return &toldRoot{slices.Clone(b), g.drift.of(numbers[0]), g.forecast.of(numbers[1])}
}

// clear forgets all roots, but keeps their memory.
func (g *rootGeneration) clear() {
	clear(g.at)
	g.bytes = g.bytes[:0]
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
