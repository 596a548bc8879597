package agentlens_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// point is a data point: what it adds up to, and how many values it has.
type point struct {
	sum    float64
	count  uint64
	bounds int
	unit   string
}

// collected returns the points by metric name and attributes.
func collected(t testing.TB, reader metric.Reader) map[string]map[string]point {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	all := map[string]map[string]point{}
	for _, scope := range data.ScopeMetrics {
		assert.Equal(t, semconv.ScopeName, scope.Scope.Name)
		for _, m := range scope.Metrics {
			points := map[string]point{}
			all[m.Name] = points
			add := func(set attribute.Set, p point) {
				for _, kv := range set.ToSlice() {
					assert.NotContains(t, string(kv.Key), "session", "no metric has a session id")
				}
				p.unit = m.Unit
				points[set.Encoded(attribute.DefaultEncoder())] = p
			}
			switch d := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, point{p.Sum, p.Count, len(p.Bounds), ""})
				}
			case metricdata.Histogram[int64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, point{float64(p.Sum), p.Count, len(p.Bounds), ""})
				}
			case metricdata.Sum[int64]:
				assert.True(t, d.IsMonotonic)
				for _, p := range d.DataPoints {
					add(p.Attributes, point{sum: float64(p.Value)})
				}
			}
		}
	}
	return all
}

// measured records two inferences, an embedding, a tool call and a sub-agent.
func measured(t testing.TB, opts ...agentlens.Option) map[string]map[string]point {
	t.Helper()
	reader := metric.NewManualReader()
	r := newRecorded(t, nil, append(opts, agentlens.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))...)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithProvider("openai"), agentlens.WithModel("m"),
		agentlens.WithTokens(10, 0), agentlens.WithDurationMS(250), agentlens.WithCacheTokens(4, 0))
	require.NoError(t, err)
	_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithProvider("openai"), agentlens.WithModel("m"))
	require.NoError(t, err, "of which nothing is known, and so nothing recorded")
	_, call := s.StartLLM(ctx, "openai", "m", agentlens.WithAttributes(attribute.String("server.address", "api"), attribute.Int("gen_ai.request.seed", 1)))
	call.FirstToken()
	call.SetResponse("id", "m-1")
	call.SetTokens(1, 2)
	call.SetError(errors.New("x"))
	call.End()
	_, emb := s.StartLLM(ctx, "openai", "e", agentlens.WithOperation("embeddings"))
	emb.SetTokensIn(5)
	emb.End()
	_, tool := s.StartTool(ctx, "search")
	tool.End()
	_, sub := s.StartAgent(ctx, "helper")
	sub.SetError(errors.New("x"))
	sub.End()
	require.NoError(t, s.End(ctx))
	return collected(t, reader)
}

const (
	tracked  = "gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m"
	liveCall = tracked + ",gen_ai.response.model=m-1"
	failed   = "error.type=*errors.errorString,"
	embedded = "gen_ai.operation.name=embeddings,gen_ai.provider.name=openai,gen_ai.request.model=e"
	server   = ",server.address=api"
)

func keys(m map[string]map[string]point) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}

func TestMetricsV141(t *testing.T) {
	got := measured(t)
	assert.ElementsMatch(t, []string{
		"gen_ai.client.operation.duration", "gen_ai.client.token.usage", "gen_ai.client.operation.time_to_first_chunk",
	}, keys(got))
	durations := got["gen_ai.client.operation.duration"]
	assert.Len(t, durations, 3)
	assert.Equal(t, point{0.25, 1, 14, "s"}, durations[tracked])
	assert.Equal(t, uint64(1), durations[failed+liveCall+server].count)
	assert.Equal(t, uint64(1), durations[embedded].count)
	assert.Equal(t, map[string]point{
		tracked + ",gen_ai.token.type=input":            {10, 1, 14, "{token}"},
		tracked + ",gen_ai.token.type=output":           {0, 1, 14, "{token}"},
		liveCall + ",gen_ai.token.type=input" + server:  {1, 1, 14, "{token}"},
		liveCall + ",gen_ai.token.type=output" + server: {2, 1, 14, "{token}"},
		embedded + ",gen_ai.token.type=input":           {5, 1, 14, "{token}"},
	}, got["gen_ai.client.token.usage"])
	assert.Equal(t, uint64(1), got["gen_ai.client.operation.time_to_first_chunk"][liveCall+server].count)
}

func TestMetricsLatest(t *testing.T) {
	got := measured(t, agentlens.WithMetricNames(agentlens.MetricsLatest))
	assert.ElementsMatch(t, []string{
		"gen_ai.client.inference.duration", "gen_ai.client.operation.duration", "gen_ai.client.inference.time_to_first_chunk",
		"gen_ai.client.inference.operation.input_tokens", "gen_ai.client.inference.operation.output_tokens",
		"gen_ai.client.inference.usage.input_tokens", "gen_ai.client.inference.usage.output_tokens",
		"gen_ai.client.inference.usage.cache_read.input_tokens", "gen_ai.client.inference.usage.cache_write.input_tokens",
		"gen_ai.execute_tool.duration", "gen_ai.invoke_agent.duration",
	}, keys(got))
	assert.Equal(t, point{0.25, 1, 14, "s"}, got["gen_ai.client.inference.duration"][tracked])
	assert.Len(t, got["gen_ai.client.operation.duration"], 1, "of the embedding alone")
	modality := ",gen_ai.token.modality=unknown"
	const tokenCall = "gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,gen_ai.response.model=m-1"
	assert.Equal(t, map[string]point{
		"gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m" + modality: {sum: 10, unit: "{token}"},
		tokenCall + modality + server: {sum: 1, unit: "{token}"},
	}, got["gen_ai.client.inference.usage.input_tokens"])
	assert.Equal(t, point{10, 1, 14, "{token}"}, got["gen_ai.client.inference.operation.input_tokens"][tracked])
	assert.Equal(t, uint64(1), got["gen_ai.client.inference.operation.input_tokens"][failed+liveCall+server].count)
	assert.Equal(t, uint64(1), got["gen_ai.execute_tool.duration"]["gen_ai.operation.name=execute_tool,gen_ai.tool.name=search"].count)
	assert.Equal(t, 13, got["gen_ai.invoke_agent.duration"][failed+"gen_ai.agent.name=helper,gen_ai.operation.name=invoke_agent"].bounds)
}

func TestMetricsBoth(t *testing.T) {
	got := measured(t, agentlens.WithMetricNames(agentlens.MetricsV141, agentlens.MetricsLatest))
	assert.Equal(t, uint64(1), got["gen_ai.client.operation.duration"][embedded].count, "once")
	assert.Contains(t, got, "gen_ai.client.token.usage")
	assert.Contains(t, got, "gen_ai.client.inference.duration")
	for _, opts := range [][]agentlens.Option{{agentlens.WithMetricNames()}, {agentlens.WithMetricNames("v2")}} {
		_, err := agentlens.NewTracker(t.Context(), opts...)
		requireField(t, "WithMetricNames", err)
	}
	_, err := agentlens.NewTracker(t.Context(), agentlens.WithMeterProvider(nil))
	requireField(t, "WithMeterProvider", err)
}
