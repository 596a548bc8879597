package agentlensprocessor

import (
	"context"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/internal/sessions"
)

// A sender whose batch was refused further on sends it again. Its spans then
// are no news to the engines, but what was found on them is still to be told:
// the first copy may have gone nowhere.

// maxTold bounds the spans whose findings are remembered.
const maxTold = 10_000

// told remembers what was found on spans, to say it again on a copy.
type told struct {
	spans *lru.Cache[spanKey, toldFindings]
}

type spanKey struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

// toldFindings is what was found on one span: on an event by the engines that
// watch the stream, on a root, which is none, of its session.
type toldFindings struct {
	event eventFindings
	root  *toldRoot
}

// toldRoot is what the report on a root's span was made of: a tenth of the
// report.
type toldRoot struct {
	session  sessions.Packed
	drift    *driftFinding
	forecast *forecastFinding
}

func newTold() told {
	spans, err := lru.New[spanKey, toldFindings](maxTold)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return told{spans}
}

func (t told) events(k spanKey, f eventFindings) {
	if len(f.alerts) > 0 || len(f.budgets) > 0 {
		t.spans.Add(k, toldFindings{event: f})
	}
}

func (t told) root(k spanKey, s *sessions.Session, v *verdict) {
	t.spans.Add(k, toldFindings{root: &toldRoot{s.Pack(), v.drift, v.forecast}})
}

func (t told) of(k spanKey) toldFindings {
	held, _ := t.spans.Get(k)
	return held
}

// unsent holds reports that the next consumer has refused, until the next
// sweep.
type unsent struct {
	mu      sync.Mutex
	reports []*report
	// inBatch holds the reports that were appended to batches on their way.
	inBatch map[ptrace.Traces][]*report
}

// keep keeps the newest maxUnsent reports.
func (u *unsent) keep(logger *zap.Logger, reports []*report, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reports = append(u.reports, reports...)
	lost := max(0, len(u.reports)-maxUnsent)
	u.reports = u.reports[lost:]
	logger.Warn("The next component has refused reports on sessions; they are sent again",
		zap.Int("reports", len(u.reports)), zap.Int("lost", lost), zap.Error(err))
}

func (u *unsent) take() []*report {
	u.mu.Lock()
	defer u.mu.Unlock()
	reports := u.reports
	u.reports = nil
	return reports
}

// forward is the next consumer as the batches reach it: reports in a batch that
// is refused are kept, for its sender only knows the spans that it sent.
func (p *agentLensProcessor) forward(ctx context.Context, td ptrace.Traces) error {
	p.unsent.mu.Lock()
	reports := p.unsent.inBatch[td]
	delete(p.unsent.inBatch, td)
	p.unsent.mu.Unlock()
	err := p.next.ConsumeTraces(ctx, td)
	if err != nil && len(reports) > 0 {
		p.unsent.keep(p.logger, reports, err)
	}
	return err
}
