package forecast

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateBudgets(t *testing.T) {
	good := []NamedBudget{{Name: "team", LimitUSD: 500}, {Name: "a", Agent: "a", LimitUSD: 1, Period: PeriodWeekly}}
	require.NoError(t, ValidateBudgets(good))
	require.Equal(t, PeriodMonthly, good[0].Period)
	for want, bad := range map[string][]NamedBudget{
		"0::name is empty, want a name":                              {{LimitUSD: 1}},
		`1::name is "b", want another name: budget 0 has it already`: {{Name: "b", LimitUSD: 1}, {Name: "b", LimitUSD: 2}},
		"0::limit_usd is 0, want more than 0":                        {{Name: "b"}},
		"0::limit_usd is NaN, want more than 0":                      {{Name: "b", LimitUSD: math.NaN()}},
		"0::limit_usd is +Inf, want more than 0":                     {{Name: "b", LimitUSD: math.Inf(1)}},
		`0::period is "yearly", want monthly or weekly`:              {{Name: "b", LimitUSD: 1, Period: "yearly"}},
		`0::period is "recorded", want monthly or weekly`:            {{Name: "b", LimitUSD: 1, Period: PeriodRecorded}},
	} {
		require.ErrorContains(t, ValidateBudgets(bad), want)
	}
}
