package e2e

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/backend"
	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor"
)

// road is the way from the processor over the exporter to the backend, without
// the queue between: a batch is in the backend when deliver returns.
type road struct {
	t       *testing.T
	dir     string
	sink    *consumertest.TracesSink
	in      consumer.Traces
	out     consumer.Traces
	backend *backend.Server
	front   *httptest.Server
}

func newRoad(t *testing.T) *road {
	r := &road{t: t, dir: t.TempDir(), sink: &consumertest.TracesSink{}}
	r.restart()
	t.Cleanup(r.stop)
	factory := agentlensprocessor.NewFactory()
	p, err := factory.CreateTraces(t.Context(), processortest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), r.sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(t.Context())) })
	r.in = p
	return r
}

// restart starts the backend, and an exporter before it, on what is stored.
func (r *road) restart() {
	r.stop()
	var err error
	r.backend, err = backend.New(r.t.Context(), backend.Config{Directory: r.dir}, zap.NewNop())
	require.NoError(r.t, err)
	r.front = httptest.NewServer(r.backend.Handler())
	factory := agentlensexporter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*agentlensexporter.Config)
	cfg.ClientConfig.Endpoint = r.front.URL
	cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	cfg.RateLimit = agentlensexporter.RateLimitConfig{}
	e, err := factory.CreateTraces(r.t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(r.t, err)
	require.NoError(r.t, e.Start(r.t.Context(), componenttest.NewNopHost()))
	r.t.Cleanup(func() { require.NoError(r.t, e.Shutdown(r.t.Context())) })
	r.out = e
}

func (r *road) stop() {
	if r.front != nil {
		r.front.Close()
		require.NoError(r.t, r.backend.Close())
		r.front = nil
	}
}

func (r *road) feed(fill func(ptrace.Traces)) ptrace.Traces {
	td := ptrace.NewTraces()
	fill(td)
	require.NoError(r.t, r.in.ConsumeTraces(r.t.Context(), td))
	all := r.sink.AllTraces()
	return all[len(all)-1]
}

func (r *road) deliver(td ptrace.Traces) {
	require.NoError(r.t, r.out.ConsumeTraces(r.t.Context(), td))
}
