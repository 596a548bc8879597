package otelgenai_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"google.golang.org/genai"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelgenai"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Answers as the API sends them, shortened where nothing depends on it.
const answer = `{
  "candidates": [{
    "content": {"parts": [{"text": "Thinking.", "thought": true}, {"text": "Let me see."}, {"functionCall": {"id": "fc_1", "name": "get_weather", "args": {"city": "Zürich"}}}], "role": "model"},
    "finishReason": "STOP", "index": 0}],
  "usageMetadata": {"promptTokenCount": 120, "candidatesTokenCount": 15, "totalTokenCount": 205, "cachedContentTokenCount": 100, "thoughtsTokenCount": 60, "toolUsePromptTokenCount": 10},
  "modelVersion": "gemini-2.5-flash", "responseId": "RzV2aP"
}`

const stream = `data: {"candidates": [{"content": {"parts": [{"text": "Zürich "}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 8,"totalTokenCount": 8},"modelVersion": "gemini-2.5-flash","responseId": "r1"}` + "\r\n\r\n" +
	`data: {"candidates": [{"content": {"parts": [{"text": "is \"nice\"."}],"role": "model"},"finishReason": "MAX_TOKENS","index": 0}],"usageMetadata": {"promptTokenCount": 8,"candidatesTokenCount": 6,"totalTokenCount": 14},"modelVersion": "gemini-2.5-flash","responseId": "r1"}` + "\r\n\r\n"

type setup struct {
	*genaitest.Server
	spans  *genaitest.Recorder
	client *genai.Client
}

func newSetup(t testing.TB, answers []genaitest.Answer, opts ...otelgenai.Option) *setup {
	t.Setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "")
	s := &setup{Server: genaitest.NewServer(t, answers...), spans: genaitest.NewRecorder()}
	s.client = newClient(t, s.Server, otelgenai.HTTPClient(s.Server.Client(), append(opts, otelgenai.WithTracerProvider(s.spans))...))
	return s
}

func newClient(t testing.TB, server *genaitest.Server, client *http.Client) *genai.Client {
	c, err := genai.NewClient(context.Background(), &genai.ClientConfig{
		APIKey: "k", Backend: genai.BackendGeminiAPI, HTTPClient: client, HTTPOptions: genai.HTTPOptions{BaseURL: server.URL},
	})
	require.NoError(t, err)
	return c
}

func (s *setup) stream(ctx context.Context) (chunks []string, failure string) {
	for chunk, err := range s.client.Models.GenerateContentStream(ctx, "gemini-2.5-flash", genai.Text("Hello"), nil) {
		if err != nil {
			failure += err.Error() + "\n"
			continue
		}
		chunk.SDKHTTPResponse = nil // It has the date.
		b, _ := json.Marshal(chunk)
		chunks = append(chunks, string(b))
	}
	return chunks, failure
}

func some(n int64) analysis.Opt[int64] { return analysis.Some(n) }

func TestGenerateContent(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(answer)}, otelgenai.WithCapture(otelgenai.CaptureFull))
	got, err := s.client.Models.GenerateContent(t.Context(), "gemini-2.5-flash", genai.Text("Weather?"), &genai.GenerateContentConfig{
		SystemInstruction: genai.NewContentFromText("Be brief.", genai.RoleUser),
		Temperature:       genai.Ptr[float32](0.5), TopK: genai.Ptr[float32](40), MaxOutputTokens: 100, StopSequences: []string{"END"},
		CandidateCount: 2, Seed: genai.Ptr[int32](7), ResponseMIMEType: "application/json",
	})
	require.NoError(t, err)
	assert.Equal(t, "get_weather", got.FunctionCalls()[0].Name)
	span := s.spans.One(t)
	assert.Equal(t, "generate_content gemini-2.5-flash", span.Name)
	assert.Equal(t, trace.SpanKindClient, span.SpanKind)
	host, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	n, _ := strconv.ParseInt(port, 10, 64)
	assert.Equal(t, map[string]any{
		"server.address":                       host,
		"server.port":                          n,
		"gen_ai.operation.name":                "generate_content",
		"gen_ai.provider.name":                 "gcp.gemini",
		"gen_ai.request.model":                 "gemini-2.5-flash",
		"gen_ai.request.temperature":           0.5,
		"gen_ai.request.top_k":                 int64(40),
		"gen_ai.request.max_tokens":            int64(100),
		"gen_ai.request.stop_sequences":        []string{"END"},
		"gen_ai.request.choice.count":          int64(2),
		"gen_ai.request.seed":                  int64(7),
		"gen_ai.output.type":                   "json",
		"gen_ai.system_instructions":           `[{"content":"Be brief.","type":"text"}]`,
		"gen_ai.input.messages":                `[{"role":"user","parts":[{"content":"Weather?","type":"text"}]}]`,
		"gen_ai.output.messages":               `[{"role":"assistant","parts":[{"content":"Thinking.","type":"reasoning"},{"content":"Let me see.","type":"text"},{"arguments":{"city":"Zürich"},"id":"fc_1","name":"get_weather","type":"tool_call"}],"finish_reason":"stop"}]`,
		"gen_ai.response.id":                   "RzV2aP",
		"gen_ai.response.model":                "gemini-2.5-flash",
		"gen_ai.response.finish_reasons":       []string{"stop"},
		"gen_ai.usage.input_tokens":            int64(120 + 10),
		"gen_ai.usage.output_tokens":           int64(15 + 60),
		"gen_ai.usage.cache_read.input_tokens": int64(100),
		"gen_ai.usage.reasoning.output_tokens": int64(60),
	}, genaitest.Attributes(span))
	r := genaitest.Read(t, span)
	assert.Equal(t, analysis.EventLLMCall, r.Event.Type)
	assert.Equal(t, some(130), r.Event.TokensIn)
	assert.Equal(t, some(75), r.Event.TokensOut)
	assert.Nil(t, r.Event.Error)
}

func TestStreamCutAnywhere(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.SSE(stream)})
	read := func(sizes ...int) (map[string]any, []string) {
		s.client = newClient(t, s.Server, otelgenai.HTTPClient(&http.Client{Transport: genaitest.Cut{Base: s.Server.Client().Transport, Sizes: sizes}},
			otelgenai.WithTracerProvider(s.spans), otelgenai.WithCapture(otelgenai.CaptureFull)))
		chunks, failure := s.stream(t.Context())
		require.Empty(t, failure)
		attrs := genaitest.Attributes(s.spans.One(t))
		assert.Positive(t, attrs["gen_ai.response.time_to_first_chunk"])
		delete(attrs, "gen_ai.response.time_to_first_chunk")
		return attrs, chunks
	}
	want, chunks := read()
	require.Len(t, chunks, 2)
	assert.Equal(t, int64(8), want["gen_ai.usage.input_tokens"])
	assert.Equal(t, int64(6), want["gen_ai.usage.output_tokens"])
	assert.Equal(t, []string{"max_tokens"}, want["gen_ai.response.finish_reasons"])
	assert.Equal(t, `[{"role":"assistant","parts":[{"content":"Zürich is \"nice\".","type":"text"}],"finish_reason":"max_tokens"}]`, want["gen_ai.output.messages"])
	for cut := 1; cut < len(stream); cut++ {
		got, gotChunks := read(cut, len(stream))
		require.Equal(t, want, got, "cut at %d", cut)
		require.Equal(t, chunks, gotChunks)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name      string
		answer    genaitest.Answer
		errorType string
	}{
		{"refused", genaitest.Failed(429, `{"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED"}}`), "429"},
		{"in the stream", genaitest.SSE(stream[:strings.Index(stream, "\n\r\n")+3] + `data: {"error":{"code":503,"message":"Overloaded.","status":"UNAVAILABLE"}}` + "\r\n\r\n"), "UNAVAILABLE"},
		{"ends without an end", genaitest.SSE(stream[:strings.Index(stream, "\n\r\n")+3]), "unexpected_eof"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, []genaitest.Answer{c.answer})
			_, _ = s.stream(t.Context())
			spans := s.spans.Spans()
			require.NotEmpty(t, spans)
			for _, span := range spans {
				r := genaitest.Read(t, span)
				require.NotNil(t, r.Event.Error)
				assert.Equal(t, c.errorType, r.Event.Error.Type)
			}
		})
	}
}

func TestBlockedPromptIsComplete(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.SSE(`data: {"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}` + "\n\n")})
	_, _ = s.stream(t.Context())
	span := s.spans.One(t)
	assert.Equal(t, []string{"safety"}, genaitest.Attributes(span)["gen_ai.response.finish_reasons"])
	r := genaitest.Read(t, span)
	assert.Nil(t, r.Event.Error)
	assert.False(t, r.Event.TokensOut.OK)
}

func TestEmbeddings(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(`{"embeddings":[{"values":[0.1,0.2]}]}`)})
	_, err := s.client.Models.EmbedContent(t.Context(), "gemini-embedding-001", genai.Text("x"), nil)
	require.NoError(t, err)
	span := s.spans.One(t)
	assert.Equal(t, "embeddings gemini-embedding-001", span.Name)
	assert.Equal(t, analysis.EventType("embeddings"), genaitest.Read(t, span).Event.Type)
}

func TestCanceledHalfWay(t *testing.T) {
	answer := genaitest.SSE(stream[:strings.Index(stream, "\n\r\n")+3])
	answer.Hang = true
	s := newSetup(t, []genaitest.Answer{answer})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range s.client.Models.GenerateContentStream(ctx, "gemini-2.5-flash", genai.Text("Hello"), nil) {
		require.NoError(t, err)
		cancel()
		break
	}
	assert.Equal(t, "canceled", genaitest.Attributes(s.spans.Wait(t, 1)[0])["error.type"])
}

// With and without the transport the SDK gives the same chunks and the same
// errors, whatever the server sends.
func TestSDKSeesTheSame(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.SSE(""))
	pieces := rapid.OneOf(
		rapid.SampledFrom(strings.SplitAfter(stream, "\r\n\r\n")),
		rapid.SampledFrom([]string{"data:", "\n", "data: {}\n\n", `data: {"error":{"code":500}}` + "\n\n", `{"error":{"code":500}}` + "\n", "}"}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		server.Play(genaitest.SSE(strings.Join(rapid.SliceOfN(pieces, 0, 6).Draw(rt, "pieces"), "")))
		cut := &http.Client{Transport: genaitest.Cut{Base: server.Client().Transport, Sizes: rapid.SliceOfN(rapid.IntRange(1, 200), 0, 20).Draw(rt, "sizes")}}
		read := func(client *http.Client) (chunks []string, failure string, panicked any) {
			defer func() { panicked = recover() }()
			chunks, failure = (&setup{client: newClient(t, server, client)}).stream(t.Context())
			return chunks, failure, nil
		}
		spans := genaitest.NewRecorder()
		chunks, failure, panicked := read(otelgenai.HTTPClient(cut, otelgenai.WithTracerProvider(spans), otelgenai.WithCapture(otelgenai.CaptureFull)))
		plainChunks, plainFailure, plainPanicked := read(cut)
		assert.Equal(rt, plainFailure, failure)
		assert.Equal(rt, plainChunks, chunks)
		assert.Equal(rt, plainPanicked == nil, panicked == nil)
		assert.Len(rt, spans.Spans(), 1)
	})
}

func TestDependencies(t *testing.T) {
	assert.Subset(t, []string{
		"github.com/agentlens/agentlens-otel",
		"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/trace", "go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/sdk",
		"go.opentelemetry.io/auto/sdk", "github.com/cespare/xxhash/v2", "github.com/go-logr/logr", "github.com/go-logr/stdr",
	}, genaitest.Deps(t, "."))
}
