package forecast

import (
	"math"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Period is the time a budget is for.
type Period string

// The periods.
const (
	// PeriodMonthly is the calendar month (UTC) of the running day (WithNow),
	// else of the last day with data.
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
	// Days is the length of a PeriodRecorded: 1 to 3660.
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

const maxPeriod = 3660 // days: ten years

func (b *Budget) validate() error {
	if !(b.LimitUSD > 0) || math.IsInf(b.LimitUSD, 0) {
		return &analysis.FieldError{Field: "budget_usd", Value: b.LimitUSD, Want: "a finite number of US dollars above 0"}
	}
	switch b.Period {
	case PeriodMonthly, PeriodWeekly:
	case PeriodRecorded:
		if b.Days < 1 || b.Days > maxPeriod {
			return &analysis.FieldError{Field: "days_in_period", Value: b.Days, Want: "1 to 3660"}
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
	if b.Period == PeriodRecorded {
		f.projectRecorded(b, r)
	} else {
		f.projectCalendar(b, r)
	}
	r.OvershootPct = max(0, 100*(r.ProjectedUSD-r.BudgetUSD)/r.BudgetUSD)
	switch {
	case r.ProjectedUSD <= 0.8*r.BudgetUSD:
		r.Severity = SeveritySafe
	case r.ProjectedUSD <= r.BudgetUSD:
		r.Severity = SeverityWarning
	default:
		r.Severity = SeverityCritical
	}
	r.Message = r.message()
	return r, nil
}

// projectRecorded fills in spend, projection and exhaustion as the original
// does: all days count, and every day to come costs the average.
func (f *Forecaster) projectRecorded(b Budget, r *BudgetReport) {
	whole := *f
	whole.now = nil // what was spent includes the running day
	s, _ := whole.series()
	n := len(s.cost)
	r.SpentUSD = f.total.cost.Float64()
	average := r.SpentUSD / float64(n)
	r.ProjectedUSD = average * float64(b.Days)
	r.PeriodStart = f.days[0].date
	r.PeriodEnd = s.last + Date(b.Days-n)
	switch {
	case r.SpentUSD >= r.BudgetUSD:
		r.DaysUntilExceeded = analysis.Some(int64(0))
		r.ExhaustionDate = f.exhausted(r)
	case average > 0:
		days := (r.BudgetUSD - r.SpentUSD) / average
		const farAway = 1 << 53 // beyond it a float64 does not hold every integer
		r.DaysUntilExceeded = analysis.Some(int64(min(days, farAway)))
		if last := DateOf(time.Unix(maxUnix, 0)); days < float64(last-s.last) {
			r.ExhaustionDate = analysis.Some(s.last + Date(math.Ceil(days)))
		}
	}
	if b.Days <= n {
		r.certain()
		return
	}
	p := s.predict(b.Days-n, b.Method)
	s.measure(p)
	r.judge(p, p.cost, r.SpentUSD, n)
}

// projectCalendar fills them in for a month or week: what was spent in it
// before today, and the forecast of the days from today to its end.
func (f *Forecaster) projectCalendar(b Budget, r *BudgetReport) {
	today := f.newest()
	next := today + 1 // the first day that is not over
	if f.now != nil {
		today = DateOf(f.now())
		next = today
	}
	r.PeriodStart, r.PeriodEnd = b.Period.around(today)
	var spent analysis.Sum
	for i := range f.days {
		if d := &f.days[i]; d.date >= r.PeriodStart && d.date <= r.PeriodEnd {
			spent.Merge(d.cost)
		}
	}
	r.SpentUSD = spent.Float64()
	r.ProjectedUSD = r.SpentUSD
	r.ExhaustionDate = f.exhausted(r)

	s, err := f.series()
	if err != nil {
		r.Insufficient = &InsufficientDataError{What: "a forecast", Have: 0, Need: 1}
	} else if days := int(r.PeriodEnd-s.next) + 1; days > 0 {
		p := s.predict(days, b.Method)
		predicted := s.result(p).DailyPredictions
		cost := make([]float64, days)
		before := r.SpentUSD - s.running.cost.Float64()
		r.ProjectedUSD = before
		for h := range cost {
			cost[h] = predicted[h].PredictedCost
			r.ProjectedUSD += cost[h]
			if !r.ExhaustionDate.OK && r.ProjectedUSD >= r.BudgetUSD {
				r.ExhaustionDate = analysis.Some(predicted[h].Date)
			}
		}
		s.measure(p)
		r.judge(p, cost, before, len(s.cost))
	} else {
		r.certain()
	}
	if r.ExhaustionDate.OK {
		r.DaysUntilExceeded = analysis.Some(max(0, int64(r.ExhaustionDate.V-next)))
	}
}

// around returns the first and last day of the calendar period that d is in.
func (p Period) around(d Date) (first, last Date) {
	if p == PeriodWeekly {
		first = d - Date((d.Weekday()+6)%7)
		return first, first + week - 1
	}
	year, month, _ := d.Time().Date()
	first = DateOf(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC))
	return first, DateOf(time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)) - 1
}

// exhausted returns the day of the period by whose end the budget was spent.
func (f *Forecaster) exhausted(r *BudgetReport) analysis.Opt[Date] {
	var spent analysis.Sum
	for i := range f.days {
		if f.days[i].date < r.PeriodStart {
			continue
		}
		if spent.Merge(f.days[i].cost); spent.Float64() >= r.BudgetUSD {
			return analysis.Some(f.days[i].date)
		}
	}
	return analysis.Opt[Date]{}
}

// judge fills in the probability that before and the predicted days together
// exceed the budget.
func (r *BudgetReport) judge(p *prediction, cost []float64, before float64, have int) {
	switch {
	case r.SpentUSD > r.BudgetUSD:
		r.ProbabilityOfExceeding = analysis.Some(1.0)
	case p.spread == nil:
		r.Insufficient = &InsufficientDataError{What: "the probability of exceeding", Have: have, Need: bestDays}
	default:
		r.ProbabilityOfExceeding = analysis.Some(p.spread.exceeds(cost, r.BudgetUSD-before))
	}
}

// certain fills in the probability for a period that is over.
func (r *BudgetReport) certain() {
	r.ProbabilityOfExceeding = analysis.Some(0.0)
	if r.SpentUSD > r.BudgetUSD {
		r.ProbabilityOfExceeding = analysis.Some(1.0)
	}
}
