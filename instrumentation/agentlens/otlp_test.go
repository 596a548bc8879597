package agentlens_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// The whole road over real OTLP/HTTP.
func TestTrackArrivesAsOTLP(t *testing.T) {
	c := newCollector(t, nil)
	ctx := t.Context()
	tracker, err := agentlens.NewTracker(ctx, agentlens.WithEndpoint(c.url), agentlens.WithAPIKey("secret"),
		agentlens.WithServiceName("the-service"))
	require.NoError(t, err)
	ctx, s, err := tracker.StartSession(ctx, "researcher", agentlens.WithMetadata(map[string]any{"version": "2.1.0"}))
	require.NoError(t, err)
	e, err := tracker.Track(ctx, agentlens.EventLLMCall, agentlens.WithModel("gpt-4o"), agentlens.WithTokens(1200, 350),
		agentlens.WithReasoning("asked to"), agentlens.WithDuration(2340500*time.Microsecond))
	require.NoError(t, err)
	require.NoError(t, tracker.EndSession(ctx))

	assert.Len(t, c.all(), 4)
	root, chat := c.named(t, "invoke_agent researcher"), c.named(t, "chat gpt-4o")
	assert.Equal(t, root.SpanId, chat.ParentSpanId)
	assert.Equal(t, e.ID, hexID(chat))
	assert.Equal(t, uint64(2340500*time.Microsecond), chat.EndTimeUnixNano-chat.StartTimeUnixNano)
	assert.Equal(t, int64(1200), attributes(root.Attributes)[semconv.SessionTokensInput])
	assert.Equal(t, s.ID(), attributes(chat.Attributes)[semconv.SessionID])
	assert.Equal(t, chat.SpanId, c.named(t, "decision").ParentSpanId)
	assert.Equal(t, root.SpanId, c.named(t, "agentlens.session.start").ParentSpanId)

	assert.Equal(t, "secret", c.request(t, 0).Header.Get("X-API-Key"))
	assert.Equal(t, "/v1/traces", c.request(t, 0).URL.Path)
	assert.Equal(t, "the-service", attributes(c.resource.Attributes)["service.name"])
	assert.Equal(t, semconv.ScopeName, c.scopes[0].Scope.Name)
	assert.Equal(t, agentlens.Version, c.scopes[0].Scope.Version)
	assert.Equal(t, semconv.GenAISchemaURL, c.scopes[0].SchemaUrl)
	require.NoError(t, tracker.Shutdown(t.Context()))
}
