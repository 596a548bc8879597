package pipelines

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Every pipeline but the bare one changes what the spans go through, and every
// file belongs to one.
func TestPipelines(t *testing.T) {
	used := map[string]bool{"base.yaml": true}
	names := map[string]bool{}
	for _, p := range []Pipeline{Bare, Batch, AllEngines, Sessions, Forecast, Compliance, Drift, Alerts, Attributes, SpanMetrics, GroupByTrace, TailSampling, Backend} {
		require.False(t, names[p.Name], p.Name)
		names[p.Name] = true
		dir := t.TempDir()
		paths, err := p.Write(dir)
		require.NoError(t, err)
		require.Len(t, paths, 1+len(p.Over))
		for i, path := range paths {
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, yaml.Unmarshal(raw, &map[string]any{}), path)
			if i > 0 {
				assert.Equal(t, p.Over[i-1], filepath.Base(path))
			}
			used[filepath.Base(path)] = true
		}
	}
	all, err := files.ReadDir(".")
	require.NoError(t, err)
	for _, f := range all {
		assert.True(t, used[f.Name()], "%s is in no pipeline", f.Name())
	}
	_, err = Pipeline{Name: "p", Over: []string{"missing.yaml"}}.Write(t.TempDir())
	assert.ErrorContains(t, err, "pipeline p")
}
