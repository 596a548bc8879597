package agentlensprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// preferOwn makes the SDK's own spans the events, and their copies parts of
// these.
func (p *agentLensProcessor) preferOwn(b *batch, spans []readSpan) {
	told := b.told[:0]
	for i := range spans {
		told = append(told, spans[i].told)
		told[i].Reading = &spans[i].reading
	}
	b.told = told
	sessions.PreferOwn(told)
	for i := range spans {
		spans[i].told = told[i]
		for _, j := range told[i].From {
			p.copyContent(&spans[i].reading.Event, &spans[j])
		}
	}
}

// copyContent gives an event the content of its copy that was left unread:
// where the copy becomes a part, nobody downstream reads it there.
func (p *agentLensProcessor) copyContent(e *analysis.Event, from *readSpan) {
	if p.unread == 0 {
		return
	}
	scope := pcommon.NewInstrumentationScope()
	scope.SetName(from.reading.Scope)
	r := spanevent.ForScope(scope).Read(from.span)
	if e.Input == nil {
		e.Input = r.Event.Input
	}
	if e.Output == nil {
		e.Output = r.Event.Output
	}
	if to, of := e.ToolCall, r.Event.ToolCall; to != nil && of != nil {
		if to.Input == nil {
			to.Input = of.Input
		}
		if to.Output == nil {
			to.Output = of.Output
		}
	}
}

// markCopies writes onto the spans of calls that went on in an earlier batch
// which ones those were, so that a backend makes one event of them: the SDK's
// own span goes on as an event in their place, and any other is a part of them.
// A span that comes again may have gone on before, too.
func markCopies(spans []readSpan) {
	here := make(map[sessions.CallKey]bool, len(spans))
	for i := range spans {
		if !spans[i].again {
			here[sessions.KeyOf(&spans[i].reading)] = true
		}
	}
	for i := range spans {
		s := &spans[i]
		var before []string
		for _, k := range s.told.Copies.Of {
			if !here[k] {
				before = append(before, k.SpanID())
			}
		}
		switch r := &s.reading; {
		case len(before) == 0:
			continue
		case r.Own:
			spanevent.StampReplaces(s.span, before)
		case r.Role == spanevent.RolePart:
			spanevent.StampPartOf(s.span, r, before)
		}
		if s.told.Copies.Priced && s.told.CostSource != "" {
			spanevent.StampEventCost(s.span, s.reading.Event.CostUSD.V)
		}
	}
}
