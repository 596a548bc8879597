package sessions

import (
	"cmp"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
)

// sessionState is a Session at rest.
type sessionState struct {
	Key     string
	Summary analysis.Summary
	Service Service

	TraceID                     pcommon.TraceID
	RootID                      pcommon.SpanID
	RootSeen, Completed, ByIdle bool
	Revision                    int64
	Verdict                     uint64

	AgentRank, RootRank  uint8
	RootFailed           bool
	AgentStart, RootEnd  int64
	Started, First, Last int64

	Arrived time.Time
	Calls   []callState
}

// callState is a call at rest.
type callState struct {
	Trace                                     uint64
	Span, Parent                              pcommon.SpanID
	Start, End                                int64
	ID                                        uint64
	Name, Answered, Other                     string
	In, Out, CacheRead, CacheWrite, Reasoning int64
	CostUSD, DurationMS                       float64
	Scope                                     uint32
	Has, Is, Role, Kind                       uint8
}

type traceState struct {
	Trace   pcommon.TraceID
	Binding binding
}

// states copies the sessions of a shard, the longest idle first.
func (sh *shard) states(made time.Time) []sessionState {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	out := make([]sessionState, 0, len(sh.held.awake)+sh.openRest.len()+sh.doneRest.len())
	for s := range sh.all() {
		out = append(out, s.state(made))
	}
	slices.SortFunc(out, func(a, b sessionState) int {
		return cmp.Or(a.Arrived.Compare(b.Arrived), cmp.Compare(a.Key, b.Key))
	})
	return out
}

func (s *Session) state(made time.Time) sessionState {
	state := sessionState{
		Key: s.Key, Summary: copied(&s.sum), Service: s.Service(), TraceID: s.TraceID, RootID: s.RootID,
		RootSeen: s.RootSeen, Completed: s.Completed, ByIdle: s.ByIdle, Revision: s.Revision, Verdict: s.Verdict,
		AgentRank: uint8(s.agentRank), RootRank: uint8(s.rootRank), RootFailed: s.rootFailed, AgentStart: s.agentStart, RootEnd: s.rootEnd,
		Started: s.started, First: s.first, Last: s.last, Arrived: made.Add(s.arrived).Round(0).UTC(),
	}
	if s.log != nil {
		state.Calls = make([]callState, 0, len(s.log.list))
		for i := range s.log.list {
			state.Calls = append(state.Calls, s.log.list[i].state())
		}
	}
	return state
}

// copied returns a summary that shares no memory with s.
func copied(s *analysis.Summary) analysis.Summary {
	c := analysis.Summary{SessionID: s.SessionID}
	c.Merge(s)
	return c
}

func (c *call) state() callState {
	more := c.told()
	return callState{
		Trace: c.trace, Span: c.span, Parent: c.parent, Start: c.start, End: c.end, ID: c.id,
		Name: textOf(c.name), Answered: textOf(c.answered), Other: textOf(more.other),
		In: c.in, Out: c.out, CacheRead: more.cacheRead, CacheWrite: more.cacheWrite, Reasoning: more.reasoning,
		CostUSD: c.costUSD, DurationMS: more.durationMS, Scope: c.scope,
		Has: uint8(c.has), Is: uint8(c.is), Role: uint8(c.role), Kind: uint8(c.kind),
	}
}

// valid reports whether the calls are of kinds that there are.
func (state *sessionState) valid() bool {
	return !slices.ContainsFunc(state.Calls, func(c callState) bool {
		return callRole(c.Role) > rolePart || int(c.Kind) >= len(kindTypes)
	})
}

func (t *Table) restore(state *sessionState) {
	sh := t.shard(state.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if t.held(sh, state.Key) != nil {
		return
	}
	s := t.add(sh, state.Key, state.Service, state.Arrived.Sub(t.made))
	s.sum, s.TraceID, s.RootID = state.Summary, state.TraceID, state.RootID
	s.RootSeen, s.Completed, s.ByIdle, s.Revision, s.Verdict = state.RootSeen, state.Completed, state.ByIdle, state.Revision, state.Verdict
	s.agentRank, s.rootRank, s.rootFailed = agentRank(state.AgentRank), rootRank(state.RootRank), state.RootFailed
	s.agentStart, s.rootEnd = state.AgentStart, state.RootEnd
	s.started, s.first, s.last = state.Started, state.First, state.Last
	for i := range state.Calls {
		c := state.Calls[i].call()
		s.keep(&c)
	}
	// The limit may be another than where the snapshot was taken.
	s.bound(t.limits.MaxCalls, maxLone, state.Arrived.UnixNano())
	t.records.Add(int64(s.room()))
	sh.touch(s)
	t.layNew(sh, s.arrived)
}

func (state *callState) call() call {
	c := call{
		trace: state.Trace, span: state.Span, parent: state.Parent, start: state.Start, end: state.End, id: state.ID,
		name: nameOf(state.Name), answered: nameOf(state.Answered), in: state.In, out: state.Out, costUSD: state.CostUSD,
		scope: state.Scope, has: figures(state.Has), is: marks(state.Is), role: callRole(state.Role), kind: callKind(state.Kind),
	}
	more := moreOfCall{
		cacheRead: state.CacheRead, cacheWrite: state.CacheWrite, reasoning: state.Reasoning,
		durationMS: state.DurationMS, other: nameOf(state.Other),
	}
	if more != nothingMore {
		c.more = &more
	}
	return c
}
