package agentlensprocessor

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

// registerGauges registers what is read off the state when metrics are
// collected, and has the counters brought up to date then.
func (p *agentLensProcessor) registerGauges() error {
	t, e := p.telemetry, p.engines
	errs := []error{
		t.RegisterProcessorAgentlensSessionsOpenCallback(func(ctx context.Context, o metric.Int64Observer) error {
			p.tellNow(ctx) // before the counters are read
			open, _ := p.table.Len()
			o.Observe(int64(open))
			return nil
		}),
		t.RegisterProcessorAgentlensSessionsRetainedCallback(func(_ context.Context, o metric.Int64Observer) error {
			_, done := p.table.Len()
			o.Observe(int64(done))
			return nil
		}),
		t.RegisterProcessorAgentlensSnapshotAgeCallback(func(_ context.Context, o metric.Float64Observer) error {
			if _, at := p.state.last(); !at.IsZero() {
				o.Observe(p.now().Sub(at).Seconds())
			}
			return nil
		}),
		t.RegisterProcessorAgentlensSnapshotSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
			if size, at := p.state.last(); !at.IsZero() {
				o.Observe(size)
			}
			return nil
		}),
	}
	if e.drift != nil {
		errs = append(errs, t.RegisterProcessorAgentlensDriftScoreCallback(func(_ context.Context, o metric.Float64Observer) error {
			e.drift.scores(func(agent string, score float64) {
				o.Observe(score, metric.WithAttributes(attribute.String("agent", p.agents.of(agent))))
			})
			return nil
		}))
	}
	if e.forecast != nil {
		errs = append(errs, p.registerForecast())
	}
	err := errors.Join(errs...)
	p.sums.ask(err == nil)
	return err
}

func (p *agentLensProcessor) registerForecast() error {
	budget := func(figure func(*forecast.BudgetReport) float64) metric.Float64Callback {
		return func(_ context.Context, o metric.Float64Observer) error {
			p.engines.forecast.observe(func(string, *forecast.Result) {}, func(name string, r *forecast.BudgetReport) {
				o.Observe(figure(r), metric.WithAttributes(attribute.String("budget", name)))
			})
			return nil
		}
	}
	return errors.Join(
		p.telemetry.RegisterProcessorAgentlensForecastDailyCostCallback(func(_ context.Context, o metric.Float64Observer) error {
			p.engines.forecast.observe(func(agent string, r *forecast.Result) {
				o.Observe(r.TotalPredictedCost/float64(len(r.DailyPredictions)),
					metric.WithAttributes(attribute.String("agent", p.agents.of(agent))))
			}, func(string, *forecast.BudgetReport) {})
			return nil
		}),
		p.telemetry.RegisterProcessorAgentlensForecastTotalDailyCostCallback(func(_ context.Context, o metric.Float64Observer) error {
			r, err := p.engines.forecast.all()
			if r != nil {
				o.Observe(r.TotalPredictedCost / float64(len(r.DailyPredictions)))
			}
			return err
		}),
		p.telemetry.RegisterProcessorAgentlensBudgetLimitCallback(budget(func(r *forecast.BudgetReport) float64 { return r.BudgetUSD })),
		p.telemetry.RegisterProcessorAgentlensBudgetSpentCallback(budget(func(r *forecast.BudgetReport) float64 { return r.SpentUSD })),
		p.telemetry.RegisterProcessorAgentlensBudgetProjectedCallback(budget(func(r *forecast.BudgetReport) float64 { return r.ProjectedUSD })),
	)
}
