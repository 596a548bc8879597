package otelopenai_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

const captureEnv = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

// Who says what is captured: the middleware's option, else the live span or the
// session around the call, else the environment, else nobody, which is none.
func TestWhoSaysWhatIsCaptured(t *testing.T) {
	const none, metadata, full = agentlens.CaptureNone, agentlens.CaptureMetadata, agentlens.CaptureFull
	type modes = agentlens.CaptureMode // zero says nothing
	for _, c := range []struct {
		name                           string
		env                            string
		inSession                      bool
		option, tracker, session, step modes
		want                           modes
	}{
		{name: "nobody", want: none},
		{name: "environment", env: "true", want: full},
		{name: "environment, convention's word", env: "SPAN_ONLY", want: full},
		{name: "environment, no spans", env: "EVENT_ONLY", want: none},
		{name: "environment, metadata", env: "metadata", want: metadata},
		{name: "environment, not known", env: "perhaps", want: none},
		{name: "option", option: full, want: full},
		{name: "option over environment", option: none, env: "true", want: none},
		{name: "option that is no mode", option: 9, env: "true", want: none},
		{name: "session, which nobody told", inSession: true, want: none},
		{name: "environment, in a session that nobody told", inSession: true, env: "metadata", want: metadata},
		{name: "environment, through the session", inSession: true, env: "false", want: none},
		{name: "tracker", inSession: true, tracker: metadata, want: metadata},
		{name: "tracker over environment", inSession: true, tracker: none, env: "true", want: none},
		{name: "session over tracker", inSession: true, tracker: none, session: full, want: full},
		{name: "span over session", inSession: true, session: full, step: none, want: none},
		{name: "span over session, more", inSession: true, session: none, step: metadata, want: metadata},
		{name: "option over all", inSession: true, option: full, tracker: none, session: none, step: none, env: "false", want: full},
		{name: "option over all, less", inSession: true, option: none, step: full, want: none},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(captureEnv, c.env)
			spans := genaitest.NewRecorder()
			var opts []otelopenai.Option
			if c.option != 0 {
				opts = append(opts, otelopenai.WithCapture(c.option))
			}
			client := clientOf(t, spans, chatAnswer, opts...)
			ctx := t.Context()
			if c.inSession {
				tracker, err := agentlens.NewTracker(ctx, append(ifSaid(c.tracker), agentlens.WithTracerProvider(genaitest.NewRecorder()))...)
				require.NoError(t, err)
				var s *agentlens.Session
				ctx, s, err = tracker.StartSession(ctx, "agent", agentlens.WithCapture(c.session))
				require.NoError(t, err)
				ctx, _ = s.StartStep(ctx, "outer", agentlens.WithCapture(c.step))
				ctx, _ = s.StartStep(ctx, "inner") // says nothing: what is around it holds
			}
			_, err := client.Chat.Completions.New(ctx, chatParams())
			require.NoError(t, err)
			attrs := genaitest.Attributes(spans.One(t))
			switch c.want {
			case none:
				assert.NotContains(t, attrs, "gen_ai.input.messages")
				assert.NotContains(t, attrs, "gen_ai.input.messages.bytes")
			case metadata:
				assert.NotContains(t, attrs, "gen_ai.input.messages")
				assert.Positive(t, attrs["gen_ai.input.messages.bytes"])
				assert.Positive(t, attrs["gen_ai.output.messages.bytes"])
			case full:
				assert.Contains(t, attrs["gen_ai.input.messages"], "Hello!")
				assert.NotContains(t, attrs, "gen_ai.input.messages.bytes")
			}
		})
	}
}

// The bytes of mode metadata are those of the JSON that full writes.
func TestMetadataIsTheLengthOfTheJSON(t *testing.T) {
	t.Setenv(captureEnv, "")
	written := func(mode otelopenai.CaptureMode) map[string]any {
		spans := genaitest.NewRecorder()
		client := clientOf(t, spans, responsesAnswer, otelopenai.WithCapture(mode))
		_, err := client.Responses.New(t.Context(), responses.ResponseNewParams{
			Model: "o4-mini", Instructions: openai.String("be <brief> & kind"), Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Grüezi")},
		})
		require.NoError(t, err)
		return genaitest.Attributes(spans.One(t))
	}
	full, metadata := written(otelopenai.CaptureFull), written(otelopenai.CaptureMetadata)
	assert.Equal(t, `[{"content":"be <brief> & kind","type":"text"}]`, full["gen_ai.system_instructions"])
	for _, key := range []string{"gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"} {
		require.Contains(t, full, key)
		assert.Equal(t, int64(len(full[key].(string))), metadata[key+".bytes"], key)
	}
}

// In a session the redactors of its tracker see what the middleware captures,
// before its own; a failure of either drops the content and nothing else, and
// the tracker counts it.
func TestRedactorsOfTheSession(t *testing.T) {
	t.Setenv(captureEnv, "")
	hide := func(c agentlens.Content) (string, error) {
		return strings.ReplaceAll(c.Text, "Hello!", "H****!"), nil
	}
	explode := func(agentlens.Content) (string, error) { panic("no") }
	fail := func(agentlens.Content) (string, error) { return "", errors.New("no") }
	for _, c := range []struct {
		name         string
		ofTracker    agentlens.Redactor
		ofMiddleware agentlens.Redactor
		want         string // in the input; none is dropped
		dropped      int64
	}{
		{name: "of the tracker", ofTracker: hide, want: "H****!"},
		{name: "of the middleware", ofMiddleware: hide, want: "H****!"},
		{name: "both, the tracker's first", ofTracker: hide, ofMiddleware: func(c otelopenai.Content) (string, error) {
			return strings.ReplaceAll(c.Text, "H****!", "seen"), nil
		}, want: "seen"},
		{name: "the tracker's panics", ofTracker: explode, ofMiddleware: hide, dropped: 2},
		{name: "the middleware's panics", ofTracker: hide, ofMiddleware: explode, dropped: 2},
		{name: "the tracker's fails", ofTracker: fail, dropped: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			spans := genaitest.NewRecorder()
			var opts []otelopenai.Option
			if c.ofMiddleware != nil {
				opts = append(opts, otelopenai.WithRedactor(c.ofMiddleware))
			}
			client := clientOf(t, spans, chatAnswer, opts...)
			own := []agentlens.Option{agentlens.WithCapture(agentlens.CaptureFull), agentlens.WithTracerProvider(genaitest.NewRecorder()), agentlens.WithLogger(slog.New(slog.DiscardHandler))}
			if c.ofTracker != nil {
				own = append(own, agentlens.WithRedactor(c.ofTracker))
			}
			tracker, err := agentlens.NewTracker(t.Context(), own...)
			require.NoError(t, err)
			ctx, _, err := tracker.StartSession(t.Context(), "agent")
			require.NoError(t, err)
			_, err = client.Chat.Completions.New(ctx, chatParams())
			require.NoError(t, err)

			attrs := genaitest.Attributes(spans.One(t))
			assert.Equal(t, c.dropped, tracker.Stats().ContentDropped)
			assert.Equal(t, int64(1119), attrs["gen_ai.usage.input_tokens"])
			if c.dropped > 0 {
				assert.NotContains(t, attrs, "gen_ai.input.messages")
				assert.NotContains(t, attrs, "gen_ai.output.messages")
				assert.Equal(t, []string{"gen_ai.input.messages", "gen_ai.output.messages"}, attrs["agentlens.content.dropped"])
				return
			}
			assert.Contains(t, attrs["gen_ai.input.messages"], c.want)
			assert.NotContains(t, attrs["gen_ai.input.messages"], "Hello!")
			assert.NotContains(t, attrs, "agentlens.content.dropped")
		})
	}
}

// What a provider quotes in an error is redacted too, in every mode; where the
// redactor fails the error stays without its message.
func TestErrorsAreRedacted(t *testing.T) {
	for _, c := range []struct {
		name     string
		redactor otelopenai.Redactor
		want     string
		dropped  any
	}{
		{"known secrets", otelopenai.RedactSecrets, "Incorrect API key provided: [REDACTED:api_key].", nil},
		{"those of agentlens are the same", agentlens.RedactSecrets, "Incorrect API key provided: [REDACTED:api_key].", nil},
		{"fails", func(otelopenai.Content) (string, error) { panic("no") }, "", []string{"exception.message"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, []genaitest.Answer{genaitest.Failed(http.StatusUnauthorized,
				`{"error":{"message":"Incorrect API key provided: sk-abcdefghijklmnop1234.","type":"invalid_request_error","code":"invalid_api_key"}}`)},
				otelopenai.WithRedactor(c.redactor))
			_, err := s.client.Chat.Completions.New(t.Context(), chatParams())
			require.Error(t, err)
			span := s.spans.One(t)
			assert.Equal(t, codes.Error, span.Status.Code)
			assert.Equal(t, c.want, span.Status.Description)
			assert.Equal(t, c.dropped, genaitest.Attributes(span)["agentlens.content.dropped"])
		})
	}
}

// A redactor that fails costs the content of an attribute, not the span; one
// that does not sees every text, with its key.
func TestRedactor(t *testing.T) {
	s := newSetup(t, []genaitest.Answer{genaitest.JSON(responsesAnswer)}, otelopenai.WithCapture(otelopenai.CaptureFull),
		otelopenai.WithRedactor(func(c otelopenai.Content) (string, error) {
			switch {
			case c.Attribute == "gen_ai.system_instructions":
				panic("no")
			case c.Attribute == "gen_ai.input.messages":
				return c.Text, errors.New("no")
			case c.Key == "location":
				return "***", nil
			}
			return strings.ReplaceAll(c.Text, "Look", "L."), nil
		}))
	_, err := s.client.Responses.New(t.Context(), responses.ResponseNewParams{
		Model: "o4-mini", Instructions: openai.String("secret"), Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("secret")},
	})
	require.NoError(t, err)
	attrs := genaitest.Attributes(s.spans.One(t))
	assert.Equal(t, `[{"role":"assistant","parts":[{"content":"L. it up.","type":"reasoning"},{"arguments":{"location":"***"},"id":"call_unLAR8MvFNptuiZK6K6HCy5k","name":"get_current_weather","type":"tool_call"}]}]`,
		attrs["gen_ai.output.messages"])
	assert.NotContains(t, attrs, "gen_ai.input.messages")
	assert.NotContains(t, attrs, "gen_ai.system_instructions")
	assert.Equal(t, []string{"gen_ai.system_instructions", "gen_ai.input.messages"}, attrs["agentlens.content.dropped"])
	assert.Equal(t, int64(291), attrs["gen_ai.usage.input_tokens"])
}

func ifSaid(mode agentlens.CaptureMode) []agentlens.Option {
	if mode == 0 {
		return nil
	}
	return []agentlens.Option{agentlens.WithCapture(mode)}
}

// clientOf returns a client with the middleware, of a server that answers so.
func clientOf(t *testing.T, spans *genaitest.Recorder, answer string, opts ...otelopenai.Option) openai.Client {
	server := genaitest.NewServer(t, genaitest.JSON(answer))
	return openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithHTTPClient(server.Client()),
		option.WithMiddleware(otelopenai.Middleware(append(opts, otelopenai.WithTracerProvider(spans))...)))
}
