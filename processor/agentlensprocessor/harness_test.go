package agentlensprocessor

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Twenty cuts a stream are enough for every run of the tests, and -rapid.checks
// asks for more.
func init() { _ = flag.Set("rapid.checks", "20") }

// clock is when the processors of these tests think it is: no test waits for
// the time to pass. One that was started looks at it from another goroutine.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.ns.Load()).UTC() }

func (c *clock) pass(d time.Duration) { c.ns.Add(int64(d)) }

// harness is a processor with what it has sent on.
type harness struct {
	*agentLensProcessor
	sink  *consumertest.TracesSink
	clock *clock
}

// newHarness makes a processor from the default configuration as changed by
// configure, without starting it.
func newHarness(t testing.TB, configure func(*Config)) *harness {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	if configure != nil {
		configure(cfg)
	}
	require.NoError(t, cfg.Validate())
	sink := &consumertest.TracesSink{}
	p, err := newProcessor(processortest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	h := &harness{agentLensProcessor: p, sink: sink, clock: &clock{}}
	h.clock.ns.Store(time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	p.now = h.clock.now
	return h
}

// started starts the processor with the extensions given, and shuts it down
// when the test is over.
func (h *harness) started(t testing.TB, extensions map[component.ID]component.Component) *harness {
	t.Helper()
	require.NoError(t, h.start(t.Context(), hostWith{componenttest.NewNopHost(), extensions}))
	t.Cleanup(func() { require.NoError(t, h.shutdown(context.Background())) })
	return h
}

// feed processes a batch and keeps what comes out.
func (h *harness) feed(t testing.TB, td ptrace.Traces) ptrace.Traces {
	t.Helper()
	out, err := h.process(t.Context(), td)
	require.NoError(t, err)
	require.NoError(t, h.forward(t.Context(), out))
	return out
}

type hostWith struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h.extensions }

// oneSpan is a span with its resource and scope, as it would travel alone.
type oneSpan struct{ td ptrace.Traces }

// single takes batches apart, keeping the order.
func single(batches ...ptrace.Traces) []oneSpan {
	var out []oneSpan
	for _, td := range batches {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					one := ptrace.NewTraces()
					to := one.ResourceSpans().AppendEmpty()
					rs.Resource().CopyTo(to.Resource())
					scope := to.ScopeSpans().AppendEmpty()
					ss.Scope().CopyTo(scope.Scope())
					span.CopyTo(scope.Spans().AppendEmpty())
					out = append(out, oneSpan{one})
				}
			}
		}
	}
	return out
}

// join puts spans into one batch.
func join(spans []oneSpan) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, s := range spans {
		for _, rs := range s.td.ResourceSpans().All() {
			rs.CopyTo(td.ResourceSpans().AppendEmpty())
		}
	}
	return td
}

// record runs agent with an SDK and returns the spans it sent, as they arrived
// over OTLP.
func record(t testing.TB, agent func(*agentlens.Tracker)) []oneSpan {
	t.Helper()
	var mu sync.Mutex
	var batches []ptrace.Traces
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := ptraceotlp.NewExportRequest()
		if err == nil {
			err = request.UnmarshalProto(body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		batches = append(batches, request.Traces())
	}))
	defer server.Close()
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithEndpoint(server.URL), agentlens.WithServiceName("svc"))
	require.NoError(t, err)
	agent(tracker)
	require.NoError(t, tracker.Shutdown(t.Context()))
	mu.Lock()
	defer mu.Unlock()
	return single(batches...)
}

// findingsOf returns what was found on the spans that came out: the verdict on
// each session, one line a session root or report, and the cost and the span
// events of each span. Which session a span is stamped with is not a finding,
// unless a verdict stands on it.
func findingsOf(sink *consumertest.TracesSink) []string {
	var out []string
	for _, td := range sink.AllTraces() {
		for _, one := range single(td) {
			span := one.td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
			line := fmt.Sprintf("%s/%s", span.TraceID(), span.SpanID())
			n := len(line)
			_, verdict := span.Attributes().Get(semconv.SessionStatus)
			for _, key := range sortedKeys(span.Attributes()) {
				if isFinding(key) || verdict && key == semconv.AgentLensSessionID {
					v, _ := span.Attributes().Get(key)
					line += fmt.Sprintf(" %s=%s", key, v.AsString())
				}
			}
			for _, event := range span.Events().All() {
				if strings.HasPrefix(event.Name(), "agentlens.") || event.Name() == semconv.EventEvaluationResult {
					attrs := event.Attributes().AsRaw()
					delete(attrs, semconv.AlertStateID) // each processor has its own
					b, _ := json.Marshal(attrs)
					line += fmt.Sprintf(" %s@%d%s", event.Name(), event.Timestamp(), b)
				}
			}
			if len(line) > n {
				out = append(out, line)
			}
		}
	}
	slices.Sort(out)
	return out
}

func sortedKeys(m pcommon.Map) []string {
	var keys []string
	for key := range m.All() {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func isFinding(key string) bool {
	for _, prefix := range []string{"agentlens.compliance.", "agentlens.drift.", "agentlens.forecast.", "agentlens.cost.", "agentlens.session."} {
		if strings.HasPrefix(key, prefix) && key != semconv.AgentLensSessionID && !strings.HasPrefix(key, semconv.SessionMetadataPrefix) {
			return true
		}
	}
	return false
}

func limit(n float64) *float64 { return &n }

// strictPolicy has rules that a part of the recorded sessions break.
func strictPolicy() PolicyConfig {
	return PolicyConfig{Name: "strict", Rules: []compliance.Rule{
		{Kind: compliance.MaxTokens, Limit: limit(3000)},
		{Kind: compliance.ForbiddenTools, Tools: []string{"rm"}},
		{Kind: compliance.AllowedModels, Models: []string{"gpt-4o", "gpt-4o-mini"}},
		{Kind: compliance.MaxErrorRate, Limit: limit(0.1)},
		{Kind: compliance.MaxDurationMS, Limit: limit(600_000)},
		{Kind: compliance.RequireReasoning, Threshold: limit(0.25), Severity: compliance.SeverityWarning},
	}}
}

// allEngines switches everything on, with windows small enough to fill.
func allEngines(cfg *Config) {
	cfg.Compliance.Policies = []PolicyConfig{strictPolicy()}
	cfg.Drift.BaselineSessions, cfg.Drift.CurrentSessions = 10, 5
	cfg.Forecast.Budgets = []BudgetConfig{{Name: "team", LimitUSD: 0.05, Period: "monthly"}}
	cfg.Alerts.Rules = []AlertRuleConfig{
		{Name: "High token usage", Condition: map[string]any{"type": "threshold", "field": "tokens_out", "op": ">", "value": 400}},
		{Name: "Error spike", Severity: "critical", GroupBy: GroupByAgent, Condition: map[string]any{
			"type": "rate", "field": "event_type", "value": "error", "window_seconds": 300, "threshold": 2,
		}},
		{Name: "Sensitive data in output", Severity: "critical", GroupBy: GroupBySession, Condition: map[string]any{
			"type": "pattern", "field": "output_data", "pattern": `\b\d{3}-\d{2}-\d{4}\b`,
		}},
	}
}
