package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/otelcol"
)

func settings() otelcol.CollectorSettings {
	return otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "agentlens"},
		Factories: components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory()},
		}},
	}
}

// Every configuration that is shipped, and the embedded one, is valid.
func TestShippedConfigurationsAreValid(t *testing.T) {
	files, err := filepath.Glob("../../config/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, args := range append(each("--config", files), []string{"validate"}) {
		cmd := newCommand(settings())
		cmd.SetArgs(args)
		assert.NoError(t, cmd.Execute(), "%v", args)
	}
}

func each(flag string, files []string) (args [][]string) {
	for _, f := range files {
		args = append(args, []string{"validate", flag, f})
	}
	return args
}

// A mistake is told with its path, before anything starts.
func TestValidateNamesTheMistake(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"unknown rule kind": {`{agentlens: {compliance: {policies: [{name: p, rules: [{kind: max_tokenz, limit: 1}]}]}}}`, "processors::agentlens"},
		"negative limit":    {`{agentlens: {compliance: {policies: [{name: p, rules: [{kind: max_tokens, limit: -1}]}]}}}`, "limit"},
		"missing parameter": {`{agentlens: {compliance: {policies: [{name: p, rules: [{kind: forbidden_tools}]}]}}}`, "tools"},
		"duplicate policy":  {`{agentlens: {compliance: {policies: [{name: p, rules: []}, {name: p, rules: []}]}}}`, "compliance::policies::1::name"},
		"no sessions":       {`{agentlens: {max_sessions: 0}}`, "max_sessions"},
		"unknown storage":   {`{agentlens: {storage: file_storage/other}}`, "processors::agentlens::storage` is \"file_storage/other\""},
		"unknown key":       {`{agentlens: {idle_timeot: 1s}}`, "idle_timeot"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(file, []byte(`
receivers: {otlp: {protocols: {http: {}}}}
processors: `+c.yaml+`
exporters: {debug: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [agentlens], exporters: [debug]}}}
`), 0o600))
			cmd := newCommand(settings())
			cmd.SetArgs([]string{"validate", "--config", file})
			cmd.SilenceErrors = true
			err := cmd.Execute()
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
		})
	}
}

// The configuration in the README is one that runs.
func TestReadmeConfiguration(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, block, ok := strings.Cut(string(readme), "```yaml\nprocessors:\n")
	require.True(t, ok, "the README has no configuration that begins with processors")
	block, _, ok = strings.Cut(block, "```")
	require.True(t, ok)

	dir := t.TempDir()
	fromReadme, rest := filepath.Join(dir, "readme.yaml"), filepath.Join(dir, "rest.yaml")
	require.NoError(t, os.WriteFile(fromReadme, []byte("processors:\n"+block), 0o600))
	require.NoError(t, os.WriteFile(rest, []byte(`
receivers: {otlp: {protocols: {http: {}}}}
extensions: {file_storage: {directory: `+dir+`}}
service:
  extensions: [file_storage]
  pipelines: {traces: {receivers: [otlp], processors: [agentlens], exporters: [agentlens]}}
`), 0o600))
	cmd := newCommand(settings())
	cmd.SetArgs([]string{"validate", "--config", fromReadme, "--config", rest})
	assert.NoError(t, cmd.Execute())
}
