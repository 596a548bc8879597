package sessions

import (
	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Told is a reading that a table has observed, one of several that came
// together.
type Told struct {
	Reading *spanevent.Reading
	// Copies are what Observe returned.
	Copies Copies
	// CostSource and PricingVersion say where the cost of the event is from.
	CostSource, PricingVersion string
	// From are the positions of the copies whose knowledge the event has been
	// given.
	From []int
}

// PreferOwn makes, of the spans of one call that came together, that of
// AgentLens's SDK the event, for it is what was tracked: where its copy came
// first, they change roles. What only the copy knows of the call, the event is
// given. A call that came before is left as it was told.
func PreferOwn(told []Told) {
	var at map[CallKey]int
	for i := range told {
		t := &told[i]
		if len(t.Copies.Of) == 0 {
			continue
		}
		if at == nil {
			at = make(map[CallKey]int, len(told))
			for j := range told {
				at[KeyOf(told[j].Reading)] = j
			}
		}
		if t.Reading.Own {
			t.takeOver(told, at)
			continue
		}
		for _, k := range t.Copies.Of {
			if j, ok := at[k]; ok && told[j].Reading.Own && told[j].Reading.Role == spanevent.RoleEvent {
				told[j].fill(told, i)
			}
		}
	}
}

// takeOver makes the own span t the event, and its copies parts of it, if the
// one that was the event is here.
func (t *Told) takeOver(told []Told, at map[CallKey]int) {
	first, ok := at[t.Copies.Of[0]]
	if !ok || told[first].Reading.Role != spanevent.RoleEvent {
		return
	}
	t.Reading.Role, told[first].Reading.Role = spanevent.RoleEvent, spanevent.RolePart
	for _, k := range t.Copies.Of {
		if j, ok := at[k]; ok {
			t.fill(told, j)
		}
	}
}

// fill gives the event of t what the span at position i knows and it does not,
// and the cost of the one that knows more of the usage. Then that span has
// nothing more to tell.
func (t *Told) fill(told []Told, i int) {
	o := &told[i]
	e, from := &t.Reading.Event, &o.Reading.Event
	if from.CostUSD.OK && (!e.CostUSD.OK || detailOf(from) > detailOf(e)) {
		e.CostUSD, t.CostSource, t.PricingVersion = from.CostUSD, o.CostSource, o.PricingVersion
	}
	o.Copies.Priced = o.Copies.Priced || e.CostUSD.OK
	for _, p := range [...]struct{ to, from *analysis.Opt[int64] }{
		{&e.TokensIn, &from.TokensIn},
		{&e.TokensOut, &from.TokensOut},
		{&e.CacheReadTokens, &from.CacheReadTokens},
		{&e.CacheWriteTokens, &from.CacheWriteTokens},
		{&e.ReasoningTokens, &from.ReasoningTokens},
	} {
		if !p.to.OK {
			*p.to = *p.from
		}
	}
	for _, p := range [...]struct{ to, from *string }{
		{&e.Model, &from.Model}, {&e.ResponseModel, &from.ResponseModel}, {&e.Provider, &from.Provider},
	} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
	if e.Input == nil {
		e.Input = from.Input
	}
	if e.Output == nil {
		e.Output = from.Output
	}
	if to, of := e.ToolCall, from.ToolCall; to != nil && of != nil {
		if to.Input == nil {
			to.Input = of.Input
		}
		if to.Output == nil {
			to.Output = of.Output
		}
	}
	t.From = append(t.From, i)
}

func detailOf(e *analysis.Event) int {
	u := usage{in: e.TokensIn, out: e.TokensOut, cacheRead: e.CacheReadTokens, cacheWrite: e.CacheWriteTokens, reasoning: e.ReasoningTokens}
	return u.detail()
}
