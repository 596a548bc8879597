package agentlensprocessor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
	"github.com/agentlens/agentlens-otel/semconv"
)

// agentLensProcessor is the processor. Its state is the table of sessions.
type agentLensProcessor struct {
	cfg       *Config
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	next      consumer.Traces
	engines   *engines
	content   *spanevent.ContentPolicy
	table     *sessions.Table
	now       func() time.Time

	stop context.CancelFunc
	done sync.WaitGroup
}

func newProcessor(set processor.Settings, cfg *Config, next consumer.Traces) (*agentLensProcessor, error) {
	engines, err := newEngines(cfg)
	if err != nil {
		return nil, err
	}
	content, err := spanevent.NewContentPolicy(&cfg.Content)
	if err != nil {
		return nil, fmt.Errorf("`content`: %w", err)
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return &agentLensProcessor{
		cfg: cfg, logger: set.Logger, telemetry: telemetry, next: next, engines: engines, content: content, now: time.Now,
		table: sessions.NewTable(sessions.Limits{
			MaxSessions: cfg.MaxSessions, IdleTimeout: cfg.IdleTimeout, Retention: cfg.Retention, MaxSpanIDs: cfg.MaxSpanIDs,
		}),
	}, nil
}

func (p *agentLensProcessor) start(context.Context, component.Host) error {
	err := p.telemetry.RegisterProcessorAgentlensSessionsOpenCallback(func(_ context.Context, o metric.Int64Observer) error {
		open, _ := p.table.Len()
		o.Observe(int64(open))
		return nil
	})
	if err != nil {
		return fmt.Errorf("register the gauge of open sessions: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	p.done.Go(func() { p.sweepUntil(ctx) })
	return nil
}

func (p *agentLensProcessor) shutdown(context.Context) error {
	if p.stop != nil {
		p.stop()
		p.done.Wait()
		p.stop = nil
	}
	p.telemetry.Shutdown()
	return nil
}

// process is the way of a batch. The spans go on as they came, with findings;
// reports on sessions that a span of the batch completed or changed go with
// them. All spans are read before any is judged, for the span that names a
// session is often the last of its trace.
func (p *agentLensProcessor) process(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	now := p.now()
	var batch []readSpan
	for _, rs := range td.ResourceSpans().All() {
		service := serviceOf(rs.Resource())
		for _, ss := range rs.ScopeSpans().All() {
			scope := spanevent.ForScope(ss.Scope())
			for _, span := range ss.Spans().All() {
				r := scope.Read(span)
				if r.Role == spanevent.RoleNone {
					p.content.Apply(span, false)
					continue
				}
				p.table.Bind(&r)
				batch = append(batch, readSpan{span, r, service})
			}
		}
	}
	var reports []report
	for i := range batch {
		reports = p.processSpan(ctx, &batch[i], now, reports)
		p.rewrite(&batch[i])
	}
	appendReports(td, reports)
	return td, nil
}

// readSpan is a GenAI span and what it tells.
type readSpan struct {
	span    ptrace.Span
	reading spanevent.Reading
	service sessions.Service
}

// processSpan adds one GenAI span to its session and writes onto it what was
// found. What cannot stand on it is appended to reports.
func (p *agentLensProcessor) processSpan(ctx context.Context, s *readSpan, now time.Time, reports []report) []report {
	span, r := s.span, &s.reading
	p.telemetry.ProcessorAgentlensSpans.Add(ctx, 1, metric.WithAttributes(attribute.String("dialect", r.Dialect)))
	if r.Role == spanevent.RoleSessionReport {
		// Another processor's report on a session that it has assembled.
		return reports
	}
	var source, version string
	if r.Role == spanevent.RoleEvent {
		source, version = p.engines.price(&r.Event)
	}
	again := false
	p.table.Observe(r, s.service, now, func(s *sessions.Session, what sessions.Event) {
		again = what == sessions.Duplicate
		// Only now it is known whether the span repeats a call told before.
		spanevent.Stamp(span, r)
		switch what {
		case sessions.Duplicate:
			p.telemetry.ProcessorAgentlensSpansDuplicate.Add(ctx, 1)
		case sessions.Ended:
			if rep := p.complete(ctx, s); rep.fitsOn(r) {
				rep.stamp(span, r)
			} else {
				reports = append(reports, rep)
			}
		case sessions.Late:
			if rep, changed := p.revise(ctx, s); changed {
				reports = append(reports, rep)
			}
		}
	}, func(s *sessions.Session, _ sessions.Event) {
		p.telemetry.ProcessorAgentlensSessionsEvicted.Add(ctx, 1)
		reports = append(reports, p.complete(ctx, s))
	})
	if r.Role == spanevent.RoleEvent {
		if source != "" {
			spanevent.StampCost(span, r.Event.CostUSD.V, source, version)
		}
		if !again {
			p.countCost(ctx, r, source)
		}
	}
	return reports
}

// countCost counts what a call cost, or that its price is not known.
func (p *agentLensProcessor) countCost(ctx context.Context, r *spanevent.Reading, source string) {
	switch {
	case source != "":
		p.telemetry.ProcessorAgentlensCost.Add(ctx, r.Event.CostUSD.V, metric.WithAttributes(
			attribute.String("agent", r.Agent()), attribute.String("model", r.Event.Model)))
	case p.engines.prices != nil && priced(r.Event.Type):
		p.telemetry.ProcessorAgentlensUnpricedCalls.Add(ctx, 1)
	}
}

// rewrite makes the span what it is to leave as, when all engines have seen it.
func (p *agentLensProcessor) rewrite(s *readSpan) {
	if p.cfg.Normalize || p.content.Changes() && s.reading.FiguresInContent {
		spanevent.Normalize(s.span, &s.reading)
	}
	p.content.Apply(s.span, true)
}

// complete gives the verdict on a session that has just been completed.
func (p *agentLensProcessor) complete(ctx context.Context, s *sessions.Session) report {
	v := p.engines.judge(&s.Summary)
	s.Verdict = v.String()
	s.Revision++
	p.telemetry.ProcessorAgentlensSessionsCompleted.Add(ctx, 1,
		metric.WithAttributes(attribute.String("status", string(s.Summary.Status))))
	for _, report := range v.compliance {
		for _, result := range report.Results {
			p.telemetry.ProcessorAgentlensComplianceResults.Add(ctx, 1, metric.WithAttributes(
				attribute.String("policy", report.Policy), attribute.String("rule", string(result.Kind)),
				attribute.String("verdict", string(result.Verdict))))
		}
	}
	return newReport(s, v)
}

// revise gives the verdict again on a session that had one before its latest
// span; false when it is the same.
func (p *agentLensProcessor) revise(ctx context.Context, s *sessions.Session) (report, bool) {
	v := p.engines.judge(&s.Summary)
	if v.String() == s.Verdict {
		return report{}, false
	}
	return p.complete(ctx, s), true
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
			if err := p.sweep(ctx); err != nil {
				p.logger.Warn("Reports on idle sessions were refused by the next component and are lost", zap.Error(err))
			}
		}
	}
}

// sweep completes the sessions that have been idle and sends the reports on
// them to the next consumer, with no session locked.
func (p *agentLensProcessor) sweep(ctx context.Context) error {
	var reports []report
	p.table.Sweep(p.now(), func(s *sessions.Session, _ sessions.Event) {
		reports = append(reports, p.complete(ctx, s))
	})
	if len(reports) == 0 {
		return nil
	}
	td := ptrace.NewTraces()
	appendReports(td, reports)
	return p.next.ConsumeTraces(ctx, td)
}

func serviceOf(resource pcommon.Resource) sessions.Service {
	var s sessions.Service
	if v, ok := resource.Attributes().Get(semconv.ServiceName); ok {
		s.Name = v.AsString()
	}
	if v, ok := resource.Attributes().Get(semconv.ServiceVersion); ok {
		s.Version = v.AsString()
	}
	return s
}
