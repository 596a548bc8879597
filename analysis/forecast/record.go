package forecast

import (
	"fmt"
	"math"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// UsageRecord is one use of a model.
type UsageRecord struct {
	Timestamp time.Time `json:"timestamp"`
	TokensIn  int64     `json:"tokens_in"`
	TokensOut int64     `json:"tokens_out"`
	CostUSD   float64   `json:"cost_usd"`
	// Model may be empty: the summary then counts it as "unknown".
	Model string `json:"model,omitempty"`
	// SessionID and AgentName tell whose use it was. They are not aggregated.
	SessionID string `json:"session_id,omitempty"`
	AgentName string `json:"agent_name,omitempty"`
}

// Validate returns a *analysis.FieldError for the first field that cannot be: a
// timestamp that is missing or outside the years 1 to 9999, a token count below
// 0, a cost that is negative, NaN or infinite.
func (r *UsageRecord) Validate() error {
	if sec := r.Timestamp.Unix(); sec <= minUnix || sec > maxUnix {
		return &analysis.FieldError{Field: "timestamp", Value: r.Timestamp, Want: "a time in the years 1 to 9999"}
	}
	if r.TokensIn < 0 {
		return &analysis.FieldError{Field: "tokens_in", Value: r.TokensIn, Want: "0 or more"}
	}
	if r.TokensOut < 0 {
		return &analysis.FieldError{Field: "tokens_out", Value: r.TokensOut, Want: "0 or more"}
	}
	if !(r.CostUSD >= 0 && r.CostUSD <= math.MaxFloat64) {
		return &analysis.FieldError{Field: "cost_usd", Value: r.CostUSD, Want: "a finite number of US dollars, 0 or more"}
	}
	return nil
}

// Use is what a Forecaster takes in of a record: whoever has several makes it once
// for all of them.
type Use struct {
	date    Date
	model   string
	costUSD float64
	usage   usage
}

// Use returns what a Forecaster takes in of the record, or the error of Validate.
func (r *UsageRecord) Use() (Use, error) {
	if err := r.Validate(); err != nil {
		return Use{}, err
	}
	u := Use{
		date: DateOf(r.Timestamp), model: r.Model, costUSD: r.CostUSD,
		usage: usage{records: 1, tokensIn: r.TokensIn, tokensOut: r.TokensOut},
	}
	u.usage.cost.Add(r.CostUSD)
	return u, nil
}

const (
	secondsPerDay = 24 * 60 * 60
	minUnix       = -62135596800 // 0001-01-01T00:00:00Z, the zero time.Time
	maxUnix       = 253402300799 // 9999-12-31T23:59:59Z
)

// Date is a calendar day in UTC, as the number of days since 1970-01-01. Its
// text and JSON form is 2026-03-01.
type Date int32

// DateOf returns the UTC day of t.
func DateOf(t time.Time) Date {
	sec := t.Unix()
	day := sec / secondsPerDay
	if sec%secondsPerDay < 0 {
		day--
	}
	return Date(day)
}

// Time returns the day's first instant, in UTC.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int32(d)+4)%7 + 7) % 7) }

func (d Date) String() string { return d.Time().Format(time.DateOnly) }

// MarshalText writes the day as 2026-03-01.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a day written as 2026-03-01.
func (d *Date) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("date: %w", err)
	}
	*d = DateOf(t)
	return nil
}
