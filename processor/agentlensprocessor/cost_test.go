package agentlensprocessor

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Prices come from the table built in, from another file, and from the
// configuration, each over the one before.
func TestPricesFromFileAndConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prices.json")
	require.NoError(t, os.WriteFile(file, []byte(`[{"id": "openai", "name": "OpenAI", "api_pattern": "x", "models": [
		{"id": "gpt-4o", "match": {"equals": "gpt-4o"}, "prices": {"input_mtok": 7, "output_mtok": 9}}]}]`), 0o600))
	price := func(in, out float64) *float64 { usd := 1000*in*1e-6 + 100*out*1e-6; return &usd }
	for name, c := range map[string]struct {
		configure func(*CostConfig)
		want      *float64
	}{
		"built in": {func(*CostConfig) {}, price(2.5, 10)},
		"file":     {func(c *CostConfig) { c.Table = file }, price(7, 9)},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(cfg *Config) { c.configure(&cfg.Cost) })
			td, span := chat("s", 1, 1)
			span.Attributes().PutStr(semconv.GenAIProviderName, "openai")
			h.feed(t, td)
			got, ok := span.Attributes().Get(semconv.CostAmount)
			require.True(t, ok)
			assert.InDelta(t, *c.want, got.Double(), 1e-12)
		})
	}
	cfg := createDefaultConfig().(*Config)
	cfg.Cost.Table = filepath.Join(t.TempDir(), "none.json")
	assert.ErrorContains(t, cfg.Validate(), "`cost::table`")
}

// A model without a price has no cost, and is told of once.
func TestUnknownModelHasNoCostAndIsToldOnce(t *testing.T) {
	h := newHarness(t, nil)
	core, logs := observer.New(zap.InfoLevel)
	h.logger = zap.New(core)
	for n := range byte(3) {
		td, span := chat("s", 1, n+1)
		span.Attributes().PutStr(semconv.GenAIRequestModel, "unheard-of")
		h.feed(t, td)
		_, ok := span.Attributes().Get(semconv.CostAmount)
		assert.False(t, ok)
	}
	require.Len(t, logs.All(), 1)
	assert.Equal(t, "unheard-of", logs.All()[0].ContextMap()["model"])
}

func TestLabelsAreCapped(t *testing.T) {
	l := newLabels()
	for i := range maxLabels {
		assert.Equal(t, strconv.Itoa(i), l.of(strconv.Itoa(i)))
	}
	assert.Equal(t, overflowLabel, l.of("one more"))
	assert.Equal(t, "5", l.of("5"))
}

// The metrics of cost count each call once, as the sessions do, where libraries
// tell it twice, spans arrive twice, and in any order.
func TestCostMetricsAreTheSumOfTheSessions(t *testing.T) {
	for name, spans := range streams(t) {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				r := rand.New(rand.NewPCG(seed, 1))
				delay := func() time.Duration { return time.Duration(seed) * time.Duration(r.Int64N(int64(time.Second))) }
				h, tel := newMeasured(t, allEngines)
				for _, s := range delayed(someTwice(spans, r), delay) {
					h.feed(t, s.td)
				}
				h.clock.pass(h.cfg.IdleTimeout)
				h.sweep(t.Context())

				cost, unpriced := 0.0, int64(0)
				h.table.Each(func(s *sessions.Session) {
					cost += s.Summary.CostUSD.Float64()
					unpriced += s.Summary.Unpriced
				})
				require.Positive(t, cost)
				assert.InDelta(t, cost, total[float64](t, tel, "otelcol_processor_agentlens_cost"), 1e-9)
				assert.Equal(t, unpriced, total[int64](t, tel, "otelcol_processor_agentlens_unpriced_calls"))
			}
		})
	}
}

// Each agent has its own cost, also where one batch is of more agents than are
// summed up at once.
func TestCostMetricsOfManyAgents(t *testing.T) {
	h, tel := newMeasured(t, nil)
	const agents = maxCosts + 10
	var spans []oneSpan
	for n := range byte(2 * agents) {
		td, span := chat("s", 1, n+1)
		span.Attributes().PutStr(semconv.GenAIAgentName, strconv.Itoa(int(n%agents)))
		spans = append(spans, oneSpan{td})
	}
	h.feed(t, join(spans))
	m, err := tel.GetMetric("otelcol_processor_agentlens_cost")
	require.NoError(t, err)
	points := m.Data.(metricdata.Sum[float64]).DataPoints
	require.Len(t, points, agents)
	for _, p := range points {
		assert.InDelta(t, 2*(1000*2.5e-6+100*10e-6), p.Value, 1e-12, p.Attributes)
	}
}

// newMeasured is newHarness with a meter.
func newMeasured(t *testing.T, configure func(*Config)) (*harness, *componenttest.Telemetry) {
	t.Helper()
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	h := newHarness(t, configure)
	var err error
	h.telemetry, err = metadata.NewTelemetryBuilder(tel.NewTelemetrySettings())
	require.NoError(t, err)
	return h, tel
}

// total sums a counter over all its labels.
func total[N int64 | float64](t *testing.T, tel *componenttest.Telemetry, name string) (sum N) {
	t.Helper()
	m, err := tel.GetMetric(name)
	require.NoError(t, err)
	for _, p := range m.Data.(metricdata.Sum[N]).DataPoints {
		sum += p.Value
	}
	return sum
}
