package sessions

import (
	"slices"

	"github.com/agentlens/agentlens-otel/analysis"
)

// keep adds a record.
func (s *Session) keep(c call) {
	if s.facts.Direct == nil {
		direct := analysis.Summary{}
		direct.Merge(withoutIdentity(&s.Summary))
		s.facts.Direct = &direct
	}
	s.facts.Calls = append(s.facts.Calls, c)
}

// direct is where events are summed that need no record.
func (s *Session) direct() *analysis.Summary {
	if s.facts.Direct != nil {
		return s.facts.Direct
	}
	return &s.Summary
}

// Assemble brings the Summary up to date. It costs O(n log n) in the number of
// records, and nothing for a session that AgentLens's SDK wrote.
func (s *Session) Assemble() {
	if s.facts.Direct == nil {
		return
	}
	old := &s.Summary
	sum := analysis.Summary{
		SessionID: old.SessionID, AgentName: old.AgentName, Status: old.Status, StartedAt: old.StartedAt, EndedAt: old.EndedAt,
	}
	sum.Merge(s.facts.Direct)
	r := resolve(s.facts.Calls)
	for _, group := range r.groups() {
		c := r.merged(group)
		e := c.event()
		sum.Observe(&e)
	}
	if sum.LLMCalls == 0 {
		addTotals(&sum, r.totals())
	}
	s.Summary = sum
}

// addTotals adds what wrappers told of calls that have no spans of their own.
func addTotals(sum *analysis.Summary, t call) {
	sum.TokensIn += t.In.Or(0)
	sum.TokensOut += t.Out.Or(0)
	sum.CacheReadTokens += t.CacheRead.Or(0)
	sum.CacheWriteTokens += t.CacheWrite.Or(0)
	sum.ReasoningTokens += t.Reasoning.Or(0)
	if t.CostUSD.OK {
		sum.CostUSD.Add(t.CostUSD.V)
		sum.Priced++
	}
}

// repeats reports whether the record that came last tells of a call that an
// earlier one told, or of several.
func (s *Session) repeats() bool {
	last := len(s.facts.Calls) - 1
	c := &s.facts.Calls[last]
	return (c.Role == roleInference || c.Role == roleTool) && mayRepeat(c, s.facts.Calls[:last]) && s.repeatsEarlier(last)
}

// repeated reports the same of a span that was observed before.
func (s *Session) repeated(k spanKey) bool {
	i := slices.IndexFunc(s.facts.Calls, func(c call) bool { return c.Trace == k.Trace && c.Span == k.Span })
	return i >= 0 && s.repeatsEarlier(i)
}

func (s *Session) repeatsEarlier(n int) bool {
	c := &s.facts.Calls[n]
	r := resolve(s.facts.Calls)
	i := r.index[spanKey{c.Trace, c.Span}]
	if r.wraps[i] {
		return true
	}
	g := r.find(i)
	for j := range s.facts.Calls[:n] {
		o := &s.facts.Calls[j]
		if o.Role == c.Role && r.find(r.index[spanKey{o.Trace, o.Span}]) == g {
			return true
		}
	}
	return false
}

// mayRepeat reports, at little cost, whether any of the others could tell of the
// same call: of one id, of another library at the same time, within c, or
// around it with nothing but wrappers between.
func mayRepeat(c *call, others []call) bool {
	for i := range others {
		o := &others[i]
		if o.Trace == c.Trace && o.Parent == c.Span && !c.Span.IsEmpty() {
			return true
		}
		if o.Role == c.Role && (o.ID != "" && o.ID == c.ID || o.Scope != c.Scope && o.Role == roleInference && contains(o, c)) {
			return true
		}
	}
	parent := c.Parent
	for depth := 0; depth < maxDepth && !parent.IsEmpty(); depth++ {
		i := slices.IndexFunc(others, func(o call) bool { return o.Span == parent && o.Trace == c.Trace })
		if i < 0 || others[i].Role != roleWrapper {
			return i >= 0 && others[i].Role == c.Role
		}
		parent = others[i].Parent
	}
	return false
}

// trim folds the older half of the records into the direct sum when there are
// more than limit, and returns how many it let go. Calls that are not over by
// then stay whole.
func (s *Session) trim(limit int) int {
	calls := s.facts.Calls
	if len(calls) <= limit {
		return 0
	}
	ends := make([]int64, len(calls))
	for i := range calls {
		ends[i] = calls[i].End
	}
	slices.Sort(ends)
	cutoff := ends[len(ends)-1-limit/2]
	r := resolve(calls)
	gone := map[spanKey]bool{}
	for _, group := range r.groups() {
		if slices.ContainsFunc(group, func(i int) bool { return r.calls[i].End > cutoff }) {
			continue
		}
		c := r.merged(group)
		e := c.event()
		s.facts.Direct.Observe(&e)
		for _, i := range group {
			gone[spanKey{r.calls[i].Trace, r.calls[i].Span}] = true
		}
	}
	for i, c := range r.calls {
		if (c.Role == roleWrapper || c.Role == rolePart || r.wraps[i]) && c.End <= cutoff {
			gone[spanKey{c.Trace, c.Span}] = true
		}
	}
	before := len(calls)
	s.facts.Calls = slices.DeleteFunc(calls, func(c call) bool { return gone[spanKey{c.Trace, c.Span}] })
	return before - len(s.facts.Calls)
}
