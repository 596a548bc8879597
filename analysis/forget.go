package analysis

import "slices"

// Forget takes out one event that was observed, as if it never had been, but for
// FirstEvent and LastEvent, which stay: they cannot be told from the rest. It
// returns false, and leaves s as it was, when nor can something else: which of
// more than MaxNames names comes in again, or durations that are in the sketch
// and would not be; or when e was not observed. Then the summary is to be made
// anew.
func (s *Summary) Forget(e *Event) bool {
	var o Summary
	o.Observe(e)
	if !s.EventTypes.canForget(&o.EventTypes) || !s.Models.canForget(&o.Models) || !s.Tools.canForget(&o.Tools) || !s.Durations.canForget(&o.Durations) {
		return false
	}
	s.EventTypes.forget(&o.EventTypes)
	s.Models.forget(&o.Models)
	s.Tools.forget(&o.Tools)
	s.Durations.forget(&o.Durations)
	s.Events -= o.Events
	s.TokensIn -= o.TokensIn
	s.TokensOut -= o.TokensOut
	s.CacheReadTokens -= o.CacheReadTokens
	s.CacheWriteTokens -= o.CacheWriteTokens
	s.ReasoningTokens -= o.ReasoningTokens
	s.CostUSD.Merge(o.CostUSD.negated())
	s.Priced -= o.Priced
	s.Unpriced -= o.Unpriced
	s.LLMCalls -= o.LLMCalls
	s.ToolCalls -= o.ToolCalls
	s.Decisions -= o.Decisions
	s.Reasoned -= o.Reasoned
	s.Errors -= o.Errors
	s.ErrorLike -= o.ErrorLike
	s.ToolLike -= o.ToolLike
	s.ToolErrorLike -= o.ToolErrorLike
	return true
}

func (c *Counts) canForget(o *Counts) bool {
	return !slices.ContainsFunc(o.List, func(n Count) bool {
		have := c.Get(n.Name)
		return have < n.N && c.Other < n.N || have == n.N && c.Other > 0
	})
}

func (c *Counts) forget(o *Counts) {
	for _, n := range o.List {
		i, found := c.find(n.Name)
		switch {
		case !found:
			c.Other -= n.N
		case c.List[i].N == n.N:
			c.List = slices.Delete(c.List, i, i+1)
		default:
			c.List[i].N -= n.N
		}
	}
}

func (d *Durations) canForget(o *Durations) bool {
	return !slices.ContainsFunc(o.Exact, func(ms float64) bool { return d.place(ms) < 0 }) &&
		(o.N == 0 || d.Sketch == nil || d.N-o.N > exactDurations)
}

// forget takes out the durations of o, which has few.
func (d *Durations) forget(o *Durations) {
	d.N -= o.N
	d.Sum.Merge(o.Sum.negated())
	for _, ms := range o.Exact {
		i := d.place(ms)
		if d.Sketch == nil {
			d.Exact = slices.Delete(d.Exact, i, i+1)
		} else if d.Sketch[i].N--; d.Sketch[i].N == 0 {
			d.Sketch = slices.Delete(d.Sketch, i, i+1)
		}
	}
}

// place is where a duration is held: its index in Exact or that of its bucket in
// Sketch, -1 when it is not there.
func (d *Durations) place(ms float64) int {
	if d.Sketch == nil {
		return slices.Index(d.Exact, ms)
	}
	index := bucketIndex(ms)
	return slices.IndexFunc(d.Sketch, func(b Bucket) bool { return b.Index == index })
}
