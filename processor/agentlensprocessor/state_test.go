package agentlensprocessor

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadatatest"
)

var storageID = component.MustNewID("file_storage")

// fileStorage is the collector's own storage extension, in a folder.
func fileStorage(t testing.TB, directory string) map[component.ID]component.Component {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = directory
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return map[component.ID]component.Component{storageID: ext}
}

func stored(cfg *Config) {
	allEngines(cfg)
	cfg.Storage = &storageID
}

// The process ends between any two batches, and goes on with what it had
// stored: the findings are those of one that never ended.
func TestRestartSameFindings(t *testing.T) {
	for name, spans := range streams(t) {
		t.Run(name, func(t *testing.T) {
			want := run(t, spans, func() int { return 5 })
			for seed := range uint64(5) {
				r := rand.New(rand.NewPCG(seed, 1))
				got := runWithRestarts(t, spans, func() bool { return r.IntN(20) == 0 })
				if diff := difference(want, got); diff != "" {
					t.Fatalf("seed %d: %s", seed, diff)
				}
			}
		})
	}
}

func runWithRestarts(t testing.TB, spans []oneSpan, restart func() bool) []string {
	t.Helper()
	client := newMemoryClient()
	h := newHarness(t, allEngines)
	sink := h.sink
	for len(spans) > 0 {
		n := min(len(spans), 5)
		h.feed(t, join(spans[:n]))
		spans = spans[n:]
		if restart() {
			h.state.client = client
			require.NoError(t, h.state.save(t.Context()))
			h = newHarness(t, allEngines)
			h.sink, h.next = sink, sink
			h.state.client = client
			for _, part := range h.state.parts {
				require.NoError(t, h.state.load(t.Context(), part))
			}
		}
	}
	h.clock.pass(h.cfg.IdleTimeout)
	h.sweep(t.Context())
	return findingsOf(sink)
}

// memoryClient is a storage client without a file, to restart hundreds of times
// quickly. TestStateSurvivesShutdown uses the collector's own.
type memoryClient struct {
	storage.Client
	held map[string][]byte
}

func newMemoryClient() *memoryClient {
	return &memoryClient{storage.NewNopClient(), map[string][]byte{}}
}

func (c *memoryClient) Get(_ context.Context, key string) ([]byte, error) { return c.held[key], nil }

func (c *memoryClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	for _, op := range ops {
		c.held[op.Key] = append([]byte(nil), op.Value...)
	}
	return nil
}

// What one process has learnt is there for the next, through a real storage
// extension.
func TestStateSurvivesShutdown(t *testing.T) {
	dir := t.TempDir()
	spans, _ := recordSessions(t, 12)
	half := len(spans) / 2

	first := newHarness(t, stored)
	extensions := fileStorage(t, dir)
	require.NoError(t, first.start(t.Context(), hostWith{componenttest.NewNopHost(), extensions}))
	first.feed(t, join(spans[:half]))
	require.NoError(t, first.shutdown(t.Context()))
	require.NoError(t, extensions[storageID].Shutdown(t.Context()))

	second := newHarness(t, stored).started(t, fileStorage(t, dir))
	second.sink, second.next = first.sink, first.sink
	second.feed(t, join(spans[half:]))
	second.clock.pass(second.cfg.IdleTimeout)
	second.sweep(t.Context())
	assert.Empty(t, difference(run(t, spans, func() int { return half }), findingsOf(second.sink)))
}

// A damaged part starts afresh, is counted, and takes no other part with it.
func TestDamagedStateIsRefused(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"older version": func(b []byte) []byte {
			return []byte(strings.Replace(string(b), "agentlens-state 1 ", "agentlens-state 0 ", 1))
		},
		"flipped byte": func(b []byte) []byte { b[len(b)-2] ^= 0xff; return b },
		"cut short":    func(b []byte) []byte { return b[:len(b)/2] },
		"not a state":  func([]byte) []byte { return []byte("hello") },
		"sealed nonsense": func([]byte) []byte {
			return seal([]byte("nonsense"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, broken := range []string{"sessions", "drift", "forecast", "alerts"} {
				dir := t.TempDir()
				spans, _ := recordSessions(t, 4)
				extensions := fileStorage(t, dir)
				h := newHarness(t, stored)
				require.NoError(t, h.start(t.Context(), hostWith{componenttest.NewNopHost(), extensions}))
				h.feed(t, join(spans))
				require.NoError(t, h.state.save(t.Context()))
				value, err := h.state.client.Get(t.Context(), broken)
				require.NoError(t, err)
				require.NoError(t, h.shutdown(t.Context()))

				client, err := extensions[storageID].(storage.Extension).GetClient(t.Context(), component.KindProcessor, h.id, "")
				require.NoError(t, err)
				require.NoError(t, client.Set(t.Context(), broken, damage(value)))
				require.NoError(t, client.Close(t.Context()))

				tel := componenttest.NewTelemetry()
				again := newHarness(t, stored)
				again.telemetry, err = metadata.NewTelemetryBuilder(tel.NewTelemetrySettings())
				require.NoError(t, err)
				again.started(t, extensions)
				metadatatest.AssertEqualProcessorAgentlensSnapshotRefused(t, tel, []metricdata.DataPoint[int64]{{
					Value: 1, Attributes: attribute.NewSet(attribute.String("part", broken)),
				}}, metricdatatest.IgnoreTimestamp())
				again.feed(t, join(spans))
				require.NoError(t, tel.Shutdown(context.Background()))
			}
		})
	}
}

func TestStorageMustBeThereAndBeOne(t *testing.T) {
	h := newHarness(t, stored)
	err := h.start(t.Context(), hostWith{componenttest.NewNopHost(), nil})
	require.ErrorContains(t, err, `"file_storage"`)
	require.NoError(t, h.shutdown(t.Context()))

	other, err := extensiontest.NewNopFactory().Create(t.Context(), extension.Settings{ID: component.MustNewID("nop")}, nil)
	require.NoError(t, err)
	h = newHarness(t, stored)
	err = h.start(t.Context(), hostWith{componenttest.NewNopHost(), map[component.ID]component.Component{storageID: other}})
	require.ErrorContains(t, err, "not a storage extension")
	require.NoError(t, h.shutdown(t.Context()))
}

// Snapshots are taken on their own while spans pass.
func TestStateIsStoredPeriodically(t *testing.T) {
	h := newHarness(t, func(cfg *Config) {
		stored(cfg)
		cfg.SnapshotInterval = time.Millisecond
	})
	h.now = time.Now
	h.started(t, fileStorage(t, t.TempDir()))
	spans, _ := recordSessions(t, 4)
	for _, s := range spans {
		copied := ptrace.NewTraces()
		s.td.CopyTo(copied)
		h.feed(t, copied)
	}
	assert.Eventually(t, func() bool {
		size, at := h.state.last()
		return size > 0 && !at.IsZero()
	}, 10*time.Second, time.Millisecond)
}
