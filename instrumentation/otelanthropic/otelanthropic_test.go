package otelanthropic_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/param"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelanthropic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup is a client of the SDK's, with the middleware, of a server that plays
// answers.
type setup struct {
	*genaitest.Server
	spans  *genaitest.Recorder
	client anthropic.Client
}

func newSetup(t testing.TB, answers []genaitest.Answer, opts ...otelanthropic.Option) *setup {
	t.Setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "")
	s := &setup{Server: genaitest.NewServer(t, answers...), spans: genaitest.NewRecorder()}
	opts = append([]otelanthropic.Option{otelanthropic.WithTracerProvider(s.spans)}, opts...)
	s.client = newClient(s.Server, s.Server.Client().Transport, option.WithMiddleware(otelanthropic.Middleware(opts...)))
	return s
}

func newClient(server *genaitest.Server, transport http.RoundTripper, opts ...option.RequestOption) anthropic.Client {
	return anthropic.NewClient(append([]option.RequestOption{
		option.WithBaseURL(server.URL), option.WithAPIKey("sk-test"), option.WithHTTPClient(&http.Client{Transport: transport}),
	}, opts...)...)
}

func params() anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model:     "claude-sonnet-4-5",
		MaxTokens: 1024,
		System:    []anthropic.TextBlockParam{{Text: "Be brief."}},
		Messages: []anthropic.MessageParam{
			anthropic.NewUserMessage(anthropic.NewTextBlock("Hello!")),
			anthropic.NewAssistantMessage(anthropic.NewToolUseBlock("toolu_00", map[string]any{"q": 1}, "search")),
			anthropic.NewUserMessage(anthropic.NewToolResultBlock("toolu_00", "nothing", false)),
		},
	}
}

func (s *setup) stream(ctx context.Context, opts ...option.RequestOption) (events []string, err error) {
	stream := s.client.Messages.NewStreaming(ctx, params(), opts...)
	defer stream.Close()
	for stream.Next() {
		event := stream.Current()
		events = append(events, event.RawJSON())
	}
	return events, stream.Err()
}

func some(n int64) analysis.Opt[int64] { return analysis.Some(n) }

func TestMessage(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(answer)}, otelanthropic.WithCapture(otelanthropic.CaptureFull))
	p := params()
	p.Temperature = param.NewOpt(0.5)
	p.TopK = param.NewOpt[int64](40)
	p.StopSequences = []string{"END"}
	got, err := s.client.Messages.New(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, answer, got.RawJSON())

	span := s.spans.One(t)
	assert.Equal(t, "chat claude-sonnet-4-5", span.Name)
	assert.Equal(t, trace.SpanKindClient, span.SpanKind)
	host, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	n, _ := strconv.ParseInt(port, 10, 64)
	assert.Equal(t, map[string]any{
		"server.address":                 host,
		"server.port":                    n,
		"gen_ai.operation.name":          "chat",
		"gen_ai.provider.name":           "anthropic",
		"gen_ai.request.model":           "claude-sonnet-4-5",
		"gen_ai.request.max_tokens":      int64(1024),
		"gen_ai.request.temperature":     0.5,
		"gen_ai.request.top_k":           int64(40),
		"gen_ai.request.stop_sequences":  []string{"END"},
		"gen_ai.system_instructions":     `[{"content":"Be brief.","type":"text"}]`,
		"gen_ai.input.messages":          `[{"role":"user","parts":[{"content":"Hello!","type":"text"}]},{"role":"assistant","parts":[{"arguments":{"q":1},"id":"toolu_00","name":"search","type":"tool_call"}]},{"role":"user","parts":[{"id":"toolu_00","response":[{"text":"nothing","type":"text"}],"type":"tool_call_response"}]}]`,
		"gen_ai.output.messages":         `[{"role":"assistant","parts":[{"content":"Short.","type":"reasoning"},{"content":"Hello \"you\"!","type":"text"},{"arguments":{"city":"Zürich"},"id":"toolu_01","name":"get_weather","type":"tool_call"}],"finish_reason":"tool_use"}]`,
		"gen_ai.response.id":             "msg_01XFDUDYJgAACzvnptvVoYEL",
		"gen_ai.response.model":          "claude-sonnet-4-5-20250929",
		"gen_ai.response.finish_reasons": []string{"tool_use"},
		// The API says 20, beside the cached ones.
		"gen_ai.usage.input_tokens":             int64(20 + 2000 + 18000),
		"gen_ai.usage.output_tokens":            int64(393),
		"gen_ai.usage.cache_read.input_tokens":  int64(18000),
		"gen_ai.usage.cache_write.input_tokens": int64(2000),
		"gen_ai.usage.reasoning.output_tokens":  int64(120),
		"anthropic.response.service_tier":       "standard",
	}, genaitest.Attributes(span))

	r := genaitest.Read(t, span)
	assert.Equal(t, analysis.EventLLMCall, r.Event.Type)
	assert.Equal(t, "anthropic", r.Event.Provider)
	assert.Equal(t, some(20020), r.Event.TokensIn)
	assert.Equal(t, some(393), r.Event.TokensOut)
	assert.Equal(t, some(18000), r.Event.CacheReadTokens)
	assert.Equal(t, some(2000), r.Event.CacheWriteTokens)
	assert.Nil(t, r.Event.ToolCall)
	assert.Nil(t, r.Event.Error)
}

// Wherever the stream is cut, the span says the same, and the caller gets the
// same events.
func TestStreamCutAnywhere(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.SSE(stream)})
	middleware := option.WithMiddleware(otelanthropic.Middleware(otelanthropic.WithTracerProvider(s.spans), otelanthropic.WithCapture(otelanthropic.CaptureFull)))
	read := func(sizes ...int) (map[string]any, []string) {
		s.client = newClient(s.Server, genaitest.Cut{Base: s.Server.Client().Transport, Sizes: sizes}, middleware)
		events, err := s.stream(t.Context())
		require.NoError(t, err)
		attrs := genaitest.Attributes(s.spans.One(t))
		assert.Positive(t, attrs["gen_ai.response.time_to_first_chunk"])
		delete(attrs, "gen_ai.response.time_to_first_chunk")
		return attrs, events
	}
	want, events := read()
	require.Len(t, events, 12)
	assert.Equal(t, int64(472+30+100), want["gen_ai.usage.input_tokens"])
	assert.Equal(t, int64(89), want["gen_ai.usage.output_tokens"])
	assert.Equal(t, int64(10), want["gen_ai.usage.reasoning.output_tokens"])
	assert.Equal(t, int64(100), want["gen_ai.usage.cache_read.input_tokens"])
	assert.Equal(t, int64(30), want["gen_ai.usage.cache_write.input_tokens"])
	assert.Equal(t, true, want["gen_ai.request.stream"])
	assert.Equal(t, []string{"tool_use"}, want["gen_ai.response.finish_reasons"])
	assert.Equal(t, `[{"role":"assistant","parts":[{"content":"Okay, let's \"check\" Zürich:","type":"text"},{"arguments":{"location":"Zürich"},"id":"toolu_01T1x1fJ34qAmk2tNTrN7Up6","name":"get_weather","type":"tool_call"}],"finish_reason":"tool_use"}]`,
		want["gen_ai.output.messages"])
	for cut := 1; cut < len(stream); cut++ {
		got, gotEvents := read(cut, len(stream))
		require.Equal(t, want, got, "cut at %d", cut)
		require.Equal(t, events, gotEvents)
	}
	got, _ := read(1)
	require.Equal(t, want, got, "every byte for itself")
}

func TestStreamsThatFail(t *testing.T) {
	half := strings.Index(stream, "event: content_block_stop")
	aborted := genaitest.SSE(stream[:half])
	aborted.Abort = true
	for _, c := range []struct {
		name      string
		answer    genaitest.Answer
		errorType string
	}{
		{"error in the stream", genaitest.SSE(stream[:half] + overloaded), "overloaded_error"},
		{"ends without an end", genaitest.SSE(stream[:half]), "unexpected_eof"},
		{"connection lost", aborted, "unexpected_eof"},
		{"not JSON", genaitest.SSE(stream[:half] + "event: content_block_delta\ndata: {\"type\n\n"), "malformed_response"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, []genaitest.Answer{c.answer})
			_, _ = s.stream(t.Context())
			span := s.spans.One(t)
			r := genaitest.Read(t, span)
			require.NotNil(t, r.Event.Error)
			assert.Equal(t, c.errorType, r.Event.Error.Type)
			assert.Equal(t, some(602), r.Event.TokensIn, "told at the beginning")
			assert.False(t, r.Event.TokensOut.OK, "not told yet")
			assert.Equal(t, codes.Error, span.Status.Code)
		})
	}
}

func TestCanceledHalfWay(t *testing.T) {
	answer := genaitest.SSE(stream[:strings.Index(stream, "event: content_block_stop")])
	answer.Hang = true
	s := newSetup(t, []genaitest.Answer{answer})
	ctx, cancel := context.WithCancel(t.Context())
	events := s.client.Messages.NewStreaming(ctx, params())
	require.True(t, events.Next())
	cancel()
	r := genaitest.Read(t, s.spans.Wait(t, 1)[0])
	assert.Equal(t, "canceled", r.Event.Error.Type)
	assert.NoError(t, events.Close())
}

func TestEachAttemptIsASpan(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.Failed(429, rateLimited), genaitest.Failed(529, overloaded), genaitest.JSON(answer)})
	_, err := s.client.Messages.New(t.Context(), params())
	require.NoError(t, err)
	spans := s.spans.Spans()
	require.Len(t, spans, 3)
	for i, want := range []string{"429", "529"} {
		assert.Equal(t, want, genaitest.Attributes(spans[i])["error.type"])
	}
	attrs := genaitest.Attributes(spans[2])
	assert.Equal(t, int64(2), attrs["http.request.resend_count"])
	assert.NotContains(t, attrs, "error.type")

	s.Play(genaitest.Failed(401, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`))
	_, err = s.client.Messages.New(t.Context(), params())
	require.Error(t, err)
	span := s.spans.One(t)
	assert.Equal(t, "invalid x-api-key", span.Status.Description)
}

func TestCountTokensIsNoCall(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(`{"input_tokens":14}`)})
	_, err := s.client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: "claude-sonnet-4-5", Messages: params().Messages})
	require.NoError(t, err)
	assert.Empty(t, s.spans.Spans())
}

// When the SDK writes a span to the same provider, there is one span a call:
// the SDK's, with what the middleware knows.
func TestBesideTheSDKsSpans(t *testing.T) {
	t.Setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "full")
	spans := genaitest.NewRecorder()
	s := &setup{Server: genaitest.NewServer(t, genaitest.Failed(429, rateLimited), genaitest.JSON(answer)), spans: spans}
	s.client = newClient(s.Server, s.Server.Client().Transport, option.WithTracerProvider(spans.TracerProvider),
		option.WithMiddleware(otelanthropic.Middleware(otelanthropic.WithTracerProvider(spans.TracerProvider))))
	_, err := s.client.Messages.New(t.Context(), params())
	require.NoError(t, err)
	check := func(out int64, output string) {
		span := spans.One(t)
		assert.True(t, strings.HasPrefix(span.InstrumentationScope.Name, "com.anthropic.sdk"), span.InstrumentationScope.Name)
		attrs := genaitest.Attributes(span)
		assert.Contains(t, attrs["gen_ai.output.messages"], output)
		assert.NotContains(t, attrs, "error.type")
		r := genaitest.Read(t, span)
		assert.Equal(t, analysis.EventLLMCall, r.Event.Type)
		assert.Equal(t, some(out), r.Event.TokensOut)
		assert.Nil(t, r.Event.Error)
	}
	check(393, "Hello")

	s.Play(genaitest.SSE(stream))
	_, err = s.stream(t.Context())
	require.NoError(t, err)
	check(89, "toolu_01T1x1fJ34qAmk2tNTrN7Up6")

	// Nor does it matter whether the caller reads on after the last event.
	events := s.client.Messages.NewStreaming(t.Context(), params())
	for events.Next() && events.Current().Type != "message_stop" {
	}
	require.NoError(t, events.Close())
	check(89, "toolu_01T1x1fJ34qAmk2tNTrN7Up6")

	// With providers of their own, each writes its own.
	other := genaitest.NewRecorder()
	s.Play(genaitest.JSON(answer))
	_, err = s.client.Messages.New(t.Context(), params(), option.WithTracerProvider(other))
	require.NoError(t, err)
	assert.Len(t, other.Spans(), 1)
	assert.Len(t, spans.Spans(), 1)
}

// With and without the middleware the SDK gives the same events and the same
// error, whatever the server sends.
func TestSDKSeesTheSame(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.SSE(""))
	pieces := rapid.OneOf(
		rapid.SampledFrom(strings.SplitAfter(stream+overloaded, "\n\n")),
		rapid.SampledFrom([]string{"data:", "event: message_delta\n", "\n", "\r\n", "data: {}\n\n", "event: message_start\ndata: []\n\n", "}", `"`}),
		rapid.StringN(0, 20, 40),
	)
	rapid.Check(t, func(rt *rapid.T) {
		server.Play(genaitest.SSE(strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(rt, "pieces"), "")))
		sizes := rapid.SliceOfN(rapid.IntRange(1, 200), 0, 40).Draw(rt, "sizes")
		read := func(opts ...option.RequestOption) ([]string, string) {
			s := setup{client: newClient(server, genaitest.Cut{Base: server.Client().Transport, Sizes: sizes}, append(opts, option.WithMaxRetries(0))...)}
			events, err := s.stream(t.Context())
			if err != nil {
				return events, err.Error()
			}
			return events, ""
		}
		spans := genaitest.NewRecorder()
		events, failure := read(option.WithMiddleware(otelanthropic.Middleware(
			otelanthropic.WithTracerProvider(spans), otelanthropic.WithCapture(otelanthropic.CaptureFull))))
		plainEvents, plainFailure := read()
		assert.Equal(rt, plainEvents, events)
		assert.Equal(rt, plainFailure, failure)
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

// The same calls over loopback with the SDK's client, without and with the
// middleware. The difference is what the middleware adds.
func BenchmarkCall(b *testing.B) {
	text := "event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Okay"}}` + "\n\n"
	half := strings.Index(stream, "event: content_block_stop")
	long := genaitest.SSE(stream[:half] + strings.Repeat(text, 500) + stream[half:])
	for _, c := range []struct {
		name string
		opts []option.RequestOption
	}{
		{"without", nil},
		{"with", []option.RequestOption{option.WithMiddleware(otelanthropic.Middleware(otelanthropic.WithTracerProvider(genaitest.NewDiscarder())))}},
	} {
		b.Run("message/"+c.name, func(b *testing.B) {
			server := genaitest.NewServer(b, genaitest.JSON(answer))
			s := setup{client: newClient(server, server.Client().Transport, c.opts...)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.client.Messages.New(b.Context(), params()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("stream of 512 events/"+c.name, func(b *testing.B) {
			server := genaitest.NewServer(b, long)
			s := setup{client: newClient(server, server.Client().Transport, c.opts...)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.stream(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
