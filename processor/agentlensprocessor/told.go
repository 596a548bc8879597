package agentlensprocessor

import (
	"context"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
)

// A sender whose batch was refused further on sends it again. Its spans then
// are no news to the engines, but what was found on them is still to be told:
// the first copy may have gone nowhere.

// maxTold bounds the events whose findings are remembered. At least as many of
// the latest roots are, unless they take more than maxToldBytes.
const (
	maxTold      = 10_000
	maxToldBytes = 8 << 20
)

// told remembers what was found on spans, to say it again on a copy: on an event
// by the engines that watch the stream, which is rare, on a root, which is none,
// of its session.
type told struct {
	events *lru.Cache[spanKey, eventFindings]
	roots  *toldRoots
}

type spanKey struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

func newTold() told {
	events, err := lru.New[spanKey, eventFindings](maxTold)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return told{events, newToldRoots(maxTold, maxToldBytes)}
}

func (t told) ofEvent(k spanKey) eventFindings {
	f, _ := t.events.Get(k)
	return f
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
