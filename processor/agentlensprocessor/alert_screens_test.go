package agentlensprocessor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// screened is where a rule may look, and how the SDK and others write that.
var screened = map[string]struct {
	own, foreign string // keys
	of           func(*analysis.Event) *json.RawMessage
}{
	"input_data":  {semconv.EventInput, semconv.GenAIInputMessages, func(e *analysis.Event) *json.RawMessage { return &e.Input }},
	"output_data": {semconv.EventOutput, "gen_ai.completion", func(e *analysis.Event) *json.RawMessage { return &e.Output }},
	"tool_input":  {semconv.ToolCallArguments, "input.value", func(e *analysis.Event) *json.RawMessage { return &e.ToolCall.Input }},
	"tool_output": {semconv.ToolCallResult, semconv.GenAIToolCallResult, func(e *analysis.Event) *json.RawMessage { return &e.ToolCall.Output }},
}

// withContent returns a span with a text for content, and the name of its scope.
func withContent(field string, own bool, text string) (ptrace.Span, string) {
	span, key, eventType := ptrace.NewSpan(), screened[field].foreign, "llm_call"
	span.SetSpanID(pcommon.SpanID{1})
	if own {
		key = screened[field].own
	}
	if strings.HasPrefix(field, "tool") {
		eventType = "tool_call"
		span.Attributes().PutStr(semconv.GenAIToolName, "search")
	}
	span.Attributes().PutStr(key, text)
	if own {
		span.Attributes().PutStr(semconv.EventType, eventType)
		return span, semconv.ScopeName
	}
	span.Attributes().PutStr(semconv.GenAIOperationName, map[string]string{"llm_call": "chat", "tool_call": "execute_tool"}[eventType])
	return span, ""
}

// checkScreened holds the judgement on content that is screened against that on
// the same when it is read, and the rest of what the span tells. It returns
// whether the content was ruled out, and whether a rule holds.
func checkScreened(t require.TestingT, field, pattern string, own bool, text string) (ruledOut, holds bool) {
	rules := []AlertRuleConfig{{Name: "r", Condition: map[string]any{"type": "pattern", "field": field, "pattern": pattern}}}
	a, err := newAlertEngine(AlertsConfig{Rules: rules})
	if err != nil {
		return false, false // no regular expression
	}
	span, name := withContent(field, own, text)
	is := pcommon.NewInstrumentationScope()
	is.SetName(name)
	scope := spanevent.ForScope(is).Without(a.unread())
	want, got := scope.Read(span), scope.Screened(a.screens()).Read(span)
	judged := a.sets[0].rules.Judge(&want.Event)
	require.Equal(t, judged, a.sets[0].rules.Judge(&got.Event))
	content := screened[field].of(&got.Event)
	if ruledOut = spanevent.RuledOut(*content); ruledOut {
		*content = *screened[field].of(&want.Event)
	}
	require.Equal(t, want, got)
	return ruledOut, !a.sets[0].rules.Quiet(judged)
}

var (
	screenPatterns = []string{`\b\d{3}-\d{2}-\d{4}\b`, `secret`, `-1`, `,-`, `-/`, `n_`, `[x-z]-`, `\d-\d`, `-\w`, `\d+`, `é-`}
	contentShapes  = []string{`%s`, `{%s-`, `["%s"]`, `{"_":"%s"}`, `["%s-", -1 , "%s" ]`, `{"%s":{"%s":["-%s"], "-%s":-1}}`, `"%s"`, `12`, `null`}
	contentPieces  = []string{
		"123-45-6789", "secret", "-", "-1", "_", "x", "n", "1", " ", `\n`, `\/`, `\\`, `\"`, `x\u002d`, `\u005f`, `\u0031`, "<", "é", "\xff", "\u2028",
	}
	notInJSON = []string{"\n_", "\x01-1", `"`, `\`}
)

func TestScreenedContentIsJudgedAsIfItWereRead(t *testing.T) {
	ruledOut, held := map[string]int{}, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		pieces := contentPieces
		if rapid.Bool().Draw(t, "any") {
			pieces = slices.Concat(pieces, notInJSON)
		}
		shape := strings.Split(rapid.SampledFrom(contentShapes).Draw(t, "shape"), "%s")
		text := shape[0]
		for _, rest := range shape[1:] {
			text += strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), "") + rest
		}
		if rapid.IntRange(0, 9).Draw(t, "long") > 0 {
			text += strings.Repeat(" ", 64) // what is JSON stays JSON
		}
		for field := range screened {
			for _, own := range []bool{false, true} {
				for _, pattern := range screenPatterns {
					out, holds := checkScreened(t, field, pattern, own, text)
					if out {
						ruledOut[fmt.Sprint(field, own)]++
					}
					if holds {
						held[fmt.Sprint(field, own)]++
					}
				}
			}
		}
	})
	require.Len(t, ruledOut, 2*len(screened))
	require.Len(t, held, 2*len(screened))
}

func FuzzScreenedContent(f *testing.F) {
	for _, pattern := range screenPatterns {
		f.Add(pattern, `[{"role":"user","parts":[{"type":"text", "content":"<no\n-1> 123-45-67890"}]}, `, "-2]", true)
		f.Add(pattern, strings.Join(contentPieces, ""), "-", false)
	}
	for pattern, text := range map[string]string{`\d-\d`: "\x01-1", `n_`: "\n_", `t":"_`: "_", `,-`: `["` + strings.Repeat("z", 64) + `", -1]`} {
		f.Add(pattern, text, strings.Repeat(" ", 64), false)
	}
	f.Fuzz(func(t *testing.T, pattern, text, more string, own bool) {
		if len(pattern) > 100 {
			return
		}
		for field := range screened {
			checkScreened(t, field, pattern, own, text+more)
		}
	})
}

// An event of the SDK gets the content that only its copy has, also if no rule
// finds anything in it, and keeps its own.
func TestScreenedContentIsCopied(t *testing.T) {
	long := func(text string) string { return `{"text":"` + text + strings.Repeat(" and so on", 10) + `"}` }
	for name, own := range map[string]map[string]string{
		"none of its own": {},
		"its own":         {semconv.EventOutput: long("mine")},
		"in another key":  {"gen_ai.completion": long("mine")},
	} {
		t.Run(name, func(t *testing.T) {
			var out [2]ptrace.Traces
			for i := range out {
				h := newHarness(t, func(cfg *Config) {
					cfg.Alerts.Rules = []AlertRuleConfig{{Name: "r", Condition: map[string]any{"type": "pattern", "field": "output_data", "pattern": "secret"}}}
				})
				require.NotNil(t, h.screens)
				if i == 0 {
					h.screens = nil
				}
				td, copied := tracked(true), instrumented()
				span := onlySpan(td)
				span.Attributes().Remove(semconv.EventOutput)
				for key, text := range own {
					span.Attributes().PutStr(key, text)
				}
				onlySpan(copied).Attributes().PutStr(semconv.GenAIOutputMessages, long("its"))
				copied.ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
				out[i] = h.feed(t, td)
			}
			want, got := marshalled(t, out[0]), marshalled(t, out[1])
			require.Contains(t, want, `"`+semconv.EventOutput+`"`)
			require.Equal(t, want, got)
		})
	}
}

func marshalled(t *testing.T, td ptrace.Traces) string {
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	return string(b)
}
