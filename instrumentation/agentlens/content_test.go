package agentlens_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// everything records every kind of content, after the fact and live.
func everything(t testing.TB, r recorded, opts ...agentlens.EventOption) *agentlens.Session {
	t.Helper()
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, err = s.Track(ctx, agentlens.EventDecision, append([]agentlens.EventOption{
		agentlens.WithInput("s3cret"), agentlens.WithOutput([]string{"s3cret"}), agentlens.WithTool("t", "s3cret", "s3cret"),
		agentlens.WithInputMessages(agentlens.TextMessage("user", "s3cret")),
		agentlens.WithOutputMessages(agentlens.TextMessage("user", "s3cret")),
		agentlens.WithSystemInstructions(agentlens.Text("s3cret")),
		agentlens.WithDecision(agentlens.DecisionTrace{Reasoning: "s3cret", Alternatives: []string{"s3cret", "s3cret"}}),
	}, opts...)...)
	require.NoError(t, err)
	_, sp := s.StartTool(ctx, "live", opts...)
	sp.SetInput("s3cret")
	sp.SetOutput("s3cret")
	sp.SetInputMessages(agentlens.TextMessage("user", "s3cret"))
	sp.SetOutputMessages(agentlens.TextMessage("user", "s3cret"))
	sp.SetSystemInstructions(agentlens.Text("s3cret"))
	sp.SetReasoning("s3cret")
	sp.SetAlternatives("s3cret", "s3cret")
	sp.SetTokens(1, 2)
	sp.End()
	require.NoError(t, s.End(ctx))
	return s
}

// spoken returns all that the spans and the session hold, as text.
func spoken(t testing.TB, r recorded, s *agentlens.Session) string {
	t.Helper()
	var b strings.Builder
	for _, span := range r.recorder.Ended() {
		for _, kv := range span.Attributes() {
			b.WriteString(kv.Value.String())
		}
	}
	events, err := json.Marshal(s.Snapshot())
	require.NoError(t, err)
	b.Write(events)
	return b.String()
}

// The innermost that says how much is captured wins, and no mode but full lets
// content through anywhere. That an event was reasoned shows in every mode.
func TestCaptureModes(t *testing.T) {
	full, metadata, none := agentlens.CaptureFull, agentlens.CaptureMetadata, agentlens.CaptureNone
	for _, c := range []struct {
		env                  string
		tracker, event, want agentlens.CaptureMode
	}{
		{want: full},
		{env: "true", want: full},
		{env: "1", want: full},
		{env: "SPAN_ONLY", want: full},
		{env: "span_and_event", want: full},
		{env: "false", want: none},
		{env: "0", want: none},
		{env: "NO_CONTENT", want: none},
		{env: "EVENT_ONLY", want: none},
		{env: "metadata", want: metadata},
		{env: "NO_CONTENT", tracker: full, want: full},
		{tracker: none, want: none},
		{tracker: metadata, want: metadata},
		{tracker: full, event: none, want: none},
		{tracker: none, event: full, want: full},
	} {
		t.Setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", c.env)
		var opts []agentlens.Option
		if c.tracker != 0 {
			opts = append(opts, agentlens.WithCapture(c.tracker))
		}
		r := newRecorded(t, nil, opts...)
		s := everything(t, r, agentlens.WithCapture(c.event))
		assert.Equal(t, c.want == full, strings.Contains(spoken(t, r, s), "s3cret"), "%+v", c)
		live := r.named(t, "execute_tool live")
		assert.Equal(t, int64(1), s.Summary().Reasoned)
		switch c.want {
		case full:
			assert.Equal(t, "s3cret", attributeOf(live, "agentlens.decision.reasoning"))
			assert.Equal(t, `"s3cret"`, attributeOf(live, "gen_ai.tool.call.result"))
		case metadata:
			assert.Equal(t, agentlens.NotCaptured, attributeOf(live, "agentlens.decision.reasoning"))
			assert.Equal(t, int64(8), attributeOf(live, "gen_ai.tool.call.result.bytes"))
			assert.Equal(t, int64(8), attributeOf(live, "gen_ai.tool.call.arguments.bytes"))
			assert.Equal(t, int64(2), attributeOf(live, "agentlens.decision.alternatives.count"))
			assert.Equal(t, int64(62), attributeOf(live, "gen_ai.input.messages.bytes"))
		case none:
			assert.Equal(t, agentlens.NotCaptured, attributeOf(live, "agentlens.decision.reasoning"))
			assert.Nil(t, attributeOf(live, "gen_ai.tool.call.result.bytes"))
		}
		assert.Equal(t, int64(1), attributeOf(live, "agentlens.event.tokens.input"))
	}
	t.Setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "sometimes")
	_, err := agentlens.NewTracker(t.Context())
	requireField(t, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", err)
}

func TestCapturePerSession(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent", agentlens.WithCapture(agentlens.CaptureNone))
	require.NoError(t, err)
	_, err = s.TrackTool(ctx, "t", panics{}, make(chan int))
	require.NoError(t, err, "what is not captured is not encoded either")
	requireField(t, "capture", second(s.Track(ctx, "", agentlens.WithCapture(9))))
	requireField(t, "capture", third(r.StartSession(ctx, "", agentlens.WithCapture(9))))
	_, err = agentlens.NewTracker(t.Context(), agentlens.WithCapture(9))
	requireField(t, "capture", err)
	assert.Equal(t, "CaptureMode(9)", agentlens.CaptureMode(9).String())
}

// What is under a live span is captured as that is, unless it says otherwise.
func TestCaptureUnderASpan(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	under, step := s.StartStep(ctx, "private", agentlens.WithCapture(agentlens.CaptureNone))
	inner, tool := s.StartTool(under, "inner")
	tool.SetInput("s3cret")
	_, err = s.Track(inner, agentlens.EventGeneric, agentlens.WithInput("s3cret"))
	require.NoError(t, err)
	_, err = s.Track(inner, "told", agentlens.WithInput("open"), agentlens.WithCapture(agentlens.CaptureFull))
	require.NoError(t, err)
	tool.End()
	step.End()
	other, another, err := r.StartSession(under, "another")
	require.NoError(t, err)
	_, err = another.Track(other, "of another session", agentlens.WithInput("open"))
	require.NoError(t, err)
	assert.NotContains(t, spoken(t, r, s), "s3cret")
	assert.Equal(t, `"open"`, attributeOf(r.named(t, "told"), "agentlens.event.input"))
	assert.Equal(t, `"open"`, attributeOf(r.named(t, "of another session"), "agentlens.event.input"))
}

func TestRedactSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "",
		"nothing here":                     "nothing here",
		"mail bob@ex.org!":                 "mail [REDACTED:email]!",
		"a@b":                              "a@b",
		"ssn 536-90-4399.":                 "ssn [REDACTED:ssn].",
		"000-12-3456":                      "000-12-3456",
		"666-12-3456":                      "666-12-3456",
		"912-12-3456":                      "912-12-3456",
		"536-00-4399":                      "536-00-4399",
		"5536-90-4399":                     "5536-90-4399",
		"card 4111 1111 1111 1111, thanks": "card [REDACTED:card], thanks",
		"4111-1111-1111-1111":              "[REDACTED:card]",
		"378282246310005":                  "[REDACTED:card]",
		"5555 5555 5555 4444":              "[REDACTED:card]",
		"4111 1111 1111 1112":              "4111 1111 1111 1112",
		"0000000000000":                    "0000000000000",
		"order 1234567890123":              "order 1234567890123",
		"sk-proj-abcdefghijklmnop1234":     "[REDACTED:api_key]",
		"sk-ant-api03-abcdefghijklmnop":    "[REDACTED:api_key]",
		"risk-free-sk-short":               "risk-free-sk-short",
		"AKIAIOSFODNN7EXAMPLE":             "[REDACTED:api_key]",
		"ghp_abcdefghijklmnopqrstuvwxyz":   "[REDACTED:api_key]",
		"key AIzaSyA1234567890abcdefghijklmnopqrstuv":                           "key [REDACTED:api_key]",
		"Authorization: Bearer abc.def-ghi_jkl=":                                "Authorization: [REDACTED:bearer_token]",
		"a bearer of news":                                                      "a bearer of news",
		"eyJhbGciOiJI.eyJzdWIiOiIx.sig-nature":                                  "[REDACTED:jwt]",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----x": "[REDACTED:private_key]x",
		"-----BEGIN PRIVATE KEY-----\ncut off":                                  "[REDACTED:private_key]",
	} {
		got, err := agentlens.RedactSecrets(agentlens.Content{Text: in})
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, key := range []string{"password", "API_KEY", "api-key", "x-api-key", "client_secret", "access_token", "Authorization", "aws_secret_access_key"[4:]} {
		got, err := agentlens.RedactSecrets(agentlens.Content{Key: key, Text: "hunter2"})
		require.NoError(t, err)
		assert.Equal(t, "[REDACTED:secret]", got, key)
	}
	for _, key := range []string{"tokens", "max_tokens", "author", "keyboard"} {
		got, _ := agentlens.RedactSecrets(agentlens.Content{Key: key, Text: "9"})
		assert.Equal(t, "9", got, key)
	}
}

// Redactors see every place that content can be in, and their word counts.
func TestRedactorSeesAll(t *testing.T) {
	hide := func(c agentlens.Content) (string, error) { return strings.ReplaceAll(c.Text, "s3cret", "***"), nil }
	r := newRecorded(t, nil, agentlens.WithRedactor(hide, agentlens.RedactSecrets))
	ctx, s, err := r.StartSession(t.Context(), "agent", agentlens.WithMetadata(map[string]any{
		"plain": "s3cret", "deep": map[string]any{"s3cret": []any{"s3cret", 1, true, nil}}, "password": "x", "card": 4111111111111111,
	}))
	require.NoError(t, err)
	_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithInput(map[string]any{
		"b": "s3cret <&>", "a": map[string]any{"card": 4111111111111111, "n": 1.50, "key s3cret": []any{}, "o": map[string]any{}, "token": "t"},
	}), agentlens.WithError(errors.New("s3cret leaked")))
	require.NoError(t, err)
	require.NoError(t, s.End(ctx, agentlens.WithError(errors.New("s3cret in the end"))))
	assert.NotContains(t, spoken(t, r, s), "s3cret")
	span := r.named(t, "chat")
	assert.Equal(t, `{"a":{"card":"[REDACTED:card]","key ***":[],"n":1.5,"o":{},"token":"[REDACTED:secret]"},"b":"*** <&>"}`,
		attributeOf(span, "agentlens.event.input"))
	assert.Equal(t, "*** leaked", span.Status().Description)
	assert.Equal(t, "*** in the end", r.named(t, "invoke_agent agent").Status().Description)
	assert.Equal(t, map[string]any{
		"plain": "***", "deep": map[string]any{"***": []any{"***", 1.0, true, nil}}, "password": "[REDACTED:secret]", "card": "[REDACTED:card]",
	}, s.Snapshot().Metadata)

	other := newRecorded(t, nil, agentlens.WithRedactor(hide))
	assert.NotContains(t, spoken(t, other, everything(t, other)), "s3cret")
	_, err = agentlens.NewTracker(t.Context(), agentlens.WithRedactor(nil))
	requireField(t, "WithRedactor", err)
}

// A redactor that fails or panics costs the content it failed on, not the span.
func TestRedactorFails(t *testing.T) {
	for name, redactor := range map[string]agentlens.Redactor{
		"error": func(c agentlens.Content) (string, error) {
			if strings.Contains(c.Text, "s3cret") {
				return c.Text, errors.New("cannot read s3cret")
			}
			return c.Text, nil
		},
		"panic": func(c agentlens.Content) (string, error) {
			if strings.Contains(c.Text, "s3cret") {
				panic(c.Text)
			}
			return c.Text, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var logs syncBuffer
			r := newRecorded(t, nil, agentlens.WithRedactor(redactor), loggingTo(&logs))
			ctx, s, err := r.StartSession(t.Context(), "agent", agentlens.WithMetadata(map[string]any{"bad": "s3cret", "good": 1}))
			require.NoError(t, err)
			_, err = s.Track(ctx, agentlens.EventDecision, agentlens.WithInput("s3cret"), agentlens.WithOutput("fine"),
				agentlens.WithReasoning("s3cret"), agentlens.WithError(errors.New("s3cret")))
			require.NoError(t, err)
			require.NoError(t, s.End(ctx))
			assert.NotContains(t, spoken(t, r, s)+logs.String(), "s3cret")
			span := r.named(t, "decision")
			assert.Equal(t, `"fine"`, attributeOf(span, "agentlens.event.output"))
			assert.Equal(t, agentlens.NotCaptured, attributeOf(span, "agentlens.decision.reasoning"))
			assert.Equal(t, "*errors.errorString", attributeOf(span, "error.type"))
			assert.ElementsMatch(t, []string{"agentlens.event.input", "agentlens.decision.reasoning", "exception.message"},
				attributeOf(span, "agentlens.content.dropped"))
			assert.Equal(t, map[string]any{"good": int64(1)}, s.Snapshot().Metadata)
			assert.Equal(t, int64(4), r.Stats().ContentDropped)
			assert.Contains(t, logs.String(), "content dropped")
		})
	}
}

// Content that is too long keeps its beginning, stays valid JSON, and says so.
func TestContentIsTruncated(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(256, 2000).Draw(rt, "limit")
		long := strings.Repeat(rapid.SampledFrom([]string{"x", "ä", `"`, "\\", "\x01", "漢"}).Draw(rt, "rune"), rapid.IntRange(limit+1, 3*limit).Draw(rt, "n"))
		r := newRecorded(t, nil, agentlens.WithMaxContentBytes(limit), loggingTo(&syncBuffer{}))
		ctx, s, err := r.StartSession(t.Context(), "agent")
		require.NoError(rt, err)
		_, call := s.StartLLM(ctx, "openai", "m", agentlens.WithReasoning(long))
		call.SetInputMessages(agentlens.TextMessage("user", long))
		call.SetOutput(long)
		call.End()
		require.NoError(rt, s.End(ctx))
		span := r.named(t, "chat m")
		for _, key := range []string{"gen_ai.input.messages", "agentlens.event.output", "agentlens.decision.reasoning"} {
			text, _ := content(span)[key].(string)
			require.NotEmpty(rt, text, key)
			require.LessOrEqual(rt, len(text), limit, key)
			require.Contains(rt, text, "truncated", key)
			require.True(rt, utf8.ValidString(text))
			if key != "agentlens.decision.reasoning" {
				require.True(rt, json.Valid([]byte(text)), text)
			}
		}
		var messages []agentlens.Message
		require.NoError(rt, json.Unmarshal([]byte(content(span)["gen_ai.input.messages"].(string)), &messages))
		require.Len(rt, messages, 1)
		require.Equal(rt, int64(3), r.Stats().ContentTruncated)
	})
	_, err := agentlens.NewTracker(t.Context(), agentlens.WithMaxContentBytes(255))
	requireField(t, "WithMaxContentBytes", err)
}
