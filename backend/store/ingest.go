package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// Ingest stores a batch, all of it or nothing, and returns how many of its
// events were new. An event without a timestamp gets the time of its arrival.
// Each entry must have a valid session id, and each event an event id: the
// caller has checked them. It returns ErrFull when there is no room.
func (s *Store) Ingest(ctx context.Context, batch []wire.Event) (added int, err error) {
	if len(batch) == 0 {
		return 0, nil
	}
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		b := writer{ctx: ctx, tx: tx, stmts: &s.stmts, now: s.now().UnixMicro(), sessions: map[string]*session{}}
		added, err = b.all(batch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store a batch: %w", err)
	}
	return added, nil
}

// statements are those of Ingest, prepared once on the write connection.
type statements struct {
	addSession, getSession, setSession, setMetadata, addEvent *sql.Stmt
}

func prepare(ctx context.Context, db *sql.DB) (s statements, err error) {
	for _, p := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&s.addSession, addSessionSQL},
		{&s.getSession, getSessionSQL},
		{&s.setSession, setSessionSQL},
		{&s.setMetadata, setMetadataSQL},
		{&s.addEvent, addEventSQL},
	} {
		if *p.to, err = db.PrepareContext(ctx, p.sql); err != nil {
			return s, fmt.Errorf("prepare %q: %w", p.sql, err)
		}
	}
	return s, nil
}

func (s *statements) close() error {
	var first error
	for _, stmt := range []*sql.Stmt{s.addSession, s.getSession, s.setSession, s.setMetadata, s.addEvent} {
		if stmt != nil {
			first = cmp.Or(first, stmt.Close())
		}
	}
	return first
}

// writer stores one batch within its transaction.
type writer struct {
	ctx   context.Context // of this one call
	tx    *sql.Tx
	stmts *statements
	now   int64 // microseconds
	// sessions are those the batch has touched so far.
	sessions map[string]*session
}

// session is a session's state with its row's id.
type session struct {
	row int64
	state
}

func (w *writer) all(batch []wire.Event) (added int, err error) {
	for i := range batch {
		e := &batch[i]
		sess, err := w.session(e.SessionID)
		if err != nil {
			return 0, fmt.Errorf("session %s: %w", e.SessionID, err)
		}
		switch e.EventType {
		case wire.TypeSessionStart:
			sess.start(e)
			err = w.metadata(sess, e)
		case wire.TypeSessionEnd:
			sess.end(e)
		default:
			var isNew bool
			isNew, err = w.event(sess, e)
			if isNew {
				added++
			}
		}
		if err != nil {
			return 0, fmt.Errorf("%s of session %s: %w", e.EventType, e.SessionID, err)
		}
	}
	for id, sess := range w.sessions {
		if err := w.save(sess); err != nil {
			return 0, fmt.Errorf("session %s: %w", id, err)
		}
	}
	return added, nil
}

const addSessionSQL = `INSERT INTO sessions (session_id, received_at, started_at, agent_name, status, event_count, error_count)
VALUES (?, ?, 0, '', 'active', 0, 0) ON CONFLICT DO NOTHING`

const getSessionSQL = `SELECT id, agent_name, name_at, start_at, status, end_at, total_in, total_out, event_count, error_count,
sum_in, sum_out, cost_hi, cost_lo, first_event, last_event, received_at FROM sessions WHERE session_id = ?`

// session returns the session with that id, made when it is not there.
func (w *writer) session(id string) (*session, error) {
	if sess := w.sessions[id]; sess != nil {
		return sess, nil
	}
	if _, err := w.tx.StmtContext(w.ctx, w.stmts.addSession).ExecContext(w.ctx, id, w.now); err != nil {
		return nil, err
	}
	sess := &session{}
	var costHi, costLo analysis.Opt[int64]
	row := w.tx.StmtContext(w.ctx, w.stmts.getSession).QueryRowContext(w.ctx, id)
	err := row.Scan(&sess.row, &sess.name, into(&sess.nameAt), into(&sess.startAt), &sess.status, into(&sess.endAt),
		into(&sess.totalIn), into(&sess.totalOut), &sess.events, &sess.errors, into(&sess.sumIn), into(&sess.sumOut),
		into(&costHi), into(&costLo), into(&sess.firstEvent), into(&sess.lastEvent), &sess.receivedAt)
	if err != nil {
		return nil, err
	}
	if costHi.OK {
		sess.cost = analysis.Some(analysis.Sum{Hi: costHi.V, Lo: uint64(costLo.V)})
	}
	w.sessions[id] = sess
	return sess, nil
}

const setSessionSQL = `UPDATE sessions SET agent_name = ?, started_at = ?, ended_at = ?, status = ?, tokens_in = ?, tokens_out = ?,
cost_usd = ?, event_count = ?, error_count = ?, name_at = ?, start_at = ?, end_at = ?, first_event = ?, last_event = ?,
sum_in = ?, sum_out = ?, total_in = ?, total_out = ?, cost_hi = ?, cost_lo = ? WHERE id = ?`

func (w *writer) save(sess *session) error {
	var costHi, costLo any
	if sess.cost.OK {
		costHi, costLo = sess.cost.V.Hi, int64(sess.cost.V.Lo)
	}
	_, err := w.tx.StmtContext(w.ctx, w.stmts.setSession).ExecContext(w.ctx,
		sess.agentName(), sess.startedAt(), value(sess.endedAt()), string(sess.status), value(sess.tokensIn()), value(sess.tokensOut()),
		value(sess.costUSD()), sess.events, sess.errors, value(sess.nameAt), value(sess.startAt), value(sess.endAt),
		value(sess.firstEvent), value(sess.lastEvent), value(sess.sumIn), value(sess.sumOut), value(sess.totalIn), value(sess.totalOut),
		costHi, costLo, sess.row)
	return err
}

// Of two values of one key the earlier session_start's stays, and of those of
// one moment the one that sorts first: any rule that does not look at the
// order of arrival would do.
const setMetadataSQL = `INSERT INTO session_metadata (session, key, value, at) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at WHERE (excluded.at, excluded.value) < (at, value)`

func (w *writer) metadata(sess *session, e *wire.Event) error {
	at := micros(e.Timestamp).Or(math.MaxInt64)
	for key, v := range e.Metadata {
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("metadata %q: %w", key, err)
		}
		if _, err := w.tx.StmtContext(w.ctx, w.stmts.setMetadata).ExecContext(w.ctx, sess.row, key, string(text), at); err != nil {
			return err
		}
	}
	return nil
}

const addEventSQL = `INSERT INTO events (session, event_id, timestamp, event_type, duration_ms, model, provider, tool_name,
tokens_in, tokens_out, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd, failed, error_type, error_message,
trace_id, parent_id, decision_trace, tool_call, input, output)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

// event stores an event unless the session has one with its id.
func (w *writer) event(sess *session, e *wire.Event) (isNew bool, err error) {
	at := micros(e.Timestamp).Or(w.now)
	decision, err := jsonOrNull(e.DecisionTrace)
	if err != nil {
		return false, fmt.Errorf("decision_trace: %w", err)
	}
	toolCall, err := jsonOrNull(e.ToolCall)
	if err != nil {
		return false, fmt.Errorf("tool_call: %w", err)
	}
	var tool, errorType, errorMessage any
	if e.ToolCall != nil {
		tool = textOrNull(e.ToolCall.Name)
	}
	if e.Error != nil {
		errorType, errorMessage = e.Error.Type, e.Error.Message
	}
	res, err := w.tx.StmtContext(w.ctx, w.stmts.addEvent).ExecContext(w.ctx,
		sess.row, e.EventID, at, e.Type(), value(e.DurationMS), textOrNull(e.Model), textOrNull(e.Provider), tool,
		value(e.TokensIn), value(e.TokensOut), value(e.CacheReadTokens), value(e.CacheWriteTokens), value(e.ReasoningTokens),
		value(e.CostUSD), failed(e), errorType, errorMessage, textOrNull(e.TraceID), textOrNull(e.ParentID),
		decision, toolCall, textOrNull(string(e.InputData)), textOrNull(string(e.OutputData)))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	sess.event(e, at)
	return true, nil
}

func jsonOrNull[T any](v *T) (any, error) {
	if v == nil {
		return nil, nil
	}
	text, err := json.Marshal(v)
	return string(text), err
}
