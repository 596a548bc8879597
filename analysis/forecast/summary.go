package forecast

import (
	"maps"
	"slices"
)

// Trend is where daily costs are going.
type Trend string

// The trends.
const (
	TrendIncreasing   Trend = "increasing"
	TrendDecreasing   Trend = "decreasing"
	TrendStable       Trend = "stable"
	TrendInsufficient Trend = "insufficient_data"
)

// UnknownModel is the key of usage without a model name, and OtherModels that
// of the models beyond the 64 told apart on a day.
const (
	UnknownModel = "unknown"
	OtherModels  = "(other)"
)

// Summary is what was spent. Costs are in US dollars. Daily figures are means
// over DaysTracked; the running day counts as it stands.
type Summary struct {
	TotalCost      float64 `json:"total_cost"`
	TotalTokens    int64   `json:"total_tokens"`
	TotalTokensIn  int64   `json:"total_tokens_in"`
	TotalTokensOut int64   `json:"total_tokens_out"`
	Records        int64   `json:"record_count"`
	FirstDay       Date    `json:"first_day"`
	LastDay        Date    `json:"last_day"`
	DaysTracked    int     `json:"days_tracked"`

	DailyAverage       float64 `json:"daily_average"`
	DailyAverageTokens int64   `json:"daily_average_tokens"`
	WeeklyProjection   float64 `json:"weekly_projection"`  // 7 average days
	MonthlyProjection  float64 `json:"monthly_projection"` // 30 average days
	CostPer1KTokens    float64 `json:"cost_per_1k_tokens"` // 0 without tokens

	BusiestDay     Date    `json:"busiest_day"` // the earliest of equals
	BusiestDayCost float64 `json:"busiest_day_cost"`

	// TopModel cost most; of equals it is the first by name.
	TopModel string                `json:"top_model"`
	Models   map[string]ModelUsage `json:"model_breakdown"`

	// Trend is increasing or decreasing when the least-squares slope is more
	// than 5 % of the mean a day; TrendPct is that share in percent.
	Trend    Trend   `json:"trend"`
	TrendPct float64 `json:"trend_pct_change"`
}

// ModelUsage is what one model used.
type ModelUsage struct {
	CostUSD   float64 `json:"cost"`
	TokensIn  int64   `json:"tokens_in"`
	TokensOut int64   `json:"tokens_out"`
	Records   int64   `json:"count"`
}

// Summary sums up the kept days. It returns ErrNoRecords when there are none.
func (f *Forecaster) Summary() (*Summary, error) {
	whole := *f
	whole.now = nil // what was spent includes the running day
	series, err := whole.series()
	if err != nil {
		return nil, err
	}
	n := len(series.cost)
	total := f.total.cost.Float64()
	s := &Summary{
		TotalCost:      total,
		TotalTokens:    f.total.tokens(),
		TotalTokensIn:  f.total.tokensIn,
		TotalTokensOut: f.total.tokensOut,
		Records:        f.total.records,
		FirstDay:       f.days[0].date,
		LastDay:        f.newest(),
		DaysTracked:    n,

		DailyAverage:       total / float64(n),
		DailyAverageTokens: f.total.tokens() / int64(n),
		Models:             f.models(),
	}
	s.WeeklyProjection = s.DailyAverage * 7
	s.MonthlyProjection = s.DailyAverage * 30
	if s.TotalTokens > 0 {
		s.CostPer1KTokens = total / float64(s.TotalTokens) * 1000
	}
	for i := range f.days {
		if c := f.days[i].cost.Float64(); i == 0 || c > s.BusiestDayCost {
			s.BusiestDay, s.BusiestDayCost = f.days[i].date, c
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Models)) {
		if s.TopModel == "" || s.Models[name].CostUSD > s.Models[s.TopModel].CostUSD {
			s.TopModel = name
		}
	}
	s.Trend, s.TrendPct = trendOf(series.cost)
	return s, nil
}

// models sums up the days by model, exactly.
func (f *Forecaster) models() map[string]ModelUsage {
	sums := map[string]*usage{}
	add := func(name string, u *usage) {
		if sums[name] == nil {
			sums[name] = &usage{}
		}
		sums[name].merge(u)
	}
	for i := range f.days {
		d := &f.days[i]
		for j := range d.models {
			name := d.models[j].name
			if name == "" {
				name = UnknownModel
			}
			add(name, &d.models[j].usage)
		}
		if d.other.records > 0 {
			add(OtherModels, &d.other)
		}
	}
	out := make(map[string]ModelUsage, len(sums))
	for name, u := range sums {
		out[name] = ModelUsage{CostUSD: u.cost.Float64(), TokensIn: u.tokensIn, TokensOut: u.tokensOut, Records: u.records}
	}
	return out
}

func trendOf(y []float64) (Trend, float64) {
	if len(y) < 3 {
		return TrendInsufficient, 0
	}
	l := fitLine(y)
	if l.yMean == 0 {
		return TrendStable, 0
	}
	pct := 100 * l.slope / l.yMean
	switch {
	case pct > 5:
		return TrendIncreasing, pct
	case pct < -5:
		return TrendDecreasing, pct
	}
	return TrendStable, pct
}
