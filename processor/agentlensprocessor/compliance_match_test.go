package agentlensprocessor

import (
	"path"
	"testing"

	"github.com/stretchr/testify/require"
)

// Patterns of agents match what path.Match says they do: all of up to three
// characters, one of each kind that has a meaning there, and none.
func TestAgentPatternsAreThoseOfPaths(t *testing.T) {
	names := []string{"", "a", "ab", "abc", "b", "a-b", "a/b", "ab/", "/", "a*", "*", "a]", `a\`, "a[b]", "a?"}
	patterns := []string{""}
	matched := 0
	for i := 0; i < len(patterns); i++ {
		text := patterns[i]
		p := newAgentPattern(text)
		for _, name := range names {
			want, _ := path.Match(text, name)
			require.Equal(t, want, p.matches(name), "%q of %q", name, text)
			if want {
				matched++
			}
		}
		if len(text) < 3 {
			for _, c := range `ab*?[]\/-` {
				patterns = append(patterns, text+string(c))
			}
		}
	}
	require.Greater(t, matched, 100)
}
