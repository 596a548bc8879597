package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Range selects what the sums are of: UTC days, and one agent or all.
type Range struct {
	// From is the first day and To the day after the last, each by any time of
	// it; zero = no bound.
	From, To time.Time
	// Agent is one agent's name; empty = all.
	Agent string
}

func (r Range) where(column string, unit int64) (string, []any) {
	terms, args := []string{"true"}, []any{}
	if !r.From.IsZero() {
		terms, args = append(terms, column+` >= ?`), append(args, floorDiv(r.From.UnixMicro(), unit))
	}
	if !r.To.IsZero() {
		terms, args = append(terms, column+` < ?`), append(args, floorDiv(r.To.UnixMicro(), unit))
	}
	if r.Agent != "" {
		terms, args = append(terms, `agent = ?`), append(args, r.Agent)
	}
	return " WHERE " + strings.Join(terms, " AND "), args
}

// SessionSums are sums over the sessions that started within a range.
type SessionSums struct {
	Totals
	// Statuses counts the sessions by status.
	Statuses map[analysis.Status]int
	// Ended counts those whose duration is known, DurationMS is the sum of it.
	Ended      int
	DurationMS float64
}

// SessionSums returns the sums over the sessions of a range.
func (s *Store) SessionSums(ctx context.Context, r Range) (SessionSums, error) {
	days, err := s.SessionDays(ctx, r)
	if err != nil {
		return SessionSums{}, err
	}
	all := SessionSums{Statuses: map[analysis.Status]int{}}
	var cost limbs
	for _, d := range days {
		all.Sessions += d.Sessions
		all.Events += d.Events
		all.Errors += d.Errors
		all.TokensIn += d.TokensIn
		all.TokensOut += d.TokensOut
		all.Statuses[d.Status] += d.Sessions
		all.Ended += d.ended
		all.DurationMS += float64(d.durationUS) / 1000
		for i := range cost {
			cost[i] += d.cost[i]
		}
	}
	all.CostUSD = cost.usd()
	return all, nil
}

// SessionDay is the sums over the sessions of one status that started on one
// day.
type SessionDay struct {
	Day    time.Time
	Status analysis.Status
	Totals
	ended      int
	durationUS int64
	cost       limbs
}

// SessionDays returns the sums by day, which are in order, and status.
func (s *Store) SessionDays(ctx context.Context, r Range) ([]SessionDay, error) {
	where, args := r.where("day", microsPerDay)
	rows, err := s.read.QueryContext(ctx, `SELECT day, status, sum(sessions), sum(events), sum(errors), sum(tokens_in), sum(tokens_out), sum(ended),
sum(duration_us), sum(cost_2), sum(cost_1), sum(cost_0) FROM session_days`+where+` GROUP BY day, status HAVING sum(sessions) > 0 ORDER BY day, status`, args...)
	days, err := collect(rows, err, func(rows *sql.Rows) (d SessionDay, err error) {
		var day int64
		err = rows.Scan(&day, &d.Status, &d.Sessions, &d.Events, &d.Errors, &d.TokensIn, &d.TokensOut, &d.ended, &d.durationUS,
			&d.cost[0], &d.cost[1], &d.cost[2])
		d.Day, d.CostUSD = dayTime(day), d.cost.usd()
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("sums of sessions: %w", err)
	}
	return days, nil
}

// Agent is what an agent's sessions amount to.
type Agent struct {
	Name string `json:"agent_name"`
	Totals
	Active int       `json:"active_sessions"`
	Failed int       `json:"error_sessions"`
	LastAt time.Time `json:"last_session_at"`
}

// Agents returns every agent with sessions in the range, the one with the
// latest session first.
func (s *Store) Agents(ctx context.Context, r Range) ([]Agent, error) {
	where, args := r.where("day", microsPerDay)
	rows, err := s.read.QueryContext(ctx, `SELECT agent, sum(sessions), sum(events), sum(errors), sum(tokens_in), sum(tokens_out), sum(cost_2),
sum(cost_1), sum(cost_0), sum(CASE status WHEN 'active' THEN sessions ELSE 0 END), sum(CASE status WHEN 'error' THEN sessions ELSE 0 END),
(SELECT max(started_at) FROM sessions WHERE agent_name = agent) AS last FROM session_days`+where+` GROUP BY agent HAVING sum(sessions) > 0
ORDER BY last DESC, agent`, args...)
	all, err := collect(rows, err, func(rows *sql.Rows) (a Agent, err error) {
		var cost limbs
		var last int64
		err = rows.Scan(&a.Name, &a.Sessions, &a.Events, &a.Errors, &a.TokensIn, &a.TokensOut, &cost[0], &cost[1], &cost[2], &a.Active, &a.Failed, &last)
		a.CostUSD, a.LastAt = cost.usd(), timeOf(last)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return all, nil
}

// Usage is the sums over the events of one model on one day. Model is empty for
// events without one.
type Usage struct {
	Day            time.Time
	Model          string
	Events, Errors int64
	TokensIn       int64
	TokensOut      int64
	Priced, Timed  int64
	CostUSD        float64
	DurationMS     float64
	cost           limbs
}

// Usage returns the sums over events by day, which are in order, and model.
func (s *Store) Usage(ctx context.Context, r Range) ([]Usage, error) {
	return s.usage(ctx, r, "day, model")
}

// UsageByModel returns the sums over events by model, over all days of the
// range; Day is zero.
func (s *Store) UsageByModel(ctx context.Context, r Range) ([]Usage, error) {
	all, err := s.usage(ctx, r, "model")
	for i := range all {
		all[i].Day = time.Time{}
	}
	return all, err
}

func (s *Store) usage(ctx context.Context, r Range, by string) ([]Usage, error) {
	where, args := r.where("day", microsPerDay)
	rows, err := s.read.QueryContext(ctx, `SELECT min(day), model, sum(events), sum(errors), sum(tokens_in), sum(tokens_out), sum(priced), sum(timed),
sum(duration_us), sum(cost_2), sum(cost_1), sum(cost_0) FROM usage_days`+where+` GROUP BY `+by+` HAVING sum(events) > 0 ORDER BY `+by, args...)
	all, err := collect(rows, err, func(rows *sql.Rows) (u Usage, err error) {
		var day, us int64
		err = rows.Scan(&day, &u.Model, &u.Events, &u.Errors, &u.TokensIn, &u.TokensOut, &u.Priced, &u.Timed, &us, &u.cost[0], &u.cost[1], &u.cost[2])
		u.Day, u.CostUSD, u.DurationMS = dayTime(day), u.cost.usd(), float64(us)/1000
		return u, err
	})
	if err != nil {
		return nil, fmt.Errorf("sums of usage: %w", err)
	}
	return all, nil
}

// TotalCost adds the costs of usage exactly: it equals the total over the
// sessions whose events they are.
func TotalCost(usage []Usage) float64 {
	var cost limbs
	for i := range usage {
		for k := range cost {
			cost[k] += usage[i].cost[k]
		}
	}
	return cost.usd()
}

// Kinds of names that Names counts.
const (
	EventTypes = kindType
	Tools      = kindTool
)

// Names counts event types or tools, the most frequent first.
func (s *Store) Names(ctx context.Context, r Range, kind string) ([]analysis.Count, error) {
	where, args := r.where("day", microsPerDay)
	rows, err := s.read.QueryContext(ctx, `SELECT name, sum(n) AS total FROM name_days`+where+` AND kind = ? GROUP BY name HAVING total > 0
ORDER BY total DESC, name`, append(args, kind)...)
	all, err := collect(rows, err, func(rows *sql.Rows) (c analysis.Count, err error) {
		err = rows.Scan(&c.Name, &c.N)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("count %ss: %w", kind, err)
	}
	return all, nil
}

// Latency returns the measured durations of events of a type. Their quantiles
// are within 1 % of the true ones; their sum is not known, and 0.
func (s *Store) Latency(ctx context.Context, r Range, eventType string) (*analysis.Durations, error) {
	agent := r.Agent
	r.Agent = ""
	where, args := r.where("day", microsPerDay)
	rows, err := s.read.QueryContext(ctx, `SELECT bucket, sum(n) AS total FROM latency_days`+where+` AND agent = ? AND type = ? GROUP BY bucket
HAVING total > 0 ORDER BY bucket`, append(args, agent, eventType)...)
	all := &analysis.Durations{}
	all.Sketch, err = collect(rows, err, func(rows *sql.Rows) (b analysis.Bucket, err error) {
		err = rows.Scan(&b.Index, &b.N)
		all.N += b.N
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("sums of durations: %w", err)
	}
	return all, nil
}

// Heat is activity by weekday, Sunday first, and hour, in UTC.
type Heat [7][24]int64

// Metrics of a Heat.
const (
	HeatEvents   = "events"
	HeatTokens   = "tokens"
	HeatSessions = "sessions"
)

// Heatmap sums events, tokens or started sessions up by weekday and hour.
func (s *Store) Heatmap(ctx context.Context, r Range, metric string) (heat Heat, err error) {
	var rows *sql.Rows
	if metric == HeatSessions {
		terms, args := []string{"true"}, []any{}
		if !r.From.IsZero() {
			terms, args = append(terms, "started_at >= ?"), append(args, r.From.UnixMicro())
		}
		if r.Agent != "" {
			terms, args = append(terms, "agent_name = ?"), append(args, r.Agent)
		}
		rows, err = s.read.QueryContext(ctx, fmt.Sprintf(`SELECT started_at / %d AS hour, count(*) FROM sessions WHERE %s GROUP BY hour`,
			int64(microsPerHour), strings.Join(terms, " AND ")), args...)
	} else {
		where, args := r.where("hour", microsPerHour)
		column := map[string]string{HeatEvents: "events", HeatTokens: "tokens"}[metric]
		if column == "" {
			return heat, &analysis.FieldError{Field: "metric", Value: metric, Want: "events, tokens or sessions"}
		}
		rows, err = s.read.QueryContext(ctx, `SELECT hour, sum(`+column+`) FROM usage_hours`+where+` GROUP BY hour`, args...)
	}
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var hour, n int64
		err := rows.Scan(&hour, &n)
		at := time.Unix(hour*3600, 0).UTC()
		heat[at.Weekday()][at.Hour()] += n
		return struct{}{}, err
	})
	if err != nil {
		return heat, fmt.Errorf("heatmap: %w", err)
	}
	return heat, nil
}

func dayTime(day int64) time.Time { return timeOf(day * microsPerDay) }
