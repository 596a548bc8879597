package store

import (
	"cmp"
	"math"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// DefaultAgentName is the name of a session whose agent nobody named.
const DefaultAgentName = "default-agent"

// state is what was reported of a session. Each field is a join over the
// reports, that is a function which gives the same for any order and number of
// them, so the state does too. Times are microseconds since 1970 UTC.
type state struct {
	// name is the agent's, from the earliest session_start that has one other
	// than the default; nameAt is that session_start's time.
	name   string
	nameAt analysis.Opt[int64]
	// startAt is the earliest time of a session_start.
	startAt analysis.Opt[int64]

	// status and endAt are those of one session_end, see endWins; status is
	// active while there is none.
	status analysis.Status
	endAt  analysis.Opt[int64]
	// totalIn and totalOut are the largest totals a session_end gave: totals
	// only grow, so a smaller one was counted earlier.
	totalIn, totalOut analysis.Opt[int64]

	// Over the distinct events.
	events, errors        int64
	sumIn, sumOut         analysis.Opt[int64]
	cost                  analysis.Opt[analysis.Sum]
	firstEvent, lastEvent analysis.Opt[int64]

	// receivedAt is when the session was first heard of.
	receivedAt int64
}

// start joins a session_start.
func (s *state) start(e *wire.Event) {
	at := micros(e.Timestamp)
	s.startAt = least(s.startAt, at)
	if e.AgentName == "" || e.AgentName == DefaultAgentName {
		return
	}
	nameAt := at.Or(math.MaxInt64)
	if !s.nameAt.OK || nameAt < s.nameAt.V || nameAt == s.nameAt.V && e.AgentName < s.name {
		s.name, s.nameAt = e.AgentName, analysis.Some(nameAt)
	}
}

// end joins a session_end.
func (s *state) end(e *wire.Event) {
	at := micros(e.EndedAt)
	if !at.OK {
		at = micros(e.Timestamp)
	}
	status := e.Status
	if status == "" {
		status = analysis.StatusCompleted
	}
	if endWins(status, at, s.status, s.endAt) {
		s.status, s.endAt = status, at
	}
	s.totalIn = greatest(s.totalIn, e.TotalTokensIn)
	s.totalOut = greatest(s.totalOut, e.TotalTokensOut)
}

// event joins an event that was not there before.
func (s *state) event(f *figures) {
	s.events++
	if f.failed {
		s.errors++
	}
	s.sumIn = plus(s.sumIn, f.tokensIn)
	s.sumOut = plus(s.sumOut, f.tokensOut)
	if f.costUSD.OK {
		s.cost.OK = true
		s.cost.V.Add(f.costUSD.V)
	}
	s.firstEvent = least(s.firstEvent, analysis.Some(f.begin()))
	s.lastEvent = greatest(s.lastEvent, analysis.Some(f.at))
}

// withoutEvents is the state before any event.
func (s state) withoutEvents() state {
	return state{
		name: s.name, nameAt: s.nameAt, startAt: s.startAt, status: s.status, endAt: s.endAt,
		totalIn: s.totalIn, totalOut: s.totalOut, receivedAt: s.receivedAt,
	}
}

func (s *state) agentName() string {
	if s.nameAt.OK {
		return s.name
	}
	return DefaultAgentName
}

// startedAt is the reported start, else that of the first event; of a session
// known by its end only, the end.
func (s *state) startedAt() int64 {
	for _, at := range [...]analysis.Opt[int64]{s.startAt, s.firstEvent, s.endAt} {
		if at.OK {
			return at.V
		}
	}
	return s.receivedAt
}

// endedAt is the reported end; of a session that ended at a time nobody told,
// the end of its last event.
func (s *state) endedAt() analysis.Opt[int64] {
	if s.endAt.OK || s.status == analysis.StatusActive {
		return s.endAt
	}
	return s.lastEvent
}

// tokensIn is the reported total, else the sum over the events.
func (s *state) tokensIn() analysis.Opt[int64] {
	if s.totalIn.OK {
		return s.totalIn
	}
	return s.sumIn
}

func (s *state) tokensOut() analysis.Opt[int64] {
	if s.totalOut.OK {
		return s.totalOut
	}
	return s.sumOut
}

func (s *state) costUSD() analysis.Opt[float64] {
	if !s.cost.OK {
		return analysis.Opt[float64]{}
	}
	return analysis.Some(s.cost.V.Float64())
}

// endWins reports whether a session_end with status and time a takes the place
// of one with b. A timeout is the collector's guess and yields to an end that
// the agent reported; of two others the later one counts.
func endWins(a analysis.Status, aAt analysis.Opt[int64], b analysis.Status, bAt analysis.Opt[int64]) bool {
	if c := cmp.Compare(endRank[a], endRank[b]); c != 0 {
		return c > 0
	}
	if c := cmp.Compare(aAt.Or(math.MinInt64), bAt.Or(math.MinInt64)); c != 0 {
		return c > 0
	}
	return a > b // at the same moment, error over completed
}

var endRank = map[analysis.Status]int{
	analysis.StatusActive:    0,
	analysis.StatusTimeout:   1,
	analysis.StatusCompleted: 2,
	analysis.StatusError:     2,
}

// failed reports whether the event counts as an error.
func failed(e *wire.Event) bool {
	switch e.Type() {
	case "error", "tool_error", "agent_error":
		return true
	}
	return e.Error != nil
}

func micros(t *wire.Time) analysis.Opt[int64] {
	if t == nil || t.IsZero() {
		return analysis.Opt[int64]{}
	}
	return analysis.Some(t.UnixMicro())
}

func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }

func least(a, b analysis.Opt[int64]) analysis.Opt[int64] {
	if !a.OK || b.OK && b.V < a.V {
		return b
	}
	return a
}

func greatest(a, b analysis.Opt[int64]) analysis.Opt[int64] {
	if !a.OK || b.OK && b.V > a.V {
		return b
	}
	return a
}

// plus adds two numbers that are not negative, and stays at the largest there
// is when the sum is larger.
func plus(a, b analysis.Opt[int64]) analysis.Opt[int64] {
	switch {
	case !b.OK:
		return a
	case !a.OK:
		return b
	case a.V > math.MaxInt64-b.V:
		return analysis.Some(int64(math.MaxInt64))
	}
	return analysis.Some(a.V + b.V)
}
