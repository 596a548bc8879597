package otelopenai_test

import (
	"context"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlenstest"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

// A call under a session's context joins the session: the collector counts one
// call of a model, with its tokens, under the session's agent. One without stays
// out of it.
func TestJoinsTheSession(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.SSE(chatStream), genaitest.SSE(strings.ReplaceAll(chatStream, "chatcmpl-9", "chatcmpl-10")))
	rec := agentlenstest.New(t)
	s := setup{client: openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithHTTPClient(server.Client()),
		option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(rec.TracerProvider()))))}
	ctx, session, err := rec.Tracker().StartSession(t.Context(), "researcher")
	require.NoError(t, err)
	_, err = s.streamChat(ctx, chatParams())
	require.NoError(t, err)
	// Another goroutine, another context that is derived from it.
	done := make(chan error)
	go func() {
		_, err := s.streamChat(context.WithoutCancel(ctx), chatParams())
		done <- err
	}()
	require.NoError(t, <-done)
	_, err = s.streamChat(t.Context(), chatParams())
	require.NoError(t, err)
	require.NoError(t, session.End(ctx))

	got := rec.RequireSession("researcher")
	event := got.RequireModel("gpt-4o")
	assert.Equal(t, some(76), event.TokensIn)
	assert.Equal(t, some(34), event.TokensOut)
	assert.Equal(t, "openai", event.Provider)
	assert.Equal(t, session.ID(), event.SessionID)
	assert.Equal(t, int64(2*76), got.Summary.TokensIn)
	assert.Equal(t, int64(2*34), got.Summary.TokensOut)
}

// Without a provider of its own the middleware writes to that of the session:
// one line is all there is to it.
func TestGoesWhereTheSessionGoes(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.JSON(chatAnswer))
	rec := agentlenstest.New(t)
	client := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithHTTPClient(server.Client()),
		option.WithMiddleware(otelopenai.Middleware()))
	ctx, session, err := rec.Tracker().StartSession(t.Context(), "researcher")
	require.NoError(t, err)
	_, err = client.Chat.Completions.New(ctx, chatParams())
	require.NoError(t, err)
	_, err = client.Chat.Completions.New(t.Context(), chatParams()) // of no session: to the global provider
	require.NoError(t, err)
	require.NoError(t, session.End(ctx))

	require.Len(t, rec.Sessions(), 1)
	got := rec.RequireSession("researcher")
	require.Len(t, got.Events, 1)
	assert.Equal(t, some(1119), got.Events[0].TokensIn)
}

// With a span between StartLLM and the call there are two spans, and one event:
// the collector reads both as one call, with what each of them knows.
func TestUnderASpanInStartLLM(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.JSON(chatAnswer))
	rec := agentlenstest.New(t)
	client := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithHTTPClient(server.Client()),
		option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(rec.TracerProvider()))))
	ctx, session, err := rec.Tracker().StartSession(t.Context(), "researcher")
	require.NoError(t, err)
	inCall, call := session.StartLLM(ctx, "openai", "gpt-4o")
	call.SetReasoning("because")
	between, span := rec.TracerProvider().Tracer("app").Start(inCall, "ask")
	_, err = client.Chat.Completions.New(between, chatParams())
	require.NoError(t, err)
	span.End()
	call.End()
	require.NoError(t, session.End(ctx))

	got := rec.RequireSession("researcher")
	require.Len(t, got.Events, 1)
	assert.Equal(t, some(1119), got.Events[0].TokensIn)
	assert.Equal(t, some(110), got.Events[0].TokensOut)
	require.NotNil(t, got.Events[0].DecisionTrace)
	assert.Equal(t, "because", got.Events[0].DecisionTrace.Reasoning)
}

// A call inside StartLLM is that call: its span gets what the middleware knows,
// and there is no second one, whichever provider the middleware has.
func TestInsideStartLLM(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.Failed(429, rateLimited), genaitest.JSON(chatAnswer))
	rec, other := agentlenstest.New(t), genaitest.NewRecorder()
	client := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithHTTPClient(server.Client()),
		option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(other))))
	ctx, session, err := rec.Tracker().StartSession(t.Context(), "researcher")
	require.NoError(t, err)
	inCall, call := session.StartLLM(ctx, "openai", "gpt-4o")
	_, err = client.Chat.Completions.New(inCall, chatParams())
	require.NoError(t, err)
	call.End()
	// The session knows what the middleware told, at once.
	assert.Equal(t, int64(1119), session.Summary().TokensIn)
	assert.Equal(t, int64(110), session.Summary().TokensOut)
	explained, err := session.Explain(ctx)
	require.NoError(t, err)
	assert.Contains(t, explained, "1119 in / 110 out")
	require.NoError(t, session.End(ctx))

	assert.Empty(t, other.Spans())
	got := rec.RequireSession("researcher")
	require.Len(t, got.Events, 1)
	assert.Equal(t, some(1119), got.Events[0].TokensIn)
	assert.Equal(t, some(110), got.Events[0].TokensOut)
	assert.Equal(t, "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", got.Events[0].ResponseID)
	assert.Nil(t, got.Events[0].Error)
}
