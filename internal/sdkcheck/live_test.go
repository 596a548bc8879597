package sdkcheck

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlenstest"
)

// Whatever is recorded live or after the fact, under whatever step or
// sub-agent, the collector reads the events and the summary that the SDK has.
func TestCollectorReadsWhatTheSDKKeeps(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		mode := rapid.SampledFrom([]agentlens.CaptureMode{agentlens.CaptureFull, agentlens.CaptureMetadata, agentlens.CaptureNone}).Draw(rt, "capture")
		rec := agentlenstest.New(t, agentlens.WithCapture(mode))
		ctx, s, err := rec.Tracker().StartSession(t.Context(), "agent")
		require.NoError(rt, err)
		var open []*agentlens.Span
		at := ctx
		for range rapid.IntRange(0, 12).Draw(rt, "n") {
			var sp *agentlens.Span
			next := at
			what := rapid.SampledFrom([]string{"llm", "embeddings", "tool", "decision", "step", "agent", "track", "end"}).Draw(rt, "what")
			switch what {
			case "llm":
				next, sp = s.StartLLM(at, "openai", "gpt-4o")
			case "embeddings":
				next, sp = s.StartLLM(at, "openai", "e", agentlens.WithOperation("embeddings"))
			case "tool":
				next, sp = s.StartTool(at, "search")
			case "decision":
				next, sp = s.StartDecision(at, agentlens.WithReasoning("a reason"))
			case "step":
				next, sp = s.StartStep(at, "step")
			case "agent":
				next, sp = s.StartAgent(at, "helper")
			case "track":
				_, err := s.Track(at, agentlens.EventLLMCall, agentlens.WithModel("m"), agentlens.WithTokens(5, 6), agentlens.WithReasoning("r"),
					agentlens.WithInputMessages(agentlens.TextMessage("user", "hello")))
				require.NoError(rt, err)
			default:
				for i := len(open) - 1; i >= 0; i-- {
					open[i].End()
				}
				open, at = nil, ctx
			}
			if sp == nil {
				continue
			}
			fill(rt, sp, what == "llm")
			at, open = next, append(open, sp)
		}
		for _, sp := range open {
			sp.End()
		}
		require.NoError(rt, s.End(ctx))

		got := rec.RequireSession("agent")
		want := s.Snapshot()
		require.Len(rt, got.Events, len(want.Events))
		for i := range want.Events {
			require.Equal(rt, said(rt, want.Events[i]), said(rt, got.Events[i]))
		}
		sum := s.Summary()
		assert.Equal(rt, sum.EventTypes, got.Summary.EventTypes)
		assert.Equal(rt, sum.Models, got.Summary.Models)
		assert.Equal(rt, sum.Tools, got.Summary.Tools)
		assert.Equal(rt, []int64{sum.TokensIn, sum.TokensOut, sum.Reasoned, sum.Decisions, sum.Errors},
			[]int64{got.Summary.TokensIn, got.Summary.TokensOut, got.Summary.Reasoned, got.Summary.Decisions, got.Summary.Errors})
		assert.True(rt, sum.EndedAt.Equal(got.EndedAt))
	})
}

// fill sets some of what a span can say.
func fill(rt *rapid.T, sp *agentlens.Span, llm bool) {
	some := func(name string, set func()) {
		if rapid.Bool().Draw(rt, name) {
			set()
		}
	}
	some("input", func() { sp.SetInput(map[string]any{"q": "x < y"}) })
	some("output", func() { sp.SetOutput(map[string]any{"a": []int{1}}) })
	some("tokens", func() { sp.SetTokens(100, 20) })
	some("cache", func() { sp.SetCacheTokens(10, 5) })
	some("reasoning tokens", func() { sp.SetReasoningTokens(3) })
	if llm {
		some("response", func() { sp.SetResponse("r-1", "gpt-4o-2024-08-06") })
	}
	some("finish", func() { sp.SetFinishReasons("stop") })
	some("reasoning", func() { sp.SetReasoning("because") })
	some("alternatives", func() {
		sp.SetReasoning("so")
		sp.SetAlternatives("a", "b")
		sp.SetConfidence(0.5)
	})
	some("first", sp.FirstToken)
	some("error", func() { sp.SetError(errors.New("failed")) })
	some("attributes", func() { sp.SetAttributes(attribute.Int("gen_ai.request.seed", 1)) })
}

// said is an event in comparable form. The collector prices it; the SDK does
// not.
func said(t require.TestingT, e analysis.Event) string {
	e.CostUSD = analysis.Opt[float64]{}
	b, err := json.Marshal(e)
	require.NoError(t, err)
	return string(b)
}
