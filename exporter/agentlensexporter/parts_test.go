package agentlensexporter

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pipeline"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/metadata"
	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
)

// testLongest takes the place of maxStored, which is too much for a test.
const testLongest = 1 << 24

// storageClient returns a client of a new file_storage, and the same storage as
// the exporter's queue sees it.
func storageClient(t testing.TB) (plain, parts storage.Client) {
	t.Helper()
	host, id := storageHost(t)
	get := func(host component.Host, name string) storage.Client {
		client, err := host.GetExtensions()[id].(storage.Extension).GetClient(t.Context(), component.KindExporter, component.MustNewID("agentlens"), name)
		require.NoError(t, err)
		return client
	}
	plain = get(host, "traces")
	t.Cleanup(func() { require.NoError(t, plain.Close(context.Background())) })
	return plain, partsClient{plain, testLongest}
}

// A storage with parts is like one without, whatever the batches, and leaves
// nothing behind.
func TestPartsAreAStorage(t *testing.T) {
	plain, parts := storageClient(t)
	keys := []string{"1", "10", "2", "meta"}
	rapid.Check(t, func(t *rapid.T) {
		model := map[string][]byte{}
		defer func() { // also when it fails
			for _, key := range keys {
				_ = parts.Delete(context.Background(), key)
			}
		}()
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			var ops []*storage.Operation
			var want [][]byte
			for range rapid.IntRange(1, 4).Draw(t, "operations") {
				key := rapid.SampledFrom(keys).Draw(t, "key")
				switch rapid.IntRange(0, 2).Draw(t, "what") {
				case 0:
					ops, want = append(ops, storage.GetOperation(key)), append(want, model[key])
				case 1:
					size := rapid.SampledFrom([]int{0, 1, 8, partBytes, partBytes + 1, 3 * partBytes, 10*partBytes + 7}).Draw(t, "size")
					value := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, size)
					if rapid.Bool().Draw(t, "marked") {
						value = append([]byte(partsMark), value...)
					}
					ops, want = append(ops, storage.SetOperation(key, value)), append(want, nil)
					model[key] = value
				default:
					ops, want = append(ops, storage.DeleteOperation(key)), append(want, nil)
					delete(model, key)
				}
			}
			require.NoError(t, parts.Batch(context.Background(), ops...))
			for i, op := range ops {
				if op.Type == storage.Get {
					require.True(t, bytes.Equal(want[i], op.Value), "operation %d gets %d bytes, want %d", i, len(op.Value), len(want[i]))
				}
			}
		}
		for _, key := range keys {
			value, err := parts.Get(context.Background(), key)
			require.NoError(t, err)
			require.True(t, bytes.Equal(model[key], value), "%s holds %d bytes, want %d", key, len(value), len(model[key]))
			require.NoError(t, parts.Delete(context.Background(), key))
		}
		require.NoError(t, plain.(storage.Walker).Walk(context.Background(), func(key string, _ []byte) ([]*storage.Operation, error) {
			return nil, fmt.Errorf("%q is left", key)
		}))
	})
}

// What an earlier version has stored whole is read and deleted; a value of
// which a part is missing is an error.
func TestPartsOfAnotherVersion(t *testing.T) {
	plain, parts := storageClient(t)
	long := bytes.Repeat([]byte("whole "), partBytes)
	require.NoError(t, plain.Set(t.Context(), "7", long))
	value, err := parts.Get(t.Context(), "7")
	require.NoError(t, err)
	require.Equal(t, long, value)
	require.NoError(t, parts.Delete(t.Context(), "7"))
	value, err = plain.Get(t.Context(), "7")
	require.NoError(t, err)
	require.Nil(t, value)

	require.NoError(t, parts.Set(t.Context(), "8", long))
	require.NoError(t, plain.Delete(t.Context(), partKey("8", 3)))
	_, err = parts.Get(t.Context(), "8")
	require.ErrorContains(t, err, fmt.Sprintf("%d bytes, want %d", len(long)-partBytes, len(long)))
}

// A batch longer than can be stored is refused, with all that was to be stored
// with it; whoever sent it is told.
func TestPartsRefuseWhatIsTooLong(t *testing.T) {
	_, parts := storageClient(t)
	err := parts.Batch(t.Context(), storage.SetOperation("meta", []byte("x")), storage.SetOperation("9", make([]byte, testLongest+1)))
	require.ErrorContains(t, err, "a batch of 16777217 bytes cannot be stored, want 16777216 at most")
	for _, key := range []string{"meta", "9", partKey("9", 0)} {
		value, err := parts.Get(t.Context(), key)
		require.NoError(t, err)
		require.Nil(t, value)
	}
}

// A length that is damaged is an error and takes no memory; the queue can
// delete the value, and store another in its place.
func TestPartsOfDamagedLength(t *testing.T) {
	for _, size := range []uint64{testLongest, testLongest + 1, 1 << 36, math.MaxUint64} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			plain, parts := storageClient(t)
			damage := func() {
				require.NoError(t, plain.Set(t.Context(), "9", binary.BigEndian.AppendUint64([]byte(partsMark), size)))
			}
			var before, after runtime.MemStats
			damage()
			runtime.ReadMemStats(&before)
			_, err := parts.Get(t.Context(), "9")
			runtime.ReadMemStats(&after)
			require.ErrorContains(t, err, fmt.Sprint(size))
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(testLongest/2))

			require.NoError(t, parts.Delete(t.Context(), "9"))
			value, err := parts.Get(t.Context(), "9")
			require.NoError(t, err)
			require.Nil(t, value)
			damage()
			long := bytes.Repeat([]byte("whole "), partBytes)
			require.NoError(t, parts.Set(t.Context(), "9", long))
			value, err = parts.Get(t.Context(), "9")
			require.NoError(t, err)
			require.Equal(t, long, value)
		})
	}
}

// The queue's storage is one with parts: what waits in it when the exporter
// stops is in short values, and is sent after a restart.
func TestQueueStoresParts(t *testing.T) {
	s := origin.New(t, origin.Config{})
	s.Stop()
	host, id := storageHost(t)
	cfg := fast(s.URL())
	cfg.QueueConfig.Get().StorageID = &id
	a, td := whole(1, 300)
	e := runOn(t, cfg, host)
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	e.stop()

	ext := host.GetExtensions()[id].(storage.Extension)
	client, err := ext.GetClient(t.Context(), component.KindExporter, component.NewID(metadata.Type), pipeline.SignalTraces.String())
	require.NoError(t, err)
	var stored, longest int
	require.NoError(t, client.(storage.Walker).Walk(t.Context(), func(_ string, value []byte) ([]*storage.Operation, error) {
		stored, longest = stored+len(value), max(longest, len(value))
		return nil, nil
	}))
	require.NoError(t, client.Close(t.Context()))
	require.Greater(t, stored, 2*partBytes)
	require.LessOrEqual(t, longest, partBytes)

	s.Restart(t)
	runOn(t, cfg, host)
	requireExact(t, s, a)
}

// BenchmarkQueueStorage puts values as long as a batch with content through a
// queue that holds twenty: one comes, the oldest is read, and goes.
func BenchmarkQueueStorage(b *testing.B) {
	plain, parts := storageClient(b)
	value := make([]byte, 600_000)
	for i := range value {
		value[i] = byte(rand.IntN(256))
	}
	for name, client := range map[string]storage.Client{"whole": plain, "parts": parts} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ctx, n := context.Background(), 0
			put := func() {
				require.NoError(b, client.Batch(ctx, storage.SetOperation("meta", []byte("indexes")), storage.SetOperation(fmt.Sprint(n), value)))
				n++
			}
			for range 20 {
				put()
			}
			for b.Loop() {
				put()
				oldest := fmt.Sprint(n - 21)
				require.NoError(b, client.Batch(ctx, storage.SetOperation("meta", []byte("indexes")), storage.GetOperation(oldest)))
				require.NoError(b, client.Batch(ctx, storage.SetOperation("meta", []byte("indexes")), storage.DeleteOperation(oldest)))
			}
			for i := n - 20; i < n; i++ {
				require.NoError(b, client.Delete(ctx, fmt.Sprint(i)))
			}
		})
	}
}
