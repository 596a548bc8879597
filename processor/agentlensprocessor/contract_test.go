package agentlensprocessor

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// crowded has room for a few sessions only, so that batches carry reports on
// those that had to go.
func crowded(cfg *Config) {
	allEngines(cfg)
	cfg.MaxSessions = 3
}

// The contract of a consumer: the next component refuses batches at random, as
// a full queue does, and the sender sends each again until it is taken. Then
// every span has arrived, and every finding that a run without refusals has.
func TestRefusedBatchesLoseNothing(t *testing.T) {
	sdk, _ := recordSessions(t, 40)
	for name, spans := range map[string][]oneSpan{"sdk": sdk, "captures": captures(t)} {
		t.Run(name, func(t *testing.T) {
			want := findingsOf(sendAll(t, spans, func() bool { return false }))
			for seed := range uint64(20) {
				random := rand.New(rand.NewPCG(seed, 1))
				sink := sendAll(t, spans, func() bool { return random.IntN(3) == 0 })
				assert.GreaterOrEqual(t, sink.SpanCount(), len(spans))
				got := findingsOf(sink)
				for _, line := range want {
					if !slices.Contains(got, line) {
						assert.Fail(t, "a finding is lost", "seed %d: %s", seed, line)
					}
				}
			}
		})
	}
}

// sendAll sends spans in batches of five, each until it is taken, through a
// processor whose next component refuses when it is told to.
func sendAll(t *testing.T, spans []oneSpan, refuse func() bool) *consumertest.TracesSink {
	t.Helper()
	h := newHarness(t, crowded)
	sink := h.sink
	next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		if refuse() {
			return errors.New("the queue is full")
		}
		return sink.ConsumeTraces(ctx, td)
	})
	require.NoError(t, err)
	h.next = next
	for len(spans) > 0 {
		n := min(len(spans), 5)
		for taken := false; !taken; {
			// A sender keeps its spans until they are taken: it sends copies.
			td, err := h.process(t.Context(), join(spans[:n]))
			require.NoError(t, err)
			taken = h.forward(t.Context(), td) == nil
		}
		spans = spans[n:]
	}
	h.clock.pass(h.cfg.IdleTimeout)
	for h.sweep(t.Context()); len(h.unsent.reports) > 0; {
		h.sweep(t.Context())
	}
	return sink
}
