package agentlens_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// Spans that have not ended when the tracker shuts down are lost, and told.
func TestShutdownTellsOpenSpans(t *testing.T) {
	col := newCollector(t, nil)
	tracker, logs := newExporting(t, col.url)
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, done := s.StartTool(ctx, "done")
	done.End()
	_, open := s.StartTool(ctx, "open")
	_, never := s.StartStep(ctx, "never")

	lost := requireLost(t, 2, tracker.Shutdown(t.Context()))
	require.ErrorContains(t, lost, "not ended before Shutdown")
	assert.Contains(t, logs.String(), "not ended before Shutdown")
	open.End()
	assert.Equal(t, int64(2), tracker.Stats().SpansLost, "counted once")
	_, after := s.StartTool(ctx, "after")
	assert.Nil(t, after)
	assert.Len(t, col.all(), 3, "start, done and root")
	assert.NotNil(t, never)

	_, span := tracker.TracerProvider().Tracer("other").Start(ctx, "of a library")
	span.End()
	assert.Equal(t, int64(3), tracker.Stats().SpansLost, "nothing exports it any more")
}

// A tracker that is shut down in the middle of everything neither blocks nor
// panics, and every span is delivered, or counted as lost.
func TestShutdownInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(int, http.ResponseWriter, *http.Request) bool
	}{{"delivered", nil}, {"refused", answer(http.StatusInternalServerError)}} {
		t.Run(c.name, func(t *testing.T) {
			col := newCollector(t, c.answer)
			tracker, _ := newExporting(t, col.url, agentlens.WithMaxQueueSize(64), agentlens.WithBatchSize(16))
			var wg sync.WaitGroup
			var started atomic.Int64
			running := make(chan struct{}, 1000)
			for range 50 {
				wg.Go(func() {
					for {
						ctx, s, err := tracker.StartSession(t.Context(), "agent")
						if err != nil {
							assert.ErrorIs(t, err, agentlens.ErrShutdown)
							return
						}
						started.Add(2)
						ctx, step := s.StartStep(ctx, "step")
						ctx, call := s.StartLLM(ctx, "openai", "m")
						_, tool := agentlens.StartTool(ctx, "t")
						for _, sp := range []*agentlens.Span{step, call, tool} {
							if sp != nil {
								started.Add(1)
							}
						}
						select {
						case running <- struct{}{}:
						default:
						}
						tool.SetOutput("x")
						tool.End()
						call.SetTokens(1, 1)
						call.End()
						_, _ = s.Explain(ctx)
						step.End()
						_, end := s.StartStep(ctx, "never ends")
						if end != nil {
							started.Add(1)
						}
						if s.Summary().Events > 2 {
							return
						}
						go func() { _ = s.End(ctx) }()
					}
				})
			}
			for range 20 {
				<-running
			}
			_ = tracker.Shutdown(t.Context())
			wg.Wait()
			_ = tracker.Flush(t.Context())
			assert.Equal(t, started.Load(), int64(len(col.all()))+tracker.Stats().SpansLost)
		})
	}
}
