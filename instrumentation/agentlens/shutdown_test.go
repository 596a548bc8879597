package agentlens_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// exported and lost spans together are those started: here, for a span that ends
// while Shutdown sends its last export, one that starts then, and one that ends
// after it.
func TestSpanEndsWhileShutdownRuns(t *testing.T) {
	exporting, release := make(chan struct{}), make(chan struct{})
	col := newCollector(t, func(int, http.ResponseWriter, *http.Request) bool {
		close(exporting)
		<-release
		return false
	})
	tracker, _ := newExporting(t, col.url, agentlens.WithFlushInterval(time.Hour))
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, before := s.StartTool(ctx, "before")
	_, during := s.StartTool(ctx, "during")
	_, after := s.StartTool(ctx, "after")
	before.End()
	other := tracker.TracerProvider().Tracer("other")

	done := make(chan error)
	go func() { done <- tracker.Shutdown(t.Context()) }()
	<-exporting
	during.End()
	_, late := other.Start(ctx, "late")
	late.End()
	close(release)
	requireLost(t, 3, <-done)
	after.End()

	assert.Len(t, col.all(), 3, "start, before, root")
	assert.Equal(t, int64(3), tracker.Stats().SpansLost, "during, late, after")
}

// A session that is refused as Shutdown comes between its check and its start
// costs nothing: its root is nobody's loss.
func TestShutdownWhileASessionStarts(t *testing.T) {
	col := newCollector(t, nil)
	tracker, logs := newExporting(t, col.url)
	var told error
	_, _, err := tracker.StartSession(t.Context(), "agent", agentlens.WithMetadata(map[string]any{
		"runs": marshals(func() { told = tracker.Shutdown(t.Context()) }),
	}))
	require.ErrorIs(t, err, agentlens.ErrShutdown)
	require.NoError(t, told)
	assert.Zero(t, tracker.Stats().SpansLost)
	assert.NotContains(t, logs.String(), "lost")
	assert.Empty(t, col.all())
}

// The same when another session has taken the id meanwhile.
func TestSessionIDIsTakenMeanwhile(t *testing.T) {
	col := newCollector(t, nil)
	tracker, _ := newExporting(t, col.url)
	_, _, err := tracker.StartSession(t.Context(), "late", agentlens.WithSessionID("one"), agentlens.WithMetadata(map[string]any{
		"runs": marshals(func() {
			_, _, err := tracker.StartSession(t.Context(), "first", agentlens.WithSessionID("one"))
			assert.NoError(t, err)
		}),
	}))
	requireField(t, "session_id", err)
	require.NoError(t, tracker.Shutdown(t.Context()))
	assert.Zero(t, tracker.Stats().SpansLost)
	assert.Len(t, col.all(), 2, "start and root of the first")
}

// marshals runs when it is encoded: in the middle of StartSession.
type marshals func()

func (f marshals) MarshalJSON() ([]byte, error) {
	f()
	return []byte(`"done"`), nil
}
