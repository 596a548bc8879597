package agentlensexporter

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/metadata"
	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// An outage with ten minutes of traffic, 50 sessions of 20 spans a second,
// against a queue of 5,000 spans: memory stays flat, the oldest are kept, each
// newer batch is refused with an error that its sender may retry, and counted.
// When the backend is back, what was accepted is there, and nothing else.
func TestOutage(t *testing.T) {
	s := origin.New(t, origin.Config{})
	s.Stop()
	cfg := fast(s.URL())
	queue := cfg.QueueConfig.Get()
	queue.QueueSize = 5_000
	e := run(t, cfg)

	var accepted []*agent
	refused, atFull := int64(0), uint64(0)
	const seconds = 600
	for second := range seconds {
		for i := range 50 {
			if second > 10 && i > 0 && second%60 != 0 {
				break // the rest of the second is like its first session
			}
			a, td := whole(second*50+i, 18)
			err := e.ConsumeTraces(t.Context(), td)
			if err == nil {
				accepted = append(accepted, a)
				continue
			}
			refused += int64(td.SpanCount())
			require.False(t, consumererror.IsPermanent(err), "%v", err)
			require.ErrorIs(t, err, exporterhelper.ErrQueueIsFull)
		}
		if second == 20 {
			atFull = heap()
		}
	}
	after := heap()
	// The log lines that the test keeps are some 3 MB; what was refused, 25 MB.
	assert.Less(t, after, atFull+(10<<20), "heap of %d bytes with a full queue, %d at the end", atFull, after)
	assert.InDelta(t, 5_000/20, len(accepted), 25)
	assert.Equal(t, refused, e.count("exporter_enqueue_failed_spans"))
	for i, a := range accepted {
		require.Equal(t, newAgent(i).id, a.id, "the oldest are kept")
	}

	s.Restart(t)
	requireExact(t, s, accepted...)
	assert.Len(t, s.Sessions(), len(accepted))
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// With retries that end, the oldest are dropped, and that is counted too.
func TestRetriesThatEnd(t *testing.T) {
	s := origin.New(t, origin.Config{})
	s.Stop()
	cfg := fast(s.URL())
	cfg.RetryConfig.MaxElapsedTime = 30 * time.Millisecond
	e := run(t, cfg)
	_, td := whole(1, 8)
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	require.Eventually(t, func() bool { return e.count("exporter_send_failed_spans") == 10 }, 20*time.Second, 5*time.Millisecond)
	s.Restart(t)
	a, td := whole(2, 8)
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	requireExact(t, s, a)
}

// The contract of collector exporters: each element is tried until it is taken
// or refused for good.
func TestConsumeContract(t *testing.T) {
	port := freePort(t)
	cfg := fast("http://" + port)
	cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	exportertest.CheckConsumeContract(exportertest.CheckConsumeContractParams{
		T: t, NumberOfTestElements: 50, Signal: pipeline.SignalTraces,
		ExporterFactory: genAIFactory(), ExporterConfig: cfg,
		ReceiverFactory: wireReceiver(port), ReceiverConfig: &struct{}{},
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// wireReceiver receives what the exporter sends: a batch becomes a span an
// event. It answers with a status what the consumer answers with an error.
func wireReceiver(addr string) receiver.Factory {
	create := func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Traces) (receiver.Traces, error) {
		return &mockReceiver{addr: addr, next: next}, nil
	}
	return receiver.NewFactory(metadata.Type, func() component.Config { return &struct{}{} },
		receiver.WithTraces(create, component.StabilityLevelDevelopment))
}

type mockReceiver struct {
	addr   string
	next   consumer.Traces
	server *httptest.Server
}

func (r *mockReceiver) Start(context.Context, component.Host) error {
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		return err
	}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	r.server.Listener.Close()
	r.server.Listener = l
	r.server.Start()
	return nil
}

func (r *mockReceiver) Shutdown(context.Context) error {
	r.server.Close()
	return nil
}

func (r *mockReceiver) serve(w http.ResponseWriter, req *http.Request) {
	var batch wire.Batch
	if err := json.NewDecoder(req.Body).Decode(&batch); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	td := ptrace.NewTraces()
	for _, e := range batch.Events {
		if e.EventType == wire.TypeSessionStart {
			continue
		}
		span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.Attributes().PutStr("test_id", strings.TrimPrefix(e.Model, "model-"))
	}
	switch err := r.next.ConsumeTraces(req.Context(), td); {
	case err == nil:
		_ = json.NewEncoder(w).Encode(wire.Answer{Status: "ok", Processed: len(batch.Events)})
	case consumererror.IsPermanent(err):
		http.Error(w, `{"error":"no"}`, http.StatusBadRequest)
	default:
		http.Error(w, `{"error":"later"}`, http.StatusServiceUnavailable)
	}
}
