package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.yaml.in/yaml/v3"
)

const ownModule = "github.com/agentlens/agentlens-otel"

// manifest is builder-config.yaml, as far as it lists components.
type manifest struct {
	Dist       struct{ Version string }
	Receivers  []entry
	Processors []entry
	Exporters  []entry
	Connectors []entry
	Extensions []entry
	Providers  []entry
}

type entry struct{ Gomod, Import string }

// The manifest, the generated components and go.mod must name the same
// components in the same versions: `make generate` makes it so.
func TestManifestMatchesComponentsAndGoMod(t *testing.T) {
	raw, err := os.ReadFile("../../builder-config.yaml")
	require.NoError(t, err)
	var m manifest
	require.NoError(t, yaml.Unmarshal(raw, &m))
	goMod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	source, err := os.ReadFile("components.go")
	require.NoError(t, err)
	mainSource, err := os.ReadFile("main.go")
	require.NoError(t, err)

	for _, list := range [][]entry{m.Receivers, m.Processors, m.Exporters, m.Connectors, m.Extensions, m.Providers} {
		for _, e := range list {
			module, version, _ := strings.Cut(e.Gomod, " ")
			path := module
			if e.Import != "" {
				path = e.Import
			}
			assert.Contains(t, string(source)+string(mainSource), `"`+path+`"`, "the generated code does not import it")
			if module == ownModule {
				assert.Equal(t, "v"+m.Dist.Version, version, "%s is not in the version of the distribution", path)
				continue
			}
			required := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(module) + ` (\S+)`).FindStringSubmatch(string(goMod))
			if assert.NotNil(t, required, "%s is not required by go.mod", module) {
				assert.Equal(t, version, required[1], "go.mod has another version of %s", module)
			}
		}
	}

	factories, err := components()
	require.NoError(t, err)
	assert.Equal(t, len(m.Receivers), distinct(factories.Receivers))
	assert.Equal(t, len(m.Processors), distinct(factories.Processors))
	assert.Equal(t, len(m.Exporters), distinct(factories.Exporters))
	assert.Equal(t, len(m.Connectors), distinct(factories.Connectors))
	assert.Equal(t, len(m.Extensions), distinct(factories.Extensions))
	assert.Contains(t, factories.Processors, component.MustNewType("agentlens"))
	assert.Contains(t, string(mainSource), "newCommand(params)", "main.go runs without the embedded configuration: run make generate")
}

// distinct counts factories, those with a second, deprecated name once.
func distinct[F comparable](factories map[component.Type]F) int {
	seen := map[F]bool{}
	for _, f := range factories {
		seen[f] = true
	}
	return len(seen)
}
