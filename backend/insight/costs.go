package insight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Costs is what was spent by day and model, and what is to come.
type Costs struct {
	Agent string `json:"agent_name,omitempty"`
	// Days has an entry for each day of the period, in order.
	Days []DayCost `json:"days"`
	// Models are the models that cost something, the dearest first.
	Models []ModelCost `json:"models"`
	// TotalUSD is the sum over the period.
	TotalUSD float64 `json:"total_cost_usd"`
	TodayUSD float64 `json:"today_usd"`
	// MonthUSD is what the running calendar month (UTC) has cost.
	MonthUSD float64 `json:"month_usd"`

	// Forecast is absent while there is too little to forecast from, and Why
	// then says so.
	Forecast *forecast.Result  `json:"forecast,omitempty"`
	Why      string            `json:"no_forecast_because,omitempty"`
	Summary  *forecast.Summary `json:"summary,omitempty"`
	// Budgets are those of this agent, or of all together.
	Budgets []BudgetStanding `json:"budgets,omitempty"`
}

// BudgetStanding is a budget and how it stands.
type BudgetStanding struct {
	Name string `json:"name"`
	*forecast.BudgetReport
}

// NoForecast says why there is no forecast, empty when there is one.
func (c *Costs) NoForecast() string { return strings.TrimPrefix(c.Why, "forecast: ") }

// DayCost is what one UTC day cost.
type DayCost struct {
	Day      time.Time          `json:"day"`
	TotalUSD float64            `json:"cost_usd"`
	ByModel  map[string]float64 `json:"by_model"`
}

// ModelCost is what one model cost over the period.
type ModelCost struct {
	Model     string  `json:"model"`
	CostUSD   float64 `json:"cost_usd"`
	TokensIn  int64   `json:"tokens_in"`
	TokensOut int64   `json:"tokens_out"`
	Events    int64   `json:"events"`
	Errors    int64   `json:"errors"`
}

// Costs returns the costs of the last days, of one agent or all, with a
// forecast for horizon days by a method (empty = that of the settings). A bad horizon or method
// is a *analysis.FieldError.
func (s *Source) Costs(ctx context.Context, agent string, days, horizon int, method forecast.Method) (*Costs, error) {
	r := s.Period(days, agent)
	now := s.now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	wide := r
	if month.Before(wide.From) {
		wide.From = month
	}
	usage, err := s.store.Usage(ctx, wide)
	if err != nil {
		return nil, err
	}
	c := &Costs{Agent: agent}
	byDay := map[time.Time][]store.Usage{}
	var period, running []store.Usage
	for _, u := range usage {
		byDay[u.Day] = append(byDay[u.Day], u)
		if !u.Day.Before(r.From) {
			period = append(period, u)
		}
		if !u.Day.Before(month) {
			running = append(running, u)
		}
	}
	c.TotalUSD, c.MonthUSD = store.TotalCost(period), store.TotalCost(running)
	for day := r.From; day.Before(r.To); day = day.AddDate(0, 0, 1) {
		d := DayCost{Day: day, TotalUSD: store.TotalCost(byDay[day]), ByModel: map[string]float64{}}
		for _, u := range byDay[day] {
			if u.Priced > 0 {
				d.ByModel[u.Model] = u.CostUSD
			}
		}
		c.Days = append(c.Days, d)
		c.TodayUSD = d.TotalUSD
	}
	models, err := s.store.UsageByModel(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, m := range models {
		if m.Model != "" || m.Priced > 0 {
			c.Models = append(c.Models, ModelCost{m.Model, m.CostUSD, m.TokensIn, m.TokensOut, m.Events, m.Errors})
		}
	}
	slices.SortFunc(c.Models, func(a, b ModelCost) int {
		return cmp.Or(cmp.Compare(b.CostUSD, a.CostUSD), cmp.Compare(b.TokensIn+b.TokensOut, a.TokensIn+a.TokensOut), cmp.Compare(a.Model, b.Model))
	})
	return c, s.predict(ctx, c, horizon, method)
}

// predict adds forecast, summary and budget.
func (s *Source) predict(ctx context.Context, c *Costs, horizon int, method forecast.Method) error {
	settings := s.get()
	f, err := s.forecaster(ctx, c.Agent)
	if err != nil {
		return err
	}
	var short *forecast.InsufficientDataError
	c.Forecast, err = f.Daily(horizon, cmp.Or(method, settings.Method, forecast.MethodBest))
	switch {
	case errors.Is(err, forecast.ErrNoRecords):
		c.Why = "there is no usage of models yet"
		return nil
	case errors.As(err, &short):
		c.Why = short.Error()
	case err != nil:
		return err
	}
	if c.Summary, err = f.Summary(); err != nil {
		return err
	}
	for _, b := range settings.Budgets {
		if b.Agent != c.Agent {
			continue
		}
		report, err := f.CheckBudget(b.Budget(settings.Method))
		if err != nil {
			return fmt.Errorf("budget %q: %w", b.Name, err)
		}
		c.Budgets = append(c.Budgets, BudgetStanding{b.Name, report})
	}
	return nil
}
