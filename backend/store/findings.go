package store

import (
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
	ID        int64  `json:"annotation_id"`
	SessionID string `json:"session_id"`
	Text      string `json:"text"`
	Author    string `json:"author"`
	Type      string `json:"type"`
	// EventID is empty for an annotation of the whole session. The event need
	// not have arrived.
	EventID   string    `json:"event_id,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// AddTags adds tags to a session's set and returns the whole set, sorted. It
// adds none and returns ErrTooManyTags when they would be too many.
func (s *Store) AddTags(ctx context.Context, sessionID string, tags []string) (all []string, err error) {
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
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tag session %s: %w", sessionID, err)
	}
	return all, nil
}

// Annotate pins an annotation to a session. One with the same text, author,
// type and event is there once: the stored one is returned, and added false.
func (s *Store) Annotate(ctx context.Context, sessionID string, a wire.Annotation) (stored *Annotation, added bool, err error) {
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO annotations (session, text, author, type, event_id, created_at)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, sess.row, a.Text, a.Author, a.Type, a.EventID, s.now().UnixMicro())
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

const selectAnnotations = `SELECT id, text, author, type, event_id, created_at FROM annotations WHERE session = ?`

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
		var created int64
		err := rows.Scan(&a.ID, &a.Text, &a.Author, &a.Type, &a.EventID, &created)
		a.CreatedAt = timeOf(created)
		return a, err
	}
}
