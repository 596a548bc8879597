package agentlens

import (
	"fmt"

	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// explain tells the session, and that it does not tell all when older events
// had to go.
func (s *Session) explain() string {
	markdown := analysis.Explain(s.Snapshot())
	s.mu.Lock()
	gone := s.summary.Events - int64(s.events.len())
	s.mu.Unlock()
	if gone > 0 {
		markdown += fmt.Sprintf("\n\nEarlier events, no longer in memory: %d. The backend has them.", gone)
	}
	return markdown
}

// maxEventBytes is how much a session keeps of its events' data.
const maxEventBytes = 4 << 20

// eventLog keeps the last events of a session.
type eventLog struct {
	limit int
	// ring holds n events, the oldest at head: the room of those let go is used
	// again, and an event costs no allocation of its own.
	ring    []kept
	head, n int
	bytes   int
}

// kept is an event without its ids, which are written into it when it is asked
// for, and its size, which is wanted again when it goes.
type kept struct {
	event analysis.Event
	id    trace.SpanID
	bytes int
}

// add keeps a copy of the event. What that points to must not change any more.
func (l *eventLog) add(e *analysis.Event, id trace.SpanID) {
	bytes := eventBytes(e)
	for l.n > 0 && l.bytes+bytes > maxEventBytes {
		l.drop()
	}
	switch {
	case l.limit == 0 || bytes > maxEventBytes:
		return
	case l.n == l.limit: // the newest takes the place of the oldest
		l.bytes -= l.ring[l.head].bytes
		l.head = l.index(1)
		l.n--
	case l.n == len(l.ring):
		l.grow()
	}
	to := &l.ring[l.index(l.n)]
	to.event, to.id, to.bytes = *e, id, bytes
	l.bytes += bytes
	l.n++
}

// drop lets go of the oldest event.
func (l *eventLog) drop() {
	oldest := &l.ring[l.head]
	l.bytes -= oldest.bytes
	*oldest = kept{}
	l.head = l.index(1)
	l.n--
}

// grow makes room for twice as many events.
func (l *eventLog) grow() {
	ring := make([]kept, min(max(4, 2*l.n), l.limit))
	n := copy(ring, l.ring[l.head:])
	copy(ring[n:], l.ring[:l.head])
	l.ring, l.head = ring, 0
}

// index is where the i-th event is, or will be.
func (l *eventLog) index(i int) int {
	if i += l.head; i >= len(l.ring) {
		i -= len(l.ring)
	}
	return i
}

func (l *eventLog) len() int { return l.n }

// all returns a copy of the events kept, oldest first.
func (l *eventLog) all(sessionID string) []analysis.Event {
	all := make([]analysis.Event, l.n)
	for i := range all {
		k := &l.ring[l.index(i)]
		all[i] = k.event
		all[i].ID, all[i].SessionID = k.id.String(), sessionID
	}
	return all
}

// eventBytes is about what an event takes in memory.
func eventBytes(e *analysis.Event) int {
	n := 512 + len(e.Model) + len(e.Input) + len(e.Output)
	if t := e.ToolCall; t != nil {
		n += 128 + len(t.Name) + len(t.Input) + len(t.Output)
	}
	if d := e.DecisionTrace; d != nil {
		n += 128 + len(d.Reasoning)
		for _, a := range d.Alternatives {
			n += 16 + len(a)
		}
	}
	if e.Error != nil {
		n += len(e.Error.Message)
	}
	return n
}
