package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// SessionEventQuery selects events of one session. A zero field selects all.
type SessionEventQuery struct {
	// Types are event types, one of which it must have; the case of ASCII
	// letters does not count.
	Types []string
	// Models are parts of model names, one of which must occur in it.
	Models []string
	// Words must all occur, each in any of input, output, tool call, decision,
	// type and model.
	Words []string
	// MinTokens and MaxTokens bound input and output together; an event that
	// knows no tokens has none.
	MinTokens, MaxTokens analysis.Opt[int64]
	MinDurationMS        analysis.Opt[float64]
	// HasTool, HasReasoning and Failed select events with a tool call, with
	// reasoning, and those that are errors or ended with one.
	HasTool, HasReasoning, Failed bool
	// After and Before bound the timestamp, both included.
	After, Before time.Time

	Limit  int
	Offset int
}

// SessionFound is the outcome of a search in a session.
type SessionFound struct {
	// Total counts the session's events, Matched those selected.
	Total, Matched int64
	// Sums are over all that matched, whatever the page.
	Sums   EventSums
	Events []Event
}

// EventSums are sums over events.
type EventSums struct {
	TokensIn   int64            `json:"tokens_in"`
	TokensOut  int64            `json:"tokens_out"`
	Tokens     int64            `json:"total_tokens"`
	DurationMS float64          `json:"total_duration_ms"`
	EventTypes map[string]int64 `json:"event_types"`
	Models     map[string]int64 `json:"models"`
}

// SearchSession returns a page of a session's events that q selects, in the
// order of their timestamps, and the sums over all of them. It returns
// ErrNotFound for an unknown session.
func (s *Store) SearchSession(ctx context.Context, sessionID string, q SessionEventQuery) (found SessionFound, err error) {
	err = s.readTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		found.Total = sess.EventCount
		where, args := q.where(sess.row)
		if err := found.sum(ctx, tx, where, args); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+eventColumns+` FROM events`+where+` ORDER BY timestamp, seq LIMIT ? OFFSET ?`,
			append(args, q.Limit, q.Offset)...)
		found.Events, err = collect(rows, err, func(rows *sql.Rows) (Event, error) { return scanEvent(rows, sess.ID) })
		if err != nil {
			return fmt.Errorf("search session %s: %w", sessionID, err)
		}
		return nil
	})
	return found, err
}

func (f *SessionFound) sum(ctx context.Context, tx *sql.Tx, where string, args []any) error {
	f.Sums.EventTypes, f.Sums.Models = map[string]int64{}, map[string]int64{}
	rows, err := tx.QueryContext(ctx, `SELECT event_type, model, count(*), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0),
coalesce(sum(duration_ms), 0.0) FROM events`+where+` GROUP BY event_type, model`, args...)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var eventType, model string
		var n, in, out int64
		var duration float64
		if err := rows.Scan(&eventType, text(&model), &n, &in, &out, &duration); err != nil {
			return struct{}{}, err
		}
		f.Matched += n
		f.Sums.TokensIn, f.Sums.TokensOut, f.Sums.Tokens = f.Sums.TokensIn+in, f.Sums.TokensOut+out, f.Sums.Tokens+in+out
		f.Sums.DurationMS += duration
		f.Sums.EventTypes[eventType] += n
		if model != "" {
			f.Sums.Models[model] += n
		}
		return struct{}{}, nil
	})
	if err != nil {
		return fmt.Errorf("sum up events: %w", err)
	}
	return nil
}

func (q *SessionEventQuery) where(session int64) (string, []any) {
	terms, args := []string{"session = ?"}, []any{session}
	add := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	if len(q.Types) > 0 {
		add(`event_type COLLATE NOCASE IN (?`+strings.Repeat(", ?", len(q.Types)-1)+`)`, anys(q.Types)...)
	}
	if len(q.Models) > 0 {
		parts := make([]any, len(q.Models))
		for i, m := range q.Models {
			parts[i] = contains(m)
		}
		add(`(model LIKE ? ESCAPE '\'`+strings.Repeat(` OR model LIKE ? ESCAPE '\'`, len(parts)-1)+`)`, parts...)
	}
	for _, word := range q.Words {
		like := contains(word)
		add(`(input LIKE ? ESCAPE '\' OR output LIKE ? ESCAPE '\' OR tool_call LIKE ? ESCAPE '\' OR decision_trace LIKE ? ESCAPE '\'
OR event_type LIKE ? ESCAPE '\' OR model LIKE ? ESCAPE '\')`, like, like, like, like, like, like)
	}
	const tokens = `coalesce(tokens_in, 0) + coalesce(tokens_out, 0)`
	if q.MinTokens.OK {
		add(tokens+` >= ?`, q.MinTokens.V)
	}
	if q.MaxTokens.OK {
		add(tokens+` <= ?`, q.MaxTokens.V)
	}
	if q.MinDurationMS.OK {
		add(`coalesce(duration_ms, 0) >= ?`, q.MinDurationMS.V)
	}
	if q.HasTool {
		add(`tool_call IS NOT NULL`)
	}
	if q.HasReasoning {
		add(`json_extract(decision_trace, '$.reasoning') <> ''`)
	}
	if q.Failed {
		add(`failed`)
	}
	if !q.After.IsZero() {
		add(`timestamp >= ?`, q.After.UnixMicro())
	}
	if !q.Before.IsZero() {
		add(`timestamp <= ?`, q.Before.UnixMicro())
	}
	return " WHERE " + strings.Join(terms, " AND "), args
}

func anys(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}
