package agentlensprocessor

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
)

// Sessions are completed in the order in which their roots arrive, which is not
// quite the order in which they ended. A session therefore joins its agent's
// windows when another has ended allowed_lateness after it: by then all that
// ended before it have come. They join in the order in which they ended, and a
// session's finding is that of the sessions that ended allowed_lateness before
// it. So it is the same whichever of two sessions is completed first.

// maxWaiting bounds the sessions of an agent that wait to join, and the
// comparisons that are remembered. Beyond it the oldest joins early.
const maxWaiting = 10_000

// judgeEvery is how far apart comparisons are at least, in the time of the ends
// of sessions.
const judgeEvery = time.Second

// waitingSession is a completed session that may not have joined yet.
type waitingSession struct {
	end      time.Time
	version  string
	revision int64
	session  drift.Session
}

func (w *waitingSession) compare(o *waitingSession) int {
	if c := w.end.Compare(o.end); c != 0 {
		return c
	}
	return bytes.Compare(w.session.ID(), o.session.ID())
}

// waitingInStore is a waitingSession as it is stored.
type waitingInStore struct {
	End      time.Time      `json:"end"`
	ID       string         `json:"session_id"`
	Version  string         `json:"version,omitempty"`
	Revision int64          `json:"revision"`
	Session  *drift.Session `json:"session"`
}

// MarshalJSON returns what is stored of the session.
func (w *waitingSession) MarshalJSON() ([]byte, error) {
	return json.Marshal(waitingInStore{w.end, string(w.session.ID()), w.version, w.revision, &w.session})
}

// UnmarshalJSON takes back what MarshalJSON returns.
func (w *waitingSession) UnmarshalJSON(b []byte) error {
	var in waitingInStore
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if in.Session == nil {
		return fmt.Errorf("waiting session %q has no figures", in.ID)
	}
	*w = waitingSession{in.End, in.Version, in.Revision, *in.Session}
	return nil
}

// comparison is what was found when the session that ended at End had joined.
type comparison struct {
	End    time.Time    `json:"end,omitzero"`
	Score  float64      `json:"score"`
	Status drift.Status `json:"status"`

	// finding says so on the spans of all sessions that it is of.
	finding *driftFinding
}

// maxSpare bounds the sessions whose memory is kept for others.
const maxSpare = 1_000

// wait lets a session wait, in the place of an earlier revision of it.
func (d *driftEngine) wait(a *agentDrift, s *analysis.Summary, version string, revision int64) error {
	var one drift.Session
	if last := len(d.spare) - 1; last >= 0 {
		one, d.spare = d.spare[last], d.spare[:last]
	}
	if err := one.Set(s, revision); err != nil {
		return err
	}
	if revision > 1 {
		a.drop(s.SessionID)
	}
	next := waitingSession{s.EndedAt, version, revision, one}
	at, waiting := len(a.Waiting), a.waiting()
	if n := len(waiting); n > 0 && next.compare(&waiting[n-1]) < 0 { // mostly they come in order
		at = a.joined + sort.Search(n, func(i int) bool { return next.compare(&waiting[i]) < 0 })
	}
	a.insert(at, next)
	return nil
}

// insert puts a session at a place in Waiting, not before those that have
// joined. Of one that ended long ago, as evicted ones did, hardly any stand
// before: these move down where there is room.
func (a *agentDrift) insert(at int, w waitingSession) {
	if a.joined == 0 || at-a.joined > len(a.Waiting)-at {
		a.Waiting = slices.Insert(a.Waiting, at, w)
		return
	}
	copy(a.Waiting[a.joined-1:], a.Waiting[a.joined:at])
	a.joined--
	a.Waiting[at-1] = w
}

// note takes notice of the end of a session.
func (a *agentDrift) note(end time.Time) {
	if end.After(a.Newest) {
		a.Newest = end
	}
}

// join lets the sessions join that need wait no more, and returns the reports
// that are news.
func (d *driftEngine) join(a *agentDrift) (changed []*drift.Report, err error) {
	until := a.Newest.Add(-d.cfg.AllowedLateness)
	for len(a.waiting()) > 0 {
		w := &a.Waiting[a.joined]
		if w.end.After(until) && len(a.waiting()) <= maxWaiting {
			break
		}
		window, err := d.windowFor(a, w.version)
		if err != nil {
			return changed, err
		}
		d.unnamed.take(w.session.ID())
		window.AddSession(&w.session)
		if len(d.spare) < maxSpare {
			d.spare = append(d.spare, w.session)
		}
		w.session = drift.Session{}
		a.joined++
		a.Unjudged++
		news, err := d.judge(a, w.end)
		if err != nil {
			return changed, err
		}
		if news != nil {
			changed = append(changed, news)
		}
	}
	if a.joined > len(a.Waiting)/2 { // on average no session is moved more than once
		a.forgetJoined()
	}
	return changed, nil
}

// waiting returns the sessions that have not joined yet.
func (a *agentDrift) waiting() []waitingSession { return a.Waiting[a.joined:] }

// forgetJoined leaves no others in Waiting.
func (a *agentDrift) forgetJoined() {
	a.Waiting = slices.Delete(a.Waiting, 0, a.joined)
	a.joined = 0
}

// unnamedSessions are the waiting sessions that are known by the id of their
// trace alone, with their agents. A root that overtakes the span which names its
// session completes such a one, and it must not join when that span has come.
type unnamedSessions struct {
	mu     sync.Mutex
	agents map[pcommon.TraceID]string
	// count is len(agents), to be asked of every span.
	count atomic.Int64
}

func (u *unnamedSessions) add(session []byte, agent string) {
	if trace, ok := traceID(session); ok {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.agents[trace] = agent
		u.count.Store(int64(len(u.agents)))
	}
}

func (u *unnamedSessions) take(session []byte) (agent string, ok bool) {
	trace, ok := traceID(session)
	if !ok {
		return "", false
	}
	return u.takeTrace(trace)
}

func (u *unnamedSessions) takeTrace(trace pcommon.TraceID) (agent string, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	agent, ok = u.agents[trace]
	delete(u.agents, trace)
	u.count.Store(int64(len(u.agents)))
	return agent, ok
}

// traceID reads a session id that may be that of a trace.
func traceID(session []byte) (trace pcommon.TraceID, ok bool) {
	if len(session) != hex.EncodedLen(len(trace)) {
		return trace, false
	}
	_, err := hex.Decode(trace[:], session)
	return trace, err == nil
}

// named says that a span has named the session of a trace: what was completed
// under the trace's own id is part of that session.
func (d *driftEngine) named(trace pcommon.TraceID, session string) {
	if d.unnamed.count.Load() == 0 || session == trace.String() {
		return
	}
	name, ok := d.unnamed.takeTrace(trace)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.agents[name]; a != nil {
		a.drop(trace.String())
	}
}

// drop takes a session out that waits.
func (a *agentDrift) drop(session string) {
	a.forgetJoined()
	a.Waiting = slices.DeleteFunc(a.Waiting, func(w waitingSession) bool { return string(w.session.ID()) == session })
}

// remember keeps a comparison, and forgets those that no session can ask for
// which is not late.
func (a *agentDrift) remember(c comparison, lateness time.Duration) {
	if n := len(a.Comparisons); n > 0 && c.End.Before(a.Comparisons[n-1].End) {
		c.End = a.Comparisons[n-1].End // of a session that came late
	}
	a.Comparisons = append(a.Comparisons, c)
	oldest := a.Newest.Add(-2 * lateness)
	gone := max(0, len(a.Comparisons)-maxWaiting)
	for gone+1 < len(a.Comparisons) && !a.Comparisons[gone+1].End.After(oldest) {
		gone++
	}
	a.Comparisons = slices.Delete(a.Comparisons, 0, gone)
}

// judgedSince reports whether there was a comparison of sessions that ended
// after t.
func (a *agentDrift) judgedSince(t time.Time) bool {
	n := len(a.Comparisons)
	return n > 0 && a.Comparisons[n-1].End.After(t)
}

// asOf returns the last comparison of sessions that ended lateness before end,
// and of a session that came later than that what is known; nil when there is
// none.
func (a *agentDrift) asOf(end time.Time, lateness time.Duration) *driftFinding {
	at := end.Add(-lateness)
	known := len(a.Comparisons)
	for known > 0 && a.Comparisons[known-1].End.After(at) {
		known--
	}
	if known == 0 {
		if len(a.Comparisons) == 0 || !at.Before(a.Newest.Add(-2*lateness)) {
			return nil
		}
		known = 1
	}
	c := &a.Comparisons[known-1]
	if c.finding == nil {
		c.finding = &driftFinding{Score: c.Score, Status: c.Status}
	}
	return c.finding
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
