package otelopenai

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// ScopeName is the instrumentation scope of the spans and metrics.
const ScopeName = "github.com/agentlens/agentlens-otel/instrumentation/otelopenai"

// Middleware returns what option.WithMiddleware of openai-go takes.
func Middleware(opts ...Option) func(*http.Request, func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	return genaihttp.New(genaihttp.Instrument{Scope: ScopeName, Route: route}, opts).Do
}

// apis are the calls that are told, by the end of their path.
var apis = []struct {
	path, operation, apiType string
	reader                   func(capture.Mode) genaihttp.Reader
}{
	{"/chat/completions", semconv.OperationChat, "chat_completions", newChatReader},
	{"/responses", semconv.OperationChat, "responses", newResponsesReader},
	{"/embeddings", semconv.OperationEmbeddings, "", newEmbeddingsReader},
	{"/completions", semconv.OperationTextCompletion, "", newChatReader},
}

func route(req *http.Request, mode capture.Mode) (*genaihttp.Call, genaihttp.Reader) {
	switch req.Method {
	case http.MethodPost:
	case http.MethodGet:
		return fetchRoute(req, mode)
	default:
		return nil, nil
	}
	for _, api := range apis {
		if !strings.HasSuffix(req.URL.Path, api.path) {
			continue
		}
		call := &genaihttp.Call{Operation: api.operation, Provider: provider(req.URL.Hostname())}
		if api.apiType != "" {
			call.SetRequest(attribute.String(semconv.OpenAIAPIType, api.apiType))
		}
		return call, api.reader(mode)
	}
	return nil, nil
}

// providers are the hosts, by their end, of providers with an API of this shape.
var providers = []struct{ host, name string }{
	{"openai.azure.com", semconv.ProviderAzureOpenAI},
	{"services.ai.azure.com", semconv.ProviderAzureOpenAI},
	{"cognitiveservices.azure.com", semconv.ProviderAzureOpenAI},
	{"amazonaws.com", semconv.ProviderBedrock},
	{"aiplatform.googleapis.com", semconv.ProviderVertexAI},
	{"generativelanguage.googleapis.com", semconv.ProviderGemini},
	{"api.groq.com", "groq"},
	{"api.deepseek.com", "deepseek"},
	{"api.x.ai", "x_ai"},
	{"api.mistral.ai", "mistral_ai"},
	{"api.perplexity.ai", "perplexity"},
	{"api.moonshot.ai", "moonshot_ai"},
	{"api.cohere.ai", "cohere"},
}

// provider returns who answers at host; an API of this shape that is not known
// counts as OpenAI's.
func provider(host string) string {
	for _, p := range providers {
		if rest, ok := strings.CutSuffix(host, p.host); ok && (rest == "" || strings.HasSuffix(rest, ".") || strings.HasSuffix(rest, "-")) {
			return p.name
		}
	}
	return semconv.ProviderOpenAI
}
