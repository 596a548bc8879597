package agentlensprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// maxUnsent bounds the reports that wait for a next consumer which refuses.
const maxUnsent = 10_000

// complete gives the verdict on a session that has just been completed, or
// whose completed state has changed.
func (p *agentLensProcessor) complete(ctx context.Context, s *sessions.Session) report {
	first := s.Revision == 0
	s.Revision++
	v, err := p.engines.judge(s, s.Revision)
	if err != nil {
		p.engineError(ctx, "session", err)
	}
	s.Verdict = fingerprint(&s.Summary, v.compliance)
	if first {
		p.telemetry.ProcessorAgentlensSessionsCompleted.Add(ctx, 1,
			metric.WithAttributes(attribute.String("status", string(s.Summary.Status))))
	}
	for _, report := range v.compliance {
		for i := range report.Results {
			result := &report.Results[i]
			p.telemetry.ProcessorAgentlensComplianceResults.Add(ctx, 1, metric.WithAttributes(
				attribute.String("policy", report.Policy), attribute.String("rule", string(result.Kind)),
				attribute.String("verdict", string(result.Verdict))))
		}
	}
	return newReport(s, v)
}

// revise gives the verdict again on a session that had one before its latest
// span; false when that span has changed nothing.
func (p *agentLensProcessor) revise(ctx context.Context, s *sessions.Session) (report, bool) {
	if fingerprint(&s.Summary, p.engines.check(s)) == s.Verdict {
		return report{}, false
	}
	return p.complete(ctx, s), true
}

// repeat returns what to write onto a copy of a root: the verdict on its session
// as it stands, with what was news in the first, or the first where the session
// is held no more; nil when r is no such root.
func (p *agentLensProcessor) repeat(s *sessions.Session, r *spanevent.Reading, first *report) *report {
	if !s.EndedBy(r) {
		return first
	}
	s.Assemble()
	v := p.engines.standing(s)
	if first != nil {
		v.drift, v.forecast = first.verdict.drift, first.verdict.forecast
	}
	rep := newReport(s, v)
	if !rep.fitsOn(r) {
		return nil
	}
	return &rep
}

// sweepUntil completes idle sessions until ctx is done.
func (p *agentLensProcessor) sweepUntil(ctx context.Context) {
	ticker := time.NewTicker(min(time.Second, p.cfg.IdleTimeout))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			p.sweep(ctx)
		}
	}
}

// sweep completes the sessions that have been idle and sends the reports on
// them to the next consumer, with no session locked. Reports that it refuses
// are sent again with the next sweep.
func (p *agentLensProcessor) sweep(ctx context.Context) {
	reports := p.unsent.take()
	p.table.Sweep(p.now(), func(s *sessions.Session, _ sessions.Event) {
		reports = append(reports, p.complete(ctx, s))
	})
	if len(reports) == 0 {
		return
	}
	td := ptrace.NewTraces()
	appendReports(td, reports)
	if err := p.next.ConsumeTraces(ctx, td); err != nil {
		p.unsent.keep(p.logger, reports, err)
	}
}
