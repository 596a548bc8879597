package otelanthropic

import (
	"net/http"
	"strings"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// ScopeName is the instrumentation scope of the spans and metrics.
const ScopeName = "github.com/agentlens/agentlens-otel/instrumentation/otelanthropic"

// sdkScope begins the scope of the spans that the SDK writes itself.
const sdkScope = "com.anthropic.sdk"

// Middleware returns what option.WithMiddleware of anthropic-sdk-go takes.
func Middleware(opts ...Option) func(*http.Request, func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	return genaihttp.New(genaihttp.Instrument{Scope: ScopeName, Route: route, SDKScope: sdkScope}, opts).Do
}

func route(req *http.Request, mode capture.Mode) (*genaihttp.Call, genaihttp.Reader) {
	if req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, "/v1/messages") {
		return nil, nil
	}
	return &genaihttp.Call{Operation: semconv.OperationChat, Provider: provider(req.URL.Hostname())}, &reader{mode: mode}
}

func provider(host string) string {
	switch {
	case strings.HasSuffix(host, ".amazonaws.com"):
		return semconv.ProviderBedrock
	case strings.HasSuffix(host, "aiplatform.googleapis.com"):
		return semconv.ProviderVertexAI
	default:
		return semconv.ProviderAnthropic
	}
}
