package forecast

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/agentlens/agentlens-otel/analysis"
)

// NamedBudget is a budget as configurations have it.
type NamedBudget struct {
	// Name is unique among the budgets.
	Name string `mapstructure:"name"`
	// Agent is whose cost counts; empty = everyone's.
	Agent string `mapstructure:"agent"`
	// LimitUSD is how much may be spent in a period, in US dollars.
	LimitUSD float64 `mapstructure:"limit_usd"`
	// Period is monthly or weekly, by UTC. Default monthly.
	Period Period `mapstructure:"period"`
}

// Budget returns the budget as CheckBudget takes it, forecast by a method.
func (b NamedBudget) Budget(m Method) Budget {
	return Budget{LimitUSD: b.LimitUSD, Period: cmp.Or(b.Period, PeriodMonthly), Method: m}
}

// ValidateBudgets fills in the periods that are empty, and returns a
// *analysis.FieldError, whose Field is as 0::limit_usd, for each setting that
// cannot be: an empty or repeated name, a limit that is not above 0, a period
// that is neither monthly nor weekly.
func ValidateBudgets(budgets []NamedBudget) error {
	var errs []error
	refuse := func(i int, field string, value any, want string) {
		errs = append(errs, &analysis.FieldError{Field: fmt.Sprintf("%d::%s", i, field), Value: value, Want: want})
	}
	names := map[string]int{}
	for i := range budgets {
		b := &budgets[i]
		if b.Period == "" {
			b.Period = PeriodMonthly
		}
		if b.Name == "" {
			refuse(i, "name", "empty", "a name")
		} else if first, ok := names[b.Name]; ok {
			refuse(i, "name", fmt.Sprintf("%q", b.Name), fmt.Sprintf("another name: budget %d has it already", first))
		} else {
			names[b.Name] = i
		}
		if !(b.LimitUSD > 0) || math.IsInf(b.LimitUSD, 0) {
			refuse(i, "limit_usd", b.LimitUSD, "more than 0")
		}
		if b.Period != PeriodMonthly && b.Period != PeriodWeekly {
			refuse(i, "period", fmt.Sprintf("%q", b.Period), "monthly or weekly")
		}
	}
	return errors.Join(errs...)
}
