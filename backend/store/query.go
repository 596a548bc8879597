package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// SessionQuery selects sessions. A zero field selects all.
type SessionQuery struct {
	Status analysis.Status
	Agent  string
	// Tags must all be there.
	Tags []string
	// Model and Tool must have been used.
	Model, Tool string
	// From and To bound the start: From <= started_at < To.
	From, To time.Time
	// Text is looked for in the session's id, agent, metadata, tags and
	// annotations; the case of ASCII letters does not count. What events hold
	// is not looked at: SearchEvents does.
	Text string
	// MinTokens and MaxTokens bound input and output together.
	MinTokens, MaxTokens analysis.Opt[int64]
	// Sort is one of the keys of SessionSorts; empty = started_at.
	Sort string
	// Ascending turns the order round: the largest or latest is first otherwise.
	Ascending bool

	Limit  int
	Offset int
}

// sessionSorts are the columns a list can be ordered by.
var sessionSorts = map[string]string{
	"": "s.started_at", "started_at": "s.started_at", "tokens": "coalesce(s.tokens_in, 0) + coalesce(s.tokens_out, 0)",
	"cost": "s.cost_usd", "events": "s.event_count", "errors": "s.error_count", "duration": "s.ended_at - s.started_at",
}

// SortsSessions reports whether sessions can be ordered by key.
func SortsSessions(key string) bool { return sessionSorts[key] != "" }

// Totals are the sums over all sessions that a query selects, whatever page is
// shown.
type Totals struct {
	Sessions  int     `json:"sessions"`
	Events    int64   `json:"events"`
	Errors    int64   `json:"errors"`
	TokensIn  int64   `json:"total_tokens_in"`
	TokensOut int64   `json:"total_tokens_out"`
	CostUSD   float64 `json:"total_cost_usd"`
}

// Sessions returns a page of the sessions that q selects, the latest started
// first unless q says otherwise, and how many there are in all.
func (s *Store) Sessions(ctx context.Context, q SessionQuery) (page []Session, total int, err error) {
	where, args := q.where()
	err = s.readTx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sessions s`+where, args...).Scan(&total); err != nil {
			return err
		}
		page, err = querySessions(ctx, tx, where+q.order()+` LIMIT ? OFFSET ?`, append(args, q.Limit, q.Offset)...)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list sessions: %w", err)
	}
	return page, total, nil
}

// SessionTotals returns the sums over all sessions that q selects. Without
// filters it reads the sums, and costs the same whatever there is.
func (s *Store) SessionTotals(ctx context.Context, q SessionQuery) (t Totals, err error) {
	where, args := q.where()
	if where == "" {
		all, err := s.SessionSums(ctx, Range{})
		return all.Totals, err
	}
	var hi int64
	var cost limbs
	// cost_lo is unsigned: its halves are summed apart.
	err = s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(event_count), 0), coalesce(sum(error_count), 0), coalesce(sum(tokens_in), 0),
coalesce(sum(tokens_out), 0), coalesce(sum(cost_hi), 0), coalesce(sum((cost_lo >> 32) & 4294967295), 0),
coalesce(sum(cost_lo & 4294967295), 0) FROM sessions s`+where, args...).
		Scan(&t.Sessions, &t.Events, &t.Errors, &t.TokensIn, &t.TokensOut, &hi, &cost[1], &cost[2])
	if err != nil {
		return t, fmt.Errorf("sum up sessions: %w", err)
	}
	cost[0] = hi
	t.CostUSD = cost.usd()
	return t, nil
}

func (q *SessionQuery) order() string {
	direction := " DESC"
	if q.Ascending {
		direction = " ASC"
	}
	column := sessionSorts[q.Sort]
	if column == "" {
		column = sessionSorts[""]
	}
	return " ORDER BY " + column + direction + ", s.id" + direction
}

// where returns the condition, empty for all, and what to bind.
func (q *SessionQuery) where() (string, []any) {
	var terms []string
	var args []any
	add := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	if q.Status != "" {
		add(`s.status = ?`, string(q.Status))
	}
	if q.Agent != "" {
		add(`s.agent_name = ?`, q.Agent)
	}
	for _, tag := range q.Tags {
		add(`s.id IN (SELECT session FROM tags WHERE tag = ?)`, tag)
	}
	for kind, name := range map[string]string{kindModel: q.Model, kindTool: q.Tool} {
		if name != "" {
			add(`s.id IN (SELECT session FROM session_names WHERE kind = ? AND name = ?)`, kind, name)
		}
	}
	if !q.From.IsZero() {
		add(`s.started_at >= ?`, q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		add(`s.started_at < ?`, q.To.UnixMicro())
	}
	if q.MinTokens.OK {
		add(`coalesce(s.tokens_in, 0) + coalesce(s.tokens_out, 0) >= ?`, q.MinTokens.V)
	}
	if q.MaxTokens.OK {
		add(`coalesce(s.tokens_in, 0) + coalesce(s.tokens_out, 0) <= ?`, q.MaxTokens.V)
	}
	if q.Text != "" {
		like := contains(q.Text)
		add(`(s.session_id LIKE ? ESCAPE '\' OR s.agent_name LIKE ? ESCAPE '\'
OR s.id IN (SELECT session FROM session_metadata WHERE value LIKE ? ESCAPE '\')
OR s.id IN (SELECT session FROM tags WHERE tag LIKE ? ESCAPE '\')
OR s.id IN (SELECT session FROM annotations WHERE text LIKE ? ESCAPE '\'))`, like, like, like, like, like)
	}
	if len(terms) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(terms, " AND "), args
}

// contains returns the LIKE pattern, with \ as its escape, of texts that have
// text in them.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
