package agentlens_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// initRecorded is Init on a provider that records.
func initRecorded(t testing.TB) recorded {
	t.Helper()
	agentlens.ResetGlobal()
	t.Cleanup(agentlens.ResetGlobal)
	r := recorded{recorder: tracetest.NewSpanRecorder()}
	r.provider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.recorder))
	var err error
	r.Tracker, err = agentlens.Init(t.Context(), agentlens.WithTracerProvider(r.provider))
	require.NoError(t, err)
	return r
}

type query struct {
	Text string `json:"text"`
}

func lookUp(_ context.Context, q query) ([]string, error) {
	switch q.Text {
	case "fail":
		return []string{"half"}, errors.New("no index")
	case "panic":
		panic("boom")
	}
	return []string{q.Text + "!"}, nil
}

func TestWrapTool(t *testing.T) {
	agentlens.ResetGlobal()
	tool := agentlens.WrapTool("look_up", lookUp)
	out, err := tool(t.Context(), query{"before Init"})
	require.NoError(t, err)
	assert.Equal(t, []string{"before Init!"}, out)

	r := initRecorded(t)
	ctx, s, err := agentlens.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	out, err = tool(ctx, query{"x"})
	require.NoError(t, err)
	assert.Equal(t, []string{"x!"}, out)
	out, err = tool(ctx, query{"fail"})
	require.EqualError(t, err, "no index")
	assert.Equal(t, []string{"half"}, out)
	require.PanicsWithValue(t, "boom", func() { _, _ = tool(ctx, query{"panic"}) })
	require.NoError(t, s.End(ctx))

	events := s.Snapshot().Events
	require.Len(t, events, 3)
	for i, want := range []struct{ input, output, failure string }{
		{`{"text":"x"}`, `["x!"]`, ""},
		{`{"text":"fail"}`, "", "no index"},
		{`{"text":"panic"}`, "", "panic: boom"},
	} {
		e := events[i]
		assert.Equal(t, "look_up", e.ToolCall.Name)
		assert.Equal(t, want.input, string(e.ToolCall.Input))
		assert.Equal(t, want.output, string(e.ToolCall.Output))
		assert.True(t, e.DurationMS.OK)
		if want.failure == "" {
			assert.Nil(t, e.Error)
		} else {
			assert.Equal(t, want.failure, e.Error.Message)
		}
	}
	assert.Len(t, r.recorder.Ended(), 5)
}

// A wrapped agent is a session of its own, or the sub-agent of the one it is
// called in.
func TestWrapAgent(t *testing.T) {
	agentlens.ResetGlobal()
	helper := agentlens.WrapAgent("helper", lookUp)
	boss := agentlens.WrapAgent("boss", func(ctx context.Context, q query) ([]string, error) {
		_, call := agentlens.StartLLM(ctx, "openai", "m")
		call.SetTokens(3, 4)
		call.End()
		return helper(ctx, q)
	})
	out, err := boss(t.Context(), query{"before Init"})
	require.NoError(t, err)
	assert.Equal(t, []string{"before Init!"}, out)

	r := initRecorded(t)
	_, err = boss(t.Context(), query{"x"})
	require.NoError(t, err)
	root := r.named(t, "invoke_agent boss")
	sub := r.named(t, "invoke_agent helper")
	assert.Equal(t, root.SpanContext().SpanID(), sub.Parent().SpanID())
	for _, span := range []sdktrace.ReadOnlySpan{root, sub} {
		assert.Equal(t, `{"text":"x"}`, attributeOf(span, "agentlens.event.input"))
		assert.Equal(t, `["x!"]`, attributeOf(span, "agentlens.event.output"))
	}
	assert.Equal(t, "completed", attributeOf(root, "agentlens.session.status"))
	assert.Equal(t, int64(3), attributeOf(root, "agentlens.session.tokens.input"))
	r.recorder.Reset()

	_, err = boss(t.Context(), query{"fail"})
	require.EqualError(t, err, "no index")
	for _, name := range []string{"invoke_agent boss", "invoke_agent helper"} {
		assert.Equal(t, sdktrace.Status{Code: codes.Error, Description: "no index"}, r.named(t, name).Status())
	}
	assert.Equal(t, "error", attributeOf(r.named(t, "invoke_agent boss"), "agentlens.session.status"))
	r.recorder.Reset()

	require.PanicsWithValue(t, "boom", func() { _, _ = boss(t.Context(), query{"panic"}) })
	for _, name := range []string{"invoke_agent boss", "invoke_agent helper"} {
		assert.Equal(t, "panic", attributeOf(r.named(t, name), "error.type"))
	}
	assert.Zero(t, r.Stats())

	// An agent may end its session itself, and an error may be unfit.
	own := agentlens.WrapAgent("own", func(ctx context.Context, _ int) (int, error) {
		assert.NoError(t, agentlens.EndSession(ctx))
		return 0, panics{}
	})
	_, err = own(t.Context(), 1)
	require.Error(t, err)
	assert.Equal(t, "completed", attributeOf(r.named(t, "invoke_agent own"), "agentlens.session.status"))
	unfit := agentlens.WrapAgent("unfit", func(context.Context, int) (int, error) { return 0, panics{} })
	_, err = unfit(t.Context(), 1)
	require.Error(t, err)
	assert.Equal(t, "error", attributeOf(r.named(t, "invoke_agent unfit"), "agentlens.session.status"))

	require.NoError(t, agentlens.Shutdown(t.Context()))
	_, err = boss(t.Context(), query{"after Shutdown"})
	require.NoError(t, err)
}
