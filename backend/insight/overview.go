package insight

import (
	"context"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Overview is how things stand.
type Overview struct {
	Days int `json:"period_days"`
	// Sessions are the sums over the sessions that started in the period.
	Sessions store.Totals `json:"sessions"`
	Active   int          `json:"active_sessions"`
	Errored  int          `json:"error_sessions"`
	// ErrorRate is the share of sessions with status error.
	ErrorRate analysis.Opt[float64] `json:"error_rate"`
	// P50LatencyMS and P95LatencyMS are of LLM calls, within 1 %.
	P50LatencyMS analysis.Opt[float64] `json:"p50_latency_ms"`
	P95LatencyMS analysis.Opt[float64] `json:"p95_latency_ms"`

	Compliance *Compliance `json:"compliance"`
	// WorstDrift is that of the agent with the highest score; nil while no
	// agent has sessions to compare.
	WorstDrift *DriftVerdict `json:"worst_drift"`
	Costs      *Costs        `json:"costs"`
	Alerts     []AlertEvent  `json:"latest_alerts"`
	Agents     []store.Agent `json:"agents"`
	// Daily are the sessions by day and status.
	Daily []store.SessionDay `json:"-"`
}

// Horizon is how many days an overview forecasts.
const Horizon = 14

// latestAlerts is how many alerts an overview has.
const latestAlerts = 6

// MaxDrifts bounds the agents of which a page looks at the drift: those with the
// latest sessions.
const MaxDrifts = 50

// Overview returns the figures of the last days.
func (s *Source) Overview(ctx context.Context, days int) (*Overview, error) {
	r := s.Period(days, "")
	o := &Overview{Days: days}
	sums, err := s.store.SessionSums(ctx, r)
	if err != nil {
		return nil, err
	}
	o.Sessions, o.Active, o.Errored = sums.Totals, sums.Statuses[analysis.StatusActive], sums.Statuses[analysis.StatusError]
	o.ErrorRate = rate(int64(o.Errored), int64(o.Sessions.Sessions))
	if o.Daily, err = s.store.SessionDays(ctx, r); err != nil {
		return nil, err
	}
	d, err := s.store.Latency(ctx, r, string(analysis.EventLLMCall))
	if err != nil {
		return nil, err
	}
	if d.N > 0 {
		o.P50LatencyMS, o.P95LatencyMS = analysis.Some(d.Quantile(0.5)), analysis.Some(d.Quantile(0.95))
	}
	if o.Compliance, err = s.Compliance(ctx, "", days); err != nil {
		return nil, err
	}
	if o.Costs, err = s.Costs(ctx, "", days, Horizon, ""); err != nil {
		return nil, err
	}
	alerts, err := s.Alerts(ctx, AlertQuery{Limit: latestAlerts})
	if err != nil {
		return nil, err
	}
	o.Alerts = alerts.Events
	if o.Agents, err = s.store.Agents(ctx, r); err != nil {
		return nil, err
	}
	return o, s.worstDrift(ctx, o)
}

func (s *Source) worstDrift(ctx context.Context, o *Overview) error {
	for i := range min(len(o.Agents), MaxDrifts) {
		v, ok, err := s.Verdict(ctx, &o.Agents[i])
		if err != nil {
			return err
		}
		if ok && (o.WorstDrift == nil || v.Score > o.WorstDrift.Score) {
			o.WorstDrift = &v
		}
	}
	return nil
}
