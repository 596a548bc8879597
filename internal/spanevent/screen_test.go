package spanevent

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lookingFor rules out texts without something.
type lookingFor string

func (l lookingFor) RulesOut(text []byte) bool { return !bytes.Contains(text, []byte(l)) }

// What a screen rules out stands for itself; all else is as it is read without.
func TestScreenedContent(t *testing.T) {
	long := strings.Repeat(" and so on", 10)
	own, adk := agentLens.scopes[0], "gcp.vertex.agent"
	for name, c := range map[string]struct {
		scope    string
		output   any
		ruledOut bool
	}{
		"text":               {"", "nothing" + long, true},
		"object":             {"", `{"a":"` + long + `"}`, true},
		"what is looked for": {"", "a secret" + long, false},
		"short":              {"", "nothing", false},
		"number":             {"", 7, false},
		"own list":           {own, `["` + long + `"]`, true},
		"own text":           {own, `"` + long + `"`, false},
		"own number":         {own, strings.Repeat("1", 2*minScreened), false},
		"not captured":       {adk, "{}", false},
		"captured":           {adk, "nothing" + long, true},
	} {
		t.Run(name, func(t *testing.T) {
			span := spanCase{scope: c.scope, attrs: attrs{"gen_ai.operation.name": "chat", "agentlens.event.type": "llm_call", "gen_ai.output.messages": c.output}}
			scope := ForScope(span.spanScope())
			want, got := scope.Read(span.span(t)), scope.Screened(&Screens{Output: lookingFor("secret")}).Read(span.span(t))
			require.Equal(t, c.ruledOut, RuledOut(got.Event.Output))
			if c.ruledOut {
				require.JSONEq(t, "{}", string(got.Event.Output))
				require.NotNil(t, want.Event.Output)
				got.Event.Output = want.Event.Output
			}
			require.Equal(t, want, got)
			require.Equal(t, c.output == "{}", want.Event.Output == nil)
			without := scope.Without(ContentOutput).Screened(&Screens{Output: lookingFor("secret")}).Read(span.span(t))
			require.Nil(t, without.Event.Output)
		})
	}
	require.False(t, RuledOut(nil))
	require.False(t, RuledOut([]byte("{ }")))
}
