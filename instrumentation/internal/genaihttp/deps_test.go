package genaihttp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
)

// The SDKs that the middlewares are tested with are requirements of the module;
// whoever imports agentlens compiles nothing of them.
func TestAgentlensCompilesNoProvidersSDK(t *testing.T) {
	deps := genaitest.Deps(t, "../../agentlens")
	assert.Contains(t, deps, "go.opentelemetry.io/otel")
	for _, sdk := range []string{
		"github.com/openai/openai-go/v3", "github.com/anthropics/anthropic-sdk-go",
		"github.com/modelcontextprotocol/go-sdk", "google.golang.org/genai",
	} {
		assert.NotContains(t, deps, sdk)
	}
}
