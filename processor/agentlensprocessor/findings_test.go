package agentlensprocessor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// recordSessions runs sessions of two agents, the later ones of the first with
// doubled tokens, and returns their spans and what the SDK knows of them.
func recordSessions(t testing.TB, count int) ([]oneSpan, map[string]*analysis.Session) {
	t.Helper()
	sessions := map[string]*analysis.Session{}
	random := rand.New(rand.NewPCG(11, 12))
	at := time.Date(2026, 2, 24, 8, 0, 0, 0, time.UTC)
	spans := record(t, func(tracker *agentlens.Tracker) {
		for i := range count {
			ctx, s, err := tracker.StartSession(t.Context(), []string{"research", "coder"}[i%2],
				agentlens.WithSessionID(fmt.Sprintf("session-%03d", i)), agentlens.WithTimestamp(at))
			require.NoError(t, err)
			for range 3 + random.IntN(12) {
				at = at.Add(time.Duration(1+random.IntN(20_000)) * time.Millisecond)
				_, err := s.Track(ctx, randomType(random), randomEvent(random, at, 1+2*i/count)...)
				require.NoError(t, err)
			}
			at = at.Add(time.Second)
			require.NoError(t, s.End(ctx, agentlens.WithTimestamp(at)))
			sessions[s.ID()] = s.Snapshot()
			at = at.Add(2 * time.Hour)
		}
	})
	return spans, sessions
}

func randomType(r *rand.Rand) agentlens.EventType {
	return []agentlens.EventType{
		agentlens.EventLLMCall, agentlens.EventLLMCall, agentlens.EventLLMCall, agentlens.EventToolCall,
		agentlens.EventDecision, agentlens.EventError, agentlens.EventGeneric,
	}[r.IntN(7)]
}

func randomEvent(r *rand.Rand, at time.Time, scale int) []agentlens.EventOption {
	options := []agentlens.EventOption{agentlens.WithTimestamp(at), agentlens.WithDurationMS(float64(r.IntN(5000)) / 10)}
	if r.IntN(2) == 0 {
		options = append(options, agentlens.WithReasoning("because"))
	}
	switch r.IntN(3) {
	case 0:
		options = append(options, agentlens.WithTool([]string{"web_search", "rm", "calculator"}[r.IntN(3)], map[string]any{"q": 1}, nil))
	case 1:
		options = append(options, agentlens.WithModel([]string{"gpt-4o", "gpt-4o-mini", "unvetted"}[r.IntN(3)]),
			agentlens.WithTokens(int64(scale*r.IntN(800)), int64(scale*r.IntN(300))))
	default:
		options = append(options, agentlens.WithOutput(map[string]any{"text": []string{"fine", "SSN 123-45-6789"}[r.IntN(2)]}))
	}
	if r.IntN(8) == 0 {
		options = append(options, agentlens.WithError(errors.New("timeout")))
	}
	return options
}

// captures are traces that other libraries really sent, in the order of
// arrival.
func captures(t testing.TB) []oneSpan { return slices.Concat(captureFiles(t)...) }

// captureFiles are the captures, one a library.
func captureFiles(t testing.TB) [][]oneSpan {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "internal", "sessions", "testdata", "captures", "*", "trace.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out := make([][]oneSpan, len(files))
	for i, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		// Every capture has the session sess-42: here each is one of its own.
		text := strings.ReplaceAll(string(raw), "sess-42", fmt.Sprintf("capture-%02d", i))
		for line := range strings.Lines(text) {
			td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(line))
			require.NoError(t, err)
			out[i] = append(out[i], single(td)...)
		}
	}
	return out
}

// run feeds spans to a fresh processor, cut as the sizes say, and then lets all
// sessions go idle.
func run(t testing.TB, spans []oneSpan, size func() int) []string {
	t.Helper()
	return findingsOf(runAll(t, spans, size, allEngines).sink)
}

func runAll(t testing.TB, spans []oneSpan, size func() int, configure func(*Config)) *harness {
	t.Helper()
	h := newHarness(t, configure)
	for len(spans) > 0 {
		n := min(len(spans), size())
		h.feed(t, join(spans[:n]))
		spans = spans[n:]
	}
	h.clock.pass(h.cfg.IdleTimeout)
	h.sweep(t.Context())
	return h
}

// However the stream is cut into batches, the findings are the same to the
// byte.
func TestAnyCutSameFindings(t *testing.T) {
	for name, spans := range streams(t) {
		t.Run(name, func(t *testing.T) {
			want := run(t, spans, func() int { return len(spans) })
			require.NotEmpty(t, want)
			rapid.Check(t, func(rt *rapid.T) {
				got := run(t, spans, func() int { return rapid.IntRange(1, 40).Draw(rt, "batch") })
				if diff := difference(want, got); diff != "" {
					rt.Fatal(diff)
				}
			})
		})
	}
}

func streams(t testing.TB) map[string][]oneSpan {
	sdk, _ := recordSessions(t, 40)
	r := rand.New(rand.NewPCG(31, 32))
	busy := delayed(busySessions(t, 44), func() time.Duration { return time.Duration(r.Int64N(int64(time.Minute))) })
	return map[string][]oneSpan{"sdk": sdk, "busy": busy, "captures": captures(t)}
}

// Every engine had something to say in the streams of these tests; else they
// would show nothing.
func TestStreamsMakeEveryFinding(t *testing.T) {
	spans, _ := recordSessions(t, 40)
	all := strings.Join(run(t, spans, func() int { return 7 }), "\n")
	for _, finding := range everyFinding {
		assert.Contains(t, all, finding)
	}
}

var everyFinding = []string{
	semconv.ComplianceCompliant + "=false", semconv.ComplianceCompliant + "=true", semconv.EventEvaluationResult,
	semconv.EventAlertFired, semconv.EventAlertResolved, "High token usage", "Error spike", "Sensitive data in output",
	semconv.EventForecastComputed, semconv.ForecastDailyCost, semconv.DriftScore, semconv.DriftStatus,
	semconv.CostAmount, semconv.SessionCostAmount, semconv.EventBudgetExceeded,
}

// difference says in what two lists of lines differ.
func difference(want, got []string) string {
	var b strings.Builder
	for _, line := range want {
		if !slices.Contains(got, line) {
			fmt.Fprintln(&b, "missing:", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			fmt.Fprintln(&b, "not expected:", line)
		}
	}
	return b.String()
}
