package agentlensprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// find shows the spans before the i-th, as far as that has not been done, to the
// engines that watch the stream, and makes them what they are to leave as. Only
// then it is known which spans repeat a call that others tell.
func (p *agentLensProcessor) find(ctx context.Context, b *batch, i int) {
	if b.found >= i {
		return
	}
	spans := b.spans[b.found:i]
	b.found = i
	if b.copied {
		if b.own && b.foreign {
			p.preferOwn(b, spans)
		}
		markCopies(spans)
	}
	for i := range spans {
		p.findIn(ctx, b, &spans[i])
		p.rewrite(&spans[i])
	}
}

// findIn writes onto a span what it is, what its call cost, and what the engines
// find in it.
func (p *agentLensProcessor) findIn(ctx context.Context, b *batch, s *readSpan) {
	span, r := s.span, &s.reading
	if r.Role == spanevent.RoleSessionReport {
		return
	}
	spanevent.Stamp(span, r)
	t := &s.told
	switch {
	case r.Role == spanevent.RoleEvent:
		if t.CostSource != "" {
			spanevent.StampCost(span, r.Event.CostUSD.V, t.CostSource, t.PricingVersion)
		}
		if len(t.From) > 0 {
			spanevent.StampCopied(span, &r.Event)
		}
		if s.again {
			found := p.told.ofEvent(s.key())
			p.stampFound(span, r, &found)
			return
		}
		p.countCost(b, r, t.CostSource)
		var found eventFindings
		p.observe(ctx, r, b.now, &found)
		if found.any() {
			p.stampFound(span, r, &found)
			p.told.events.Add(s.key(), found)
		}
	case len(t.Copies.Of) > 0 && !t.Copies.Priced && t.CostSource != "":
		// The event went on without its cost, which only this copy knows.
		spanevent.StampCost(span, r.Event.CostUSD.V, t.CostSource, t.PricingVersion)
		if !s.again {
			p.countCost(b, r, t.CostSource)
			p.spend(ctx, s)
		}
	}
}

// observe shows an event to the engines that watch the stream.
func (p *agentLensProcessor) observe(ctx context.Context, r *spanevent.Reading, now time.Time, found *eventFindings) {
	if err := p.engines.observe(&r.Event, r.Agent(), now, found); err != nil {
		p.engineError(ctx, "forecast", err)
	}
	if found.late {
		p.telemetry.ProcessorAgentlensAlertsLateEvents.Add(ctx, 1)
	}
	if len(found.alerts) > 0 {
		p.countFired(ctx, found.alerts)
	}
}

func (p *agentLensProcessor) countFired(ctx context.Context, alerts []alert.Alert) {
	for i := range alerts {
		if a := &alerts[i]; !a.Resolved {
			p.telemetry.ProcessorAgentlensAlertsFired.Add(ctx, 1, metric.WithAttributes(
				attribute.String("rule", a.RuleName), attribute.String("severity", string(a.Severity))))
		}
	}
}

// spend adds the cost of a call to the usage that is forecast, and writes onto
// the span the budgets that it exceeds.
func (p *agentLensProcessor) spend(ctx context.Context, s *readSpan) {
	if p.engines.forecast == nil {
		return
	}
	budgets, err := p.engines.forecast.add(&s.reading.Event, s.reading.Agent())
	if err != nil {
		p.engineError(ctx, "forecast", err)
	}
	p.stampFound(s.span, &s.reading, &eventFindings{budgets: budgets})
}

// stampFound writes onto an event's span what the engines have found in it.
func (p *agentLensProcessor) stampFound(span ptrace.Span, r *spanevent.Reading, found *eventFindings) {
	spanevent.StampAlerts(span, found.alerts)
	for i := range found.budgets {
		b := &found.budgets[i]
		spanevent.StampBudget(span, b.Name, b.Agent, b.Report, r.Event.Timestamp)
	}
}

// engineError tells of an event or session that an engine has left out.
func (p *agentLensProcessor) engineError(ctx context.Context, engine string, err error) {
	p.telemetry.ProcessorAgentlensEngineErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("engine", engine)))
	p.logger.Debug("An engine has left something out", zap.String("engine", engine), zap.Error(err))
}

// rewrite makes the span what it is to leave as, when all engines have seen it.
func (p *agentLensProcessor) rewrite(s *readSpan) {
	if p.cfg.Normalize || p.content.Changes() && s.reading.FiguresInContent {
		spanevent.Normalize(s.span, &s.reading)
	}
	p.content.Apply(s.span, true)
}
