package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// A call that AgentLens's SDK tells beside another library is one event. The
// processor says which spans tell one call, with the later of them (Replaces,
// PartOf); they may arrive in any order, and again. So what each tells is kept
// as it came, and what is listed and counted is made of all of it.

// call stores an event or a copy that belongs with others, and makes their one
// event anew. It returns false of an event that stands alone.
func (w *writer) call(sess *session, e *wire.Event) (stored, isNew bool, err error) {
	tells := len(e.Replaces)+len(e.PartOf) > 0
	if !tells && !sess.linked {
		return false, false, nil
	}
	home, known, err := w.homeOf(sess, e.EventID)
	if err != nil || !known && !tells {
		return false, false, err
	}
	if err := w.link(home, e); err != nil {
		return false, false, fmt.Errorf("link event %s: %w", e.EventID, err)
	}
	if isNew, err = w.keepCopy(home, e); err == nil {
		err = w.settle(home, e.EventID)
	}
	if err != nil {
		return false, false, fmt.Errorf("copies of event %s: %w", e.EventID, err)
	}
	return true, isNew && len(e.PartOf) == 0, nil
}

// homeOf returns the session of the call that an event of sess tells, sess when
// no other is known, and whether another span has told of that call.
func (w *writer) homeOf(sess *session, id string) (home *session, known bool, err error) {
	if !sess.linked {
		return sess, false, nil
	}
	var name string
	err = w.tx.StmtContext(w.ctx, w.stmts.getHome).QueryRowContext(w.ctx, sess.id, id, sess.row).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return sess, false, nil
	}
	if err == nil {
		home, err = w.session(name)
	}
	return home, err == nil, err
}

const getHomeSQL = `SELECT s.session_id FROM (SELECT session FROM same_calls WHERE session_id = ?1 AND behind = ?2
UNION ALL SELECT session FROM same_calls WHERE session = ?3 AND front = ?2) c JOIN sessions s ON s.id = c.session
ORDER BY c.session = ?3, c.session LIMIT 1`

const linkSQL = `INSERT INTO same_calls (session_id, behind, session, front) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`

// link notes what an event says of which others tell its call.
func (w *writer) link(home *session, e *wire.Event) error {
	add := func(where, behind, front string) error {
		if behind == front {
			return nil
		}
		_, err := w.tx.StmtContext(w.ctx, w.stmts.link).ExecContext(w.ctx, where, behind, home.row, front)
		return err
	}
	home.linked = true
	for _, front := range e.PartOf {
		if err := add(home.id, e.EventID, front); err != nil {
			return err
		}
	}
	for _, behind := range e.Replaces {
		if err := add(home.id, behind, e.EventID); err != nil {
			return err
		}
		if e.TraceID == "" || e.TraceID == home.id {
			continue
		}
		if err := add(e.TraceID, behind, e.EventID); err != nil {
			return err
		}
		if err := w.fetch(e.TraceID, behind, home); err != nil {
			return err
		}
	}
	return nil
}

// fetch takes an event out of the session of that name, if it is there, for it
// belongs to home.
func (w *writer) fetch(name, id string, home *session) error {
	for _, held := range [...]*session{w.touched[name], w.recent[name]} {
		if held != nil {
			held.linked = true
		}
	}
	var row int64
	err := w.tx.QueryRowContext(w.ctx, `SELECT s.id FROM sessions s WHERE s.session_id = ?1 AND (EXISTS (SELECT 1 FROM events WHERE session = s.id AND event_id = ?2)
OR EXISTS (SELECT 1 FROM copies WHERE session = s.id AND event_id = ?2))`, name, id).Scan(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	from, err := w.session(name)
	if err != nil {
		return err
	}
	c, err := w.copy(from, id)
	if err != nil || c == nil {
		return err
	}
	if err := w.addCopy(home, c); err != nil {
		return err
	}
	if _, err := w.tx.ExecContext(w.ctx, `DELETE FROM copies WHERE session = ? AND event_id = ?`, from.row, id); err != nil {
		return err
	}
	if err := w.takeOut(from, id); err != nil {
		return err
	}
	return w.settle(from, id)
}

// toldCopy is what one span tells of a call.
type toldCopy struct {
	event wire.Event
	part  bool
	// seq is that of the row in events; none = it has none.
	seq analysis.Opt[int64]
}

// keepCopy keeps what a span tells, the first time that it comes.
func (w *writer) keepCopy(home *session, e *wire.Event) (isNew bool, err error) {
	before, err := w.copy(home, e.EventID)
	if err != nil {
		return false, err
	}
	c := toldCopy{event: *e, part: len(e.PartOf) > 0}
	if before != nil {
		// It counts as what it came as first; an event is not made a part of one.
		c.event, c.part = before.event, before.part && c.part
	}
	if c.event.Timestamp == nil {
		c.event.Timestamp = wire.At(timeOf(w.now))
	}
	return before == nil, w.addCopy(home, &c)
}

func (w *writer) addCopy(home *session, c *toldCopy) error {
	text, err := json.Marshal(plainEvent(&c.event, home.id))
	if err != nil {
		return err
	}
	_, err = w.tx.StmtContext(w.ctx, w.stmts.addCopy).ExecContext(w.ctx, home.row, c.event.EventID, c.part, string(text))
	return err
}

const addCopySQL = `INSERT INTO copies (session, event_id, part, event) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET part = min(part, excluded.part)`

// plainEvent returns the event as it is of its own.
func plainEvent(e *wire.Event, sessionID string) *wire.Event {
	plain := *e
	plain.EventType, plain.TrueType = e.Type(), ""
	plain.SessionID, plain.Replaces, plain.PartOf = sessionID, nil, nil
	return &plain
}

const getCopySQL = `SELECT part, event FROM copies WHERE session = ? AND event_id = ?`

// copy returns what a span of a session told, nil when it has not come.
func (w *writer) copy(sess *session, id string) (*toldCopy, error) {
	c := &toldCopy{}
	var text string
	err := w.tx.StmtContext(w.ctx, w.stmts.getCopy).QueryRowContext(w.ctx, sess.row, id).Scan(&c.part, &text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		event, err := w.row(sess, id)
		if err != nil || event == nil {
			return nil, err
		}
		c.event = *event
		return c, nil
	case err != nil:
		return nil, err
	}
	return c, json.Unmarshal([]byte(text), &c.event)
}

// row returns the event that is listed under an id, nil when none is.
func (w *writer) row(sess *session, id string) (*wire.Event, error) {
	rows, err := w.tx.StmtContext(w.ctx, w.stmts.getEvent).QueryContext(w.ctx, sess.row, id)
	found, err := collect(rows, err, func(rows *sql.Rows) (Event, error) { return scanEvent(rows, sess.id) })
	if err != nil || len(found) == 0 {
		return nil, err
	}
	e := &found[0]
	out := &wire.Event{
		EventType: e.Type, SessionID: sess.id, EventID: e.ID, Timestamp: wire.At(e.Timestamp), InputData: e.InputData, OutputData: e.OutputData,
		Model: e.Model.V, TokensIn: e.TokensIn, TokensOut: e.TokensOut, DurationMS: e.DurationMS, TraceID: e.TraceID, ParentID: e.ParentID,
		Provider: e.Provider, CacheReadTokens: e.CacheReadTokens, CacheWriteTokens: e.CacheWriteTokens, ReasoningTokens: e.ReasoningTokens,
		CostUSD: e.CostUSD, Error: e.Error,
	}
	if e.ToolCall != nil {
		err = json.Unmarshal(e.ToolCall, &out.ToolCall)
	}
	if e.DecisionTrace != nil {
		err = errors.Join(err, json.Unmarshal(e.DecisionTrace, &out.DecisionTrace))
	}
	return out, err
}

const getEventSQL = `SELECT ` + eventColumns + ` FROM events WHERE session = ? AND event_id = ?`

// takeOut takes an event out of what is listed and counted, if it is there.
func (w *writer) takeOut(sess *session, id string) error {
	e, err := w.row(sess, id)
	if err != nil || e == nil {
		return err
	}
	if _, err := w.tx.StmtContext(w.ctx, w.stmts.removeEvent).ExecContext(w.ctx, sess.row, id); err != nil {
		return err
	}
	f := figuresOf(e, e.Timestamp.UnixMicro())
	sess.gone = append(sess.gone, f)
	sess.stale = sess.stale || !sess.forget(&f) || !sess.summary.Forget(analysisEvent(e, f.at))
	return nil
}

const removeEventSQL = `DELETE FROM events WHERE session = ? AND event_id = ?`
