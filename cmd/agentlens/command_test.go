package main

import (
	"fmt"
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
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
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

// An extension that is no storage is refused as one where it is named, wherever
// a storage may be; that an extension is none is told by its own type.
func TestValidateKnowsWhatIsNoStorage(t *testing.T) {
	factories, err := components()
	require.NoError(t, err)
	for id, factory := range factories.Extensions {
		ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig())
		require.NoError(t, err, id)
		_, stores := ext.(storage.Extension)
		for place, yaml := range map[string]string{
			"`processors::agentlens::storage`":                   "processors: {agentlens: {storage: %s}}\nexporters: {debug: {}}",
			"`exporters::agentlens/a::sending_queue::storage`":   "processors: {agentlens: {}}\nexporters: {debug: {}, agentlens/a: {sending_queue: {storage: %s}}}",
			"`exporters::otlp_http/b.c::sending_queue::storage`": "processors: {agentlens: {}}\nexporters: {debug: {}, otlp_http/b.c: {endpoint: 'http://localhost', sending_queue: {storage: %s}}}",
		} {
			named := id.String() + "/own"
			file := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(yaml, named)+`
receivers: {otlp: {protocols: {http: {}}}}
extensions: {`+named+`: {`+map[bool]string{true: "directory: " + t.TempDir()}[stores]+`}}
service: {extensions: [`+named+`], pipelines: {traces: {receivers: [otlp], processors: [agentlens], exporters: [debug]}}}
`), 0o600))
			cmd := newCommand(settings())
			cmd.SetArgs([]string{"validate", "--config", file})
			cmd.SilenceErrors = true
			if err := cmd.Execute(); stores {
				assert.NoError(t, err, "%s in %s", named, place)
			} else {
				assert.ErrorContains(t, err, place+" is \""+named+"\", which stores nothing")
			}
		}
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
