package agentlens_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// newExporting returns a tracker that exports to url, fast, and logs to the
// buffer. It is shut down with the test.
func newExporting(t testing.TB, url string, opts ...agentlens.Option) (*agentlens.Tracker, *syncBuffer) {
	t.Helper()
	logs := &syncBuffer{}
	tracker, err := agentlens.NewTracker(t.Context(), append([]agentlens.Option{
		agentlens.WithEndpoint(url), agentlens.WithRetryInterval(time.Millisecond),
		agentlens.WithLogger(slog.New(slog.NewTextHandler(logs, nil))),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tracker.Shutdown(context.WithoutCancel(t.Context())) })
	return tracker, logs
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func answer(status int) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		return true
	}
}

// oneSession records a session of one event and returns what ending it gave.
func oneSession(t testing.TB, tracker *agentlens.Tracker) error {
	t.Helper()
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	_, err = s.Track(ctx, agentlens.EventGeneric)
	require.NoError(t, err)
	return s.End(ctx)
}

func requireLost(t testing.TB, n int64, err error) *agentlens.LostSpansError {
	t.Helper()
	var lost *agentlens.LostSpansError
	require.ErrorAs(t, err, &lost)
	require.Equal(t, n, lost.Spans)
	return lost
}

// A batch is tried 1 + retries times, and only after statuses that allow it.
func TestRetryCount(t *testing.T) {
	for _, c := range []struct {
		status, retries, want int
	}{
		{http.StatusServiceUnavailable, 0, 1},
		{http.StatusServiceUnavailable, 4, 5},
		{http.StatusTooManyRequests, 2, 3},
		{http.StatusBadGateway, 1, 2},
		{http.StatusGatewayTimeout, 1, 2},
		{http.StatusUnauthorized, 4, 1},
		{http.StatusInternalServerError, 4, 1},
	} {
		t.Run(http.StatusText(c.status), func(t *testing.T) {
			col := newCollector(t, answer(c.status))
			tracker, logs := newExporting(t, col.url, agentlens.WithMaxRetries(c.retries))
			lost := requireLost(t, 3, oneSession(t, tracker))
			assert.Error(t, lost.Err)
			assert.Equal(t, c.want, col.requestCount())
			assert.Contains(t, logs.String(), "count=3")
			require.NoError(t, tracker.Flush(t.Context()), "told once")
			require.NoError(t, tracker.Shutdown(t.Context()))
		})
	}
}

func TestRetryDelivers(t *testing.T) {
	col := newCollector(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
		switch n {
		case 1:
			panic(http.ErrAbortHandler) // the connection breaks
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	tracker, _ := newExporting(t, col.url)
	require.NoError(t, oneSession(t, tracker))
	assert.Equal(t, 3, col.requestCount())
	assert.Len(t, col.all(), 3)
}

// The server's Retry-After decides, not the back-off.
func TestRetryAfter(t *testing.T) {
	col := newCollector(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	tracker, _ := newExporting(t, col.url, agentlens.WithRetryInterval(time.Hour))
	require.NoError(t, oneSession(t, tracker))

	// Longer than anybody should wait.
	far := newCollector(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	tracker, _ = newExporting(t, far.url)
	requireLost(t, 3, oneSession(t, tracker))
	assert.Equal(t, 1, far.requestCount())
}

// Nothing waits longer than its context for a server that hangs, and what a
// flush stopped waiting for still arrives.
func TestHangingServer(t *testing.T) {
	release := make(chan struct{})
	col := newCollector(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-release:
			return false
		case <-r.Context().Done():
			return true
		}
	})
	tracker, _ := newExporting(t, col.url)
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	begin := time.Now()
	require.ErrorIs(t, s.End(short), context.DeadlineExceeded)
	require.ErrorIs(t, tracker.Flush(short), context.DeadlineExceeded)
	assert.Less(t, time.Since(begin), 5*time.Second, "an attempt takes 10")
	require.ErrorIs(t, s.End(short), agentlens.ErrSessionEnded)

	close(release)
	require.NoError(t, tracker.Flush(t.Context()))
	assert.Len(t, col.all(), 2)
}

func TestShutdownAgainstHangingServer(t *testing.T) {
	gone := make(chan struct{})
	col := newCollector(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		close(gone)
		return true
	})
	tracker, _ := newExporting(t, col.url)
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	for range 10 {
		_, err = s.Track(ctx, agentlens.EventGeneric)
		require.NoError(t, err)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	err = tracker.Shutdown(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	requireLost(t, 12, err)
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Fatal("the request goes on after Shutdown")
	}
}

// A redirect would take the API key and the spans to another host.
func TestRedirectIsNotFollowed(t *testing.T) {
	other := newCollector(t, nil)
	col := newCollector(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, other.url+"/v1/traces", http.StatusTemporaryRedirect)
		return true
	})
	tracker, _ := newExporting(t, col.url)
	requireLost(t, 3, oneSession(t, tracker))
	assert.Zero(t, other.requestCount())
}

// A full queue drops, counts and tells; it never waits.
func TestFullQueue(t *testing.T) {
	release := make(chan struct{})
	col := newCollector(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return false
	})
	tracker, logs := newExporting(t, col.url, agentlens.WithMaxQueueSize(100), agentlens.WithBatchSize(10), agentlens.WithoutSessionStart())
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	for range 150 {
		_, err = s.Track(ctx, agentlens.EventGeneric)
		require.NoError(t, err)
	}
	close(release)
	lost := requireLost(t, 50, tracker.Flush(ctx))
	require.NoError(t, lost.Err)
	assert.Contains(t, logs.String(), "spans lost")
	assert.Equal(t, 1, strings.Count(logs.String(), "\n"), "logged once a minute")
	assert.Len(t, col.all(), 100)

	requireLost(t, 50, s.End(ctx))
	assert.Len(t, col.all(), 101)
	require.NoError(t, tracker.Shutdown(t.Context()), "told already")
}

// A loop of tens of thousands of events loses none.
func TestTightLoop(t *testing.T) {
	const events = 30_000
	col := newCollector(t, nil)
	tracker, _ := newExporting(t, col.url)
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	for range events {
		_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithModel("m"), agentlens.WithTokens(1, 1))
		require.NoError(t, err)
	}
	require.NoError(t, s.End(ctx))
	assert.Len(t, col.all(), events+2)
}

// Large events go out in several requests, and one string that is not UTF-8
// does not cost a batch.
func TestLargeAndBrokenData(t *testing.T) {
	col := newCollector(t, nil)
	tracker, _ := newExporting(t, col.url, agentlens.WithFlushInterval(time.Hour))
	ctx, s, err := tracker.StartSession(t.Context(), "agent\xff", agentlens.WithMetadata(map[string]any{"k\xff": "v\xff"}),
		agentlens.WithConversationID("c\xff"))
	require.NoError(t, err)
	large := strings.Repeat("x", 1<<20)
	for range 10 {
		_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithInput(large))
		require.NoError(t, err)
	}
	_, err = s.TrackTool(ctx, "t\xff", map[string]any{"\xff": "\xff"}, rawBroken{}, agentlens.WithToolCallID("\xff"),
		agentlens.WithModel("m\xff"), agentlens.WithProvider("\xff"), agentlens.WithResponseID("\xff"), agentlens.WithResponseModel("\xff"),
		agentlens.WithReasoning("\xff"), agentlens.WithError(brokenError("\xff")),
		agentlens.WithDecision(agentlens.DecisionTrace{ID: "\xff", Alternatives: []string{"\xff"}}))
	require.NoError(t, err)
	_, err = s.Track(ctx, "type\xff")
	require.NoError(t, err)
	require.NoError(t, s.End(ctx))
	assert.Len(t, col.all(), 2+10+2+1)
	assert.Equal(t, 4, col.requestCount(), "3 of the large events fit into 4 MiB")
	broken := col.named(t, "execute_tool t\uFFFD")
	assert.Equal(t, "\uFFFD", attributes(broken.Attributes)[semconv.DecisionReasoning])
}

type rawBroken struct{}

func (rawBroken) MarshalJSON() ([]byte, error) { return []byte("\"\xff\""), nil }

type brokenError string

func (e brokenError) Error() string { return string(e) }

// A session shows within about the flush interval, without a flush.
func TestSessionShowsSoon(t *testing.T) {
	col := newCollector(t, nil)
	tracker, _ := newExporting(t, col.url, agentlens.WithFlushInterval(time.Millisecond))
	ctx, s, err := tracker.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(col.all()) == 1 }, 10*time.Second, time.Millisecond)
	col.named(t, semconv.SpanSessionStart)
	require.NoError(t, s.End(ctx))
}

// Many sessions that end at once share their flushes, and each finds its spans
// delivered.
func TestEndsShareFlushes(t *testing.T) {
	col := newCollector(t, nil)
	tracker, _ := newExporting(t, col.url, agentlens.WithFlushInterval(time.Hour))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			ctx, s, err := tracker.StartSession(t.Context(), "agent")
			if !assert.NoError(t, err) || !assert.NoError(t, s.End(ctx)) {
				return
			}
			delivered := 0
			for _, span := range col.all() {
				if attributes(span.Attributes)[semconv.SessionID] == s.ID() {
					delivered++
				}
			}
			assert.Equal(t, 2, delivered)
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, col.requestCount(), 50)
}

// loggingTo is the option for a logger that writes to b.
func loggingTo(b *syncBuffer) agentlens.Option {
	return agentlens.WithLogger(slog.New(slog.NewTextHandler(b, nil)))
}
