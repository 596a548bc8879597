package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// rollup is a change of the sums: what is to be added to the rows of
// session_days, usage_days, usage_hours, name_days and latency_days. Taking
// something out is adding it with sign -1, so that sums can follow a session
// that is deleted, or whose agent turns out to have another name.
type rollup struct {
	sessions map[sessionDay]*sessionSums
	usage    map[usageDay]*usageSums
	hours    map[usageHour]*hourSums
	names    map[nameDay]int64
	latency  map[latencyDay]int64
}

type (
	sessionDay struct {
		day    int64
		agent  string
		status string
	}
	sessionSums struct {
		sessions, events, errors, tokensIn, tokensOut, ended, durationUS int64
		cost                                                             limbs
	}
	usageDay struct {
		day          int64
		agent, model string
	}
	usageSums struct {
		events, errors, tokensIn, tokensOut, priced, timed, durationUS int64
		cost                                                           limbs
	}
	usageHour struct {
		hour  int64
		agent string
	}
	hourSums struct{ events, tokens int64 }
	nameDay  struct {
		day               int64
		agent, kind, name string
	}
	latencyDay struct {
		day         int64
		agent, kind string
		bucket      int32
	}
)

// Kinds of names.
const (
	kindModel = "model"
	kindTool  = "tool"
	kindType  = "type"
)

func newRollup() *rollup {
	return &rollup{
		sessions: map[sessionDay]*sessionSums{}, usage: map[usageDay]*usageSums{}, hours: map[usageHour]*hourSums{},
		names: map[nameDay]int64{}, latency: map[latencyDay]int64{},
	}
}

const (
	microsPerHour = 3_600_000_000
	microsPerDay  = 24 * microsPerHour
)

// dayOf returns the number of the UTC day, which is negative before 1970.
func dayOf(us int64) int64 { return floorDiv(us, microsPerDay) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// session adds a session as it is shown, or with sign -1 takes it out.
func (r *rollup) session(s *state, sign int64) {
	key := sessionDay{dayOf(s.startedAt()), s.agentName(), string(s.status)}
	sums := entry(r.sessions, key)
	sums.sessions += sign
	sums.events += sign * s.events
	sums.errors += sign * s.errors
	sums.tokensIn += sign * s.tokensIn().Or(0)
	sums.tokensOut += sign * s.tokensOut().Or(0)
	if end := s.endedAt(); end.OK && end.V >= s.startedAt() {
		sums.ended += sign
		sums.durationUS += sign * (end.V - s.startedAt())
	}
	if s.cost.OK {
		sums.cost.add(s.cost.V, sign)
	}
}

// figures are what the sums need to know of an event.
type figures struct {
	at                  int64 // microseconds
	kind, model, tool   string
	tokensIn, tokensOut analysis.Opt[int64]
	costUSD, durationMS analysis.Opt[float64]
	failed              bool
}

func figuresOf(e *wire.Event, at int64) figures {
	f := figures{
		at: at, kind: e.Type(), model: e.Model, tokensIn: e.TokensIn, tokensOut: e.TokensOut,
		costUSD: e.CostUSD, durationMS: e.DurationMS, failed: failed(e),
	}
	if e.ToolCall != nil {
		f.tool = e.ToolCall.Name
	}
	return f
}

// begin is when the event began, in microseconds.
func (f *figures) begin() int64 {
	if !f.durationMS.OK {
		return f.at
	}
	return f.at - analysis.MillisToDuration(f.durationMS.V).Microseconds()
}

// event adds an event of an agent, or with sign -1 takes it out.
func (r *rollup) event(agent string, f *figures, sign int64) {
	day := dayOf(f.at)
	use := entry(r.usage, usageDay{day, agent, f.model})
	use.events += sign
	if f.failed {
		use.errors += sign
	}
	use.tokensIn += sign * f.tokensIn.Or(0)
	use.tokensOut += sign * f.tokensOut.Or(0)
	if f.costUSD.OK {
		var sum analysis.Sum
		sum.Add(f.costUSD.V)
		use.priced += sign
		use.cost.add(sum, sign)
	}
	if f.durationMS.OK {
		use.timed += sign
		use.durationUS += sign * analysis.MillisToDuration(f.durationMS.V).Microseconds()
		bucket := bucketOf(f.durationMS.V)
		r.latency[latencyDay{day, agent, f.kind, bucket}] += sign
		r.latency[latencyDay{day, allAgents, f.kind, bucket}] += sign
	}
	hour := entry(r.hours, usageHour{floorDiv(f.at, microsPerHour), agent})
	hour.events += sign
	hour.tokens += sign * (f.tokensIn.Or(0) + f.tokensOut.Or(0))
	r.names[nameDay{day, agent, kindType, f.kind}] += sign
	if f.tool != "" {
		r.names[nameDay{day, agent, kindTool, f.tool}] += sign
	}
}

// allAgents is the agent under which the durations of all are counted. No agent
// has that name: one without a name is DefaultAgentName.
const allAgents = ""

// bucketOf returns the bucket of analysis.Durations that a duration is in.
func bucketOf(ms float64) int32 {
	d := analysis.Durations{Sketch: make([]analysis.Bucket, 0, 1)}
	d.Add(ms)
	return d.Sketch[0].Index
}

func entry[K comparable, V any](m map[K]*V, key K) *V {
	v := m[key]
	if v == nil {
		v = new(V)
		m[key] = v
	}
	return v
}

// limbs is an exact sum in parts that add up on their own: parts[0] whole
// dollars, parts[1] 2^-32 and parts[2] 2^-64 of one.
type limbs [3]int64

func (l *limbs) add(s analysis.Sum, sign int64) {
	l[0] += sign * s.Hi
	l[1] += sign * int64(s.Lo>>32)
	l[2] += sign * int64(s.Lo&0xffffffff)
}

// sum carries the parts over.
func (l limbs) sum() analysis.Sum {
	mid := l[1] + l[2]>>32
	return analysis.Sum{Hi: l[0] + mid>>32, Lo: uint64(mid)<<32 | uint64(l[2])&0xffffffff}
}

func (l limbs) usd() float64 { return l.sum().Float64() }

// save adds the change to the tables, and forgets rows that have become empty.
func (r *rollup) save(ctx context.Context, tx *sql.Tx, stmts *statements) error {
	add := func(stmt *sql.Stmt, args ...any) error {
		_, err := tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		return err
	}
	for k, v := range r.sessions {
		if *v == (sessionSums{}) {
			continue
		}
		if err := add(stmts.addSessionDay, k.day, k.agent, k.status, v.sessions, v.events, v.errors, v.tokensIn, v.tokensOut,
			v.ended, v.durationUS, v.cost[0], v.cost[1], v.cost[2]); err != nil {
			return fmt.Errorf("sums of sessions: %w", err)
		}
	}
	for k, v := range r.usage {
		if err := add(stmts.addUsageDay, k.day, k.agent, k.model, v.events, v.errors, v.tokensIn, v.tokensOut, v.priced, v.timed,
			v.durationUS, v.cost[0], v.cost[1], v.cost[2]); err != nil {
			return fmt.Errorf("sums of usage: %w", err)
		}
	}
	for k, v := range r.hours {
		if err := add(stmts.addUsageHour, k.hour, k.agent, v.events, v.tokens); err != nil {
			return fmt.Errorf("sums of hours: %w", err)
		}
	}
	names := make([]any, 0, countColumns*len(r.names))
	for k, n := range r.names {
		names = append(names, k.day, k.agent, k.kind, k.name, n)
	}
	if err := addCounts(add, stmts.addNameDay, stmts.addNameDays, names); err != nil {
		return fmt.Errorf("sums of names: %w", err)
	}
	latency := make([]any, 0, countColumns*len(r.latency))
	for k, n := range r.latency {
		latency = append(latency, k.day, k.agent, k.kind, k.bucket, n)
	}
	if err := addCounts(add, stmts.addLatencyDay, stmts.addLatencyDays, latency); err != nil {
		return fmt.Errorf("sums of durations: %w", err)
	}
	return nil
}

// Counts have five columns, and there are hundreds of them in a batch of many
// agents: a statement of countRows rows costs little more than one of a single
// row.
const (
	countColumns = 5
	countRows    = 20
)

// addCounts runs many with countRows rows at a time, and one with each that is
// left.
func addCounts(add func(*sql.Stmt, ...any) error, one, many *sql.Stmt, values []any) error {
	for len(values) >= countColumns*countRows {
		if err := add(many, values[:countColumns*countRows]...); err != nil {
			return err
		}
		values = values[countColumns*countRows:]
	}
	for len(values) > 0 {
		if err := add(one, values[:countColumns]...); err != nil {
			return err
		}
		values = values[countColumns:]
	}
	return nil
}

// countSQL is the statement that adds rows of counts to a table, which is named
// with its columns.
func countSQL(table string, rows int) string {
	return `INSERT INTO ` + table + ` VALUES (?, ?, ?, ?, ?)` + strings.Repeat(`, (?, ?, ?, ?, ?)`, rows-1) +
		` ON CONFLICT DO UPDATE SET n = n + excluded.n`
}

// sweepSums deletes the rows of the sums that a removal has left empty.
func sweepSums(ctx context.Context, tx *sql.Tx) error {
	for _, q := range [...]string{
		`DELETE FROM session_days WHERE sessions = 0`, `DELETE FROM usage_days WHERE events = 0`,
		`DELETE FROM usage_hours WHERE events = 0`, `DELETE FROM name_days WHERE n = 0`, `DELETE FROM latency_days WHERE n = 0`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

const (
	addSessionDaySQL = `INSERT INTO session_days (day, agent, status, sessions, events, errors, tokens_in, tokens_out, ended, duration_us,
cost_2, cost_1, cost_0) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET sessions = sessions + excluded.sessions,
events = events + excluded.events, errors = errors + excluded.errors, tokens_in = tokens_in + excluded.tokens_in,
tokens_out = tokens_out + excluded.tokens_out, ended = ended + excluded.ended, duration_us = duration_us + excluded.duration_us,
cost_2 = cost_2 + excluded.cost_2, cost_1 = cost_1 + excluded.cost_1, cost_0 = cost_0 + excluded.cost_0`
	addUsageDaySQL = `INSERT INTO usage_days (day, agent, model, events, errors, tokens_in, tokens_out, priced, timed, duration_us,
cost_2, cost_1, cost_0) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events,
errors = errors + excluded.errors, tokens_in = tokens_in + excluded.tokens_in, tokens_out = tokens_out + excluded.tokens_out,
priced = priced + excluded.priced, timed = timed + excluded.timed, duration_us = duration_us + excluded.duration_us,
cost_2 = cost_2 + excluded.cost_2, cost_1 = cost_1 + excluded.cost_1, cost_0 = cost_0 + excluded.cost_0`
	addUsageHourSQL = `INSERT INTO usage_hours (hour, agent, events, tokens) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET events = events + excluded.events, tokens = tokens + excluded.tokens`
)
