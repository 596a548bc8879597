package otelopenai_test

import (
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlenstest"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

// A response that was made before is a fetch: told by its id and status, without
// tokens, and no error of the fetch when it has failed itself.
func TestFetchResponse(t *testing.T) {
	const id = "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b"
	with := func(old, new string) string { return strings.Replace(responsesAnswer, old, new, 1) }
	for _, c := range []struct {
		name, answer, status string
		finish               any
	}{
		{"completed", with(`"instructions": null`, `"instructions": "Be brief."`), "completed", []string{"tool_calls"}},
		{"in progress", with(`"status": "completed"`, `"status": "in_progress"`), "in_progress", nil},
		{"failed", with(`"status": "completed",
  "error": null`, `"status": "failed", "error": {"code":"server_error","message":"sorry"}`), "failed", []string{"error"}},
		{"cancelled", with(`"status": "completed"`, `"status": "cancelled"`), "cancelled", []string{"error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, []genaitest.Answer{genaitest.JSON(c.answer)}, otelopenai.WithCapture(otelopenai.CaptureFull))
			_, err := s.client.Responses.Get(t.Context(), id, responses.ResponseGetParams{})
			require.NoError(t, err)
			span := s.spans.One(t)
			assert.Equal(t, "fetch_response", span.Name)
			assert.Equal(t, trace.SpanKindClient, span.SpanKind)
			assert.Equal(t, codes.Unset, span.Status.Code)
			attrs := genaitest.Attributes(span)
			assert.Equal(t, c.finish, attrs["gen_ai.response.finish_reasons"])
			assert.Contains(t, attrs["gen_ai.output.messages"], "Boston, MA")
			if c.name != "completed" {
				return
			}
			delete(attrs, "gen_ai.output.messages")
			assert.Equal(t, s.server(map[string]any{
				"gen_ai.operation.name":          "fetch_response",
				"gen_ai.provider.name":           "openai",
				"gen_ai.response.id":             id,
				"gen_ai.response.model":          "o4-mini-2025-04-16",
				"gen_ai.response.status":         "completed",
				"gen_ai.response.finish_reasons": []string{"tool_calls"},
				"gen_ai.system_instructions":     `[{"content":"Be brief.","type":"text"}]`,
				"openai.api.type":                "responses",
				"openai.response.service_tier":   "flex",
			}), attrs)
		})
	}
}

func TestFetchResponseFails(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.Failed(404, `{"error":{"message":"no such response","type":"invalid_request_error"}}`)})
	_, err := s.client.Responses.Get(t.Context(), "resp_1", responses.ResponseGetParams{})
	require.Error(t, err)
	span := s.spans.One(t)
	assert.Equal(t, "404", genaitest.Attributes(span)["error.type"])
	assert.Equal(t, "no such response", span.Status.Description)
}

// A stream that goes on where it was left tells from where.
func TestFetchResponseStream(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.SSE(responsesStream)})
	stream := s.client.Responses.GetStreaming(t.Context(), "resp_1", responses.ResponseGetParams{StartingAfter: param.NewOpt[int64](1)})
	for stream.Next() {
	}
	require.NoError(t, stream.Err())
	assert.Equal(t, s.server(map[string]any{
		"gen_ai.operation.name":          "fetch_response",
		"gen_ai.provider.name":           "openai",
		"gen_ai.request.stream_cursor":   "1",
		"gen_ai.response.id":             "resp_1",
		"gen_ai.response.model":          "gpt-5-2025-08-07",
		"gen_ai.response.status":         "completed",
		"gen_ai.response.finish_reasons": []string{"stop"},
		"openai.api.type":                "responses",
		"openai.response.service_tier":   "default",
	}), genaitest.Attributes(s.spans.One(t)))
}

// What is asked about a response beside itself is not told.
func TestNoFetch(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(`{"data":[]}`)})
	_, err := s.client.Responses.InputItems.List(t.Context(), "resp_1", responses.InputItemListParams{})
	require.NoError(t, err)
	_, err = s.client.Models.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, s.spans.Spans())
}

// Within a StartLLM the fetch has a span of its own, and the session counts one
// call.
func TestFetchInsideStartLLM(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.JSON(responsesAnswer))
	rec, spans := agentlenstest.New(t), genaitest.NewRecorder()
	client := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithHTTPClient(server.Client()),
		option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(spans))))
	ctx, session, err := rec.Tracker().StartSession(t.Context(), "researcher")
	require.NoError(t, err)
	inCall, call := session.StartLLM(ctx, "openai", "o4-mini")
	_, err = client.Responses.New(inCall, responses.ResponseNewParams{Model: "o4-mini"})
	require.NoError(t, err)
	_, err = client.Responses.Get(inCall, "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b", responses.ResponseGetParams{})
	require.NoError(t, err)
	call.End()
	require.NoError(t, session.End(ctx))
	got := rec.RequireSession("researcher")
	require.Len(t, got.Events, 1)
	assert.Equal(t, some(291), got.Events[0].TokensIn)
	assert.Equal(t, "fetch_response", spans.One(t).Name, "the creation is the StartLLM's own")
}

// Of its duration there is a metric, of tokens and inferences none.
func TestFetchResponseMetrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(responsesAnswer)},
		otelopenai.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	_, err := s.client.Responses.Get(t.Context(), "resp_1", responses.ResponseGetParams{})
	require.NoError(t, err)
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	require.Len(t, all.ScopeMetrics[0].Metrics, 1)
	assert.Equal(t, "gen_ai.client.operation.duration", all.ScopeMetrics[0].Metrics[0].Name)
}
