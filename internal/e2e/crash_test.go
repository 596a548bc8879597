package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/agentlens/agentlens-otel/semconv"
)

// crashRounds is how often the collector is killed; AGENTLENS_CRASH_ROUNDS is
// another number.
const crashRounds = 10

// The collector is killed again and again while agents send. What it had
// acknowledged is in the backend at the end, each event once, with the totals
// right; what it had not is sent again, as the SDK does, and counts once too.
func TestKilledUnderLoad(t *testing.T) {
	rounds := crashRounds
	if n, err := strconv.Atoi(os.Getenv("AGENTLENS_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	c := newCollector(t, "").start()
	load := &load{url: c.otlpHTTP() + "/v1/traces"}
	load.start(3)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range rounds {
		before := load.acknowledged.Load()
		// Not before the round has taken something, so that there is something to lose.
		eventually(t, func(context.Context) string {
			if load.acknowledged.Load() == before {
				return "nothing is acknowledged"
			}
			return ""
		})
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		c.stop(syscall.SIGKILL)
		c.start()
	}
	sessions := load.stop()
	events := 0
	for _, s := range sessions {
		events += len(s.events)
		eventually(t, func(ctx context.Context) string { return s.compare(ctx, c) })
	}
	t.Logf("%d kills, %d sessions, %d events, %d requests acknowledged, %d sent again",
		rounds, len(sessions), events, load.acknowledged.Load(), load.repeated.Load())
	assert.Positive(t, load.repeated.Load(), "no request was under way at any kill")
}

// load sends sessions, each in a few requests, and each request until it is
// acknowledged.
type load struct {
	url                    string
	stopping               atomic.Bool
	workers                sync.WaitGroup
	acknowledged, repeated atomic.Int64

	mu       sync.Mutex
	sessions []*sentSession
}

type sentSession struct {
	id       string
	events   []string
	tokensIn int64
}

func (l *load) start(workers int) {
	for w := range workers {
		l.workers.Go(func() {
			for n := 0; !l.stopping.Load(); n++ {
				s := l.session(w, n)
				l.mu.Lock()
				l.sessions = append(l.sessions, s)
				l.mu.Unlock()
			}
		})
	}
}

// stop lets every session that was begun come to its end.
func (l *load) stop() []*sentSession {
	l.stopping.Store(true)
	l.workers.Wait()
	return l.sessions
}

func (l *load) session(worker, n int) *sentSession {
	s := &sentSession{id: fmt.Sprintf("crash-%d-%d", worker, n)}
	var trace pcommon.TraceID
	binary.BigEndian.PutUint64(trace[:], uint64(worker+1)<<32|uint64(n+1))
	began := time.Now()
	spans := uint64(0)
	span := func(td ptrace.Traces, eventType string) ptrace.Span {
		ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		ss.Scope().SetName(semconv.ScopeName)
		span := ss.Spans().AppendEmpty()
		spans++
		var id pcommon.SpanID
		binary.BigEndian.PutUint64(id[:], uint64(worker+1)<<48|uint64(n+1)<<16|spans)
		span.SetTraceID(trace)
		span.SetSpanID(id)
		at := pcommon.NewTimestampFromTime(began.Add(time.Duration(spans) * time.Microsecond))
		span.SetStartTimestamp(at)
		span.SetEndTimestamp(at)
		span.Attributes().PutStr(semconv.SessionID, s.id)
		span.Attributes().PutStr(semconv.GenAIAgentName, "crash")
		span.Attributes().PutStr(semconv.EventType, eventType)
		return span
	}
	for range 3 {
		td := ptrace.NewTraces()
		for range 10 {
			event := span(td, "llm_call")
			event.SetParentSpanID(pcommon.SpanID{1})
			event.Attributes().PutInt(semconv.GenAIUsageInputTokens, 7)
			s.events = append(s.events, event.SpanID().String())
			s.tokensIn += 7
		}
		l.send(td)
	}
	td := ptrace.NewTraces()
	root := span(td, semconv.EventTypeSession)
	root.SetStartTimestamp(pcommon.NewTimestampFromTime(began))
	root.Attributes().PutStr(semconv.SessionStatus, "completed")
	root.Attributes().PutInt(semconv.SessionTokensInput, s.tokensIn)
	l.send(td)
	return s
}

// send posts a request until it is acknowledged.
func (l *load) send(td ptrace.Traces) {
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		panic(err) // spans of our own always marshal
	}
	for first := true; ; first = false {
		if !first {
			time.Sleep(20 * time.Millisecond)
		}
		resp, err := http.Post(l.url, "application/x-protobuf", bytes.NewReader(body))
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				l.acknowledged.Add(1)
				return
			}
		}
		if first {
			l.repeated.Add(1)
		}
	}
}

// compare says what of the session the backend has not, or twice.
func (s *sentSession) compare(ctx context.Context, c *collector) string {
	held, err := c.api().Session(ctx, s.id)
	if err != nil {
		return err.Error()
	}
	var problems []string
	var got []string
	for i := range held.Events {
		got = append(got, held.Events[i].ID)
	}
	if !slices.Equal(s.events, got) {
		problems = append(problems, fmt.Sprintf("events of %s are %v, want %v", s.id, got, s.events))
	}
	if held.TotalTokensIn != s.tokensIn || held.Status != "completed" || held.AgentName != "crash" {
		problems = append(problems, fmt.Sprintf("%s has %d tokens, is %s, of agent %s", s.id, held.TotalTokensIn, held.Status, held.AgentName))
	}
	return strings.Join(problems, "\n")
}
