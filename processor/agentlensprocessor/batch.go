package agentlensprocessor

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// batch is the GenAI spans of a batch on their way.
type batch struct {
	now   time.Time
	spans []readSpan
	// binder settles which sessions they belong to.
	binder sessions.Binder
	// own and foreign say whose spans there are: the SDK's, or others'.
	own, foreign bool
	// copied says that a span tells a call that another told before.
	copied bool
	// found is how many spans the engines that watch the stream have seen.
	found   int
	reports []*report
	// checked is what policies said last, in memory for the next unless a report
	// with it is kept.
	checked []*compliance.Report
	tally   tally
	// told is room for what the spans told.
	told []sessions.Told
	// work is where the spans are read.
	work *spanevent.Workspace
}

func newBatch() *batch { return &batch{work: &spanevent.Workspace{}} }

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
	b.tally.clear()
	b.work.Clear()
	*b = batch{spans: b.spans[:0], tally: b.tally, checked: b.checked, told: b.told[:0], work: b.work}
	p.batches.Put(b)
}

// keep keeps a report for when the session is unlocked and goes on. The lists of
// its summary, which no report tells, are still the session's.
func (b *batch) keep(rep report) {
	summary := *rep.summary
	rep.summary = &summary
	b.reports = append(b.reports, &rep)
	b.checked = nil
}

// next returns the place of a further span, empty.
func (b *batch) next() *readSpan {
	n := len(b.spans)
	b.spans = slices.Grow(b.spans, 1)[:n+1]
	return &b.spans[n]
}

// reading returns what the i-th span tells; nil for another processor's report on a
// session that it has assembled.
func (b *batch) reading(i int) *spanevent.Reading {
	r := &b.spans[i].reading
	if r.Role == spanevent.RoleSessionReport {
		return nil
	}
	return r
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
