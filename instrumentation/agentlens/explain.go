package agentlens

import (
	"fmt"

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
	// events[head:] are those kept.
	events []kept
	head   int
	bytes  int
}

// kept is an event with its size, which is asked for again when the event goes
// and has long left the processor's cache.
type kept struct {
	event *analysis.Event
	bytes int
}

// add keeps the event itself, which must not change any more.
func (l *eventLog) add(e *analysis.Event) {
	k := kept{e, eventBytes(e)}
	l.events = append(l.events, k)
	l.bytes += k.bytes
	for l.len() > l.limit || (l.bytes > maxEventBytes && l.len() > 0) {
		l.bytes -= l.events[l.head].bytes
		l.events[l.head] = kept{}
		l.head++
	}
	// Moving only when half is free makes it one move an event on average.
	if l.head > 16 && l.head*2 >= len(l.events) {
		n := copy(l.events, l.events[l.head:])
		clear(l.events[n:])
		l.events, l.head = l.events[:n], 0
	}
}

func (l *eventLog) len() int { return len(l.events) - l.head }

// all returns a copy of the events kept, oldest first.
func (l *eventLog) all() []analysis.Event {
	all := make([]analysis.Event, l.len())
	for i, k := range l.events[l.head:] {
		all[i] = *k.event
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
