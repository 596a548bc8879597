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
		b := writer{ctx: ctx, tx: tx, stmts: &s.stmts, now: s.now().UnixMicro(), recent: s.recent, touched: map[string]*session{}, sums: newRollup()}
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
	addSession, getSession, setSession, setMetadata, addEvent, addName, setSummary *sql.Stmt

	getHome, link, addCopy, getCopy, getEvent, getLinks, getSeq, removeEvent *sql.Stmt

	addSessionDay, addUsageDay, addUsageHour, addNameDay, addNameDays, addLatencyDay, addLatencyDays *sql.Stmt
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
		{&s.addName, addNameSQL},
		{&s.setSummary, setSummarySQL},
		{&s.getHome, getHomeSQL},
		{&s.link, linkSQL},
		{&s.addCopy, addCopySQL},
		{&s.getCopy, getCopySQL},
		{&s.getEvent, getEventSQL},
		{&s.getLinks, getLinksSQL},
		{&s.getSeq, getSeqSQL},
		{&s.removeEvent, removeEventSQL},
		{&s.addSessionDay, addSessionDaySQL},
		{&s.addUsageDay, addUsageDaySQL},
		{&s.addUsageHour, addUsageHourSQL},
		{&s.addNameDay, countSQL("name_days (day, agent, kind, name, n)", 1)},
		{&s.addNameDays, countSQL("name_days (day, agent, kind, name, n)", countRows)},
		{&s.addLatencyDay, countSQL("latency_days (day, agent, type, bucket, n)", 1)},
		{&s.addLatencyDays, countSQL("latency_days (day, agent, type, bucket, n)", countRows)},
	} {
		if *p.to, err = db.PrepareContext(ctx, p.sql); err != nil {
			return s, fmt.Errorf("prepare %q: %w", p.sql, err)
		}
	}
	return s, nil
}

func (s *statements) close() error {
	var first error
	for _, stmt := range []*sql.Stmt{
		s.addSession, s.getSession, s.setSession, s.setMetadata, s.addEvent, s.addName, s.setSummary,
		s.getHome, s.link, s.addCopy, s.getCopy, s.getEvent, s.getLinks, s.getSeq, s.removeEvent,
		s.addSessionDay, s.addUsageDay, s.addUsageHour, s.addNameDay, s.addNameDays, s.addLatencyDay, s.addLatencyDays,
	} {
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
	// recent are sessions that earlier batches have read, so that a session
	// under way is read once.
	recent map[string]*session
	// touched are those of this batch.
	touched map[string]*session
	sums    *rollup
}

// maxRecent bounds how many sessions are remembered between batches.
const maxRecent = 2_000

// session is a session's state with its row's id and the summary of its
// events.
type session struct {
	id  string
	row int64
	state
	summary analysis.Summary
	// before is what the sums hold of the session; nil before its first batch.
	before *state
	// fresh are the events of this batch, gone those that it has taken out.
	fresh, gone []figures
	// stale says that state and summary are to be made anew from what is left.
	stale bool
	// linked says that events of it may belong with others, see copies.go.
	linked bool
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
	for id, sess := range w.touched {
		if err := w.save(sess); err != nil {
			return 0, fmt.Errorf("session %s: %w", id, err)
		}
	}
	return added, w.sums.save(w.ctx, w.tx, w.stmts)
}

const addSessionSQL = `INSERT INTO sessions (session_id, received_at, started_at, agent_name, status, event_count, error_count)
VALUES (?, ?, 0, '', 'active', 0, 0) ON CONFLICT DO NOTHING`

const sessionState = `SELECT s.id, s.agent_name, s.name_at, s.start_at, s.status, s.end_at, s.total_in, s.total_out, s.event_count,
s.error_count, s.sum_in, s.sum_out, s.cost_hi, s.cost_lo, s.first_event, s.last_event, s.received_at, m.summary,
EXISTS (SELECT 1 FROM same_calls c WHERE c.session_id = s.session_id), s.session_id
FROM sessions s LEFT JOIN summaries m ON m.session = s.id`

const getSessionSQL = sessionState + ` WHERE s.session_id = ?`

// session returns the session with that id, made when it is not there.
func (w *writer) session(id string) (*session, error) {
	if sess := w.touched[id]; sess != nil {
		return sess, nil
	}
	sess := w.recent[id]
	if sess == nil {
		res, err := w.tx.StmtContext(w.ctx, w.stmts.addSession).ExecContext(w.ctx, id, w.now)
		if err != nil {
			return nil, err
		}
		made, err := res.RowsAffected()
		if err != nil {
			return nil, err
		}
		if sess, err = scanState(w.tx.StmtContext(w.ctx, w.stmts.getSession).QueryRowContext(w.ctx, id)); err != nil {
			return nil, err
		}
		if made > 0 {
			sess.before = nil
		}
		if len(w.recent) >= maxRecent {
			clear(w.recent)
		}
		w.recent[id] = sess
	}
	w.touched[id] = sess
	return sess, nil
}

// scanState reads a row of sessionState.
func scanState(row interface{ Scan(...any) error }) (*session, error) {
	sess := &session{}
	var costHi, costLo analysis.Opt[int64]
	var summary string
	err := row.Scan(&sess.row, &sess.name, into(&sess.nameAt), into(&sess.startAt), &sess.status, into(&sess.endAt),
		into(&sess.totalIn), into(&sess.totalOut), &sess.events, &sess.errors, into(&sess.sumIn), into(&sess.sumOut),
		into(&costHi), into(&costLo), into(&sess.firstEvent), into(&sess.lastEvent), &sess.receivedAt, text(&summary), &sess.linked, &sess.id)
	if err != nil {
		return nil, err
	}
	if costHi.OK {
		sess.cost = analysis.Some(analysis.Sum{Hi: costHi.V, Lo: uint64(costLo.V)})
	}
	if summary != "" {
		if err := json.Unmarshal([]byte(summary), &sess.summary); err != nil {
			return nil, fmt.Errorf("summary: %w", err)
		}
	}
	before := sess.state
	sess.before = &before
	return sess, nil
}

const setSessionSQL = `UPDATE sessions SET agent_name = ?, started_at = ?, ended_at = ?, status = ?, tokens_in = ?, tokens_out = ?,
cost_usd = ?, event_count = ?, error_count = ?, name_at = ?, start_at = ?, end_at = ?, first_event = ?, last_event = ?,
sum_in = ?, sum_out = ?, total_in = ?, total_out = ?, cost_hi = ?, cost_lo = ? WHERE id = ?`

const setSummarySQL = `INSERT INTO summaries (session, summary) VALUES (?, ?) ON CONFLICT DO UPDATE SET summary = excluded.summary`

func (w *writer) save(sess *session) error {
	if sess.before != nil && *sess.before == sess.state && len(sess.fresh)+len(sess.gone) == 0 {
		return nil // nothing that was not known
	}
	if len(sess.gone) > 0 {
		if err := w.afterRemoval(sess); err != nil {
			return fmt.Errorf("what is left: %w", err)
		}
	}
	var costHi, costLo any
	if sess.cost.OK {
		costHi, costLo = sess.cost.V.Hi, int64(sess.cost.V.Lo)
	}
	if sess.status == "" {
		sess.status = analysis.StatusActive
	}
	if _, err := w.tx.StmtContext(w.ctx, w.stmts.setSession).ExecContext(w.ctx,
		sess.agentName(), sess.startedAt(), value(sess.endedAt()), string(sess.status), value(sess.tokensIn()), value(sess.tokensOut()),
		value(sess.costUSD()), sess.events, sess.errors, value(sess.nameAt), value(sess.startAt), value(sess.endAt),
		value(sess.firstEvent), value(sess.lastEvent), value(sess.sumIn), value(sess.sumOut), value(sess.totalIn), value(sess.totalOut),
		costHi, costLo, sess.row); err != nil {
		return err
	}
	if len(sess.fresh)+len(sess.gone) > 0 && sess.events > 0 {
		summary, err := json.Marshal(&sess.summary)
		if err != nil {
			return fmt.Errorf("summary: %w", err)
		}
		if _, err := w.tx.StmtContext(w.ctx, w.stmts.setSummary).ExecContext(w.ctx, sess.row, string(summary)); err != nil {
			return err
		}
	}
	return w.sum(sess)
}

// sum brings the sums to what the session has become.
func (w *writer) sum(sess *session) error {
	agent := sess.agentName()
	if sess.before != nil {
		w.sums.session(sess.before, -1)
		if old := sess.before.agentName(); old != agent && sess.before.events > 0 {
			// Its earlier events are counted under the old name.
			err := eachFigures(w.ctx, w.tx, sess.row, func(f *figures) {
				w.sums.event(old, f, -1)
				w.sums.event(agent, f, 1)
			})
			if err != nil {
				return err
			}
			agent = old // and so were those of this batch, which moved with them
		}
	}
	w.sums.session(&sess.state, 1)
	for i := range sess.fresh {
		w.sums.event(agent, &sess.fresh[i], 1)
	}
	for i := range sess.gone {
		w.sums.event(agent, &sess.gone[i], -1)
	}
	sess.fresh, sess.gone = nil, nil
	before := sess.state
	sess.before = &before
	return nil
}

// eachFigures calls f with the figures of every stored event of a session.
func eachFigures(ctx context.Context, tx *sql.Tx, row int64, f func(*figures)) error {
	rows, err := tx.QueryContext(ctx, `SELECT timestamp, event_type, model, tool_name, tokens_in, tokens_out, cost_usd, duration_ms, failed
FROM events WHERE session = ?`, row)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var one figures
		err := rows.Scan(&one.at, &one.kind, text(&one.model), text(&one.tool), into(&one.tokensIn), into(&one.tokensOut),
			into(&one.costUSD), into(&one.durationMS), &one.failed)
		if err == nil {
			f(&one)
		}
		return struct{}{}, err
	})
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

const addEventSQL = `INSERT INTO events (seq, session, event_id, timestamp, event_type, duration_ms, model, provider, tool_name,
tokens_in, tokens_out, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd, failed, error_type, error_message,
trace_id, parent_id, decision_trace, tool_call, input, output)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

// event stores an event unless the session has one with its id.
func (w *writer) event(sess *session, e *wire.Event) (isNew bool, err error) {
	if stored, isNew, err := w.call(sess, e); stored || err != nil {
		return isNew, err
	}
	before := sess.events
	err = w.addEvent(sess, e, micros(e.Timestamp).Or(w.now), nil)
	return sess.events > before, err
}

// addEvent adds an event to those listed and counted, unless one with its id is
// there. seq is its place in the order of arrival, nil for the next.
func (w *writer) addEvent(sess *session, e *wire.Event, at int64, seq any) error {
	decision, err := jsonOrNull(e.DecisionTrace)
	if err != nil {
		return fmt.Errorf("decision_trace: %w", err)
	}
	toolCall, err := toolCallOrNull(e.ToolCall)
	if err != nil {
		return fmt.Errorf("tool_call: %w", err)
	}
	var tool, errorType, errorMessage any
	if e.ToolCall != nil {
		tool = textOrNull(e.ToolCall.Name)
	}
	if e.Error != nil {
		errorType, errorMessage = e.Error.Type, e.Error.Message
	}
	res, err := w.tx.StmtContext(w.ctx, w.stmts.addEvent).ExecContext(w.ctx,
		seq, sess.row, e.EventID, at, e.Type(), value(e.DurationMS), textOrNull(e.Model), textOrNull(e.Provider), tool,
		value(e.TokensIn), value(e.TokensOut), value(e.CacheReadTokens), value(e.CacheWriteTokens), value(e.ReasoningTokens),
		value(e.CostUSD), failed(e), errorType, errorMessage, textOrNull(e.TraceID), textOrNull(e.ParentID),
		decision, toolCall, textOrNull(string(e.InputData)), textOrNull(string(e.OutputData)))
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	return w.observe(sess, e, at)
}

const addNameSQL = `INSERT INTO session_names (kind, name, session) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`

// observe adds a new event to the session's state, summary and names.
func (w *writer) observe(sess *session, e *wire.Event, at int64) error {
	f := figuresOf(e, at)
	for _, n := range [...]struct {
		kind, name string
		known      int64
	}{{kindModel, f.model, sess.summary.Models.Get(f.model)}, {kindTool, f.tool, sess.summary.Tools.Get(f.tool)}} {
		if n.name == "" || n.known > 0 {
			continue
		}
		if _, err := w.tx.StmtContext(w.ctx, w.stmts.addName).ExecContext(w.ctx, n.kind, n.name, sess.row); err != nil {
			return err
		}
	}
	sess.event(&f)
	sess.fresh = append(sess.fresh, f)
	sess.summary.Observe(analysisEvent(e, at))
	return nil
}

// analysisEvent returns of an event what a summary looks at.
func analysisEvent(e *wire.Event, at int64) *analysis.Event {
	a := &analysis.Event{
		Type: analysis.EventType(e.Type()), Timestamp: timeOf(at), Model: e.Model, TokensIn: e.TokensIn, TokensOut: e.TokensOut,
		CacheReadTokens: e.CacheReadTokens, CacheWriteTokens: e.CacheWriteTokens, ReasoningTokens: e.ReasoningTokens,
		DurationMS: e.DurationMS, CostUSD: e.CostUSD, Error: e.Error,
	}
	if e.ToolCall != nil {
		a.ToolCall = &analysis.ToolCall{Name: e.ToolCall.Name}
	}
	if e.DecisionTrace != nil {
		a.DecisionTrace = &analysis.DecisionTrace{Reasoning: e.DecisionTrace.Reasoning}
	}
	if failed(e) && a.Error == nil {
		a.Error = &analysis.Failure{}
	}
	return a
}
