package agentlensprocessor

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
)

// The contract of a consumer: the next component refuses batches at random, as
// a full queue does, and the sender sends each again until it is taken. Then
// every span has arrived, and every finding that a run without refusals has.
func TestRefusedBatchesLoseNothing(t *testing.T) {
	spans, _ := recordSessions(t, 40)
	want := run(t, spans, func() int { return 5 })

	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		sink := &consumertest.TracesSink{}
		next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
			if random.IntN(3) == 0 {
				return errors.New("the queue is full")
			}
			return sink.ConsumeTraces(ctx, td)
		})
		require.NoError(t, err)
		cfg := createDefaultConfig().(*Config)
		allEngines(cfg)
		p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, next)
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))

		rest := spans
		for len(rest) > 0 {
			n := min(len(rest), 5)
			for {
				// A sender keeps its spans until they are taken: it sends copies.
				if err := p.ConsumeTraces(t.Context(), join(rest[:n])); err == nil {
					break
				}
			}
			rest = rest[n:]
		}
		require.NoError(t, p.Shutdown(t.Context()))

		assert.GreaterOrEqual(t, sink.SpanCount(), len(spans))
		got := findingsOf(sink)
		for _, line := range want {
			if !slices.Contains(got, line) {
				assert.Fail(t, "a finding is lost", "seed %d: %s", seed, line)
			}
		}
	}
}
