package sessions

import (
	"cmp"
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

const (
	// copyWindow is how long an own call waits for copies: in the time of the
	// events while the session goes on, in the time of arrival when it is
	// quiet.
	copyWindow = time.Minute
	// maxLone is how many own calls a session keeps waiting.
	maxLone = 64
	// fewLone is how many it keeps when there are too many records in all.
	fewLone = 2
)

// Assemble brings the Summary up to date. It costs O(n log n) in the number of
// records.
func (s *Session) Assemble() {
	if s.log == nil {
		trimSummary(&s.sum)
		s.Summary = &s.sum
		return
	}
	sum := s.emptySummary()
	sum.SessionID, sum.AgentName, sum.Status, sum.StartedAt, sum.EndedAt = s.sum.SessionID, s.sum.AgentName, s.sum.Status, s.sum.StartedAt, s.sum.EndedAt
	if hasCounted(&s.sum) {
		sum.Merge(&s.sum)
	}
	if s.log.foreign == 0 {
		// AgentLens's SDK tells each call once: nothing is to be resolved.
		s.log.observeAll(sum)
	} else {
		r := resolveAll(s.log)
		r.groups(func(group []int) { sum.Observe(r.merged(group)) })
		if sum.LLMCalls+sum.EventTypes.Get(semconv.OperationEmbeddings) == 0 {
			totals := r.totals()
			addTotals(sum, &totals)
		}
		r.free()
	}
	trimSummary(sum)
	s.Summary = sum
}

// roomySummary is a summary with room for what most sessions hold, in one piece:
// else each list would grow by itself.
type roomySummary struct {
	sum    analysis.Summary
	types  [4]analysis.Count
	models [2]analysis.Count
	tools  [6]analysis.Count
	exact  [16]float64
}

// emptySummary returns an empty summary, in the memory of the one before.
func (s *Session) emptySummary() *analysis.Summary {
	if s.assembled == nil {
		s.assembled = &roomySummary{}
	}
	with := s.assembled
	with.sum = analysis.Summary{
		EventTypes: analysis.Counts{List: with.types[:0]}, Models: analysis.Counts{List: with.models[:0]}, Tools: analysis.Counts{List: with.tools[:0]},
		Durations: analysis.Durations{Exact: with.exact[:0]},
	}
	return &with.sum
}

// trimSummary leaves no list that is empty.
func trimSummary(s *analysis.Summary) {
	for _, c := range [...]*analysis.Counts{&s.EventTypes, &s.Models, &s.Tools} {
		if len(c.List) == 0 {
			c.List = nil
		}
	}
	if len(s.Durations.Exact) == 0 {
		s.Durations.Exact = nil
	}
}

// observeAll adds each call by itself.
func (l *callLog) observeAll(sum *analysis.Summary) {
	build := eventBuilders.Get().(*eventBuilder)
	defer build.free()
	for i := range l.list {
		sum.Observe(build.one(&l.list[i]))
	}
}

// addTotals adds what wrappers told of calls that have no spans of their own.
func addTotals(sum *analysis.Summary, t *usage) {
	sum.TokensIn += t.in.Or(0)
	sum.TokensOut += t.out.Or(0)
	sum.CacheReadTokens += t.cacheRead.Or(0)
	sum.CacheWriteTokens += t.cacheWrite.Or(0)
	sum.ReasoningTokens += t.reasoning.Or(0)
	if t.costUSD.OK {
		sum.CostUSD.Add(t.costUSD.V)
		sum.Priced++
	}
}

// keep adds a record and returns its position.
func (s *Session) keep(c *call) int {
	if s.log == nil {
		s.newLog()
	}
	if len(s.log.list) == maxLogged {
		s.foldUntil(maxTime)
	}
	return s.log.add(c)
}

// room is how many records the session has room for.
func (s *Session) room() int {
	if s.log == nil {
		return 0
	}
	return cap(s.log.list)
}

// records is how many there are.
func (s *Session) records() int {
	if s.log == nil {
		return 0
	}
	return len(s.log.list)
}

// bound folds what the session need not or may not keep: own calls that have
// waited long enough by the session's own time, at most now, or are
// more than lone, and the older half of the records when there are more than
// limit.
func (s *Session) bound(limit, lone int, now int64) {
	l := s.log
	if l == nil {
		return
	}
	if l.lone > lone {
		s.foldLone(l.oldestLone(l.lone - lone/2))
	} else if at := min(s.last, now) - int64(copyWindow); l.oldest < at-int64(copyWindow/4) {
		// Not each as soon as it may: a look at all of them does for several.
		s.foldLone(l.loneUntil(at))
	}
	if len(l.list) > max(limit, l.trimAt) {
		s.trim(limit)
	}
	s.tidy()
}

// settle folds all own calls without copies: the session has been quiet.
func (s *Session) settle() {
	if s.log == nil {
		return
	}
	for i := range s.log.list {
		s.log.list[i].is &^= isPaired
	}
	s.foldLone(s.log.loneUntil(maxTime))
	s.tidy()
}

const maxTime = 1<<63 - 1

// tidy drops an empty log.
func (s *Session) tidy() {
	if len(s.log.list) == 0 {
		s.log = nil
	}
}

// loneUntil returns the own calls without copies that ended by a time.
func (l *callLog) loneUntil(until int64) []int {
	out := make([]int, 0, l.lone)
	for i := range l.list {
		if c := &l.list[i]; c.own() && c.is&isPaired == 0 && c.end <= until {
			out = append(out, i)
		}
	}
	return out
}

// oldestLone returns the n own calls without copies that ended first.
func (l *callLog) oldestLone(n int) []int {
	out := l.loneUntil(maxTime)
	slices.SortFunc(out, func(i, j int) int { return cmp.Or(cmp.Compare(l.list[i].end, l.list[j].end), cmp.Compare(i, j)) })
	slices.Sort(out[:n])
	return out[:n]
}

// foldLone sums up those of some own calls of which no copy has come. The others
// stay as long as their copies do. The calls are given in their order.
func (s *Session) foldLone(calls []int) {
	l := s.log
	fold := calls[:0]
	for _, i := range calls {
		if l.foreign > 0 && l.paired(i) {
			l.list[i].is |= isPaired
			continue
		}
		fold = append(fold, i)
	}
	build := eventBuilders.Get().(*eventBuilder)
	defer build.free()
	for _, i := range fold {
		s.sum.Observe(build.one(&l.list[i]))
	}
	l.keep(func(i int, _ *call) bool {
		if len(fold) > 0 && fold[0] == i {
			fold = fold[1:]
			return false
		}
		return true
	})
}

// trim folds the older half of the records. Calls that are not over by then
// stay whole, unless that leaves far too many.
func (s *Session) trim(limit int) {
	l := s.log
	ends := make([]int64, len(l.list))
	for i := range l.list {
		ends[i] = l.list[i].end
	}
	slices.Sort(ends)
	s.foldUntil(ends[len(ends)-1-limit/2])
	if n := len(l.list); n > min(4*limit, maxLogged/2) {
		s.foldUntil(maxTime)
	} else if n > limit {
		l.trimAt = n + n/4
	}
}

// foldUntil sums up the calls that ended by the cutoff and lets them go, unless
// one that bears on them did not. Wrappers go with what they are around.
func (s *Session) foldUntil(cutoff int64) {
	l := s.log
	gone, done, needed := make([]bool, len(l.list)), make([]bool, len(l.list)), make([]bool, len(l.list))
	for i := range l.list {
		if done[i] || l.list[i].role == roleWrapper {
			continue
		}
		l.related(i, func(positions []int) {
			over := true
			for _, p := range positions {
				over = over && (l.list[p].end <= cutoff || l.list[p].role == roleWrapper)
			}
			if over {
				r := resolveSome(l, positions)
				r.groups(func(group []int) { s.sum.Observe(r.merged(group)) })
				r.free()
			}
			for _, p := range positions {
				if l.list[p].role == roleWrapper {
					needed[p] = needed[p] || !over
				} else {
					gone[p], done[p] = over, true
				}
			}
		})
	}
	for i := range l.list {
		if c := &l.list[i]; c.role == roleWrapper {
			gone[i] = c.end <= cutoff && !needed[i]
		}
	}
	l.keep(func(i int, _ *call) bool { return !gone[i] })
}
