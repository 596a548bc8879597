package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// agent is the behaviour that sessions are drawn from. Its figures have heavy
// tails, and vary between sessions more than within one, as those of agents do.
type agent struct {
	// tokens multiplies the token counts of every call, latency the durations.
	tokens, latency float64
	// errorRate is the mean share of events that fail.
	errorRate float64
	// otherModel is the share of calls that go to the second model.
	otherModel float64
	// searches multiplies how often the tool "search" is chosen.
	searches float64
}

// usualAgent is the agent in which nothing changed.
func usualAgent() agent {
	return agent{tokens: 1, latency: 1, errorRate: 0.02, otherModel: 0.2, searches: 1}
}

var (
	simulatedTools = [...]string{"search", "read_file", "write_file", "run_tests", "browse"}
	simulatedStart = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
)

// session draws one session of 20 to 50 events: 60 % LLM calls, 30 % tool
// calls, 10 % decisions on average.
//
//   - tokens of a call: lognormal, sigma 1.2 in and 1 out, times a factor of
//     the session, lognormal with sigma 0.4; cost goes with them;
//   - durations: Pareto with exponent 1.5, which has no variance, times a
//     factor of the session, lognormal with sigma 0.3;
//   - errors: each session has a rate of its own, gamma distributed with
//     shape 2 around the mean, so that errors come in bad sessions;
//   - tools, models and event types: each session has weights of its own.
func (a *agent) session(r *rand.Rand, id string) *analysis.Summary {
	s := analysis.NewSummary(id, "simulated")
	tokenFactor := a.tokens * lognormal(r, 0.4)
	latencyFactor := a.latency * lognormal(r, 0.3)
	failing := min(0.9, a.errorRate*(r.ExpFloat64()+r.ExpFloat64())/2)
	callWeight, toolWeight := 6*lognormal(r, 0.3), 3*lognormal(r, 0.3)
	otherModel := min(1, a.otherModel*2*r.Float64())
	var toolWeights [len(simulatedTools)]float64
	for i := range toolWeights {
		toolWeights[i] = lognormal(r, 0.6)
	}
	toolWeights[0] *= a.searches

	at := simulatedStart
	for range 20 + r.IntN(31) {
		duration := latencyFactor * 300 * math.Exp(r.ExpFloat64()/1.5) // Pareto
		at = at.Add(analysis.MillisToDuration(duration))
		e := analysis.Event{Type: analysis.EventDecision, Timestamp: at, DurationMS: analysis.Some(duration)}
		switch u := r.Float64() * (callWeight + toolWeight + 1); {
		case u < callWeight:
			a.call(r, &e, tokenFactor, otherModel)
		case u < callWeight+toolWeight:
			e.Type = analysis.EventToolCall
			e.ToolCall = &analysis.ToolCall{Name: simulatedTools[choose(r, toolWeights[:])]}
		}
		if r.Float64() < failing {
			e.Error = &analysis.Failure{Type: "timeout"}
		}
		s.Observe(&e)
	}
	s.EndedAt, s.Status = at, analysis.StatusCompleted
	return s
}

func (a *agent) call(r *rand.Rand, e *analysis.Event, tokenFactor, otherModel float64) {
	e.Type, e.Model = analysis.EventLLMCall, "model-a"
	if r.Float64() < otherModel {
		e.Model = "model-b"
	}
	in, out := tokenFactor*600*lognormal(r, 1.2), tokenFactor*150*lognormal(r, 1)
	e.TokensIn, e.TokensOut = analysis.Some(int64(in)), analysis.Some(int64(out))
	e.CostUSD = analysis.Some(in*3e-6 + out*15e-6)
}

func lognormal(r *rand.Rand, sigma float64) float64 { return math.Exp(sigma * r.NormFloat64()) }

// choose returns an index with a probability in proportion to its weight.
func choose(r *rand.Rand, weights []float64) int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	u := r.Float64() * total
	for i, w := range weights {
		if u -= w; u < 0 {
			return i
		}
	}
	return len(weights) - 1
}
