package agentlensprocessor

import (
	"encoding/json"

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
		e := &spans[i].reading.Event
		if len(told[i].From) > 0 && ruledOut(e) {
			p.readContent(e, &spans[i])
		}
		for _, j := range told[i].From {
			p.readContent(e, &spans[j])
		}
	}
}

// ruledOut reports whether some of the content of an event stands for what was
// not read.
func ruledOut(e *analysis.Event) bool {
	return spanevent.RuledOut(e.Input) || spanevent.RuledOut(e.Output) ||
		e.ToolCall != nil && (spanevent.RuledOut(e.ToolCall.Input) || spanevent.RuledOut(e.ToolCall.Output))
}

// readContent gives an event content that was left unread, from its own span or that
// of its copy: where the copy becomes a part, nobody downstream reads it there.
func (p *agentLensProcessor) readContent(e *analysis.Event, from *readSpan) {
	if p.unread == 0 {
		return
	}
	scope := pcommon.NewInstrumentationScope()
	scope.SetName(from.reading.Scope)
	r := spanevent.ForScope(scope).Read(from.span)
	fill := func(to *json.RawMessage, of json.RawMessage) {
		if of != nil && (*to == nil || spanevent.RuledOut(*to)) {
			*to = of
		}
	}
	fill(&e.Input, r.Event.Input)
	fill(&e.Output, r.Event.Output)
	if to, of := e.ToolCall, r.Event.ToolCall; to != nil && of != nil {
		fill(&to.Input, of.Input)
		fill(&to.Output, of.Output)
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
