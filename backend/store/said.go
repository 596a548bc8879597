package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// NoteQuery selects annotations over all sessions.
type NoteQuery struct {
	// Author is who wrote them; empty = anyone.
	Author string
	// Prefixes are how the text may begin; none = any way.
	Prefixes []string
	// Types are types of annotation, one of which it must have; none = any.
	Types []string
	Agent string
	// From bounds the session's start; zero = no bound.
	From time.Time
	// WrittenAfter and WrittenBefore bound when they were written, both
	// included; zero = no bound.
	WrittenAfter, WrittenBefore time.Time
	Acknowledged                analysis.Opt[bool]

	Limit  int
	Offset int
}

// Note is an annotation with the session it is on.
type Note struct {
	Annotation
	AgentName string    `json:"agent_name"`
	StartedAt time.Time `json:"session_started_at"`
	// At is the time of what it is about: that of its event, else the end of its
	// session, else when it was written.
	At             time.Time               `json:"at"`
	AcknowledgedAt analysis.Opt[time.Time] `json:"-"`
}

// Notes returns a page of the annotations that q selects, the last to be written first, and
// how many there are in all.
func (s *Store) Notes(ctx context.Context, q NoteQuery) (page []Note, total int, err error) {
	terms, args := []string{"true"}, []any{}
	if q.Author != "" {
		terms, args = append(terms, "a.author = ?"), append(args, q.Author)
	}
	if len(q.Prefixes) > 0 {
		var any []string
		for _, p := range q.Prefixes {
			any, args = append(any, "substr(a.text, 1, length(?)) = ?"), append(args, p, p)
		}
		terms = append(terms, "("+strings.Join(any, " OR ")+")")
	}
	if len(q.Types) > 0 {
		terms, args = append(terms, "a.type IN (?"+strings.Repeat(", ?", len(q.Types)-1)+")"), append(args, anys(q.Types)...)
	}
	if q.Agent != "" {
		terms, args = append(terms, "s.agent_name = ?"), append(args, q.Agent)
	}
	if !q.From.IsZero() {
		terms, args = append(terms, "s.started_at >= ?"), append(args, q.From.UnixMicro())
	}
	if !q.WrittenAfter.IsZero() {
		terms, args = append(terms, "a.created_at >= ?"), append(args, q.WrittenAfter.UnixMicro())
	}
	if !q.WrittenBefore.IsZero() {
		terms, args = append(terms, "a.created_at <= ?"), append(args, q.WrittenBefore.UnixMicro())
	}
	if q.Acknowledged.OK {
		terms, args = append(terms, "(a.acknowledged_at IS NOT NULL) = ?"), append(args, q.Acknowledged.V)
	}
	from := ` FROM annotations a JOIN sessions s ON s.id = a.session WHERE ` + strings.Join(terms, " AND ")
	err = s.readTx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT a.id, s.session_id, a.text, a.author, a.type, a.event_id, a.created_at,
coalesce(a.updated_at, a.created_at), a.acknowledged_at, s.agent_name, s.started_at, coalesce((SELECT timestamp FROM events e WHERE e.session = a.session AND e.event_id = a.event_id AND a.event_id <> ''), s.ended_at, a.created_at),
a.alert_by, a.alert_value, a.alert_state`+
			from+` ORDER BY a.id DESC LIMIT ? OFFSET ?`, append(args, q.Limit, q.Offset)...)
		page, err = collect(rows, err, func(rows *sql.Rows) (n Note, err error) {
			var created, updated, started, at int64
			var acknowledged analysis.Opt[int64]
			err = rows.Scan(&n.ID, &n.SessionID, &n.Text, &n.Author, &n.Type, &n.EventID, &created, &updated, into(&acknowledged), &n.AgentName, &started, &at,
				text(&n.AlertGroup.By), text(&n.AlertGroup.Value), text(&n.AlertGroup.StateID))
			n.CreatedAt, n.UpdatedAt, n.StartedAt, n.At, n.AcknowledgedAt = timeOf(created), timeOf(updated), timeOf(started), timeOf(at), optTime(acknowledged)
			return n, err
		})
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list annotations: %w", err)
	}
	return page, total, nil
}

// TagDay is how many sessions that started on a day have a tag.
type TagDay struct {
	Day time.Time
	Tag string
	N   int
}

// TagDays counts the tags of the sessions in a range by day.
func (s *Store) TagDays(ctx context.Context, r Range, tags ...string) ([]TagDay, error) {
	terms, args := []string{"t.tag IN (?" + strings.Repeat(", ?", len(tags)-1) + ")"}, make([]any, 0, len(tags)+3)
	for _, tag := range tags {
		args = append(args, tag)
	}
	if !r.From.IsZero() {
		terms, args = append(terms, "s.started_at >= ?"), append(args, floorDiv(r.From.UnixMicro(), microsPerDay)*microsPerDay)
	}
	if !r.To.IsZero() {
		terms, args = append(terms, "s.started_at < ?"), append(args, floorDiv(r.To.UnixMicro(), microsPerDay)*microsPerDay)
	}
	if r.Agent != "" {
		terms, args = append(terms, "s.agent_name = ?"), append(args, r.Agent)
	}
	rows, err := s.read.QueryContext(ctx, fmt.Sprintf(`SELECT s.started_at / %d AS day, t.tag, count(*) FROM tags t JOIN sessions s ON s.id = t.session
WHERE %s GROUP BY day, t.tag ORDER BY day, t.tag`, int64(microsPerDay), strings.Join(terms, " AND ")), args...)
	all, err := collect(rows, err, func(rows *sql.Rows) (t TagDay, err error) {
		var day int64
		err = rows.Scan(&day, &t.Tag, &t.N)
		t.Day = dayTime(day)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("count tags: %w", err)
	}
	return all, nil
}

// Tags returns every tag there is with how many sessions have it, the most
// frequent first.
func (s *Store) Tags(ctx context.Context) ([]analysis.Count, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT tag, count(*) AS n FROM tags GROUP BY tag ORDER BY n DESC, tag LIMIT 500`)
	all, err := collect(rows, err, func(rows *sql.Rows) (c analysis.Count, err error) {
		err = rows.Scan(&c.Name, &c.N)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	return all, nil
}

// RemoveTags takes tags from a session, all of them when none is named. It
// returns those that are left, sorted, and how many went.
func (s *Store) RemoveTags(ctx context.Context, sessionID string, tags []string) (left []string, removed int, err error) {
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		sess, err := querySession(ctx, tx, sessionID)
		if err != nil {
			return err
		}
		for _, tag := range sess.Tags {
			if len(tags) > 0 && !slices.Contains(tags, tag) {
				left = append(left, tag)
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM tags WHERE session = ? AND tag = ?`, sess.row, tag); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("untag session %s: %w", sessionID, err)
	}
	return append([]string{}, left...), removed, nil
}

// RemoveAnnotation deletes an annotation of a session. It returns ErrNotFound
// when the session has none with that id.
func (s *Store) RemoveAnnotation(ctx context.Context, sessionID string, id int64) error {
	return s.writeTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM annotations WHERE id = ? AND session = (SELECT id FROM sessions WHERE session_id = ?)`, id, sessionID)
		return oneRow(res, err)
	})
}
