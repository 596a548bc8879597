package store

import (
	"math"

	"github.com/agentlens/agentlens-otel/analysis"
)

// forget takes an event out of what the state says of the distinct events. It
// returns false when the state is to be made anew: what came first and a sum
// that has reached its end cannot be told from the rest.
func (s *state) forget(f *figures) bool {
	s.events--
	if f.failed {
		s.errors--
	}
	s.sumIn.V -= f.tokensIn.Or(0)
	s.sumOut.V -= f.tokensOut.Or(0)
	s.cost.V.Add(-f.costUSD.Or(0))
	const most = math.MaxInt64
	return f.begin() > s.firstEvent.V && s.sumIn.V+f.tokensIn.Or(0) < most && s.sumOut.V+f.tokensOut.Or(0) < most
}

// afterRemoval makes of a session from which events were taken what it is
// without them. It costs the same whatever the number of the others, but where
// state or summary are stale.
func (w *writer) afterRemoval(sess *session) error {
	if sess.stale {
		if err := w.recount(sess); err != nil {
			return err
		}
	} else if err := w.settleState(sess); err != nil {
		return err
	}
	sess.stale = false
	if sess.events == 0 {
		if _, err := w.tx.ExecContext(w.ctx, `DELETE FROM summaries WHERE session = ?`, sess.row); err != nil {
			return err
		}
	}
	for i := range sess.gone {
		f := &sess.gone[i]
		if err := w.removeName(sess, kindModel, "model", f.model, &sess.summary.Models); err != nil {
			return err
		}
		if err := w.removeName(sess, kindTool, "tool_name", f.tool, &sess.summary.Tools); err != nil {
			return err
		}
	}
	return nil
}

// settleState finds what a state cannot tell of the events that are left.
func (w *writer) settleState(sess *session) error {
	var last int64
	if err := w.tx.QueryRowContext(w.ctx, `SELECT max(timestamp) FROM events WHERE session = ?`, sess.row).Scan(&last); err != nil {
		return err
	}
	sess.lastEvent, sess.summary.LastEvent = analysis.Some(last), timeOf(last)
	if sess.cost.OK = sess.summary.Priced > 0; !sess.cost.OK {
		sess.cost = analysis.Opt[analysis.Sum]{}
	}
	for column, sum := range map[string]*analysis.Opt[int64]{"tokens_in": &sess.sumIn, "tokens_out": &sess.sumOut} {
		if sum.V > 0 {
			continue
		}
		if err := w.tx.QueryRowContext(w.ctx, `SELECT EXISTS (SELECT 1 FROM events WHERE session = ? AND `+column+` IS NOT NULL)`, sess.row).Scan(&sum.OK); err != nil {
			return err
		}
	}
	return nil
}

// recount makes state and summary anew. It costs O(n) in the number of events.
func (w *writer) recount(sess *session) error {
	sess.state = sess.withoutEvents()
	if err := eachFigures(w.ctx, w.tx, sess.row, sess.event); err != nil {
		return err
	}
	summary, err := summarize(w.ctx, w.tx, sess.row)
	if err != nil {
		return err
	}
	sess.summary = *summary
	return nil
}

// removeName takes a name from those of a session unless an event has it.
func (w *writer) removeName(sess *session, kind, column, name string, left *analysis.Counts) error {
	if name == "" || left.Get(name) > 0 {
		return nil
	}
	_, err := w.tx.ExecContext(w.ctx, `DELETE FROM session_names WHERE session = ?1 AND kind = ?2 AND name = ?3
AND NOT EXISTS (SELECT 1 FROM events WHERE session = ?1 AND `+column+` = ?3)`, sess.row, kind, name)
	return err
}
