package agentlensprocessor

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// batch is the GenAI spans of a batch on their way.
type batch struct {
	now   time.Time
	spans []readSpan
	// own and foreign say whose spans there are: the SDK's, or others'.
	own, foreign bool
	// copied says that a span tells a call that another told before.
	copied bool
	// found is how many spans the engines that watch the stream have seen.
	found   int
	reports []*report
	// dialects counts the spans of each, costs what calls cost by their labels.
	dialects []dialectCount
	costs    []costCount
	// told is room for what the spans told.
	told []sessions.Told
}

type dialectCount struct {
	name  string
	spans int64
}

func (b *batch) count(dialect string) {
	for i := range b.dialects {
		if b.dialects[i].name == dialect {
			b.dialects[i].spans++
			return
		}
	}
	b.dialects = append(b.dialects, dialectCount{dialect, 1})
}

type costCount struct {
	costLabels
	usd float64
}

// maxCosts is how many sums are as quickly looked through.
const maxCosts = 32

// spend counts what a call cost. It reports false when there are too many sums.
func (b *batch) spend(l costLabels, usd float64) bool {
	for i := range b.costs {
		if b.costs[i].costLabels == l {
			b.costs[i].usd += usd
			return true
		}
	}
	if len(b.costs) == maxCosts {
		return false
	}
	b.costs = append(b.costs, costCount{l, usd})
	return true
}

// maxReused is the largest batch, in spans, whose memory is kept.
const maxReused = 1_000

// release lets another call use the memory of a batch. Nothing keeps a span of
// it.
func (p *agentLensProcessor) release(b *batch) {
	if cap(b.spans) > maxReused {
		return
	}
	for i := range b.spans {
		b.spans[i].clear()
	}
	clear(b.told[:cap(b.told)])
	*b = batch{spans: b.spans[:0], dialects: b.dialects[:0], costs: b.costs[:0], told: b.told[:0]}
	p.batches.Put(b)
}

// next returns the place of a further span, empty.
func (b *batch) next() *readSpan {
	n := len(b.spans)
	b.spans = slices.Grow(b.spans, 1)[:n+1]
	return &b.spans[n]
}

// readSpan is a GenAI span, what it tells, and what became of it.
type readSpan struct {
	span    ptrace.Span
	reading spanevent.Reading
	service sessions.Service
	told    sessions.Told
	// again says that the span was processed before.
	again bool
}

func (s *readSpan) key() spanKey { return spanKey{s.reading.TraceID, s.reading.SpanID} }

// clear forgets the span, but keeps the memory of what it told.
func (s *readSpan) clear() {
	s.reading.Clear()
	s.span, s.service, s.told, s.again = ptrace.Span{}, sessions.Service{}, sessions.Told{}, false
}
