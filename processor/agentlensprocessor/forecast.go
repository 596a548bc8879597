package agentlensprocessor

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

// forecastEngine forecasts the cost of each agent and of all together, from
// priced inference spans, and watches budgets.
type forecastEngine struct {
	cfg     ForecastConfig
	budgets []budgetWatch

	mu     sync.Mutex
	total  *usage
	agents map[string]*usage
	// recent is the agent of the latest event, nil when it is none of agents:
	// events of one agent come one after the other.
	recent *usage
	// latest is the newest event time seen, in UTC: the forecasters' now.
	latest time.Time
	// budgetsDue is the event time from which the budgets are looked at anew.
	budgetsDue time.Time
}

// usage is the history of one agent, or of all, and its last forecast.
type usage struct {
	agent   string // "" for all
	history *forecast.Forecaster
	// due is the event time from which the forecast is computed anew.
	due  time.Time
	last *forecast.Result
	// told is the UTC day of the last forecast that was told as news.
	told forecast.Date
	// finding says the last forecast on the spans of all sessions that it is no
	// news to.
	finding *forecastFinding
}

// forecastFinding is what an agent is expected to cost. News is set once a day;
// the others of a day are one.
type forecastFinding struct {
	Result *forecast.Result
	News   bool
}

// budgetWatch is a budget and how it was last told to stand.
type budgetWatch struct {
	BudgetConfig
	severity forecast.Severity
	report   *forecast.BudgetReport
}

// budgetFinding says that a budget will be, or has been, exceeded.
type budgetFinding struct {
	Name, Agent string
	Report      *forecast.BudgetReport
}

func newForecastEngine(cfg ForecastConfig) (*forecastEngine, error) {
	f := &forecastEngine{cfg: cfg, agents: map[string]*usage{}}
	for _, b := range cfg.Budgets {
		f.budgets = append(f.budgets, budgetWatch{BudgetConfig: b, severity: forecast.SeveritySafe})
	}
	var err error
	f.total, err = f.newUsage("")
	return f, err
}

func (f *forecastEngine) newUsage(agent string) (*usage, error) {
	history, err := forecast.New(forecast.WithHistory(f.cfg.HistoryDays), forecast.WithNow(func() time.Time { return f.latest }))
	if err != nil {
		return nil, err
	}
	return &usage{agent: agent, history: history}, nil
}

// add adds a priced event and returns the budgets that are newly found to be
// exceeded, now or by their forecast.
func (f *forecastEngine) add(e *analysis.Event, agent string) ([]budgetFinding, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Timestamp.After(f.latest) {
		f.latest = e.Timestamp.UTC()
	}
	record := forecast.UsageRecord{
		Timestamp: e.Timestamp, TokensIn: e.TokensIn.Or(0), TokensOut: e.TokensOut.Or(0), CostUSD: e.CostUSD.V, Model: e.Model,
	}
	use, err := record.Use()
	if err == nil {
		err = f.total.history.AddUse(&use)
	}
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	u, err := f.usageOf(agent)
	if err != nil {
		return nil, err
	}
	if u != nil {
		if err := u.history.AddUse(&use); err != nil {
			return nil, fmt.Errorf("forecast of agent %q: %w", agent, err)
		}
	}
	return f.checkBudgets()
}

// usageOf returns the history that an agent's usage goes to; nil when there are
// too many.
func (f *forecastEngine) usageOf(agent string) (*usage, error) {
	if f.recent != nil && f.recent.agent == agent {
		return f.recent, nil
	}
	u := f.agents[agent]
	if u == nil && len(f.agents) < maxAgents {
		var err error
		if u, err = f.newUsage(agent); err != nil {
			return nil, err
		}
		f.agents[agent] = u
	}
	f.recent = u
	return u, nil
}

// checkBudgets looks at the budgets once an interval of event time.
func (f *forecastEngine) checkBudgets() ([]budgetFinding, error) {
	if f.latest.Before(f.budgetsDue) {
		return nil, nil
	}
	f.budgetsDue = f.latest.Add(f.cfg.Interval)
	var found []budgetFinding
	for i := range f.budgets {
		b := &f.budgets[i]
		u := f.total
		if b.Agent != "" {
			if u = f.agents[b.Agent]; u == nil {
				continue
			}
		}
		report, err := u.history.CheckBudget(b.Budget(f.cfg.Method))
		if errors.Is(err, forecast.ErrNoRecords) {
			continue
		}
		if err != nil {
			return found, fmt.Errorf("budget %q: %w", b.Name, err)
		}
		// A projection from too few days is no reason to raise an alarm; money
		// that is spent is.
		exceeded := report.Severity == forecast.SeverityCritical &&
			(report.Insufficient == nil || report.SpentUSD > report.BudgetUSD)
		severity := report.Severity
		if !exceeded && severity == forecast.SeverityCritical {
			severity = forecast.SeverityWarning
		}
		newPeriod := b.report != nil && b.report.PeriodStart != report.PeriodStart
		if exceeded && (b.severity != forecast.SeverityCritical || newPeriod) {
			found = append(found, budgetFinding{Name: b.Name, Agent: b.Agent, Report: report})
		}
		b.severity, b.report = severity, report
	}
	return found, nil
}

// of returns the forecast of an agent, computed at most once an interval of
// event time; nil when there is too little priced usage of it.
func (f *forecastEngine) of(agent string) (*forecastFinding, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.agents[agent]
	if u == nil {
		return nil, nil
	}
	result, err := f.compute(u)
	if result == nil || err != nil {
		return nil, err
	}
	if today := forecast.DateOf(f.latest); today != u.told {
		u.told = today
		return &forecastFinding{Result: result, News: true}, nil
	}
	if u.finding == nil || u.finding.Result != result {
		u.finding = &forecastFinding{Result: result}
	}
	return u.finding, nil
}

// compute returns a forecast, the last one until it is due again; nil when there
// is too little usage.
func (f *forecastEngine) compute(u *usage) (*forecast.Result, error) {
	if u.last != nil && f.latest.Before(u.due) {
		return u.last, nil
	}
	if !u.history.Ready() {
		return nil, nil
	}
	result, err := u.history.Daily(f.cfg.HorizonDays, f.cfg.Method)
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	u.last, u.due = result, f.latest.Add(f.cfg.Interval)
	return result, nil
}

// all returns the forecast of all agents together; nil when there is too little
// usage.
func (f *forecastEngine) all() (*forecast.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.compute(f.total)
}

// observe calls forecasts with the last forecast of each agent, and budgets
// with the last state of each budget.
func (f *forecastEngine) observe(forecasts func(agent string, r *forecast.Result), budgets func(name string, r *forecast.BudgetReport)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, u := range f.agents {
		if u.last != nil {
			forecasts(name, u.last)
		}
	}
	for i := range f.budgets {
		if r := f.budgets[i].report; r != nil {
			budgets(f.budgets[i].Name, r)
		}
	}
}

// usageSnapshot is the engine's part of a snapshot.
type usageSnapshot struct {
	Latest  time.Time                    `json:"latest"`
	Total   json.RawMessage              `json:"total"`
	Agents  map[string]json.RawMessage   `json:"agents"`
	Told    map[string]forecast.Date     `json:"told"`
	Budgets map[string]forecast.Severity `json:"budgets"`

	// What was computed last stands until it is due again.
	BudgetsDue time.Time                         `json:"budgets_due,omitzero"`
	Reports    map[string]*forecast.BudgetReport `json:"budget_reports,omitempty"`
	Due        map[string]time.Time              `json:"due,omitempty"`
	Forecasts  map[string]*forecast.Result       `json:"forecasts,omitempty"`
}

func (f *forecastEngine) snapshot() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := usageSnapshot{
		Latest: f.latest, Agents: map[string]json.RawMessage{}, Told: map[string]forecast.Date{}, Budgets: map[string]forecast.Severity{},
		BudgetsDue: f.budgetsDue, Reports: map[string]*forecast.BudgetReport{}, Due: map[string]time.Time{}, Forecasts: map[string]*forecast.Result{},
	}
	var err error
	if s.Total, err = f.total.history.MarshalJSON(); err != nil {
		return nil, err
	}
	for name, u := range f.agents {
		if s.Agents[name], err = u.history.MarshalJSON(); err != nil {
			return nil, err
		}
		s.Told[name] = u.told
		if u.last != nil {
			s.Due[name], s.Forecasts[name] = u.due, u.last
		}
	}
	for i := range f.budgets {
		b := &f.budgets[i]
		s.Budgets[b.Name] = b.severity
		if b.report != nil {
			s.Reports[b.Name] = b.report
		}
	}
	return json.Marshal(s)
}

func (f *forecastEngine) restore(b []byte) error {
	var s usageSnapshot
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latest, f.recent = s.Latest, nil
	if err := f.total.history.UnmarshalJSON(s.Total); err != nil {
		return fmt.Errorf("total: %w", err)
	}
	for name, raw := range s.Agents {
		u, err := f.newUsage(name)
		if err != nil {
			return err
		}
		if err := u.history.UnmarshalJSON(raw); err != nil {
			return fmt.Errorf("agent %q: %w", name, err)
		}
		u.told = s.Told[name]
		// A forecast by another configuration is not the one to repeat.
		if last := s.Forecasts[name]; last != nil && last.Requested == f.cfg.Method && len(last.DailyPredictions) == f.cfg.HorizonDays {
			u.due, u.last = s.Due[name], last
		}
		f.agents[name] = u
	}
	f.budgetsDue = s.BudgetsDue
	for i := range f.budgets {
		b := &f.budgets[i]
		if severity, ok := s.Budgets[b.Name]; ok {
			b.severity = severity
		}
		// Nor a report on a budget that was another.
		if r := s.Reports[b.Name]; r != nil && r.BudgetUSD == b.LimitUSD && r.Period == b.Period {
			b.report = r
		}
	}
	return nil
}
