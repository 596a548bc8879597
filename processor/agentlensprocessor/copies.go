package agentlensprocessor

import (
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

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
