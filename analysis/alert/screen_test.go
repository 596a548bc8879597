package alert

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

func TestWhatOfAHintIsInTexts(t *testing.T) {
	for expr, want := range map[string]struct {
		need        string
		left, right int
	}{
		`\b\d{3}-\d{2}-\d{4}\b`: {"-", 0, 7}, // digits may be of an escape
		`secret`:                {"secret", 0, 0},
		`error`:                 {}, // its first letters too
		`password`:              {"ssword", 0, 0},
		`password: \w+`:         {"ssword", 0, 0},
		`[s-z]+_key`:            {"_key", 0, 0},
		`sk-[a-zA-Z0-9]{20,}`:   {"sk-", 0, 20},
		`PRIVATE KEY`:           {"PRIVATE", 0, 0},
		`[G-I]xyz`:              {"xyz", 1, 0},
		`"secret"`:              {"secret", 0, 0},
		`_\\n_`:                 {"_", 0, 0},
		`é-[\x01-9]`:            {"-", 0, 0},
		`<xyz>`:                 {"xyz", 0, 0},
		`g,-1`:                  {"-1", 0, 0}, // after the comma may be space
		`a/b`:                   {},
		`: `:                    {},
		`(?i)secret`:            {},
	} {
		p, err := compilePattern(expr)
		require.NoError(t, err)
		h := p.ofText()
		assert.Equal(t, want.need, string(h.need), expr)
		assert.Len(t, h.left, want.left, expr)
		assert.Len(t, h.right, want.right, expr)
	}
}

func TestScreenOnlyOfPatternsOnTheField(t *testing.T) {
	pattern := Condition{Type: Pattern, Field: "output_data", Pattern: "secret"}
	for name, c := range map[string]struct {
		also *Condition
		want bool
	}{
		"one pattern": {nil, true},
		"another":     {&Condition{Type: Pattern, Field: "output_data", Pattern: "sk-"}, true},
		"of a run":    {&Condition{Type: Composite, Mode: "all", Conditions: []Condition{pattern}}, true},
		"elsewhere":   {&Condition{Type: Pattern, Field: "input_data", Pattern: `\d+`}, true},
		"without":     {&Condition{Type: Pattern, Field: "output_data", Pattern: `\d+`}, false},
		"path":        {&Condition{Type: Pattern, Field: "output_data.a", Pattern: "secret"}, false},
		"comparison":  {&Condition{Type: Threshold, Field: "output_data.a", Op: ">", Value: 1}, false},
		"figure":      {&Condition{Type: Aggregate, Metric: "output_data.a", AggFunc: "sum", Op: ">", Value: 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			rules := []Rule{{Name: "pattern", Condition: pattern}}
			if c.also != nil {
				rules = append(rules, Rule{Name: "also", Condition: *c.also})
			}
			rs, err := NewRuleSet(rules)
			require.NoError(t, err)
			_, ok := rs.Screen("output_data")
			require.Equal(t, c.want, ok)
			_, ok = rs.Screen("tool_output")
			require.False(t, ok, "nobody looks at it")
		})
	}
}

// contentsOf returns what content is made of a text, if it is an object or a list.
func contentsOf(t require.TestingT, text string) (all []json.RawMessage) {
	wrap := func(v any) {
		b, err := json.Marshal(map[string]any{"output": v})
		require.NoError(t, err)
		all = append(all, b)
	}
	wrap(text)
	if json.Valid([]byte(text)) {
		if first := trimSpace([]byte(text)); first[0] == '{' || first[0] == '[' {
			all = append(all, json.RawMessage(text))
			wrap(json.RawMessage(text))
		}
	}
	return all
}

// screenPatterns look for what is made when content is: parts of keys and
// escapes, and for what stands beside it.
var screenPatterns = append([]string{
	`\d-\d`, `\dx\d`, `u\d*_`, `_n`, `n_`, `n-`, `-\\`, `\\-`, `"-`, `-"`, `t":"-`, `output`, `-[1-9]`, `[0-9a-f]-`, `<-`, `-<`, `u003c-`, `,-`, `-/-`, `x-y`, `- -`, `_.*-`,
}, patternSamples...)

// screenShapes are texts with places for pieces, most of them JSON; %s is a
// place.
var (
	screenShapes = []string{`%s`, `{%s-`, `["%s"]`, `{"_":"%s"}`, `{"b": "%s", "a":"%s" }`, `["%s-", -1 , "%s" ]`, `{"%s":{"%s":["-%s"], "-%s":-1}}`}
	screenPieces = []string{
		"-", "-", "x", "y", "_", "secret", "1", "0", "123", " ", "n", "u", "a", `\n`, `\/`, `\\`, `\"`, `\u002d`, `\u0031`, `\u003c`, "<", "&", "\u2028", "\u00e9", "\xff", "\xe2",
	}
	notInJSON = []string{"\n", "\x01", "\x01-1", "\x1f", `"`, `\`, `", "`}
)

func drawText(t *rapid.T) string {
	pieces := screenPieces
	if rapid.Bool().Draw(t, "any") {
		pieces = slices.Concat(pieces, notInJSON)
	}
	shape := strings.Split(rapid.SampledFrom(screenShapes).Draw(t, "shape"), "%s")
	text := shape[0]
	for _, rest := range shape[1:] {
		text += strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), "") + rest
	}
	return text
}

// In content made of a text that is ruled out nothing is found, and that is said
// of it: it is an object or a list, at which the pattern has looked.
func TestScreenRulesOutOnlyWhereNothingIsFound(t *testing.T) {
	rules := map[*RuleSet]*Screen{}
	for _, expr := range screenPatterns {
		if rs, err := NewRuleSet([]Rule{{Name: expr + ".", Condition: PatternCondition("output_data", expr)}}); err == nil {
			if s, ok := rs.Screen("output_data"); ok {
				rules[rs] = s
			}
		}
	}
	found, out, in := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawText(t)
		for _, content := range contentsOf(t, text) {
			for rs, s := range rules {
				j := rs.Judge(&analysis.Event{Output: content})
				require.Equal(t, uint64(1), j.speaks)
				switch ruledOut := s.RulesOut([]byte(text)); {
				case j.holds != 0:
					require.False(t, ruledOut, "%s in %s", rs.rules[0].name, content)
					found++
				case ruledOut:
					out++
				default:
					in++
				}
			}
		}
	})
	require.Positive(t, found)
	require.Greater(t, out, found)
	require.Positive(t, in)
}
