package backend

import (
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// analytics is the answer to GET /analytics: sums over everything stored.
type analytics struct {
	Overview   analyticsOverview `json:"overview"`
	Duration   analyticsDuration `json:"duration"`
	TopAgents  []analyticsAgent  `json:"top_agents"`
	ModelUsage []analyticsModel  `json:"model_usage"`
	EventTypes []analyticsType   `json:"event_types"`
	OverTime   []analyticsDay    `json:"sessions_over_time"`
	Hourly     []analyticsHour   `json:"hourly_activity"`
}

type (
	analyticsOverview struct {
		Sessions  int     `json:"total_sessions"`
		Active    int     `json:"active_sessions"`
		Completed int     `json:"completed_sessions"`
		Errored   int     `json:"error_sessions"`
		TimedOut  int     `json:"timeout_sessions"`
		ErrorRate float64 `json:"error_rate"` // percent of sessions, two decimals
		Events    int64   `json:"total_events"`
		Tokens    int64   `json:"total_tokens"`
		TokensIn  int64   `json:"total_tokens_in"`
		TokensOut int64   `json:"total_tokens_out"`
		Average   int64   `json:"avg_tokens_per_session"`
		CostUSD   float64 `json:"total_cost_usd"`
		Errors    int64   `json:"total_errors"`
	}
	analyticsDuration struct {
		AverageMS int64 `json:"avg_ms"`
		Sessions  int   `json:"sessions"`
	}
	analyticsAgent struct {
		Name     string  `json:"agent_name"`
		Sessions int     `json:"session_count"`
		Tokens   int64   `json:"total_tokens"`
		Average  int64   `json:"avg_tokens"`
		CostUSD  float64 `json:"total_cost_usd"`
	}
	analyticsModel struct {
		Model     string  `json:"model"`
		Calls     int64   `json:"call_count"`
		Tokens    int64   `json:"total_tokens"`
		TokensIn  int64   `json:"total_tokens_in"`
		TokensOut int64   `json:"total_tokens_out"`
		AverageMS float64 `json:"avg_duration_ms"`
		CostUSD   float64 `json:"total_cost_usd"`
	}
	analyticsType struct {
		Type  string `json:"event_type"`
		Count int64  `json:"count"`
	}
	analyticsDay struct {
		Day      string `json:"day"`
		Sessions int    `json:"session_count"`
		Tokens   int64  `json:"total_tokens"`
	}
	analyticsHour struct {
		Hour   int   `json:"hour"`
		Events int64 `json:"event_count"`
	}
)

// topAgents is how many agents /analytics names.
const topAgents = 10

func (s *Server) getAnalytics(w http.ResponseWriter, r *http.Request) {
	a, err := s.analytics(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, a)
}

func (s *Server) analytics(r *http.Request) (*analytics, error) {
	ctx, all := r.Context(), store.Range{}
	sums, err := s.store.SessionSums(ctx, all)
	if err != nil {
		return nil, err
	}
	a := &analytics{
		Overview: analyticsOverview{
			Sessions: sums.Sessions, Active: sums.Statuses[analysis.StatusActive], Completed: sums.Statuses[analysis.StatusCompleted],
			Errored: sums.Statuses[analysis.StatusError], TimedOut: sums.Statuses[analysis.StatusTimeout],
			Events: sums.Events, Tokens: sums.TokensIn + sums.TokensOut, TokensIn: sums.TokensIn, TokensOut: sums.TokensOut,
			CostUSD: sums.CostUSD, Errors: sums.Errors, Average: mean(sums.TokensIn+sums.TokensOut, int64(sums.Sessions)),
		},
		Duration:  analyticsDuration{Sessions: sums.Ended},
		TopAgents: []analyticsAgent{}, ModelUsage: []analyticsModel{}, EventTypes: []analyticsType{}, OverTime: []analyticsDay{}, Hourly: []analyticsHour{},
	}
	if sums.Sessions > 0 {
		a.Overview.ErrorRate = math.Round(float64(a.Overview.Errored)/float64(sums.Sessions)*10000) / 100
	}
	if sums.Ended > 0 {
		a.Duration.AverageMS = int64(math.Round(sums.DurationMS / float64(sums.Ended)))
	}
	if err := s.addAgents(r, a); err != nil {
		return nil, err
	}
	return a, s.addActivity(r, a)
}

func (s *Server) addAgents(r *http.Request, a *analytics) error {
	agents, err := s.store.Agents(r.Context(), store.Range{})
	if err != nil {
		return err
	}
	for _, one := range agents {
		tokens := one.TokensIn + one.TokensOut
		a.TopAgents = append(a.TopAgents, analyticsAgent{one.Name, one.Sessions, tokens, mean(tokens, int64(one.Sessions)), one.CostUSD})
	}
	slices.SortStableFunc(a.TopAgents, func(x, y analyticsAgent) int { return int(min(1, max(-1, y.Tokens-x.Tokens))) })
	a.TopAgents = a.TopAgents[:min(topAgents, len(a.TopAgents))]
	models, err := s.store.UsageByModel(r.Context(), store.Range{})
	if err != nil {
		return err
	}
	for _, m := range models {
		if m.Model == "" {
			continue
		}
		one := analyticsModel{Model: m.Model, Calls: m.Events, Tokens: m.TokensIn + m.TokensOut, TokensIn: m.TokensIn, TokensOut: m.TokensOut, CostUSD: m.CostUSD}
		if m.Timed > 0 {
			one.AverageMS = math.Round(m.DurationMS/float64(m.Timed)*100) / 100
		}
		a.ModelUsage = append(a.ModelUsage, one)
	}
	slices.SortStableFunc(a.ModelUsage, func(x, y analyticsModel) int { return int(min(1, max(-1, y.Tokens-x.Tokens))) })
	return nil
}

func (s *Server) addActivity(r *http.Request, a *analytics) error {
	types, err := s.store.Names(r.Context(), store.Range{}, store.EventTypes)
	if err != nil {
		return err
	}
	for _, t := range types {
		a.EventTypes = append(a.EventTypes, analyticsType{t.Name, t.N})
	}
	daily, err := s.store.SessionDays(r.Context(), s.figures.Period(90, ""))
	if err != nil {
		return err
	}
	for _, d := range daily {
		day := d.Day.Format(time.DateOnly)
		if n := len(a.OverTime); n == 0 || a.OverTime[n-1].Day != day {
			a.OverTime = append(a.OverTime, analyticsDay{Day: day})
		}
		last := &a.OverTime[len(a.OverTime)-1]
		last.Sessions += d.Sessions
		last.Tokens += d.TokensIn + d.TokensOut
	}
	heat, err := s.store.Heatmap(r.Context(), store.Range{}, store.HeatEvents)
	if err != nil {
		return err
	}
	for hour := range 24 {
		var n int64
		for day := range heat {
			n += heat[day][hour]
		}
		if n > 0 {
			a.Hourly = append(a.Hourly, analyticsHour{hour, n})
		}
	}
	return nil
}

// costs is the answer to GET /analytics/costs.
type costs struct {
	Days      int          `json:"period_days"`
	TotalUSD  float64      `json:"total_cost"`
	DailyUSD  float64      `json:"avg_daily_cost"`
	MonthUSD  float64      `json:"projected_monthly_cost"`
	Currency  string       `json:"currency"`
	ByModel   []modelCosts `json:"by_model"`
	Trend     []dayCosts   `json:"daily_trend"`
	Unmatched []string     `json:"unmatched_models"`
}

type modelCosts struct {
	Model     string  `json:"model"`
	Calls     int64   `json:"call_count"`
	TokensIn  int64   `json:"tokens_in"`
	TokensOut int64   `json:"tokens_out"`
	CostUSD   float64 `json:"total_cost"`
	Percent   float64 `json:"percent"`
}

type dayCosts struct {
	Day     string  `json:"day"`
	CostUSD float64 `json:"cost"`
}

// getCosts says what was spent, by model and day. Costs are those that the
// events were stored with.
func (s *Server) getCosts(w http.ResponseWriter, r *http.Request) {
	n, err := days(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.figures.Costs(r.Context(), r.URL.Query().Get("agent"), n, insight.Horizon, forecast.MethodAuto)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	usage, err := s.store.UsageByModel(r.Context(), s.figures.Period(n, r.URL.Query().Get("agent")))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := costs{Days: n, TotalUSD: c.TotalUSD, Currency: "USD", ByModel: []modelCosts{}, Trend: []dayCosts{}, Unmatched: []string{}}
	for _, u := range usage {
		if u.Model != "" && u.Priced == 0 {
			out.Unmatched = append(out.Unmatched, u.Model)
		}
	}
	for _, m := range c.Models {
		if slices.Contains(out.Unmatched, m.Model) {
			continue
		}
		one := modelCosts{Model: m.Model, Calls: m.Events, TokensIn: m.TokensIn, TokensOut: m.TokensOut, CostUSD: m.CostUSD}
		if c.TotalUSD > 0 {
			one.Percent = math.Round(m.CostUSD/c.TotalUSD*10000) / 100
		}
		out.ByModel = append(out.ByModel, one)
	}
	for _, d := range c.Days {
		if len(d.ByModel) > 0 {
			out.Trend = append(out.Trend, dayCosts{d.Day.Format(time.DateOnly), d.TotalUSD})
		}
	}
	if len(out.Trend) > 0 {
		out.DailyUSD = c.TotalUSD / float64(len(out.Trend))
		out.MonthUSD = 30 * out.DailyUSD
	}
	s.answer(w, http.StatusOK, out)
}

func mean(sum, n int64) int64 {
	if n == 0 {
		return 0
	}
	return int64(math.Round(float64(sum) / float64(n)))
}
