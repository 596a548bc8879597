package otelopenai_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

// One middleware serves any number of calls at once; each span is its own call's.
func TestManyAtOnce(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.SSE(chatStream))
	spans := genaitest.NewRecorder()
	client := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithHTTPClient(server.Client()),
		option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(spans), otelopenai.WithCapture(otelopenai.CaptureFull))))
	const calls = 200
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			p := chatParams()
			p.Model = fmt.Sprintf("model-%d", i)
			stream := client.Chat.Completions.NewStreaming(t.Context(), p)
			for stream.Next() {
			}
			assert.NoError(t, stream.Err())
			assert.NoError(t, stream.Close())
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, span := range spans.Spans() {
		attrs := genaitest.Attributes(span)
		assert.Equal(t, int64(34), attrs["gen_ai.usage.output_tokens"])
		assert.Equal(t, span.Name, "chat "+attrs["gen_ai.request.model"].(string))
		seen[span.Name] = true
	}
	assert.Len(t, seen, calls)
}

// What is not sampled changes nothing, and is not sampled further on either.
func TestNotSampled(t *testing.T) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(chatAnswer)}, otelopenai.WithTracerProvider(provider))
	var inner trace.SpanContext
	answer, err := s.client.Chat.Completions.New(t.Context(), chatParams(),
		option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
			inner = trace.SpanContextFromContext(r.Context())
			return next(r)
		}))
	require.NoError(t, err)
	assert.Equal(t, chatAnswer, answer.RawJSON()+"\n")
	assert.True(t, inner.IsValid())
	assert.False(t, inner.IsSampled())
}

// A span of an HTTP library beneath is a child of the call's.
func TestTransportSpansAreChildren(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(chatAnswer)})
	_, err := s.client.Chat.Completions.New(t.Context(), chatParams(),
		option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
			_, span := s.spans.Tracer("http").Start(r.Context(), "POST")
			defer span.End()
			return next(r)
		}))
	require.NoError(t, err)
	spans := s.spans.Spans()
	require.Len(t, spans, 2)
	assert.Equal(t, spans[1].SpanContext.SpanID(), spans[0].Parent.SpanID())
}

func TestProviders(t *testing.T) {
	for host, want := range map[string]string{
		"api.openai.com":                        "openai",
		"eu.api.openai.com":                     "openai",
		"mine.openai.azure.com":                 "azure.ai.openai",
		"api.groq.com":                          "groq",
		"api.deepseek.com":                      "deepseek",
		"api.x.ai":                              "x_ai",
		"notapi.x.ai":                           "openai",
		"localhost":                             "openai",
		"us-central1-aiplatform.googleapis.com": "gcp.vertex_ai",
	} {
		spans := genaitest.NewRecorder()
		req, err := http.NewRequest(http.MethodPost, "https://"+host+"/v1/chat/completions", strings.NewReader(`{"model":"m"}`))
		require.NoError(t, err)
		_, err = otelopenai.Middleware(otelopenai.WithTracerProvider(spans))(req, func(*http.Request) (*http.Response, error) { return nil, io.EOF })
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, want, genaitest.Attributes(spans.One(t))["gen_ai.provider.name"], host)
	}
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(chatAnswer)}, otelopenai.WithProviderName("vllm"))
	_, err := s.client.Chat.Completions.New(t.Context(), chatParams())
	require.NoError(t, err)
	assert.Equal(t, "vllm", genaitest.Attributes(s.spans.One(t))["gen_ai.provider.name"])
}

// Content over the limit is cut, and says by how much.
func TestLongContentIsCut(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(chatAnswer)}, otelopenai.WithCapture(otelopenai.CaptureFull))
	p := chatParams()
	p.Messages = []openai.ChatCompletionMessageParamUnion{
		openai.UserMessage(strings.Repeat("ü", 150<<10)),
		openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + strings.Repeat("A", 20<<10)}),
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "https://example.com/a.png"}),
		}),
	}
	_, err := s.client.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	input := genaitest.Attributes(s.spans.One(t))["gen_ai.input.messages"].(string)
	assert.Less(t, len(input), 260<<10)
	assert.Contains(t, input, fmt.Sprintf("ü[cut: %d bytes]", 300<<10-256<<10))
	assert.Contains(t, input, `{"content":"[cut: 20480 bytes]","mime_type":"image/png","modality":"image","type":"blob"}`)

	p.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage(strings.Repeat("x", 2<<20))}
	_, err = s.client.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	attrs := genaitest.Attributes(s.spans.One(t))
	assert.Contains(t, attrs["gen_ai.input.messages"], "[cut: more than 1 MiB]")
	assert.Equal(t, "gpt-4o", attrs["gen_ai.request.model"], "which comes after the messages")
}
