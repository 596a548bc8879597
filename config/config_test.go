package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var quoted = regexp.MustCompile("(?s)```yaml\n# (config/[a-z-]+\\.yaml)\n(.*?)```")

// What the documentation quotes of a configuration stands in it. That each is
// valid is tested with the command.
func TestDocumentationQuotesConfigurations(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			file, err := os.ReadFile("../" + m[1])
			if assert.NoError(t, err, page) {
				assert.Contains(t, string(file), m[2], "%s quotes %s", page, m[1])
			}
			seen[m[1]] = true
		}
	}
	examples, err := filepath.Glob("with-*.yaml")
	require.NoError(t, err)
	for _, example := range examples {
		assert.True(t, seen["config/"+example], "no page quotes %s", example)
	}
}

// The embedded backend is not slowed down by the limits of the original.
func TestEmbeddedBackendHasNoRateLimit(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		embedded := strings.Contains(string(text), "agentlens_backend:")
		unlimited := strings.Contains(string(text), "rate_limit: {events_per_minute: 0, findings_per_minute: 0}")
		assert.Equal(t, embedded, unlimited, file)
	}
}
