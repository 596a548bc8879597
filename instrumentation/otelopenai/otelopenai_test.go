package otelopenai_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup is a client of the SDK's, with the middleware, of a server that plays
// answers.
type setup struct {
	*genaitest.Server
	spans  *genaitest.Recorder
	client openai.Client
}

func newSetup(t testing.TB, answers []genaitest.Answer, opts ...otelopenai.Option) *setup {
	t.Setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "")
	s := &setup{Server: genaitest.NewServer(t, answers...), spans: genaitest.NewRecorder()}
	opts = append([]otelopenai.Option{otelopenai.WithTracerProvider(s.spans)}, opts...)
	s.client = openai.NewClient(
		option.WithBaseURL(s.URL+"/v1"), option.WithAPIKey("sk-test"), option.WithHTTPClient(s.Server.Client()),
		option.WithMiddleware(otelopenai.Middleware(opts...)))
	return s
}

func (s *setup) server(attrs map[string]any) map[string]any {
	host, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	attrs["server.address"] = host
	n, _ := strconv.ParseInt(port, 10, 64)
	attrs["server.port"] = n
	return attrs
}

func chatParams() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    "gpt-4o",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage("Hello!")},
	}
}

func some(n int64) analysis.Opt[int64] { return analysis.Some(n) }

var absent analysis.Opt[int64]

// An answered call has exactly these attributes, and the collector reads one
// call of a model in it.
func TestChat(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(chatAnswer)})
	p := chatParams()
	p.Temperature = param.NewOpt(0.2)
	p.TopP = param.NewOpt(0.9)
	p.MaxCompletionTokens = param.NewOpt[int64](500)
	p.FrequencyPenalty = param.NewOpt(0.1)
	p.PresencePenalty = param.NewOpt(-0.1)
	p.Seed = param.NewOpt[int64](7)
	p.N = param.NewOpt[int64](2)
	p.Stop.OfStringArray = []string{"END", "###"}
	p.ReasoningEffort = shared.ReasoningEffortLow
	p.ServiceTier = openai.ChatCompletionNewParamsServiceTierFlex
	p.ResponseFormat.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}

	answer, err := s.client.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "Hello! \"How\" can I assist you today?\n", answer.Choices[0].Message.Content)
	assert.Equal(t, chatAnswer, answer.RawJSON()+"\n")

	span := s.spans.One(t)
	assert.Equal(t, "chat gpt-4o", span.Name)
	assert.Equal(t, trace.SpanKindClient, span.SpanKind)
	assert.Equal(t, codes.Unset, span.Status.Code)
	assert.Equal(t, otelopenai.ScopeName, span.InstrumentationScope.Name)
	assert.Equal(t, s.server(map[string]any{
		"gen_ai.operation.name":                 "chat",
		"gen_ai.provider.name":                  "openai",
		"gen_ai.request.model":                  "gpt-4o",
		"gen_ai.request.temperature":            0.2,
		"gen_ai.request.top_p":                  0.9,
		"gen_ai.request.max_tokens":             int64(500),
		"gen_ai.request.frequency_penalty":      0.1,
		"gen_ai.request.presence_penalty":       -0.1,
		"gen_ai.request.seed":                   int64(7),
		"gen_ai.request.choice.count":           int64(2),
		"gen_ai.request.stop_sequences":         []string{"END", "###"},
		"gen_ai.request.reasoning.level":        "low",
		"gen_ai.output.type":                    "json",
		"gen_ai.response.id":                    "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
		"gen_ai.response.model":                 "gpt-4.1-2025-04-14",
		"gen_ai.response.finish_reasons":        []string{"stop"},
		"gen_ai.usage.input_tokens":             int64(1119),
		"gen_ai.usage.output_tokens":            int64(110),
		"gen_ai.usage.cache_read.input_tokens":  int64(1024),
		"gen_ai.usage.cache_write.input_tokens": int64(64),
		"gen_ai.usage.reasoning.output_tokens":  int64(90),
		"openai.api.type":                       "chat_completions",
		"openai.request.service_tier":           "flex",
		"openai.response.service_tier":          "default",
		"openai.response.system_fingerprint":    "fp_44709d6fcb",
	}), genaitest.Attributes(span))

	r := genaitest.Read(t, span)
	assert.Equal(t, spanevent.RoleEvent, r.Role)
	assert.Equal(t, analysis.EventLLMCall, r.Event.Type)
	assert.Equal(t, "gpt-4o", r.Event.Model)
	assert.Equal(t, "openai", r.Event.Provider)
	assert.Equal(t, "default", r.Event.ServiceTier)
	assert.Equal(t, some(1119), r.Event.TokensIn)
	assert.Equal(t, some(110), r.Event.TokensOut)
	assert.Equal(t, some(1024), r.Event.CacheReadTokens)
	assert.Equal(t, some(64), r.Event.CacheWriteTokens)
	assert.Equal(t, some(90), r.Event.ReasoningTokens)
	assert.Nil(t, r.Event.Error)
	assert.Nil(t, r.Event.ToolCall)
}

func (s *setup) streamChat(ctx context.Context, p openai.ChatCompletionNewParams) (chunks []string, err error) {
	stream := s.client.Chat.Completions.NewStreaming(ctx, p)
	defer stream.Close()
	for stream.Next() {
		chunk := stream.Current()
		chunks = append(chunks, chunk.RawJSON())
	}
	return chunks, stream.Err()
}

// The tool calls that an answer asks for are part of the answer, and the usage
// of a stream is there when the provider sends it.
func TestChatStream(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.SSE(chatStream)}, otelopenai.WithCapture(otelopenai.CaptureFull))
	p := chatParams()
	p.StreamOptions.IncludeUsage = param.NewOpt(true)
	chunks, err := s.streamChat(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, chunks, 6)

	span := s.spans.One(t)
	attrs := genaitest.Attributes(span)
	first, ok := attrs["gen_ai.response.time_to_first_chunk"].(float64)
	require.True(t, ok, "a double")
	assert.Positive(t, first)
	assert.LessOrEqual(t, first, span.EndTime.Sub(span.StartTime).Seconds())
	delete(attrs, "gen_ai.response.time_to_first_chunk")
	assert.JSONEq(t, `[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},{"role":"user","parts":[{"type":"text","content":"Hello!"}]}]`,
		attrs["gen_ai.input.messages"].(string))
	assert.JSONEq(t, `[{"role":"assistant","finish_reason":"tool_calls","parts":[
		{"type":"tool_call","id":"call_a","name":"get_weather","arguments":{"city":"Zürich"}},
		{"type":"tool_call","id":"call_b","name":"get_time","arguments":{}}]}]`, attrs["gen_ai.output.messages"].(string))
	delete(attrs, "gen_ai.input.messages")
	delete(attrs, "gen_ai.output.messages")
	assert.Equal(t, s.server(map[string]any{
		"gen_ai.operation.name":                "chat",
		"gen_ai.provider.name":                 "openai",
		"gen_ai.request.model":                 "gpt-4o",
		"gen_ai.request.stream":                true,
		"gen_ai.response.id":                   "chatcmpl-9",
		"gen_ai.response.model":                "gpt-4o-2024-08-06",
		"gen_ai.response.finish_reasons":       []string{"tool_calls"},
		"gen_ai.usage.input_tokens":            int64(76),
		"gen_ai.usage.output_tokens":           int64(34),
		"gen_ai.usage.cache_read.input_tokens": int64(0),
		"gen_ai.usage.reasoning.output_tokens": int64(0),
		"openai.api.type":                      "chat_completions",
		"openai.response.service_tier":         "default",
		"openai.response.system_fingerprint":   "fp_1",
	}), attrs)
	r := genaitest.Read(t, span)
	assert.Equal(t, analysis.EventLLMCall, r.Event.Type)
	assert.Nil(t, r.Event.ToolCall, "asking for a tool is not running it")
	assert.Equal(t, some(76), r.Event.TokensIn)
	assert.NotEmpty(t, r.Event.Input)
	assert.NotEmpty(t, r.Event.Output)
}

// Wherever the stream is cut, the span says the same.
func TestChatStreamCutAnywhere(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.SSE(chatStream)})
	middleware := otelopenai.Middleware(otelopenai.WithTracerProvider(s.spans), otelopenai.WithCapture(otelopenai.CaptureFull))
	read := func(sizes ...int) (map[string]any, []string) {
		s.client = openai.NewClient(option.WithBaseURL(s.URL+"/v1"), option.WithAPIKey("sk-test"), option.WithMiddleware(middleware),
			option.WithHTTPClient(&http.Client{Transport: genaitest.Cut{Base: s.Server.Client().Transport, Sizes: sizes}}))
		chunks, err := s.streamChat(t.Context(), chatParams())
		require.NoError(t, err)
		attrs := genaitest.Attributes(s.spans.One(t))
		delete(attrs, "gen_ai.response.time_to_first_chunk")
		return attrs, chunks
	}
	want, chunks := read()
	require.Equal(t, int64(34), want["gen_ai.usage.output_tokens"])
	for cut := 1; cut < len(chatStream); cut++ {
		got, gotChunks := read(cut, len(chatStream))
		require.Equal(t, want, got, "cut at %d", cut)
		require.Equal(t, chunks, gotChunks)
	}
	got, _ := read(1)
	require.Equal(t, want, got, "every byte for itself")
}

func TestUsageThatIsNotSentIsAbsent(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.SSE(chatStreamNoUsage)})
	_, err := s.streamChat(t.Context(), chatParams())
	require.NoError(t, err)
	span := s.spans.One(t)
	for key := range genaitest.Attributes(span) {
		assert.NotContains(t, key, "gen_ai.usage.")
	}
	r := genaitest.Read(t, span)
	assert.Equal(t, absent, r.Event.TokensIn)
	assert.Equal(t, absent, r.Event.TokensOut)
	assert.Nil(t, r.Event.Error)
}

func TestResponses(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(responsesAnswer)}, otelopenai.WithCapture(otelopenai.CaptureFull))
	_, err := s.client.Responses.New(t.Context(), responses.ResponseNewParams{
		Model:              "o4-mini",
		Instructions:       param.NewOpt("Use the tools."),
		Input:              responses.ResponseNewParamsInputUnion{OfString: param.NewOpt("Weather in Boston?")},
		MaxOutputTokens:    param.NewOpt[int64](99),
		PreviousResponseID: param.NewOpt("resp_0"),
		Reasoning:          shared.ReasoningParam{Effort: shared.ReasoningEffortHigh},
		Conversation:       responses.ResponseNewParamsConversationUnion{OfString: param.NewOpt("conv_1")},
		ServiceTier:        responses.ResponseNewParamsServiceTierAuto,
	})
	require.NoError(t, err)
	span := s.spans.One(t)
	assert.Equal(t, "chat o4-mini", span.Name)
	assert.Equal(t, s.server(map[string]any{
		"gen_ai.operation.name":                 "chat",
		"gen_ai.provider.name":                  "openai",
		"gen_ai.request.model":                  "o4-mini",
		"gen_ai.request.max_tokens":             int64(99),
		"gen_ai.request.reasoning.level":        "high",
		"gen_ai.request.previous_response.id":   "resp_0",
		"gen_ai.conversation.id":                "conv_1",
		"gen_ai.system_instructions":            `[{"content":"Use the tools.","type":"text"}]`,
		"gen_ai.input.messages":                 `[{"role":"user","parts":[{"content":"Weather in Boston?","type":"text"}]}]`,
		"gen_ai.output.messages":                `[{"role":"assistant","parts":[{"content":"Look it up.","type":"reasoning"},{"arguments":{"location":"Boston, MA"},"id":"call_unLAR8MvFNptuiZK6K6HCy5k","name":"get_current_weather","type":"tool_call"}]}]`,
		"gen_ai.response.id":                    "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
		"gen_ai.response.model":                 "o4-mini-2025-04-16",
		"gen_ai.response.finish_reasons":        []string{"tool_calls"},
		"gen_ai.usage.input_tokens":             int64(291),
		"gen_ai.usage.output_tokens":            int64(23),
		"gen_ai.usage.cache_read.input_tokens":  int64(12),
		"gen_ai.usage.cache_write.input_tokens": int64(3),
		"gen_ai.usage.reasoning.output_tokens":  int64(7),
		"openai.api.type":                       "responses",
		"openai.response.service_tier":          "flex",
	}), genaitest.Attributes(span))
	r := genaitest.Read(t, span)
	assert.Equal(t, analysis.EventLLMCall, r.Event.Type)
	assert.Equal(t, some(291), r.Event.TokensIn)
	assert.Equal(t, some(23), r.Event.TokensOut)
	assert.Equal(t, some(7), r.Event.ReasoningTokens)
	assert.Nil(t, r.Event.ToolCall)
}

func TestResponsesStream(t *testing.T) {
	for _, c := range []struct {
		name, body, finish, errorType string
		in, out                       analysis.Opt[int64]
		failed                        bool
	}{
		{"completed", responsesStream, "stop", "", some(37), some(11), false},
		{"incomplete", responsesIncomplete, "length", "", some(5), some(16), false},
		{"failed", responsesFailed, "error", "server_error", absent, absent, false},
		{"error event", "event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\",\"param\":null}\n\n", "", "rate_limit_exceeded", absent, absent, false},
		{"cut short", responsesStream[:len(responsesStream)/2], "", "unexpected_eof", absent, absent, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, []genaitest.Answer{genaitest.SSE(c.body)})
			stream := s.client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{Model: "gpt-5"})
			for stream.Next() {
			}
			span := s.spans.One(t)
			attrs := genaitest.Attributes(span)
			if c.finish != "" {
				assert.Equal(t, []string{c.finish}, attrs["gen_ai.response.finish_reasons"])
			}
			r := genaitest.Read(t, span)
			assert.Equal(t, c.in, r.Event.TokensIn)
			assert.Equal(t, c.out, r.Event.TokensOut)
			if c.errorType == "" {
				assert.Nil(t, r.Event.Error)
				return
			}
			assert.Equal(t, codes.Error, span.Status.Code)
			require.NotNil(t, r.Event.Error)
			assert.Equal(t, c.errorType, r.Event.Error.Type)
		})
	}
}

func TestEmbeddings(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(embeddingsAnswer)})
	_, err := s.client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: openai.EmbeddingModelTextEmbedding3Small, Dimensions: param.NewOpt[int64](256),
		EncodingFormat: openai.EmbeddingNewParamsEncodingFormatFloat,
		Input:          openai.EmbeddingNewParamsInputUnion{OfString: param.NewOpt("The food was delicious")},
	})
	require.NoError(t, err)
	span := s.spans.One(t)
	assert.Equal(t, "embeddings text-embedding-3-small", span.Name)
	assert.Equal(t, s.server(map[string]any{
		"gen_ai.operation.name":             "embeddings",
		"gen_ai.provider.name":              "openai",
		"gen_ai.request.model":              "text-embedding-3-small",
		"gen_ai.embeddings.dimension.count": int64(256),
		"gen_ai.request.encoding_formats":   []string{"float"},
		"gen_ai.response.model":             "text-embedding-3-small",
		"gen_ai.usage.input_tokens":         int64(8),
	}), genaitest.Attributes(span))
	r := genaitest.Read(t, span)
	assert.Equal(t, analysis.EventType("embeddings"), r.Event.Type)
	assert.Equal(t, some(8), r.Event.TokensIn)
}

func TestCompletions(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(completionAnswer)}, otelopenai.WithCapture(otelopenai.CaptureFull))
	_, err := s.client.Completions.New(t.Context(), openai.CompletionNewParams{
		Model: openai.CompletionNewParamsModelGPT3_5TurboInstruct, Prompt: openai.CompletionNewParamsPromptUnion{OfString: param.NewOpt("Say")},
	})
	require.NoError(t, err)
	span := s.spans.One(t)
	assert.Equal(t, "text_completion gpt-3.5-turbo-instruct", span.Name)
	assert.Equal(t, `[{"role":"assistant","parts":[{"content":"\n\nThis is a test","type":"text"}],"finish_reason":"length"}]`,
		genaitest.Attributes(span)["gen_ai.output.messages"])
	assert.Equal(t, some(7), genaitest.Read(t, span).Event.TokensOut)
}

// What calls no model has no span.
func TestOtherRequestsPass(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(`{"object":"list","data":[]}`)})
	_, err := s.client.Models.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, s.spans.Spans())
}
