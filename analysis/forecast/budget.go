package forecast

import (
	"math"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Period is the time a budget is for.
type Period string

// The periods.
const (
	// PeriodMonthly is the calendar month (UTC) of the first day to predict.
	PeriodMonthly Period = "monthly"
	// PeriodWeekly is its week, from Monday to Sunday (UTC).
	PeriodWeekly Period = "weekly"
	// PeriodRecorded begins with the first day of data and has Budget.Days
	// days. All that was spent counts, and what is to come is the daily
	// average: the original's budget check.
	PeriodRecorded Period = "recorded"
)

// Budget is a limit on what may be spent in a period.
type Budget struct {
	LimitUSD float64
	Period   Period
	// Days is the length of a PeriodRecorded, 1 or more.
	Days int
	// Method forecasts what is to come; empty = best. PeriodRecorded uses it
	// only for the probability.
	Method Method
}

// Severity says how a budget stands.
type Severity string

// The severities.
const (
	// SeveritySafe: the projected spend is at most 80 % of the budget.
	SeveritySafe Severity = "safe"
	// SeverityWarning: it is more, but within the budget.
	SeverityWarning Severity = "warning"
	// SeverityCritical: it is over the budget.
	SeverityCritical Severity = "critical"
)

// BudgetReport is how a budget stands. Amounts are in US dollars.
type BudgetReport struct {
	BudgetUSD float64 `json:"budget_usd"`
	Period    Period  `json:"period"`
	// PeriodStart and PeriodEnd are the first and last day of the period.
	PeriodStart Date    `json:"period_start"`
	PeriodEnd   Date    `json:"period_end"`
	SpentUSD    float64 `json:"spent_usd"`
	// ProjectedUSD is what will have been spent by the end of the period.
	ProjectedUSD float64 `json:"projected_spend_at_limit"`
	// DaysUntilExceeded counts whole days until the budget is used up: 0 when
	// it is; absent when that is not in sight.
	DaysUntilExceeded analysis.Opt[int64] `json:"days_until_exceeded"`
	// ExhaustionDate is the day on which the budget is used up.
	ExhaustionDate analysis.Opt[Date] `json:"exhaustion_date"`
	// ProbabilityOfExceeding is the probability, from 0 to 1, of spending more
	// than the budget by the end of the period; absent when there is too
	// little data to tell, which Insufficient then says.
	ProbabilityOfExceeding analysis.Opt[float64]  `json:"probability_of_exceeding"`
	Insufficient           *InsufficientDataError `json:"insufficient_data,omitempty"`
	// OvershootPct is how far the projection is over the budget, in percent
	// of the budget; 0 when it is not.
	OvershootPct float64  `json:"overshoot_pct"`
	Severity     Severity `json:"severity"`
	Message      string   `json:"message"`
}

func (b *Budget) validate() error {
	if !(b.LimitUSD > 0) || math.IsInf(b.LimitUSD, 0) {
		return &analysis.FieldError{Field: "budget_usd", Value: b.LimitUSD, Want: "a finite number of US dollars above 0"}
	}
	switch b.Period {
	case PeriodMonthly, PeriodWeekly:
	case PeriodRecorded:
		if b.Days < 1 {
			return &analysis.FieldError{Field: "days_in_period", Value: b.Days, Want: "1 or more"}
		}
	default:
		return &analysis.FieldError{Field: "period", Value: string(b.Period), Want: "monthly, weekly or recorded"}
	}
	if b.Method == "" {
		b.Method = MethodBest
	}
	_, err := b.Method.resolve(0)
	return err
}

// CheckBudget tells how a budget stands. It returns a *analysis.FieldError for
// a bad budget and ErrNoRecords when there is no data.
func (f *Forecaster) CheckBudget(b Budget) (*BudgetReport, error) {
	if err := b.validate(); err != nil {
		return nil, err
	}
	if len(f.days) == 0 {
		return nil, ErrNoRecords
	}
	r := &BudgetReport{BudgetUSD: b.LimitUSD, Period: b.Period}
	f.projectRecorded(b, r)
	r.OvershootPct = max(0, 100*(r.ProjectedUSD-r.BudgetUSD)/r.BudgetUSD)
	switch {
	case r.ProjectedUSD <= 0.8*r.BudgetUSD:
		r.Severity = SeveritySafe
	case r.ProjectedUSD <= r.BudgetUSD:
		r.Severity = SeverityWarning
	default:
		r.Severity = SeverityCritical
	}
	return r, nil
}

// projectRecorded fills in spend, projection and exhaustion as the original does.
func (f *Forecaster) projectRecorded(b Budget, r *BudgetReport) {
	whole := *f
	whole.now = nil
	s, _ := whole.series()
	r.SpentUSD = f.total.cost.Float64()
	average := r.SpentUSD / float64(len(s.cost))
	r.ProjectedUSD = average * float64(b.Days)
	if average > 0 {
		left := max(0, int64(min((r.BudgetUSD-r.SpentUSD)/average, 1e15)))
		r.DaysUntilExceeded = analysis.Some(left)
	}
}
