package drift

import (
	"bytes"
	"cmp"
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
	// held are oldest first.
	held []*held
	byID heldByID
	// spare is filled before it is known whether it will be kept.
	spare *held
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
func (w *Window) Len() int { return len(w.held) }

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
	w.init()
	packed, err := AppendSession(w.spare.packed[:0], s, revision)
	if err != nil {
		return err
	}
	w.spare.packed = packed
	w.add()
	return nil
}

// AddSession adds a session as AddRevision does.
func (w *Window) AddSession(s Session) {
	w.init()
	w.spare.packed = append(w.spare.packed[:0], s...)
	w.add()
}

// Merge adds all sessions that other holds, as Add would. It is how the windows
// of several collectors become one. It does not change other; merging a window
// with itself does nothing.
func (w *Window) Merge(other *Window) {
	if w == other {
		return
	}
	for _, x := range other.held {
		w.AddSession(x.packed)
	}
}

func (w *Window) init() {
	if w.spare == nil {
		w.byID.init()
		w.spare = &held{}
	}
	if w.maxSessions == 0 {
		w.maxSessions = DefaultMaxSessions
	}
}

// add adds the session in w.spare, and leaves in its place one whose memory can
// be used again.
func (w *Window) add() {
	x := w.spare
	x.begin()
	if id := x.id(); len(id) > 0 {
		x.hash = w.byID.hash(id)
		if same := w.byID.get(x.hash, id); same != nil {
			if x.newerThan(same) {
				w.drop(same)
				w.place(x)
				w.spare = same
			}
			return
		}
	}
	if len(w.held) < w.maxSessions {
		w.place(x)
		w.spare = &held{}
		return
	}
	oldest := w.held[0]
	if x.compare(oldest) <= 0 {
		return
	}
	w.byID.remove(oldest)
	w.held = w.held[1:]
	w.place(x)
	w.spare = oldest
}

// drop takes out x, which the window holds.
func (w *Window) drop(x *held) {
	w.byID.remove(x)
	i, _ := w.search(x)
	w.held = slices.Delete(w.held, i, i+1)
}

// place puts x, which the window does not hold, where it belongs.
func (w *Window) place(x *held) {
	if len(x.id()) > 0 {
		w.byID.put(x)
	}
	// Sessions mostly come in the order in which they end.
	if n := len(w.held); n == 0 || w.held[n-1].compare(x) <= 0 {
		w.held = append(w.held, x)
		return
	}
	i, _ := w.search(x)
	w.held = slices.Insert(w.held, i, x)
}

func (w *Window) search(x *held) (int, bool) {
	return slices.BinarySearchFunc(w.held, x, (*held).compare)
}

// samples returns the figures of the sessions, oldest first. They are the
// window's.
func (w *Window) samples() []*sample {
	out := make([]*sample, len(w.held))
	for i, x := range w.held {
		out[i] = x.figures()
	}
	return out
}

// held is a session in a window. Most come and go without being compared with
// another: its figures are unpacked when someone looks at them. What a window orders
// and finds it by is 64 bytes, which processors read at once.
type held struct {
	packed Session
	hash   uint64 // of its id
	// The end, in seconds since 1970 and nanoseconds.
	seconds  int64
	nanos    int32
	unpacked bool
	revision int64
	// sample is of the packed session when it is unpacked, else memory for that.
	sample *sample
}

// begin reads what stands before the figures of the packed session.
func (x *held) begin() {
	u := unpacker(x.packed)
	_, x.seconds, x.nanos, x.revision = u.header()
	x.hash, x.unpacked = 0, false
}

// id is part of the packed session.
func (x *held) id() []byte { return x.packed.ID() }

func (x *held) figures() *sample {
	if x.sample == nil {
		x.sample = &sample{}
	}
	if !x.unpacked {
		x.sample.unpack(x.packed)
		x.unpacked = true
	}
	return x.sample
}

// newerThan orders what is known of one session: the higher revision; at the
// same revision the one that has seen more, because a summary only grows; and
// then anything that does not depend on which was added first.
func (x *held) newerThan(o *held) bool {
	if c := cmp.Compare(x.revision, o.revision); c != 0 {
		return c > 0
	}
	if c := cmp.Compare(x.figures().events(), o.figures().events()); c != 0 {
		return c > 0
	}
	return x.compare(o) > 0
}

// compare orders the sessions of a window: by end, then id, then content, so
// that equal ones are interchangeable.
func (x *held) compare(o *held) int {
	if c := cmp.Or(cmp.Compare(x.seconds, o.seconds), cmp.Compare(x.nanos, o.nanos)); c != 0 {
		return c
	}
	if c := bytes.Compare(x.id(), o.id()); c != 0 {
		return c
	}
	return x.figures().compare(o.figures())
}
