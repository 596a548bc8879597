package otelopenai_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

// The SDK calls a middleware once an attempt: the refused one is a span with
// its status, the other one like any.
func TestEachAttemptIsASpan(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.Failed(429, rateLimited), genaitest.JSON(chatAnswer)})
	_, err := s.client.Chat.Completions.New(t.Context(), chatParams())
	require.NoError(t, err)

	spans := s.spans.Spans()
	require.Len(t, spans, 2)
	refused, answered := spans[0], spans[1]
	attrs := genaitest.Attributes(refused)
	assert.Equal(t, "429", attrs["error.type"])
	assert.Equal(t, int64(429), attrs["http.response.status_code"])
	assert.NotContains(t, attrs, "http.request.resend_count")
	assert.NotContains(t, attrs, "gen_ai.usage.input_tokens")
	assert.Equal(t, codes.Error, refused.Status.Code)
	attrs = genaitest.Attributes(answered)
	assert.Equal(t, int64(1), attrs["http.request.resend_count"])
	assert.NotContains(t, attrs, "error.type")
	assert.Equal(t, int64(1119), attrs["gen_ai.usage.input_tokens"])
	assert.NotNil(t, genaitest.Read(t, refused).Event.Error)
	assert.Nil(t, genaitest.Read(t, answered).Event.Error)
}

// An error that reaches the caller tells the provider's message.
func TestRefused(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.Failed(400, `{"error":{"message":"Bad model.","type":"invalid_request_error","param":"model","code":"model_not_found"}}`)})
	_, err := s.client.Chat.Completions.New(t.Context(), chatParams())
	var apiError *openai.Error
	require.ErrorAs(t, err, &apiError)
	assert.Equal(t, "model_not_found", apiError.Code)
	span := s.spans.One(t)
	assert.Equal(t, "400", genaitest.Attributes(span)["error.type"])
	assert.Equal(t, "Bad model.", span.Status.Description)
}

// Streams that go wrong on the way, and what they say.
func TestStreamsThatFail(t *testing.T) {
	half := strings.Index(chatStream, `data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1741570283,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1`)
	require.Positive(t, half)
	aborted := genaitest.SSE(chatStream[:half])
	aborted.Abort = true
	for _, c := range []struct {
		name      string
		answer    genaitest.Answer
		errorType string
		callerErr bool
	}{
		{"error in the stream", genaitest.SSE(chatStream[:half] + `data: {"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}` + "\n\n"), "server_error", true},
		{"ends without an end", genaitest.SSE(chatStream[:half]), "unexpected_eof", false},
		{"connection lost", aborted, "unexpected_eof", true},
		{"not JSON", genaitest.SSE(chatStream[:half] + "data: {\"id\":\n\n"), "malformed_response", true},
		{"not an event stream", genaitest.SSE("<html>busy</html>"), "unexpected_eof", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, []genaitest.Answer{c.answer})
			_, err := s.streamChat(t.Context(), chatParams())
			assert.Equal(t, c.callerErr, err != nil, "%v", err)
			span := s.spans.One(t)
			assert.Equal(t, c.errorType, genaitest.Attributes(span)["error.type"])
			assert.Equal(t, codes.Error, span.Status.Code)
			assert.NotContains(t, genaitest.Attributes(span), "gen_ai.usage.output_tokens")
		})
	}
}

// An answer that is no JSON fails for the caller and on the span.
func TestMalformedAnswer(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(`{"id":"x","choices":[`)})
	_, err := s.client.Chat.Completions.New(t.Context(), chatParams(), option.WithMaxRetries(0))
	require.Error(t, err)
	assert.Equal(t, "unexpected_eof", genaitest.Attributes(s.spans.One(t))["error.type"])

	s.Play(genaitest.JSON(`not json`))
	_, err = s.client.Chat.Completions.New(t.Context(), chatParams(), option.WithMaxRetries(0))
	require.Error(t, err)
	assert.Equal(t, "malformed_response", genaitest.Attributes(s.spans.One(t))["error.type"])
}

// A caller that goes away half-way ends the span, whether it closes the stream
// or not, with what was told until then.
func TestCanceledHalfWay(t *testing.T) {
	for _, closes := range []bool{true, false} {
		t.Run(fmt.Sprint("closes ", closes), func(t *testing.T) {
			answer := genaitest.SSE(chatStreamNoUsage[:strings.Index(chatStreamNoUsage, " there")-60])
			answer.Hang = true
			s := newSetup(t, []genaitest.Answer{answer})
			ctx, cancel := context.WithCancel(t.Context())
			stream := s.client.Chat.Completions.NewStreaming(ctx, chatParams())
			require.True(t, stream.Next())
			cancel()
			if closes {
				for stream.Next() {
				}
				require.ErrorIs(t, stream.Err(), context.Canceled)
			}
			span := s.spans.Wait(t, 1)[0]
			attrs := genaitest.Attributes(span)
			assert.Equal(t, "canceled", attrs["error.type"])
			assert.Equal(t, "gen-1", attrs["gen_ai.response.id"])
			assert.Equal(t, "canceled", genaitest.Read(t, span).Event.Error.Type)
			assert.NoError(t, stream.Close())
			assert.Empty(t, s.spans.Spans(), "a span ends once")
		})
	}
}

// A caller that has read enough has not failed.
func TestClosedEarly(t *testing.T) {
	answer := genaitest.SSE(chatStreamNoUsage[:strings.Index(chatStreamNoUsage, " there")-60])
	answer.Hang = true
	s := newSetup(t, []genaitest.Answer{answer})
	stream := s.client.Chat.Completions.NewStreaming(t.Context(), chatParams())
	require.True(t, stream.Next())
	require.NoError(t, stream.Close())
	span := s.spans.One(t)
	assert.Equal(t, codes.Unset, span.Status.Code)
	assert.NotContains(t, genaitest.Attributes(span), "gen_ai.response.finish_reasons")
}

func TestTimeout(t *testing.T) {
	answer := genaitest.SSE(": wait\n\n")
	answer.Hang = true
	s := newSetup(t, []genaitest.Answer{answer})
	_, err := s.client.Chat.Completions.New(t.Context(), chatParams(), option.WithRequestTimeout(30*time.Millisecond), option.WithMaxRetries(0))
	require.Error(t, err)
	assert.Equal(t, "timeout", genaitest.Attributes(s.spans.Wait(t, 1)[0])["error.type"])
}

func TestUnreachable(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(chatAnswer)})
	s.Close()
	_, err := s.client.Chat.Completions.New(t.Context(), chatParams(), option.WithMaxRetries(0))
	require.Error(t, err)
	assert.Equal(t, "*net.OpError", genaitest.Attributes(s.spans.One(t))["error.type"])
}

// A panic in a transport ends the span and goes on to the caller.
func TestPanic(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(chatAnswer)})
	explode := option.WithMiddleware(func(*http.Request, option.MiddlewareNext) (*http.Response, error) { panic("boom") })
	assert.PanicsWithValue(t, "boom", func() { _, _ = s.client.Chat.Completions.New(t.Context(), chatParams(), explode) })
	assert.Equal(t, "panic", genaitest.Attributes(s.spans.One(t))["error.type"])
}

// A line of 8 MB, most of it something else, is passed over, and what comes
// after it is read.
func TestHugeLine(t *testing.T) {
	huge := `data: {"id":"chatcmpl-9","padding":"` + strings.Repeat("x", 8<<20) + `","model":"gpt-4o-2024-08-06","choices":[]}` + "\n\n"
	s := newSetup(t, []genaitest.Answer{genaitest.SSE(huge + chatStream)})
	chunks, err := s.streamChat(t.Context(), chatParams())
	require.NoError(t, err)
	require.Len(t, chunks, 7)
	assert.Len(t, chunks[0], len(huge)-len("data: ")-2)
	assert.Equal(t, int64(34), genaitest.Attributes(s.spans.One(t))["gen_ai.usage.output_tokens"])
}

// The body that goes out is the caller's, to the last byte, also of a reader
// that stands somewhere else than at its beginning, and of a retry.
func TestRequestBodyIsUntouched(t *testing.T) {
	for _, body := range []func() io.Reader{
		func() io.Reader { return strings.NewReader(`{"model":"m"} `) },
		func() io.Reader { return io.MultiReader(strings.NewReader(`{"model"`), strings.NewReader(`:"m"}`)) },
	} {
		want, err := io.ReadAll(body())
		require.NoError(t, err)
		s := newSetup(t, []genaitest.Answer{genaitest.Failed(500, rateLimited), genaitest.JSON(chatAnswer)})
		var raw []byte
		_ = s.client.Post(t.Context(), "chat/completions", nil, &raw, option.WithRequestBody("application/json", body()))
		for _, r := range s.Requests() {
			assert.Equal(t, string(want), string(r.Body))
			assert.Empty(t, r.Header.Get("Traceparent"))
			assert.Empty(t, r.Header.Get("Baggage"))
		}
		assert.NotEmpty(t, s.Requests())
	}
	s := newSetup(t, []genaitest.Answer{genaitest.Failed(500, rateLimited), genaitest.JSON(chatAnswer)})
	_, err := s.client.Chat.Completions.New(t.Context(), chatParams())
	require.NoError(t, err)
	requests := s.Requests()
	require.Len(t, requests, 2)
	assert.Equal(t, requests[0].Body, requests[1].Body)
	assert.Contains(t, string(requests[0].Body), "Be brief.")
}

// An error of the transport is the caller's very error.
func TestErrorIsTheCallers(t *testing.T) {
	mine := errors.New("mine")
	spans := genaitest.NewRecorder()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://my.openai.azure.com/openai/deployments/d/chat/completions", strings.NewReader(`{"model":"d"}`))
	require.NoError(t, err)
	resp, err := otelopenai.Middleware(otelopenai.WithTracerProvider(spans))(req, func(*http.Request) (*http.Response, error) { return nil, mine })
	assert.Nil(t, resp)
	assert.Same(t, mine, err)
	attrs := genaitest.Attributes(spans.One(t))
	assert.Equal(t, "azure.ai.openai", attrs["gen_ai.provider.name"])
	assert.Equal(t, int64(443), attrs["server.port"])
	assert.Equal(t, "_OTHER", attrs["error.type"])
}

// A body that fails to read fails the same way, after the same bytes.
func TestRequestBodyThatFails(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, "http://localhost:1/v1/chat/completions", io.MultiReader(strings.NewReader(`{"model":`), iotest.ErrReader(errBroken)))
	require.NoError(t, err)
	req.GetBody = func() (io.ReadCloser, error) { return nil, errBroken }
	spans := genaitest.NewRecorder()
	_, err = otelopenai.Middleware(otelopenai.WithTracerProvider(spans))(req, func(r *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(r.Body)
		assert.Equal(t, `{"model":`, string(b))
		return nil, err
	})
	require.ErrorIs(t, err, errBroken)
	assert.Equal(t, "chat", spans.One(t).Name)
}
