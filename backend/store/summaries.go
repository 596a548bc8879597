package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// SummaryQuery selects sessions of one agent to compare or to check.
type SummaryQuery struct {
	Agent string
	// From and To bound the start: From <= started_at < To; zero = no bound.
	From, To time.Time
	// Version is the value of the metadata "version"; empty = any.
	Version string
	// Ended leaves out active sessions, which have not yet done all they will.
	Ended bool
	// ByEnd orders by when they ended, the latest first, and not by their start.
	ByEnd  bool
	Limit  int
	Offset int
}

// Summaries returns the summaries of the sessions that q selects, the latest
// started first unless q says otherwise.
func (s *Store) Summaries(ctx context.Context, q SummaryQuery) ([]*analysis.Summary, error) {
	terms, args := []string{"s.agent_name = ?"}, []any{q.Agent}
	if !q.From.IsZero() {
		terms, args = append(terms, "s.started_at >= ?"), append(args, q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		terms, args = append(terms, "s.started_at < ?"), append(args, q.To.UnixMicro())
	}
	if q.Ended {
		terms = append(terms, "s.status <> 'active'")
	}
	if q.Version != "" {
		terms, args = append(terms, `s.id IN (SELECT session FROM session_metadata WHERE key = 'version' AND value = ?)`), append(args, jsonText(q.Version))
	}
	order := ` ORDER BY s.started_at DESC, s.id DESC`
	if q.ByEnd {
		order = ` ORDER BY s.ended_at DESC, s.session_id DESC`
	}
	all, err := s.summaries(ctx, ` WHERE `+strings.Join(terms, " AND ")+order+` LIMIT ? OFFSET ?`, append(args, q.Limit, q.Offset)...)
	if err != nil {
		return nil, fmt.Errorf("summaries of %s: %w", q.Agent, err)
	}
	return all, nil
}

// Summary returns the summary of one session, or ErrNotFound.
func (s *Store) Summary(ctx context.Context, sessionID string) (*analysis.Summary, error) {
	all, err := s.summaries(ctx, ` WHERE s.session_id = ?`, sessionID)
	if err != nil {
		return nil, fmt.Errorf("summary of session %s: %w", sessionID, err)
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return all[0], nil
}

func (s *Store) summaries(ctx context.Context, tail string, args ...any) ([]*analysis.Summary, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT s.session_id, s.agent_name, s.status, s.started_at, s.ended_at, m.summary
FROM sessions s LEFT JOIN summaries m ON m.session = s.id`+tail, args...)
	return collect(rows, err, func(rows *sql.Rows) (*analysis.Summary, error) {
		var id, agent, status, summary string
		var started int64
		var ended analysis.Opt[int64]
		if err := rows.Scan(&id, &agent, &status, &started, into(&ended), text(&summary)); err != nil {
			return nil, err
		}
		sum := &analysis.Summary{}
		if summary != "" {
			if err := json.Unmarshal([]byte(summary), sum); err != nil {
				return nil, fmt.Errorf("session %s: %w", id, err)
			}
		}
		sum.SessionID, sum.AgentName, sum.Status, sum.StartedAt = id, agent, analysis.Status(status), timeOf(started)
		if ended.OK {
			sum.EndedAt = timeOf(ended.V)
		}
		return sum, nil
	})
}

// Versions returns the values of the metadata "version" of an agent's sessions,
// the latest first, with how many sessions have each.
func (s *Store) Versions(ctx context.Context, agent string) ([]analysis.Count, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT m.value, count(*) FROM sessions s JOIN session_metadata m ON m.session = s.id AND m.key = 'version'
WHERE s.agent_name = ? GROUP BY m.value ORDER BY max(s.started_at) DESC LIMIT 50`, agent)
	all, err := collect(rows, err, func(rows *sql.Rows) (c analysis.Count, err error) {
		var value string
		err = rows.Scan(&value, &c.N)
		if json.Unmarshal([]byte(value), &c.Name) != nil {
			c.Name = value
		}
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("versions of %s: %w", agent, err)
	}
	return all, nil
}

// jsonText returns s as the JSON string that metadata holds it as.
func jsonText(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}
