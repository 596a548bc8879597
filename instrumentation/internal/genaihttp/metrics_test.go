package genaihttp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

func TestVersionIsTheSDKs(t *testing.T) { assert.Equal(t, agentlens.Version, genaihttp.Version) }

// collect makes one streamed call of 7 and 3 tokens, one that is refused and one
// embedding, and returns the metrics by name.
func collect(t *testing.T, opts ...otelopenai.Option) map[string]metricdata.Aggregation {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	// Metrics do not need spans.
	middleware := otelopenai.Middleware(append(opts, otelopenai.WithMeterProvider(provider), otelopenai.WithTracerProvider(noop.NewTracerProvider()))...)
	call := func(path string, status int, kind, body string) {
		req, err := http.NewRequest(http.MethodPost, "http://llm.test:8080"+path, strings.NewReader(`{"model":"m"}`))
		require.NoError(t, err)
		resp, err := middleware(req, func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
	}
	call("/chat/completions", 200, "text/event-stream", `data: {"model":"m-1","choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":2}}}`+"\n\ndata: [DONE]\n\n")
	call("/chat/completions", 429, "application/json", `{}`)
	call("/embeddings", 200, "application/json", `{"usage":{"prompt_tokens":5}}`)
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	assert.Equal(t, otelopenai.ScopeName, all.ScopeMetrics[0].Scope.Name)
	byName := map[string]metricdata.Aggregation{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		byName[m.Name] = m.Data
	}
	return byName
}

func sum(t *testing.T, a metricdata.Aggregation) (total int64, attrs attribute.Set) {
	data, ok := a.(metricdata.Sum[int64])
	require.True(t, ok, "%T", a)
	require.Len(t, data.DataPoints, 1)
	return data.DataPoints[0].Value, data.DataPoints[0].Attributes
}

func TestMetrics(t *testing.T) {
	m := collect(t)
	total, attrs := sum(t, m["gen_ai.client.inference.usage.input_tokens"])
	assert.Equal(t, int64(7), total)
	assert.Equal(t, attribute.NewSet(
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "openai"),
		attribute.String("gen_ai.request.model", "m"), attribute.String("gen_ai.response.model", "m-1"),
		attribute.String("server.address", "llm.test"), attribute.Int("server.port", 8080),
		attribute.String("gen_ai.token.modality", "unknown")), attrs)
	total, _ = sum(t, m["gen_ai.client.inference.usage.output_tokens"])
	assert.Equal(t, int64(3), total)
	total, _ = sum(t, m["gen_ai.client.inference.usage.cache_read.input_tokens"])
	assert.Equal(t, int64(2), total)
	assert.NotContains(t, m, "gen_ai.client.inference.usage.reasoning.output_tokens", "absent is not zero")

	duration := m["gen_ai.client.inference.duration"].(metricdata.Histogram[float64])
	require.Len(t, duration.DataPoints, 2)
	var failed int
	for _, p := range duration.DataPoints {
		if v, ok := p.Attributes.Value("error.type"); ok {
			failed++
			assert.Equal(t, "429", v.AsString())
		}
	}
	assert.Equal(t, 1, failed)
	assert.Len(t, m["gen_ai.client.inference.time_to_first_chunk"].(metricdata.Histogram[float64]).DataPoints, 1)
	other := m["gen_ai.client.operation.duration"].(metricdata.Histogram[float64])
	require.Len(t, other.DataPoints, 1, "the embedding only")
	assert.NotContains(t, m, "gen_ai.client.token.usage")
}

func TestOldMetrics(t *testing.T) {
	m := collect(t, otelopenai.WithOldMetrics())
	tokens := map[string]int64{}
	for _, p := range m["gen_ai.client.token.usage"].(metricdata.Histogram[int64]).DataPoints {
		operation, _ := p.Attributes.Value("gen_ai.operation.name")
		kind, _ := p.Attributes.Value("gen_ai.token.type")
		tokens[operation.AsString()+" "+kind.AsString()] = p.Sum
	}
	assert.Equal(t, map[string]int64{"chat input": 7, "chat output": 3, "embeddings input": 5}, tokens)
	assert.Len(t, m["gen_ai.client.operation.duration"].(metricdata.Histogram[float64]).DataPoints, 3)
	assert.Contains(t, m, "gen_ai.client.operation.time_to_first_chunk")
	assert.Contains(t, m, "gen_ai.client.inference.duration", "the current names too")
}
