package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Session is a session without its events. Its JSON names are the original
// backend's, with event_count, error_count and total_cost_usd added.
type Session struct {
	ID        string                     `json:"session_id"`
	AgentName string                     `json:"agent_name"`
	StartedAt time.Time                  `json:"started_at"`
	EndedAt   analysis.Opt[time.Time]    `json:"ended_at"`
	Status    analysis.Status            `json:"status"`
	Metadata  map[string]json.RawMessage `json:"metadata"`
	Tags      []string                   `json:"tags"`

	// TokensIn and TokensOut are the totals that the session's end gave, else
	// the sums over the events that know theirs; absent when none does.
	TokensIn  analysis.Opt[int64] `json:"total_tokens_in"`
	TokensOut analysis.Opt[int64] `json:"total_tokens_out"`
	// CostUSD is the sum over the events whose cost is known; absent when none
	// is.
	CostUSD    analysis.Opt[float64] `json:"total_cost_usd"`
	EventCount int64                 `json:"event_count"`
	ErrorCount int64                 `json:"error_count"`

	row int64
}

// Session returns the session with that id, or ErrNotFound.
func (s *Store) Session(ctx context.Context, id string) (*Session, error) {
	var sess *Session
	err := s.readTx(ctx, func(tx *sql.Tx) (err error) {
		sess, err = querySession(ctx, tx, id)
		return err
	})
	return sess, err
}

// readTx runs f on one snapshot of the database.
func (s *Store) readTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only ends the snapshot
	return f(tx)
}

func querySession(ctx context.Context, tx *sql.Tx, id string) (*Session, error) {
	found, err := querySessions(ctx, tx, ` WHERE s.session_id = ?`, id)
	if err != nil {
		return nil, fmt.Errorf("read session %s: %w", id, err)
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return &found[0], nil
}

// querySessions runs three queries however many sessions there are: the
// sessions, their metadata, their tags.
func querySessions(ctx context.Context, tx *sql.Tx, tail string, args ...any) ([]Session, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, session_id, agent_name, started_at, ended_at, status, tokens_in, tokens_out, cost_usd,
event_count, error_count FROM sessions s`+tail, args...)
	page, err := collect(rows, err, func(rows *sql.Rows) (sess Session, err error) {
		var started int64
		var ended analysis.Opt[int64]
		err = rows.Scan(&sess.row, &sess.ID, &sess.AgentName, &started, into(&ended), &sess.Status, into(&sess.TokensIn),
			into(&sess.TokensOut), into(&sess.CostUSD), &sess.EventCount, &sess.ErrorCount)
		sess.StartedAt = timeOf(started)
		if ended.OK {
			sess.EndedAt = analysis.Some(timeOf(ended.V))
		}
		sess.Metadata, sess.Tags = map[string]json.RawMessage{}, []string{}
		return sess, err
	})
	if err != nil || len(page) == 0 {
		return page, err
	}

	at := make(map[int64]*Session, len(page))
	ids := make([]any, len(page))
	for i := range page {
		at[page[i].row], ids[i] = &page[i], page[i].row
	}
	in := ` WHERE session IN (?` + strings.Repeat(", ?", len(ids)-1) + `)`
	if err := each(ctx, tx, `SELECT session, key, value FROM session_metadata`+in, ids, func(row int64, key, value string) {
		at[row].Metadata[key] = json.RawMessage(value)
	}); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	if err := each(ctx, tx, `SELECT session, tag, '' FROM tags`+in+` ORDER BY session, tag`, ids, func(row int64, tag, _ string) {
		at[row].Tags = append(at[row].Tags, tag)
	}); err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	return page, nil
}

// each calls f with every row of a query for a session's row id and two texts.
func each(ctx context.Context, tx *sql.Tx, query string, args []any, f func(row int64, a, b string)) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var row int64
		var a, b string
		err := rows.Scan(&row, &a, &b)
		if err == nil {
			f(row, a, b)
		}
		return struct{}{}, err
	})
	return err
}

// collect reads every row with scan and closes rows. It takes the error of the
// query too; it returns an empty slice, not nil, for no rows.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	all := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, v)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}
