package pricing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompileRegex(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{`^o[134]`, []string{"o1", "o3-mini"}, []string{"o2", "gpt-o1"}},
		{`^gpt-\d{2}$`, []string{"gpt-12"}, []string{"gpt-1", "gpt-123"}},
		{`^(?!.*-[tT](?:$|-))`, []string{"", "a", "a-ts"}, []string{"a-t", "a-t-b"}},
		{`^(?![^/]+/)(?:x-)?(?:mi|mag)stral`, []string{"mistral", "x-magstral-1"}, []string{"a/mistral", "amistral"}},
		{`^(?![)(]\)|b)[a-c(]`, []string{"a", "c", "(x"}, []string{"()", "b", "d"}},
	} {
		fits, err := compileRegex(c.pattern)
		require.NoError(t, err, c.pattern)
		for _, name := range c.yes {
			assert.True(t, fits(name), "%s %q", c.pattern, name)
		}
		for _, name := range c.no {
			assert.False(t, fits(name), "%s %q", c.pattern, name)
		}
	}
}

func TestSpellDates(t *testing.T) {
	for in, want := range map[string]string{
		"m-20250807":            "m-2025-08-07",
		"m-20250807-v1:0":       "m-2025-08-07-v1:0",
		"m-20250807:free":       "m-2025-08-07:free",
		"m-20240229-20250102":   "m-2024-02-29-2025-01-02",
		"m-20250807@x":          "m-20250807@x",
		"m-202508071":           "m-202508071",
		"m-20250230":            "m-20250230",
		"m-19991231":            "m-19991231",
		"m20250807":             "m20250807",
		"m-2025-08-07":          "m-2025-08-07",
		"-20":                   "-20",
		"m-20251399-2025-08-07": "m-20251399-2025-08-07",
	} {
		assert.Equal(t, want, spellDates(in), in)
	}
}

func TestWithoutPath(t *testing.T) {
	for _, c := range [...]struct{ in, want string }{
		{"models/gemini", "gemini"},
		{"publishers/google/models/g@001", "g@001"},
		{"mymodels/gemini", "mymodels/gemini"},
		{"arn:aws:bedrock:eu-west-1:1:inference-profile/eu.m", "eu.m"},
		{"arn:aws:bedrock", "arn:aws:bedrock"},
		{"converse/us.m", "us.m"},
		{"openai/converse/", "openai/converse/"},
		{"", ""},
	} {
		assert.Equal(t, c.want, withoutPath(c.in), c.in)
	}
}
