package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// EventQuery selects events over all sessions. A zero field selects all.
type EventQuery struct {
	SessionID string
	Agent     string
	Type      string
	Model     string
	Tool      string
	// Failed selects those that are errors or ended with one.
	Failed bool
	// From and To bound the timestamp: From <= timestamp < To.
	From, To time.Time
	// Text is looked for in input, output, tool call, decision and error; the
	// case of ASCII letters does not count.
	Text string

	Limit  int
	Offset int
}

// maxScanned bounds how many events a search looks at: the newest ones to have
// arrived. A search over millions of prompts would keep the machine busy for
// minutes.
const maxScanned = 200_000

// Found is the outcome of a search.
type Found struct {
	Events []Event
	// Total counts the events found, on all pages.
	Total int
	// Complete is false when older events were left out, because there are
	// more than a search looks at.
	Complete bool
}

// SearchEvents returns a page of the events that q selects, the last to have
// arrived first.
func (s *Store) SearchEvents(ctx context.Context, q EventQuery) (found Found, err error) {
	err = s.readTx(ctx, func(tx *sql.Tx) error {
		where, args, err := q.where(ctx, tx)
		if err != nil {
			return err
		}
		var oldest int64
		if q.SessionID == "" {
			err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) - ? FROM events`, maxScanned).Scan(&oldest)
			if err != nil {
				return err
			}
		}
		var first int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(min(seq), 0) FROM events`).Scan(&first); err != nil {
			return err
		}
		found.Complete = q.SessionID != "" || first > oldest
		where, args = where+` AND e.seq > ?`, append(args, oldest)
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM events e`+where, args...).Scan(&found.Total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+eventColumns+`, (SELECT session_id FROM sessions WHERE id = e.session) FROM events e`+where+
			` ORDER BY e.seq DESC LIMIT ? OFFSET ?`, append(args, q.Limit, q.Offset)...)
		found.Events, err = collect(rows, err, func(rows *sql.Rows) (Event, error) {
			var id string
			e, err := scanEvent(rows, "", &id)
			e.SessionID = id
			return e, err
		})
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("search events: %w", err)
	}
	return found, err
}

func (q *EventQuery) where(ctx context.Context, tx *sql.Tx) (string, []any, error) {
	terms, args := []string{"true"}, []any{}
	add := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	if q.SessionID != "" {
		sess, err := querySession(ctx, tx, q.SessionID)
		if err != nil {
			return "", nil, err
		}
		add(`e.session = ?`, sess.row)
	}
	if q.Agent != "" {
		add(`e.session IN (SELECT id FROM sessions WHERE agent_name = ?)`, q.Agent)
	}
	if q.Type != "" {
		add(`e.event_type = ?`, q.Type)
	}
	if q.Model != "" {
		add(`e.model = ?`, q.Model)
	}
	if q.Tool != "" {
		add(`e.tool_name = ?`, q.Tool)
	}
	if q.Failed {
		add(`e.failed`)
	}
	if !q.From.IsZero() {
		add(`e.timestamp >= ?`, q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		add(`e.timestamp < ?`, q.To.UnixMicro())
	}
	if q.Text != "" {
		like := contains(q.Text)
		add(`(e.input LIKE ? ESCAPE '\' OR e.output LIKE ? ESCAPE '\' OR e.tool_call LIKE ? ESCAPE '\' OR e.decision_trace LIKE ? ESCAPE '\'
OR e.error_message LIKE ? ESCAPE '\' OR e.error_type LIKE ? ESCAPE '\')`, like, like, like, like, like, like)
	}
	return " WHERE " + strings.Join(terms, " AND "), args, nil
}
