package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Event is a stored event. Its JSON names are the wire's; the original
// backend's fields are always there, null when absent.
type Event struct {
	ID            string                `json:"event_id"`
	SessionID     string                `json:"session_id"`
	Type          string                `json:"event_type"`
	Timestamp     time.Time             `json:"timestamp"`
	InputData     json.RawMessage       `json:"input_data"`
	OutputData    json.RawMessage       `json:"output_data"`
	Model         analysis.Opt[string]  `json:"model"`
	TokensIn      analysis.Opt[int64]   `json:"tokens_in"`
	TokensOut     analysis.Opt[int64]   `json:"tokens_out"`
	ToolCall      json.RawMessage       `json:"tool_call"`
	DecisionTrace json.RawMessage       `json:"decision_trace"`
	DurationMS    analysis.Opt[float64] `json:"duration_ms"`

	Provider         string                `json:"provider,omitempty"`
	CacheReadTokens  analysis.Opt[int64]   `json:"cache_read_tokens,omitzero"`
	CacheWriteTokens analysis.Opt[int64]   `json:"cache_write_tokens,omitzero"`
	ReasoningTokens  analysis.Opt[int64]   `json:"reasoning_tokens,omitzero"`
	CostUSD          analysis.Opt[float64] `json:"cost_usd,omitzero"`
	Error            *analysis.Failure     `json:"error,omitempty"`
	TraceID          string                `json:"otel_trace_id,omitempty"`
	ParentID         string                `json:"parent_event_id,omitempty"`
}

// Events returns a page of a session's events, ordered by timestamp and then
// by arrival, or ErrNotFound.
func (s *Store) Events(ctx context.Context, sessionID string, limit, offset int) ([]Event, error) {
	var page []Event
	err := s.readTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		page, err = queryEvents(ctx, tx, sess, limit, offset)
		return err
	})
	return page, err
}

// Detail is a session with a page of its events and everything said about it,
// all of one moment.
type Detail struct {
	Session
	Events      []Event      `json:"events"`
	Annotations []Annotation `json:"annotations"`
}

// Detail returns a session with a page of its events, or ErrNotFound.
func (s *Store) Detail(ctx context.Context, sessionID string, limit, offset int) (*Detail, error) {
	d := &Detail{}
	err := s.readTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		d.Session = *sess
		if d.Events, err = queryEvents(ctx, tx, sess, limit, offset); err != nil {
			return err
		}
		d.Annotations, err = queryAnnotations(ctx, tx, sess)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Outline returns a session with all its events as analysis.Explain reads
// them: without inputs, outputs and tool calls' data. It returns ErrNotFound
// for an unknown id.
func (s *Store) Outline(ctx context.Context, sessionID string) (*analysis.Session, error) {
	var out *analysis.Session
	err := s.readTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		out = &analysis.Session{
			ID: sess.ID, AgentName: sess.AgentName, StartedAt: sess.StartedAt, EndedAt: sess.EndedAt.V, Status: sess.Status,
			TotalTokensIn: sess.TokensIn.Or(0), TotalTokensOut: sess.TokensOut.Or(0),
		}
		rows, err := tx.QueryContext(ctx, `SELECT event_id, timestamp, event_type, duration_ms, model, tool_name, tokens_in, tokens_out,
decision_trace FROM events WHERE session = ? ORDER BY timestamp, seq`, sess.row)
		out.Events, err = collect(rows, err, func(rows *sql.Rows) (analysis.Event, error) { return scanOutline(rows, sess.ID) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("outline session %s: %w", sessionID, err)
	}
	return out, nil
}

func scanOutline(rows *sql.Rows, sessionID string) (analysis.Event, error) {
	e := analysis.Event{SessionID: sessionID}
	var at int64
	var tool, decision string
	if err := rows.Scan(&e.ID, &at, &e.Type, into(&e.DurationMS), text(&e.Model), text(&tool), into(&e.TokensIn), into(&e.TokensOut),
		text(&decision)); err != nil {
		return e, err
	}
	e.Timestamp = timeOf(at)
	if tool != "" {
		e.ToolCall = &analysis.ToolCall{Name: tool}
	}
	if decision != "" {
		e.DecisionTrace = &analysis.DecisionTrace{}
		if err := json.Unmarshal([]byte(decision), e.DecisionTrace); err != nil {
			return e, fmt.Errorf("decision_trace of event %s: %w", e.ID, err)
		}
	}
	return e, nil
}

// eventColumns are those that scanEvent reads.
const eventColumns = `event_id, timestamp, event_type, duration_ms, model, provider, tokens_in, tokens_out, cache_read_tokens,
cache_write_tokens, reasoning_tokens, cost_usd, error_type, error_message, trace_id, parent_id, decision_trace, tool_call, input, output`

func queryEvents(ctx context.Context, tx *sql.Tx, sess *Session, limit, offset int) ([]Event, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+eventColumns+` FROM events WHERE session = ? ORDER BY timestamp, seq LIMIT ? OFFSET ?`,
		sess.row, limit, offset)
	page, err := collect(rows, err, func(rows *sql.Rows) (Event, error) { return scanEvent(rows, sess.ID) })
	if err != nil {
		return nil, fmt.Errorf("events of session %s: %w", sess.ID, err)
	}
	return page, nil
}

// scanEvent reads eventColumns, and what comes after them into more.
func scanEvent(rows *sql.Rows, sessionID string, more ...any) (Event, error) {
	e := Event{SessionID: sessionID}
	var at int64
	var errorType, errorMessage sql.NullString
	var decision, toolCall, input, output string
	if err := rows.Scan(append([]any{
		&e.ID, &at, &e.Type, into(&e.DurationMS), into(&e.Model), text(&e.Provider), into(&e.TokensIn), into(&e.TokensOut),
		into(&e.CacheReadTokens), into(&e.CacheWriteTokens), into(&e.ReasoningTokens), into(&e.CostUSD), &errorType, &errorMessage,
		text(&e.TraceID), text(&e.ParentID), text(&decision), text(&toolCall), text(&input), text(&output),
	}, more...)...); err != nil {
		return e, err
	}
	e.Timestamp = timeOf(at)
	e.DecisionTrace, e.ToolCall = raw(decision), raw(toolCall)
	e.InputData, e.OutputData = raw(input), raw(output)
	if errorType.Valid || errorMessage.Valid {
		e.Error = &analysis.Failure{Type: errorType.String, Message: errorMessage.String}
	}
	return e, nil
}

// raw returns s as JSON, nil (which is written as null) when it is empty.
func raw(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}
