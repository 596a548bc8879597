package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// loadEvents is how many events the load benchmark stores; AGENTLENS_LOAD_EVENTS
// changes it.
func loadEvents() int {
	if n, err := strconv.Atoi(os.Getenv("AGENTLENS_LOAD_EVENTS")); err == nil && n > 0 {
		return n
	}
	return 1_000_000
}

// BenchmarkLoad posts a million events of 50,000 sessions of 20 agents over 30
// days, over HTTP from two clients, and then asks for pages: the time on the
// server, the whole of it.
func BenchmarkLoad(b *testing.B) {
	s, err := New(context.Background(), Config{Directory: b.TempDir()}, zap.NewNop())
	require.NoError(b, err)
	defer s.Close()
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()

	n := loadEvents()
	bodies := make(chan []byte, 8)
	go func() {
		defer close(bodies)
		for i := 0; i < n; i += loadBatch {
			bodies <- loadBody(i)
		}
	}()
	var failed atomic.Int64
	begin, cpu := time.Now(), cpuTime(b)
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() {
			for body := range bodies {
				res, err := http.Post(srv.URL+"/events", "application/json", bytes.NewReader(body))
				if err != nil || res.StatusCode != http.StatusOK {
					failed.Add(1)
				}
				if err == nil {
					res.Body.Close()
				}
			}
		})
	}
	clients.Wait()
	took := time.Since(begin)
	cpu = cpuTime(b) - cpu
	require.Zero(b, failed.Load())
	size, err := s.store.Size(context.Background())
	require.NoError(b, err)
	fmt.Printf("stored %d events in %.1f s: %.0f events/s, %.1f µs of processor time an event (clients included), %.0f bytes an event on disk\n",
		n, took.Seconds(), float64(n)/took.Seconds(), float64(cpu.Microseconds())/float64(n), float64(size.File)/float64(n))

	for _, path := range []string{
		"/", "/?days=90", "/ui/sessions", "/ui/sessions?status=error", "/ui/sessions?agent=agent-7&model=model-1", "/ui/sessions?offset=40000", "/ui/sessions?q=agent-1",
		"/ui/agents", "/ui/agents/agent-7", "/ui/sessions/" + loadSession(n/2), "/analytics", "/events/search?q=needle",
	} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				rec := httptest.NewRecorder()
				s.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost"+path, nil))
				require.Equal(b, http.StatusOK, rec.Code)
			}
		})
	}
}

const (
	loadBatch   = 440 // with starts and ends less than wire.MaxBatchEvents
	loadPerSess = 20
)

func loadSession(i int) string { return fmt.Sprintf("%016x", i/loadPerSess+1) }

// loadBody returns events from the i-th on, with the starts and ends of their
// sessions.
func loadBody(i int) []byte {
	random := rand.New(rand.NewPCG(uint64(i), 1))
	span := 29 * 24 * time.Hour
	begin := time.Now().UTC().Add(-span)
	var batch wire.Batch
	var ends []wire.Event
	for k := i; k < i+loadBatch; k++ {
		id, sess := loadSession(k), k/loadPerSess
		start := begin.Add(time.Duration(sess) * (span / time.Duration(loadEvents()/loadPerSess+1)))
		at := wire.At(start.Add(time.Duration(k%loadPerSess+1) * time.Second))
		if k%loadPerSess == 0 {
			batch.Events = append(batch.Events, wire.Event{EventType: wire.TypeSessionStart, SessionID: id, AgentName: fmt.Sprint("agent-", sess%20), Timestamp: wire.At(start), Metadata: map[string]any{"version": "1"}})
		}
		e := wire.Event{
			EventType: "llm_call", SessionID: id, EventID: fmt.Sprintf("%016x", k), Timestamp: at, Model: fmt.Sprint("model-", random.IntN(5)), Provider: "openai",
			TokensIn: analysis.Some(int64(random.IntN(4000))), TokensOut: analysis.Some(int64(random.IntN(400))), DurationMS: analysis.Some(200 + 2000*random.ExpFloat64()),
			CostUSD: analysis.Some(random.Float64() / 100), TraceID: fmt.Sprintf("%032x", sess),
			InputData: json.RawMessage(`{"prompt":"Summarize this article","article_url":"https://example.com/article"}`), OutputData: json.RawMessage(`{"response":"The article discusses …"}`),
		}
		if k%3 == 1 {
			e.EventType, e.Model, e.ToolCall = "tool_call", "", &wire.ToolCall{ID: e.EventID, Name: fmt.Sprint("tool-", random.IntN(6)), Input: e.InputData}
		}
		batch.Events = append(batch.Events, e)
		if k%loadPerSess == loadPerSess-1 {
			status := analysis.StatusCompleted
			if sess%17 == 0 {
				status = analysis.StatusError
			}
			ends = append(ends, wire.Event{EventType: wire.TypeSessionEnd, SessionID: id, EndedAt: at, Status: status})
		}
	}
	batch.Events = append(batch.Events, ends...)
	body, err := json.Marshal(batch)
	if err != nil {
		panic(err)
	}
	return body
}

// cpuTime returns the processor time that this process has used: on a machine
// that others use too it says more than the clock.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	info, err := process.NewProcess(int32(os.Getpid()))
	require.NoError(b, err)
	times, err := info.Times()
	require.NoError(b, err)
	return time.Duration((times.User + times.System) * float64(time.Second))
}
