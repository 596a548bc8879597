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
// drops is used again. A Window must not be used concurrently.
type Window struct {
	maxSessions int
	samples     []sample
	// order holds the indices of samples, oldest first.
	order []int32
	byID  map[string]int32
	spare sample
}

// NewWindow returns an empty window of at most maxSessions sessions, or a
// *analysis.FieldError when that is not 1 to 1,000,000.
func NewWindow(maxSessions int) (*Window, error) {
	if maxSessions < 1 || maxSessions > 1_000_000 {
		return nil, &analysis.FieldError{Field: "max_sessions", Value: maxSessions, Want: "1 to 1000000"}
	}
	return &Window{maxSessions: maxSessions, byID: map[string]int32{}}, nil
}

// Len returns how many sessions the window holds.
func (w *Window) Len() int { return len(w.order) }

// MaxSessions returns how many sessions the window holds at most.
func (w *Window) MaxSessions() int { return w.maxSessions }

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
	w.spare.set(s, revision)
	w.add()
	return nil
}

// Merge adds all sessions that other holds, as Add would. It is how the windows
// of several collectors become one. It does not change other.
func (w *Window) Merge(other *Window) {
	for _, i := range other.order {
		w.spare.copyFrom(&other.samples[i])
		w.add()
	}
}

// sorted returns the samples, oldest first.
func (w *Window) sorted() []*sample {
	out := make([]*sample, len(w.order))
	for i, at := range w.order {
		out[i] = &w.samples[at]
	}
	return out
}

// add adds w.spare, and leaves in it a sample whose memory can be used again.
func (w *Window) add() {
	x := &w.spare
	if x.id != "" {
		if at, found := w.byID[x.id]; found {
			if !x.newerThan(&w.samples[at]) {
				return
			}
			i, _ := w.search(&w.samples[at])
			w.order = slices.Delete(w.order, i, i+1)
			w.place(at)
			return
		}
	}
	if len(w.order) < w.maxSessions {
		w.samples = append(w.samples, sample{})
		w.place(int32(len(w.samples) - 1))
		return
	}
	oldest := w.order[0]
	if x.compare(&w.samples[oldest]) <= 0 {
		return
	}
	delete(w.byID, w.samples[oldest].id)
	w.order = w.order[1:]
	w.place(oldest)
}

// place puts w.spare into w.samples[at], which is not in the order.
func (w *Window) place(at int32) {
	w.samples[at], w.spare = w.spare, w.samples[at]
	x := &w.samples[at]
	if x.id != "" {
		w.byID[x.id] = at
	}
	// Sessions mostly come in the order in which they end.
	if n := len(w.order); n == 0 || w.samples[w.order[n-1]].compare(x) <= 0 {
		w.order = append(w.order, at)
		return
	}
	i, _ := w.search(x)
	w.order = slices.Insert(w.order, i, at)
}

func (w *Window) search(x *sample) (int, bool) {
	return slices.BinarySearchFunc(w.order, x, func(at int32, x *sample) int {
		return w.samples[at].compare(x)
	})
}

// copyFrom makes x a copy of o that shares no memory with it.
func (x *sample) copyFrom(o *sample) {
	models, tools, eventTypes := x.models, x.tools, x.eventTypes
	*x = *o
	x.models = copyCounts(models, &o.models)
	x.tools = copyCounts(tools, &o.tools)
	x.eventTypes = copyCounts(eventTypes, &o.eventTypes)
}
