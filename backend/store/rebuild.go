package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/agentlens/agentlens-otel/analysis"
)

// sumsVersion is raised when the sums change in a way that needs them made
// anew from the events.
const sumsVersion = 1

// rebuildIfNeeded makes the sums of a database that has none yet, or those of
// an older program.
func (s *Store) rebuildIfNeeded(ctx context.Context) error {
	var have int
	err := s.write.QueryRowContext(ctx, `SELECT value FROM facts WHERE name = 'sums_version'`).Scan(&have)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if have == sumsVersion {
		return nil
	}
	if err := s.rebuild(ctx); err != nil {
		return fmt.Errorf("rebuild the sums: %w", err)
	}
	return nil
}

// rebuild makes every sum anew from sessions and events, in one transaction.
func (s *Store) rebuild(ctx context.Context) error {
	return s.writeTx(ctx, func(tx *sql.Tx) error {
		clear(s.recent)
		for _, table := range [...]string{"summaries", "session_names", "session_days", "usage_days", "usage_hours", "name_days", "latency_days"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}
		rows, err := tx.QueryContext(ctx, sessionState)
		all, err := collect(rows, err, func(rows *sql.Rows) (*session, error) { return scanState(rows) })
		if err != nil {
			return err
		}
		sums := newRollup()
		for _, sess := range all {
			if err := s.resum(ctx, tx, sess, sums); err != nil {
				return err
			}
		}
		if err := sums.save(ctx, tx, &s.stmts); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO facts (name, value) VALUES ('sums_version', ?) ON CONFLICT DO UPDATE SET value = excluded.value`, sumsVersion)
		return err
	})
}

// resum makes the summary and the names of a session, and adds it to sums.
func (s *Store) resum(ctx context.Context, tx *sql.Tx, sess *session, sums *rollup) error {
	sums.session(&sess.state, 1)
	if sess.events == 0 {
		return nil
	}
	agent := sess.agentName()
	if err := eachFigures(ctx, tx, sess.row, func(f *figures) { sums.event(agent, f, 1) }); err != nil {
		return err
	}
	summary, err := summarize(ctx, tx, sess.row)
	if err != nil {
		return err
	}
	text, err := json.Marshal(summary)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, setSummarySQL, sess.row, string(text)); err != nil {
		return err
	}
	for kind, column := range map[string]string{kindModel: "model", kindTool: "tool_name"} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO session_names (kind, name, session)
SELECT DISTINCT ?, `+column+`, session FROM events WHERE session = ? AND `+column+` IS NOT NULL`, kind, sess.row); err != nil {
			return err
		}
	}
	return nil
}

// summarize observes every event of a session.
func summarize(ctx context.Context, tx *sql.Tx, row int64) (*analysis.Summary, error) {
	sum := &analysis.Summary{}
	rows, err := tx.QueryContext(ctx, `SELECT timestamp, event_type, model, tool_name, tokens_in, tokens_out, cache_read_tokens,
cache_write_tokens, reasoning_tokens, cost_usd, duration_ms, failed, decision_trace FROM events WHERE session = ? ORDER BY seq`, row)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var e analysis.Event
		var at int64
		var isFailed bool
		var tool, decision string
		if err := rows.Scan(&at, &e.Type, text(&e.Model), text(&tool), into(&e.TokensIn), into(&e.TokensOut), into(&e.CacheReadTokens),
			into(&e.CacheWriteTokens), into(&e.ReasoningTokens), into(&e.CostUSD), into(&e.DurationMS), &isFailed, text(&decision)); err != nil {
			return struct{}{}, err
		}
		e.Timestamp = timeOf(at)
		if tool != "" {
			e.ToolCall = &analysis.ToolCall{Name: tool}
		}
		if isFailed {
			e.Error = &analysis.Failure{}
		}
		if decision != "" {
			e.DecisionTrace = &analysis.DecisionTrace{}
			if err := json.Unmarshal([]byte(decision), e.DecisionTrace); err != nil {
				return struct{}{}, fmt.Errorf("decision_trace: %w", err)
			}
		}
		sum.Observe(&e)
		return struct{}{}, nil
	})
	return sum, err
}
