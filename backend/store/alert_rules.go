package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// AlertRule compares a sum over the last minutes with a threshold. Its JSON
// names are the original backend's.
type AlertRule struct {
	ID        int64     `json:"rule_id,string"`
	Name      string    `json:"name"`
	Metric    string    `json:"metric"`
	Operator  string    `json:"operator"`
	Threshold float64   `json:"threshold"`
	Window    int       `json:"window_minutes"`
	Cooldown  int       `json:"cooldown_minutes"`
	Agent     *string   `json:"agent_filter"`
	Enabled   bool      `json:"enabled"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// RuleFiring is one time that an AlertRule fired, with what it said then.
type RuleFiring struct {
	ID             int64
	RuleID         int64
	RuleName       string
	Metric         string
	Agent          string // empty = all
	At             time.Time
	Value          float64
	Operator       string
	Threshold      float64
	Window         int // minutes
	AcknowledgedAt analysis.Opt[time.Time]
}

// AlertRules returns the rules, the last to be made first: all of them, or
// those that are enabled or not.
func (s *Store) AlertRules(ctx context.Context, enabled analysis.Opt[bool]) ([]AlertRule, error) {
	rows, err := s.read.QueryContext(ctx, selectRules+` WHERE enabled = coalesce(?, enabled) ORDER BY id DESC`, value(enabled))
	all, err := collect(rows, err, scanRule)
	if err != nil {
		return nil, fmt.Errorf("list alert rules: %w", err)
	}
	return all, nil
}

// AlertRule returns a rule, or ErrNotFound.
func (s *Store) AlertRule(ctx context.Context, id int64) (*AlertRule, error) {
	rows, err := s.read.QueryContext(ctx, selectRules+` WHERE id = ?`, id)
	found, err := collect(rows, err, scanRule)
	if err != nil {
		return nil, fmt.Errorf("read alert rule %d: %w", id, err)
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return &found[0], nil
}

const selectRules = `SELECT id, name, metric, operator, threshold, window_minutes, cooldown_minutes, agent, enabled, created_at, updated_at FROM alert_rules`

func scanRule(rows *sql.Rows) (r AlertRule, err error) {
	var created, updated int64
	err = rows.Scan(&r.ID, &r.Name, &r.Metric, &r.Operator, &r.Threshold, &r.Window, &r.Cooldown, &r.Agent, &r.Enabled, &created, &updated)
	r.CreatedAt, r.UpdatedAt = timeOf(created), timeOf(updated)
	return r, err
}

// PutAlertRule stores a rule: a new one when its ID is 0, and else in the place
// of the one with that id, or ErrNotFound. It fills in ID and times.
func (s *Store) PutAlertRule(ctx context.Context, r *AlertRule) error {
	now := s.now()
	r.UpdatedAt = timeOf(now.UnixMicro())
	err := s.writeTx(ctx, func(tx *sql.Tx) error {
		if r.ID == 0 {
			r.CreatedAt = r.UpdatedAt
			res, err := tx.ExecContext(ctx, `INSERT INTO alert_rules (name, metric, operator, threshold, window_minutes, cooldown_minutes, agent, enabled, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.Name, r.Metric, r.Operator, r.Threshold, r.Window, r.Cooldown, r.Agent, r.Enabled, now.UnixMicro(), now.UnixMicro())
			if err != nil {
				return err
			}
			r.ID, err = res.LastInsertId()
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE alert_rules SET name = ?, metric = ?, operator = ?, threshold = ?, window_minutes = ?, cooldown_minutes = ?, agent = ?,
enabled = ?, updated_at = ? WHERE id = ?`, r.Name, r.Metric, r.Operator, r.Threshold, r.Window, r.Cooldown, r.Agent, r.Enabled, now.UnixMicro(), r.ID)
		return oneRow(res, err)
	})
	if err != nil {
		return fmt.Errorf("store alert rule %q: %w", r.Name, err)
	}
	return nil
}

// RemoveAlertRule deletes a rule and what it fired, or returns ErrNotFound.
func (s *Store) RemoveAlertRule(ctx context.Context, id int64) error {
	return s.writeTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM alert_rules WHERE id = ?`, id)
		return oneRow(res, err)
	})
}

// FireRule records that a rule fired with a value, unless it did within its
// cooldown. It returns the record's id, 0 when there is none.
func (s *Store) FireRule(ctx context.Context, r *AlertRule, v float64) (id int64, err error) {
	now := s.now()
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO alert_events (rule, triggered_at, value, operator, threshold, window_minutes) SELECT ?1, ?2, ?3, ?4, ?5, ?6
WHERE NOT EXISTS (SELECT 1 FROM alert_events WHERE rule = ?1 AND triggered_at > ?7)`,
			r.ID, now.UnixMicro(), v, r.Operator, r.Threshold, r.Window, now.Add(-time.Duration(r.Cooldown)*time.Minute).UnixMicro())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		id, err = res.LastInsertId()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("fire alert rule %q: %w", r.Name, err)
	}
	return id, nil
}

// FiringQuery selects what rules fired. A zero field selects all.
type FiringQuery struct {
	RuleID       analysis.Opt[int64]
	Agent        string
	Acknowledged analysis.Opt[bool]
	// After and Before bound when it fired, both included.
	After, Before time.Time
	Limit         int
}

// RuleFirings returns what rules fired, the latest first, and how many times it
// was in all.
func (s *Store) RuleFirings(ctx context.Context, q FiringQuery) (page []RuleFiring, total int, err error) {
	terms, args := []string{"true"}, []any{}
	add := func(term string, v any) { terms, args = append(terms, term), append(args, v) }
	if q.RuleID.OK {
		add("e.rule = ?", q.RuleID.V)
	}
	if q.Agent != "" {
		add("r.agent = ?", q.Agent)
	}
	if q.Acknowledged.OK {
		add("(e.acknowledged_at IS NOT NULL) = ?", q.Acknowledged.V)
	}
	if !q.After.IsZero() {
		add("e.triggered_at >= ?", q.After.UnixMicro())
	}
	if !q.Before.IsZero() {
		add("e.triggered_at <= ?", q.Before.UnixMicro())
	}
	from := ` FROM alert_events e JOIN alert_rules r ON r.id = e.rule WHERE ` + strings.Join(terms, " AND ")
	err = s.readTx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT e.id, e.rule, r.name, r.metric, r.agent, e.triggered_at, e.value, e.operator, e.threshold, e.window_minutes, e.acknowledged_at`+
			from+` ORDER BY e.triggered_at DESC, e.id DESC LIMIT ?`, append(args, q.Limit)...)
		page, err = collect(rows, err, func(rows *sql.Rows) (f RuleFiring, err error) {
			var at int64
			var acknowledged analysis.Opt[int64]
			err = rows.Scan(&f.ID, &f.RuleID, &f.RuleName, &f.Metric, text(&f.Agent), &at, &f.Value, &f.Operator, &f.Threshold, &f.Window, into(&acknowledged))
			f.At, f.AcknowledgedAt = timeOf(at), optTime(acknowledged)
			return f, err
		})
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list what alert rules fired: %w", err)
	}
	return page, total, nil
}

// AcknowledgeFiring marks what a rule fired as seen, AcknowledgeNote an
// annotation. They return ErrNotFound for one that is not there.
func (s *Store) AcknowledgeFiring(ctx context.Context, id int64) error {
	return s.acknowledge(ctx, `UPDATE alert_events SET acknowledged_at = ? WHERE id = ?`, id)
}

// AcknowledgeNote marks an annotation as seen.
func (s *Store) AcknowledgeNote(ctx context.Context, id int64) error {
	return s.acknowledge(ctx, `UPDATE annotations SET acknowledged_at = ? WHERE id = ?`, id)
}

func (s *Store) acknowledge(ctx context.Context, update string, id int64) error {
	return s.writeTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, update, s.now().UnixMicro(), id)
		return oneRow(res, err)
	})
}

// WindowSums are sums over the events and sessions of the last minutes.
type WindowSums struct {
	// Sessions counts those that started in the window, and SessionTokens sums
	// up theirs.
	Sessions, SessionTokens int64
	// Events counts the events of the window; the rest is over them. The
	// durations are over the Timed ones.
	Events, Failed, Tokens, Timed int64
	DurationMS, MaxDurationMS     float64
}

// WindowSums returns the sums over what happened since a time, of one agent or
// (agent empty) all.
func (s *Store) WindowSums(ctx context.Context, since time.Time, agent string) (w WindowSums, err error) {
	from := since.UnixMicro()
	err = s.readTx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)), 0)
FROM sessions WHERE started_at >= ?1 AND (?2 = '' OR agent_name = ?2)`, from, agent).Scan(&w.Sessions, &w.SessionTokens); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(e.failed), 0), coalesce(sum(coalesce(e.tokens_in, 0) + coalesce(e.tokens_out, 0)), 0),
count(e.duration_ms), coalesce(sum(e.duration_ms), 0.0), coalesce(max(e.duration_ms), 0.0) FROM sessions s JOIN events e ON e.session = s.id
WHERE s.last_event >= ?1 AND e.timestamp >= ?1 AND (?2 = '' OR s.agent_name = ?2)`, from, agent).
			Scan(&w.Events, &w.Failed, &w.Tokens, &w.Timed, &w.DurationMS, &w.MaxDurationMS)
	})
	if err != nil {
		return w, fmt.Errorf("sum up since %s: %w", since.UTC().Format(time.RFC3339), err)
	}
	return w, nil
}

// oneRow returns ErrNotFound when a statement changed nothing.
func oneRow(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

func optTime(us analysis.Opt[int64]) analysis.Opt[time.Time] {
	if !us.OK {
		return analysis.Opt[time.Time]{}
	}
	return analysis.Some(timeOf(us.V))
}
