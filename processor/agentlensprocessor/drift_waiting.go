package agentlensprocessor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// waitingSessions are the completed sessions of an agent that wait to join its
// windows, in the order in which they ended. There may be thousands, which come
// and go: they stand in one piece of memory without pointers, one behind the
// other as they came. The zero waitingSessions is empty.
type waitingSessions struct {
	// list begins with those that have joined.
	list   []waitingSession
	joined int
	// bytes hold the versions and sessions; live counts those of sessions that
	// wait. spare is memory for when these are moved.
	bytes, spare []byte
	live         int
}

// waitingSession is a completed session that may not have joined yet.
type waitingSession struct {
	// The end, in seconds since 1970 and nanoseconds.
	seconds int64
	nanos   int32
	// version says how many of the bytes from from to to are the version. The
	// others are a drift.Session.
	version  int32
	from, to int
}

func (w *waitingSession) end() time.Time { return time.Unix(w.seconds, int64(w.nanos)).UTC() }

// ended reports whether the session had ended at a time.
func (w *waitingSession) ended(at time.Time) bool {
	return cmp.Or(cmp.Compare(w.seconds, at.Unix()), cmp.Compare(w.nanos, int32(at.Nanosecond()))) <= 0
}

// len counts the sessions that wait, and waiting lists them.
func (q *waitingSessions) len() int                  { return len(q.list) - q.joined }
func (q *waitingSessions) waiting() []waitingSession { return q.list[q.joined:] }

func (q *waitingSessions) version(w *waitingSession) []byte {
	return q.bytes[w.from : w.from+int(w.version)]
}

func (q *waitingSessions) session(w *waitingSession) drift.Session {
	return q.bytes[w.from+int(w.version) : w.to]
}

// add lets a session wait, in the place of an earlier revision of it. One with a
// negative figure is refused with a *analysis.FieldError.
func (q *waitingSessions) add(s *analysis.Summary, version string, revision int64) error {
	from := len(q.bytes)
	b, err := drift.AppendSession(append(q.bytes, version...), s, revision)
	if err != nil {
		return err
	}
	q.bytes = b
	w := waitingSession{s.EndedAt.Unix(), int32(s.EndedAt.Nanosecond()), int32(len(version)), from, len(b)}
	if revision > 1 {
		q.remove(s.SessionID)
	}
	q.put(w)
	q.tidy()
	return nil
}

// put puts a session where it belongs.
func (q *waitingSessions) put(w waitingSession) {
	q.live += w.to - w.from
	at, waiting := len(q.list), q.waiting()
	if n := len(waiting); n > 0 && q.compare(&w, &waiting[n-1]) < 0 { // mostly they come in order
		at = q.joined + sort.Search(n, func(i int) bool { return q.compare(&w, &waiting[i]) < 0 })
	}
	// Of one that ended long ago, as evicted ones did, hardly any stand before:
	// these move down where there is room.
	if q.joined == 0 || at-q.joined > len(q.list)-at {
		q.list = slices.Insert(q.list, at, w)
		return
	}
	copy(q.list[q.joined-1:], q.list[q.joined:at])
	q.joined--
	q.list[at-1] = w
}

func (q *waitingSessions) compare(a, b *waitingSession) int {
	if c := cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.nanos, b.nanos)); c != 0 {
		return c
	}
	return bytes.Compare(q.session(a).ID(), q.session(b).ID())
}

// join takes out the first session, which has joined.
func (q *waitingSessions) join() {
	w := &q.list[q.joined]
	q.live -= w.to - w.from
	q.joined++
	q.tidy()
}

// drop takes out a session by its id.
func (q *waitingSessions) drop(id string) {
	q.remove(id)
	q.tidy()
}

func (q *waitingSessions) remove(id string) {
	kept := slices.DeleteFunc(q.waiting(), func(w waitingSession) bool {
		gone := string(q.session(&w).ID()) == id
		if gone {
			q.live -= w.to - w.from
		}
		return gone
	})
	q.list = q.list[:q.joined+len(kept)]
}

// tidy makes room when more has gone than waits: on average no session is moved
// more than once.
func (q *waitingSessions) tidy() {
	if q.joined > len(q.list)/2 || len(q.bytes) > 2*q.live+minMoved {
		q.forgetJoined()
	}
}

// minMoved is how many bytes are not worth being moved.
const minMoved = 1 << 10

// forgetJoined leaves only those that wait, in their order also in memory.
func (q *waitingSessions) forgetJoined() {
	q.list = slices.Delete(q.list, 0, q.joined)
	q.joined = 0
	moved := q.spare[:0]
	for i := range q.list {
		w := &q.list[i]
		from := len(moved)
		moved = append(moved, q.bytes[w.from:w.to]...)
		w.from, w.to = from, len(moved)
	}
	q.bytes, q.spare = moved, q.bytes
	if cap(q.spare) > 8*q.live+minMoved { // of a time when there were more
		q.spare = nil
	}
}

// waitingInStore is a waitingSession as it is stored.
type waitingInStore struct {
	End      time.Time      `json:"end"`
	ID       string         `json:"session_id"`
	Version  string         `json:"version,omitempty"`
	Revision int64          `json:"revision"`
	Session  *drift.Session `json:"session"`
}

// IsZero reports whether no session waits.
func (q waitingSessions) IsZero() bool { return q.len() == 0 }

// MarshalJSON returns what is stored of the sessions that wait.
func (q waitingSessions) MarshalJSON() ([]byte, error) {
	out := make([]waitingInStore, 0, q.len())
	for _, w := range q.waiting() {
		s := q.session(&w)
		out = append(out, waitingInStore{w.end(), string(s.ID()), string(q.version(&w)), s.Revision(), &s})
	}
	return json.Marshal(out)
}

// UnmarshalJSON takes back what MarshalJSON returns.
func (q *waitingSessions) UnmarshalJSON(b []byte) error {
	var in []waitingInStore
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	var read waitingSessions
	for i := range in {
		one := &in[i]
		if one.Session == nil {
			return fmt.Errorf("waiting session %q has no figures", one.ID)
		}
		from := len(read.bytes)
		read.bytes = append(append(read.bytes, one.Version...), *one.Session...)
		read.put(waitingSession{one.End.Unix(), int32(one.End.Nanosecond()), int32(len(one.Version)), from, len(read.bytes)})
	}
	*q = read
	return nil
}
