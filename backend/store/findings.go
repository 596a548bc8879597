package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// ErrTooManyTags is returned when a session would have more tags than it may.
var ErrTooManyTags = fmt.Errorf("a session has at most %d tags", wire.MaxTagsPerSession)

// Annotation is a note pinned to a session, or to one of its events.
type Annotation struct {
	ID        int64  `json:"annotation_id,string"`
	SessionID string `json:"session_id"`
	Text      string `json:"text"`
	Author    string `json:"author"`
	Type      string `json:"type"`
	// EventID is empty for an annotation of the whole session. The event need
	// not have arrived.
	EventID   string    `json:"event_id,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	AlertGroup wire.AlertGroup `json:"alert_group,omitzero"`
}

// AddTags adds tags to a session's set. It returns the whole set, sorted, and
// how many of them are new. It adds none and returns ErrTooManyTags when they
// would be too many.
func (s *Store) AddTags(ctx context.Context, sessionID string, tags []string) (all []string, added int, err error) {
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		for _, tag := range tags {
			if _, err := tx.ExecContext(ctx, `INSERT INTO tags (session, tag) VALUES (?, ?) ON CONFLICT DO NOTHING`, sess.row, tag); err != nil {
				return err
			}
		}
		rows, err := tx.QueryContext(ctx, `SELECT tag FROM tags WHERE session = ? ORDER BY tag`, sess.row)
		all, err = collect(rows, err, func(rows *sql.Rows) (tag string, err error) {
			err = rows.Scan(&tag)
			return tag, err
		})
		if err == nil && len(all) > wire.MaxTagsPerSession {
			return ErrTooManyTags
		}
		added = len(all) - len(sess.Tags)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("tag session %s: %w", sessionID, err)
	}
	return all, added, nil
}

// Annotate pins an annotation to a session. One with the same text, author,
// type and event is there once: the stored one is returned, and added false.
func (s *Store) Annotate(ctx context.Context, sessionID string, a wire.Annotation) (stored *Annotation, added bool, err error) {
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO annotations (session, text, author, type, event_id, created_at, alert_by, alert_value, alert_state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, sess.row, a.Text, a.Author, a.Type, a.EventID, s.now().UnixMicro(),
			textOrNull(a.AlertGroup.By), textOrNull(a.AlertGroup.Value), textOrNull(a.AlertGroup.StateID))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		added = n > 0
		rows, err := tx.QueryContext(ctx, selectAnnotations+` AND text = ? AND author = ? AND type = ? AND event_id = ?`,
			sess.row, a.Text, a.Author, a.Type, a.EventID)
		found, err := collect(rows, err, scanAnnotation(sess))
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return errors.New("the annotation cannot be read back")
		}
		stored = &found[0]
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("annotate session %s: %w", sessionID, err)
	}
	return stored, added, nil
}

// ErrSameAnnotation is returned when an annotation would become the same as
// another of its session.
var ErrSameAnnotation = errors.New("the session has the same annotation already")

// UpdateAnnotation gives an annotation another text, author and type, those of
// change that are not empty. It returns ErrNotFound when the session has no
// annotation with that id.
func (s *Store) UpdateAnnotation(ctx context.Context, sessionID string, id int64, change wire.Annotation) (stored *Annotation, err error) {
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		one := func() error {
			rows, err := tx.QueryContext(ctx, selectAnnotations+` AND id = ?`, sess.row, id)
			found, err := collect(rows, err, scanAnnotation(sess))
			if err == nil && len(found) == 0 {
				return ErrNotFound
			}
			if err == nil {
				stored = &found[0]
			}
			return err
		}
		if err := one(); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE OR IGNORE annotations SET text = ?, author = ?, type = ?, updated_at = ? WHERE id = ?`,
			cmp.Or(change.Text, stored.Text), cmp.Or(change.Author, stored.Author), cmp.Or(change.Type, stored.Type), s.now().UnixMicro(), id)
		if err := oneRow(res, err); errors.Is(err, ErrNotFound) {
			return ErrSameAnnotation
		} else if err != nil {
			return err
		}
		return one()
	})
	if err != nil {
		return nil, fmt.Errorf("update annotation %d of session %s: %w", id, sessionID, err)
	}
	return stored, nil
}

// Annotations returns a session's annotations in the order of their arrival,
// or ErrNotFound.
func (s *Store) Annotations(ctx context.Context, sessionID string) ([]Annotation, error) {
	var all []Annotation
	err := s.readTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		all, err = queryAnnotations(ctx, tx, sess)
		return err
	})
	return all, err
}

const selectAnnotations = `SELECT id, text, author, type, event_id, created_at, coalesce(updated_at, created_at), alert_by, alert_value, alert_state
FROM annotations WHERE session = ?`

func queryAnnotations(ctx context.Context, tx *sql.Tx, sess *Session) ([]Annotation, error) {
	rows, err := tx.QueryContext(ctx, selectAnnotations+` ORDER BY id`, sess.row)
	all, err := collect(rows, err, scanAnnotation(sess))
	if err != nil {
		return nil, fmt.Errorf("annotations of session %s: %w", sess.ID, err)
	}
	return all, nil
}

func scanAnnotation(sess *Session) func(*sql.Rows) (Annotation, error) {
	return func(rows *sql.Rows) (Annotation, error) {
		a := Annotation{SessionID: sess.ID}
		var created, updated int64
		err := rows.Scan(&a.ID, &a.Text, &a.Author, &a.Type, &a.EventID, &created, &updated,
			text(&a.AlertGroup.By), text(&a.AlertGroup.Value), text(&a.AlertGroup.StateID))
		a.CreatedAt, a.UpdatedAt = timeOf(created), timeOf(updated)
		return a, err
	}
}
