package drift

import (
	"slices"

	"github.com/agentlens/agentlens-otel/analysis"
)

// DefaultMaxSessions is how many sessions a window keeps when nothing else is
// asked for.
const DefaultMaxSessions = 500

// Window keeps the figures of the newest sessions of one agent, at most a
// given number of them. Newest is by the session's end and then its id, so
// what a window holds does not depend on the order of adding. A session has
// one place, whatever the number of times it is added; a session without an id
// has a place of its own each time. Memory is bounded, and what a full window
// drops is used again. The zero Window is empty, and keeps DefaultMaxSessions.
// A Window must not be used concurrently.
type Window struct {
	maxSessions int
	// samples are oldest first.
	samples []*sample
	byID    map[string]*sample
	// spare is filled before it is known whether it will be kept.
	spare *sample
}

// NewWindow returns an empty window of at most maxSessions sessions, or a
// *analysis.FieldError when that is not 1 to 1,000,000.
func NewWindow(maxSessions int) (*Window, error) {
	if maxSessions < 1 || maxSessions > 1_000_000 {
		return nil, &analysis.FieldError{Field: "max_sessions", Value: maxSessions, Want: "1 to 1000000"}
	}
	w := &Window{maxSessions: maxSessions}
	w.init()
	return w, nil
}

// Len returns how many sessions the window holds.
func (w *Window) Len() int { return len(w.samples) }

// MaxSessions returns how many sessions the window holds at most.
func (w *Window) MaxSessions() int {
	w.init()
	return w.maxSessions
}

// Add adds a session, or replaces what is held of it when s has seen more. It
// keeps of s its figures and names. A summary with a negative figure is refused
// with a *analysis.FieldError.
func (w *Window) Add(s *analysis.Summary) error { return w.AddRevision(s, 0) }

// AddRevision is Add for the revision-th verdict on a session: the highest
// revision stays, whichever is added first.
func (w *Window) AddRevision(s *analysis.Summary, revision int64) error {
	if err := check(s); err != nil {
		return err
	}
	w.init()
	w.spare.set(s, revision)
	w.add()
	return nil
}

// Merge adds all sessions that other holds, as Add would. It is how the windows
// of several collectors become one. It does not change other; merging a window
// with itself does nothing.
func (w *Window) Merge(other *Window) {
	if w == other {
		return
	}
	w.init()
	for _, x := range other.samples {
		w.spare.copyFrom(x)
		w.add()
	}
}

func (w *Window) init() {
	if w.spare == nil {
		w.byID, w.spare = map[string]*sample{}, &sample{}
	}
	if w.maxSessions == 0 {
		w.maxSessions = DefaultMaxSessions
	}
}

// add adds w.spare, and leaves in its place one whose memory can be used again.
func (w *Window) add() {
	x := w.spare
	if held, found := w.byID[x.id]; found {
		if x.newerThan(held) {
			i, _ := w.search(held)
			w.samples = slices.Delete(w.samples, i, i+1)
			w.place(x)
			w.spare = held
		}
		return
	}
	if len(w.samples) < w.maxSessions {
		w.place(x)
		w.spare = &sample{}
		return
	}
	oldest := w.samples[0]
	if x.compare(oldest) <= 0 {
		return
	}
	delete(w.byID, oldest.id)
	w.samples = w.samples[1:]
	w.place(x)
	w.spare = oldest
}

// place puts x, which the window does not hold, where it belongs.
func (w *Window) place(x *sample) {
	if x.id != "" {
		w.byID[x.id] = x
	}
	// Sessions mostly come in the order in which they end.
	if n := len(w.samples); n == 0 || w.samples[n-1].compare(x) <= 0 {
		w.samples = append(w.samples, x)
		return
	}
	i, _ := w.search(x)
	w.samples = slices.Insert(w.samples, i, x)
}

func (w *Window) search(x *sample) (int, bool) {
	return slices.BinarySearchFunc(w.samples, x, (*sample).compare)
}

// copyFrom makes x a copy of o that shares no memory with it.
func (x *sample) copyFrom(o *sample) {
	models, tools, eventTypes := x.models, x.tools, x.eventTypes
	*x = *o
	x.models = copyCounts(models, &o.models)
	x.tools = copyCounts(tools, &o.tools)
	x.eventTypes = copyCounts(eventTypes, &o.eventTypes)
}
