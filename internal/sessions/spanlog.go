package sessions

import "math/bits"

// spanLog is the memory of a spanSet: runs of span ids, one after the other, and
// the index of their places. It grows by chunks, and lets go of them.
type spanLog struct {
	// The numbers are the places of runs: of words since the log began.
	numberIndex
	// chunks hold 1 << chunkBits words each, of which the first has the place first.
	chunks    [][]uint64
	chunkBits uint32 // below 32
	first     uint32
	// spare is a chunk to be written over.
	spare []uint64
	// placed counts the ids that were written, those that moved each time.
	placed uint32
	// maxWords is how long the log may be.
	maxWords uint32
}

// spanRun is a run and what follows it in its chunk: the trace id, a head, and
// room for span ids.
type spanRun []uint64

const (
	runHead = 2
	runIDs  = 3
	// minRun is how many words a run takes at least; maxRunIDs is how many ids one
	// has room for at most.
	minRun    = runIDs + 1
	maxRunIDs = 64
)

// The head has how many ids there are in a byte, how many there is room for in
// another, marks, and in its upper half what placed was when it was written.
// Without a mark, the run moved.
const (
	roomShift  = 8
	stampShift = 32
	// isNewest: the index has the place for the trace, of which no run is newer.
	isNewest = 1 << 16
	// isIndexed: the index has it for each of the ids.
	isIndexed = 1 << 17
)

const (
	// wordsPerID is enough for each id: the most take those of a trace of two that
	// came in two requests, 4 and 7 words.
	wordsPerID = 8
	// The words of a chunk have so many bits: it is small in a log of few ids.
	minChunkBits = 8
	maxChunkBits = 11
	// maxSpanSet is how many ids a set may remember.
	maxSpanSet = maxNumbers/wordsPerID - 4<<maxChunkBits
)

func newSpanLog(ids int) spanLog {
	l := spanLog{chunkBits: uint32(min(max(minChunkBits, bits.Len(uint(ids))), maxChunkBits))}
	l.first = uint32(l.chunkWords())
	l.maxWords = wordsPerID*uint32(ids) + 4*l.first
	// What is to be added may be above that until the oldest is forgotten.
	l.numberIndex = newNumberIndex(l.maxWords+2*l.first, l.first)
	return l
}

// The masks spare what else there is to do for shifts of more bits than there are.
func (l *spanLog) chunkWords() int { return 1 << (l.chunkBits & 31) }

// run returns the run at a place.
func (l *spanLog) run(at uint32) spanRun {
	at -= l.first
	return l.chunks[at>>(l.chunkBits&31)][at&(1<<(l.chunkBits&31)-1):]
}

// append writes a run at the end, with room for so many ids if its chunk has it.
// The ids but the last are to be copied there.
func (l *spanLog) append(w spanWords, marks uint64, count, room int) (at uint32) {
	left := l.left(l.next)
	if left < runIDs+count {
		l.run(l.next)[runHead] = uint64(left-runIDs) << roomShift
		l.next += uint32(left)
		left = l.chunkWords()
	}
	if int((l.next-l.first)>>(l.chunkBits&31)) == len(l.chunks) {
		l.chunks = append(l.chunks, l.chunk())
	}
	at = l.next
	room = min(room, left-runIDs)
	r := l.run(at)
	r[0], r[1], r[runHead] = w[0], w[1], uint64(l.placed)<<stampShift|marks|uint64(room)<<roomShift|uint64(count)
	r[runIDs+count-1] = w[2]
	l.placed += uint32(count)
	l.next = l.fitting(at + runIDs + uint32(room))
	return at
}

// widen makes room for one more id in the last run. It reports false where there
// is none.
func (l *spanLog) widen(at uint32) bool {
	r := l.run(at)
	room := r.room()
	if room == maxRunIDs || len(r) == runIDs+room {
		return false
	}
	r[runHead] += 1 << roomShift
	l.next = l.fitting(at + runIDs + uint32(room) + 1)
	return true
}

// lengthen counts the ids that were written into the last run, which may be more
// than there was room for.
func (l *spanLog) lengthen(at uint32, count int) {
	r := l.run(at)
	l.placed += uint32(count - r.count())
	room := max(count, r.room())
	r[runHead] = r[runHead]&^(1<<(2*roomShift)-1) | uint64(room)<<roomShift | uint64(count)
	l.next = l.fitting(at + runIDs + uint32(room))
}

// drop lets go of the first run.
func (l *spanLog) drop() {
	l.oldest = l.after(l.oldest)
	for ; l.oldest-l.first >= uint32(l.chunkWords()); l.first += uint32(l.chunkWords()) {
		l.spare, l.chunks[0] = l.chunks[0], nil
		l.chunks = l.chunks[1:]
	}
}

// after returns the place of the next run.
func (l *spanLog) after(at uint32) uint32 {
	return l.fitting(at + runIDs + uint32(l.run(at).room()))
}

// fitting returns the first place from this one on where a run may be.
func (l *spanLog) fitting(at uint32) uint32 {
	if left := l.left(at); left < minRun {
		return at + uint32(left)
	}
	return at
}

// left is how many words of its chunk there are from a place on.
func (l *spanLog) left(at uint32) int { return l.chunkWords() - int(at)&(l.chunkWords()-1) }

func (l *spanLog) chunk() []uint64 {
	c := l.spare
	l.spare = nil
	if c == nil {
		c = make([]uint64, l.chunkWords())
	}
	return c
}

// renumber makes all places smaller by what it returns. The index has to be filled
// again.
func (l *spanLog) renumber() (by uint32) {
	by = l.first - uint32(l.chunkWords())
	l.first, l.oldest, l.next = l.first-by, l.oldest-by, l.next-by
	return by
}

func (r spanRun) isOf(w spanWords) bool { return r[0] == w[0] && r[1] == w[1] }
func (r spanRun) is(mark uint64) bool   { return r[runHead]&mark != 0 }
func (r spanRun) count() int            { return int(uint8(r[runHead])) }
func (r spanRun) room() int             { return int(uint8(r[runHead] >> roomShift)) }
func (r spanRun) stamp() uint32         { return uint32(r[runHead] >> stampShift) }
func (r spanRun) ids() []uint64         { return r[runIDs : runIDs+r.count()] }

// add adds an id; there must be room.
func (r spanRun) add(id uint64) {
	r[runIDs+r.count()] = id
	r[runHead]++
}

// slots is how often the place of the run is in the index.
func (r spanRun) slots() (n int) {
	if r.is(isNewest) {
		n++
	}
	if r.is(isIndexed) {
		n += r.count()
	}
	return n
}
