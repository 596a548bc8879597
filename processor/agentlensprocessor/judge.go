package agentlensprocessor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// maxUnsent bounds the reports that wait for a next consumer which refuses.
const maxUnsent = 10_000

// complete gives the verdict on a session that has just been completed, or
// whose completed state has changed.
func (p *agentLensProcessor) complete(ctx context.Context, b *batch, s *sessions.Session) report {
	rep := p.judge(ctx, b, s)
	p.addDrift(ctx, &rep, b.now)
	return rep
}

// judge gives the verdict, but for drift.
func (p *agentLensProcessor) judge(ctx context.Context, b *batch, s *sessions.Session) report {
	first := s.Revision == 0
	s.Revision++
	v, err := p.engines.judge(s, b)
	if err != nil {
		p.engineError(ctx, "forecast", err)
	}
	s.Verdict = fingerprint(s.Summary, v.compliance)
	if first {
		b.tally.statuses = count(b.tally.statuses, string(s.Summary.Status), 1)
	}
	return newReport(s, v)
}

// addDrift adds the session reported on to its agent's drift at the time now, and to
// the report where the agent stands.
func (p *agentLensProcessor) addDrift(ctx context.Context, rep *report, now time.Time) {
	if p.engines.drift == nil || rep.summary.Events == 0 {
		return
	}
	var err error
	if rep.verdict.drift, err = p.engines.drift.add(rep.summary, rep.service.Version, rep.revision, now); err != nil {
		p.engineError(ctx, "drift", err)
	}
}

// revise gives the verdict again on a session that had one before its latest
// span, and keeps it; not when that span has changed nothing.
func (p *agentLensProcessor) revise(ctx context.Context, b *batch, s *sessions.Session) {
	if fingerprint(s.Summary, p.engines.check(nil, s, nil)) != s.Verdict {
		b.keep(p.complete(ctx, b, s))
	}
}

// repeat returns what to write onto a copy of a root: the verdict on its session
// as it stands, or where the session is held no more as it was, with what was
// news in the first; nil when r is no such root.
func (p *agentLensProcessor) repeat(s *sessions.Session, r *spanevent.Reading, first *report) *report {
	rep := first
	if s.EndedBy(r) {
		s.Assemble()
		standing := newReport(s, p.engines.standing(s))
		if rep = &standing; first != nil {
			rep.verdict.drift, rep.verdict.forecast = first.verdict.drift, first.verdict.forecast
		}
	}
	if rep == nil || !rep.fitsOn(r) {
		return nil
	}
	return rep
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
	var idle []*report
	var b batch
	now := p.now()
	p.table.Sweep(now, func(s *sessions.Session, _ sessions.Event) {
		rep := p.judge(ctx, &b, s)
		// Drift takes in the lists, too, when the session is unlocked.
		rep.summary = &analysis.Summary{SessionID: s.Summary.SessionID}
		rep.summary.Merge(s.Summary)
		b.checked = nil
		idle = append(idle, &rep)
	})
	p.tell(ctx, &b.tally, now)
	// The table's order says nothing of theirs.
	slices.SortFunc(idle, func(a, b *report) int {
		return cmp.Or(a.summary.EndedAt.Compare(b.summary.EndedAt), cmp.Compare(a.summary.SessionID, b.summary.SessionID))
	})
	for i := range idle {
		p.addDrift(ctx, idle[i], now)
	}
	reports := append(p.unsent.take(), idle...)
	if len(reports) == 0 {
		return
	}
	td := ptrace.NewTraces()
	appendReports(td, reports)
	if err := p.next.ConsumeTraces(ctx, td); err != nil {
		p.unsent.keep(p.logger, reports, err)
	}
}
