package otelgenai

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// ScopeName is the instrumentation scope of the spans and metrics.
const ScopeName = "github.com/agentlens/agentlens-otel/instrumentation/otelgenai"

// HTTPClient returns a copy of base, of a new client when nil, whose calls to
// models have spans. It goes into genai.ClientConfig.
func HTTPClient(base *http.Client, opts ...Option) *http.Client {
	client := http.Client{}
	if base != nil {
		client = *base
	}
	client.Transport = Transport(client.Transport, opts...)
	return &client
}

// Transport returns a transport that does the same over base,
// http.DefaultTransport when nil.
func Transport(base http.RoundTripper, opts ...Option) http.RoundTripper {
	return genaihttp.New(genaihttp.Instrument{Scope: ScopeName, Route: route}, opts).Transport(base)
}

// route tells calls by the end of their path, models/{model}:{method}.
func route(req *http.Request, mode capture.Mode) (*genaihttp.Call, genaihttp.Reader) {
	if req.Method != http.MethodPost {
		return nil, nil
	}
	path, method, ok := strings.Cut(req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:], ":")
	if !ok {
		return nil, nil
	}
	call := &genaihttp.Call{Operation: semconv.OperationGenerateContent, Provider: semconv.ProviderGemini, Model: path}
	if strings.HasSuffix(req.URL.Hostname(), "aiplatform.googleapis.com") || strings.Contains(req.URL.Path, "/publishers/") {
		call.Provider = semconv.ProviderVertexAI
	}
	switch method {
	case "generateContent":
	case "streamGenerateContent":
		call.Streaming = true
		call.SetRequest(attribute.Bool(semconv.GenAIRequestStream, true))
	case "embedContent", "batchEmbedContents":
		call.Operation = semconv.OperationEmbeddings
	default:
		return nil, nil
	}
	return call, &reader{mode: mode}
}
