package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/internal/roundtrip"
)

const (
	historyAgent = "support-agent"
	historyDays  = 21
	// changedDays is how many of the last days the agent uses more tokens, and a
	// tool it did not use before.
	changedDays = 3
)

// history sends three weeks of one agent's sessions through the same road, with
// timestamps in the past: without a past there is no forecast, and nothing to
// drift from. It returns nil when an earlier demo has sent them already.
func history(ctx context.Context, api *roundtrip.Client, endpoint string) (sessions []*analysis.Session, err error) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	if _, err := api.Session(ctx, historyID(today, 1, 0)); err == nil {
		return nil, nil
	}
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithEndpoint(endpoint), agentlens.WithServiceName("demo-history"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tracker.Shutdown(ctx)) }()
	// The same figures in every demo.
	random := rand.New(rand.NewPCG(2026, 21))
	for ago := historyDays; ago >= 1; ago-- {
		day := today.AddDate(0, 0, -ago)
		count := 8
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			count = 3
		}
		for i := range count {
			s, err := pastSession(ctx, tracker, historyID(today, ago, i), day.Add(time.Duration(8+i)*time.Hour), ago <= changedDays, random)
			if err != nil {
				return nil, err
			}
			sessions = append(sessions, s)
		}
	}
	return sessions, nil
}

func historyID(today time.Time, ago, i int) string {
	return fmt.Sprintf("demo-%s-%d", today.AddDate(0, 0, -ago).Format(time.DateOnly), i)
}

// pastSession is two or three questions, each a search and an answer.
func pastSession(ctx context.Context, tracker *agentlens.Tracker, id string, at time.Time, changed bool, random *rand.Rand) (*analysis.Session, error) {
	ctx, s, err := tracker.StartSession(ctx, historyAgent, agentlens.WithSessionID(id), agentlens.WithTimestamp(at))
	if err != nil {
		return nil, err
	}
	scale, tool := 1.0, "search_docs"
	if changed {
		scale, tool = 2.4, "search_web"
	}
	for range 2 + random.IntN(2) {
		at = at.Add(time.Duration(2+random.IntN(20)) * time.Second)
		_, err := s.TrackTool(ctx, tool, map[string]any{"query": "refund policy"}, map[string]any{"hits": random.IntN(9)},
			agentlens.WithTimestamp(at), agentlens.WithDurationMS(lognormal(random, 180, 0.4)))
		if err != nil {
			return nil, err
		}
		at = at.Add(3 * time.Second)
		_, err = s.Track(ctx, agentlens.EventLLMCall,
			agentlens.WithInput(map[string]any{"question": "May I send this back?"}),
			agentlens.WithOutput(map[string]any{"answer": "Yes, within 30 days."}),
			agentlens.WithProvider("openai"), agentlens.WithModel("gpt-4o"),
			agentlens.WithTokens(int64(lognormal(random, 1800*scale, 0.35)), int64(lognormal(random, 260*scale, 0.35))),
			agentlens.WithReasoning("The policy page answers it."),
			agentlens.WithTimestamp(at), agentlens.WithDurationMS(lognormal(random, 1400, 0.3)))
		if err != nil {
			return nil, err
		}
	}
	if err := s.End(ctx, agentlens.WithTimestamp(at.Add(time.Second))); err != nil {
		return nil, err
	}
	return s.Snapshot(), nil
}

// lognormal draws a figure with the heavy tail that tokens and latencies have.
func lognormal(random *rand.Rand, median, sigma float64) float64 {
	return math.Round(median*math.Exp(sigma*random.NormFloat64())*10) / 10
}

// incident is one session of now that sets off the alerts of the documentation:
// errors in a row, and a social security number in an answer.
func incident(ctx context.Context, endpoint string) (s *analysis.Session, err error) {
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithEndpoint(endpoint), agentlens.WithServiceName("demo-incident"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tracker.Shutdown(ctx)) }()
	ctx, session, err := tracker.StartSession(ctx, historyAgent)
	if err != nil {
		return nil, err
	}
	for attempt := 1; attempt <= 7; attempt++ {
		_, err := session.Track(ctx, agentlens.EventError,
			agentlens.WithInput(map[string]any{"attempt": attempt}), agentlens.WithError(errors.New("CRM: connection refused")))
		if err != nil {
			return nil, err
		}
	}
	_, err = session.Track(ctx, agentlens.EventLLMCall, agentlens.WithProvider("openai"), agentlens.WithModel("gpt-4o"),
		agentlens.WithTokens(2100, 320), agentlens.WithDurationMS(1200),
		agentlens.WithOutput(map[string]any{"answer": "The account of 078-05-1120 is closed."}))
	if err != nil {
		return nil, err
	}
	if err := session.End(ctx, agentlens.WithStatus(agentlens.StatusError)); err != nil {
		return nil, err
	}
	return session.Snapshot(), nil
}
