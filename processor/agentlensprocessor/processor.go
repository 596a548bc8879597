package agentlensprocessor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
	"github.com/agentlens/agentlens-otel/semconv"
)

// agentLensProcessor is the processor. Its state is the table of sessions, and
// what the engines have learnt.
type agentLensProcessor struct {
	cfg       *Config
	id        component.ID
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	next      consumer.Traces
	engines   *engines
	content   *spanevent.ContentPolicy
	// unread is the content of events that nothing here looks at.
	unread spanevent.Content
	// screens say of the rest what is looked at in vain; nil for none.
	screens *spanevent.Screens
	table   *sessions.Table
	state   *stateStore
	now     func() time.Time

	// resourceKeys are the resource attributes that sessions keep.
	resourceKeys   []string
	agents, models *labels
	// statuses are what roots say; whoever writes them may say anything.
	statuses *labels
	sums     sums
	// unpriced are the models told of as having no price.
	unpriced *labels

	told   told
	unsent unsent
	// batches are used again: the spans of one take about a kilobyte each.
	batches sync.Pool

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
	p := &agentLensProcessor{
		cfg: cfg, id: set.ID, logger: set.Logger, telemetry: telemetry, next: next, engines: engines, content: content, now: time.Now,
		table: sessions.NewTable(sessions.Limits{
			MaxSessions: cfg.MaxSessions, IdleTimeout: cfg.IdleTimeout, Retention: cfg.Retention, MaxSpanIDs: cfg.MaxSpanIDs,
		}),
		resourceKeys: resourceKeys(cfg.Compliance), agents: newLabels(), models: newLabels(), statuses: newLabels(), unpriced: newLabels(),
		sums: sums{costs: map[costLabels]*costSum{}},
		told: newTold(), unsent: unsent{inBatch: map[ptrace.Traces][]*report{}},
	}
	if p.unread = p.unreadContent(); p.unread != 0 && p.engines.alerts != nil {
		p.screens = p.engines.alerts.screens()
	}
	p.state = newStateStore(p)
	return p, nil
}

// unreadContent returns the content of events that no alert rule looks at and
// that is not written again in other keys. An event's id is not looked at: what
// is found goes onto its span.
func (p *agentLensProcessor) unreadContent() spanevent.Content {
	switch {
	case p.cfg.Normalize || p.content.Changes():
		return 0
	case p.engines.alerts != nil:
		return p.engines.alerts.unread()
	}
	return spanevent.ContentAll
}

func (p *agentLensProcessor) start(ctx context.Context, host component.Host) error {
	if err := p.registerGauges(); err != nil {
		return err
	}
	if err := p.state.open(ctx, host); err != nil {
		return err
	}
	background, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	p.done.Go(func() { p.sweepUntil(background) })
	p.done.Go(func() { p.state.saveUntil(background) })
	return nil
}

func (p *agentLensProcessor) shutdown(ctx context.Context) error {
	var err error
	if p.stop != nil {
		p.stop()
		p.done.Wait()
		p.stop = nil
		err = p.state.close(ctx)
	}
	p.sums.ask(false)
	p.tellNow(ctx)
	p.telemetry.Shutdown()
	return err
}

// process is the way of a batch. The spans go on as they came, with findings;
// reports on sessions that a span of the batch completed or changed go with
// them. All spans are read before any is judged, for the span that names a
// session is often the last of its trace.
func (p *agentLensProcessor) process(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	b, _ := p.batches.Get().(*batch)
	if b == nil {
		b = newBatch()
	}
	defer p.release(b)
	b.now = p.now()
	b.binder = p.table.Binder()
	for _, rs := range td.ResourceSpans().All() {
		service := p.serviceOf(rs.Resource())
		for _, ss := range rs.ScopeSpans().All() {
			scope := spanevent.ForScope(ss.Scope()).Without(p.unread).Screened(p.screens).In(b.work)
			for _, span := range ss.Spans().All() {
				s := b.next()
				r := &s.reading
				if !scope.ReadInto(r, span) {
					b.spans = b.spans[:len(b.spans)-1]
					p.content.Apply(span, false)
					continue
				}
				s.span, s.service = span, service
				if p.engines.drift != nil && r.SessionID != "" && !r.Own {
					p.engines.drift.named(r.TraceID, r.SessionID)
				}
				b.binder.Bind(r)
				if r.Role == spanevent.RoleEvent {
					s.told.CostSource, s.told.PricingVersion = p.engines.price(&r.Event)
				}
				b.own, b.foreign = b.own || r.Own, b.foreign || !r.Own
				b.tally.dialects = count(b.tally.dialects, r.Dialect, 1)
			}
		}
	}
	p.assemble(ctx, b)
	p.find(ctx, b, len(b.spans))
	p.tell(ctx, &b.tally, b.now)
	p.table.Rest(b.now)
	if len(b.reports) > 0 {
		appendReports(td, b.reports)
		p.unsent.mu.Lock()
		p.unsent.inBatch[td] = b.reports
		p.unsent.mu.Unlock()
	}
	return td, nil
}

// assemble adds the spans to their sessions, and writes onto those that end one the
// verdict.
func (p *agentLensProcessor) assemble(ctx context.Context, b *batch) {
	b.binder.Observe(&sessions.Batch{
		Size: len(b.spans), Reading: b.reading, Service: func(i int) sessions.Service { return b.spans[i].service },
		Observed: func(i int, of *sessions.Session, what sessions.Event, copies sessions.Copies) {
			s := &b.spans[i]
			s.told.Copies = copies
			b.copied = b.copied || len(copies.Of) > 0
			if version := s.reading.AgentVersion; version != "" {
				of.SetVersion(version)
			}
			// In functions of their own, for what they need of the stack is much, and
			// most spans need none of it.
			switch what {
			case sessions.Duplicate:
				s.again = true
				b.tally.duplicates++
				p.repeated(s, of)
			case sessions.Ended:
				p.ended(ctx, b, i, of)
			case sessions.Late:
				p.late(ctx, b, i, of)
			}
		},
		Evicted: func(i int, of *sessions.Session, _ sessions.Event) { p.evicted(ctx, b, i, of) },
	}, b.now)
}

// repeated writes onto the copy of a root the verdict that the first had: a
// backend may put it in the place of that.
func (p *agentLensProcessor) repeated(s *readSpan, of *sessions.Session) {
	if rep := p.repeat(of, &s.reading, p.told.roots.of(s.key())); rep != nil {
		rep.stamp(s.span, &s.reading)
	}
}

// ended gives the verdict on the session that the i-th span ends: a report where
// it cannot stand on the span. Before, the engines see the spans that came
// before.
func (p *agentLensProcessor) ended(ctx context.Context, b *batch, i int, of *sessions.Session) {
	p.find(ctx, b, i)
	s, rep := &b.spans[i], p.complete(ctx, b, of)
	if rep.fitsOn(&s.reading) {
		rep.stamp(s.span, &s.reading)
		p.told.roots.add(s.key(), &rep)
	} else {
		b.keep(rep)
	}
}

// late gives the verdict again when the i-th span changes it.
func (p *agentLensProcessor) late(ctx context.Context, b *batch, i int, of *sessions.Session) {
	p.find(ctx, b, i)
	p.revise(ctx, b, of)
}

// evicted gives the verdict on a session that is let go of for that of the i-th
// span.
func (p *agentLensProcessor) evicted(ctx context.Context, b *batch, i int, of *sessions.Session) {
	b.tally.evicted++
	p.find(ctx, b, i)
	b.keep(p.complete(ctx, b, of))
}

// serviceOf keeps of a resource what sessions need of it.
func (p *agentLensProcessor) serviceOf(resource pcommon.Resource) sessions.Service {
	var s sessions.Service
	attrs := resource.Attributes()
	if v, ok := attrs.Get(semconv.ServiceName); ok {
		s.Name = v.AsString()
	}
	if v, ok := attrs.Get(semconv.ServiceVersion); ok {
		s.Version = v.AsString()
	}
	if len(p.resourceKeys) > 0 {
		var b strings.Builder
		for _, key := range p.resourceKeys {
			if v, ok := attrs.Get(key); ok {
				b.WriteString(attributeOf(key, v.AsString()))
			}
		}
		s.Attributes = b.String()
	}
	return s
}
