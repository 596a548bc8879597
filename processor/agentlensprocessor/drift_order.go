package agentlensprocessor

import (
	"encoding/hex"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

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

// comparison is what was found when the session that ended at End had joined.
type comparison struct {
	End    time.Time    `json:"end,omitzero"`
	Score  float64      `json:"score"`
	Status drift.Status `json:"status"`

	// finding says so on the spans of all sessions that it is of.
	finding *driftFinding
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
	for q := &a.Waiting; q.len() > 0; {
		w := q.waiting()[0]
		if !w.ended(until) && q.len() <= maxWaiting {
			break
		}
		window, err := d.windowFor(a, q.version(&w))
		if err != nil {
			return changed, err
		}
		session := q.session(&w)
		d.unnamed.take(session.ID())
		window.AddSession(session)
		q.join()
		a.Unjudged++
		news, err := d.judge(a, w.end())
		if err != nil {
			return changed, err
		}
		if news != nil {
			changed = append(changed, news)
		}
	}
	return changed, nil
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
		a.Waiting.drop(trace.String())
	}
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
