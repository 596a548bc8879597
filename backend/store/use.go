package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// UseOf is how a session used a model or a tool.
type UseOf struct {
	Calls      int64   `json:"calls"`
	TokensIn   int64   `json:"tokens_in"`
	TokensOut  int64   `json:"tokens_out"`
	DurationMS float64 `json:"total_duration"`
	CostUSD    float64 `json:"cost_usd"`
}

// Use is how a session used models and tools, by name.
type Use struct {
	Models, Tools map[string]UseOf
}

// Use returns how a session used models and tools. A session that is not there
// has used none.
func (s *Store) Use(ctx context.Context, sessionID string) (Use, error) {
	use := Use{}
	for column, to := range map[string]*map[string]UseOf{"model": &use.Models, "tool_name": &use.Tools} {
		*to = map[string]UseOf{}
		rows, err := s.read.QueryContext(ctx, `SELECT `+column+`, count(*), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0),
coalesce(sum(duration_ms), 0.0), coalesce(sum(cost_usd), 0.0) FROM events WHERE session = (SELECT id FROM sessions WHERE session_id = ?)
AND `+column+` IS NOT NULL GROUP BY `+column, sessionID)
		_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var name string
			var u UseOf
			err := rows.Scan(&name, &u.Calls, &u.TokensIn, &u.TokensOut, &u.DurationMS, &u.CostUSD)
			(*to)[name] = u
			return struct{}{}, err
		})
		if err != nil {
			return use, fmt.Errorf("use of session %s: %w", sessionID, err)
		}
	}
	return use, nil
}

// Call is a call of a model, with what its price depends on.
type Call struct {
	EventID, EventType                                     string
	Model, Provider                                        string
	At                                                     time.Time
	TokensIn, TokensOut, CacheReadTokens, CacheWriteTokens analysis.Opt[int64]
}

// EachCall calls f with every event of a session that names a model.
func (s *Store) EachCall(ctx context.Context, sessionID string, f func(*Call)) error {
	rows, err := s.read.QueryContext(ctx, `SELECT event_id, event_type, model, provider, timestamp, tokens_in, tokens_out, cache_read_tokens, cache_write_tokens
FROM events WHERE session = (SELECT id FROM sessions WHERE session_id = ?) AND model IS NOT NULL ORDER BY timestamp, seq`, sessionID)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var c Call
		var at int64
		err := rows.Scan(&c.EventID, &c.EventType, &c.Model, text(&c.Provider), &at, into(&c.TokensIn), into(&c.TokensOut), into(&c.CacheReadTokens), into(&c.CacheWriteTokens))
		if err == nil {
			c.At = timeOf(at)
			f(&c)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("calls of session %s: %w", sessionID, err)
	}
	return nil
}
