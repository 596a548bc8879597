package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

// A tracing backend beside AgentLens gets what the SDK sent, unchanged, with
// the findings on it: a real Jaeger behind config/with-jaeger.yaml.
func TestJaegerBesideAgentLens(t *testing.T) {
	j := startJaeger(t)
	c := newCollector(t, "config/with-jaeger.yaml", "OTLP_BACKEND="+j.otlp).start()

	sent := tracetest.NewInMemoryExporter()
	otlp, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(c.otlpHTTP()+"/v1/traces"))
	require.NoError(t, err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(otlp), sdktrace.WithSyncer(sent),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "e2e"))))
	tracker, err := agentlens.NewTracker(t.Context(), agentlens.WithTracerProvider(provider))
	require.NoError(t, err)

	good := trackForJaeger(t, tracker, "careful", "web_search")
	bad := trackForJaeger(t, tracker, "careless", "execute_code")
	require.NoError(t, tracker.Flush(t.Context()))
	spans := sent.GetSpans()
	require.NoError(t, provider.Shutdown(t.Context()))

	var trace jaegerTrace
	eventually(t, func(ctx context.Context) string {
		found, err := j.search(ctx, map[string]string{"agentlens.compliance.compliant": "false"})
		if err != nil {
			return err.Error()
		}
		if len(found) != 1 {
			return fmt.Sprintf("%d traces with agentlens.compliance.compliant=false, want 1", len(found))
		}
		trace = found[0]
		return ""
	})
	root := trace.root(t)
	assert.Equal(t, bad.ID(), root.tags()["session.id"])
	assert.Equal(t, "false", root.tags()["agentlens.compliance.compliant"])
	require.NotEmpty(t, root.Logs)
	assert.Equal(t, semconv.EventEvaluationResult, root.Logs[0].field("event"))
	assert.Equal(t, "compliance.forbidden_tools", root.Logs[0].field("gen_ai.evaluation.name"))

	for _, s := range []*agentlens.Session{good, bad} {
		eventually(t, func(ctx context.Context) string { return compareTrace(ctx, j, s.ID(), spans) })
	}
}

func trackForJaeger(t *testing.T, tracker *agentlens.Tracker, agent, tool string) *agentlens.Session {
	t.Helper()
	ctx, s, err := tracker.StartSession(t.Context(), agent, agentlens.WithMetadata(map[string]any{"version": "2.1.0"}))
	require.NoError(t, err)
	_, err = s.Track(ctx, agentlens.EventLLMCall, agentlens.WithModel("gpt-4o"), agentlens.WithTokens(100, 20),
		agentlens.WithReasoning("long context"), agentlens.WithDuration(time.Second))
	require.NoError(t, err)
	_, err = s.TrackTool(ctx, tool, map[string]any{"query": "q"}, map[string]any{"ok": true}, agentlens.WithDurationMS(12.5))
	require.NoError(t, err)
	_, err = s.Track(ctx, agentlens.EventError, agentlens.WithError(errors.New("no route")))
	require.NoError(t, err)
	require.NoError(t, s.End(ctx))
	return s
}

// compareTrace says what of a session's spans Jaeger lacks or has otherwise.
func compareTrace(ctx context.Context, j *jaeger, session string, all tracetest.SpanStubs) string {
	var want tracetest.SpanStubs
	for _, span := range all {
		if slices.Contains(span.Attributes, attribute.String("session.id", session)) {
			want = append(want, span)
		}
	}
	found, err := j.search(ctx, map[string]string{"session.id": session})
	if err != nil {
		return err.Error()
	}
	if len(found) != 1 {
		return fmt.Sprintf("%d traces of session %s, want 1", len(found), session)
	}
	got := found[0]
	if len(got.Spans) != len(want) {
		return fmt.Sprintf("session %s has %d spans in Jaeger, want %d", session, len(got.Spans), len(want))
	}
	// Jaeger lists spans as they arrived; a trace is shown by start time.
	byStart := func(a, b jaegerSpan) int { return int(a.StartTime - b.StartTime) }
	slices.SortStableFunc(got.Spans, byStart)
	slices.SortStableFunc(want, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	var problems []string
	for i, w := range want {
		k := slices.IndexFunc(got.Spans, func(s jaegerSpan) bool { return s.SpanID == w.SpanContext.SpanID().String() })
		if k < 0 {
			problems = append(problems, "no span "+w.Name)
			continue
		}
		if got.Spans[k].StartTime == got.Spans[i].StartTime {
			k = i // same microsecond: either order is right
		}
		if k != i {
			problems = append(problems, fmt.Sprintf("span %s is number %d, want %d", w.Name, k, i))
		}
		problems = append(problems, compareSpan(w, got.span(w.SpanContext.SpanID().String()))...)
	}
	return strings.Join(problems, "\n")
}

func compareSpan(want tracetest.SpanStub, got jaegerSpan) (problems []string) {
	differ := func(what string, want, got any) {
		if want != got {
			problems = append(problems, fmt.Sprintf("span %s: %s is %v, want %v", got, what, got, want))
		}
	}
	differ("name", want.Name, got.OperationName)
	differ("start", want.StartTime.UnixMicro(), got.StartTime)
	differ("duration", want.EndTime.Sub(want.StartTime).Microseconds(), got.Duration)
	parent := ""
	if want.Parent.IsValid() {
		parent = want.Parent.SpanID().String()
	}
	differ("parent", parent, got.parent())
	tags := got.tags()
	differ("kind", strings.ToLower(want.SpanKind.String()), tags["span.kind"])
	if want.Status.Description != "" {
		differ("status", want.Status.Description, tags["otel.status_description"])
	}
	for _, kv := range want.Attributes {
		differ(string(kv.Key), kv.Value.String(), tags[string(kv.Key)])
	}
	return problems
}

// jaeger is a running Jaeger all-in-one.
type jaeger struct{ otlp, query string }

// startJaeger starts the Jaeger that `make jaeger` installs.
func startJaeger(t *testing.T) *jaeger {
	t.Helper()
	binary := filepath.Join(repository(t), "bin", "jaeger-all-in-one")
	if _, err := os.Stat(binary); err != nil {
		if os.Getenv("CI") != "" {
			require.FailNow(t, "bin/jaeger-all-in-one is missing: run make jaeger")
		}
		t.Skip("SKIPPED: bin/jaeger-all-in-one is missing; run make jaeger to test against a real Jaeger")
	}
	otlp, query := freePort(t), freePort(t)
	args := []string{
		"--collector.otlp.enabled=true",
		fmt.Sprintf("--collector.otlp.http.host-port=localhost:%d", otlp),
		fmt.Sprintf("--query.http-server.host-port=localhost:%d", query),
	}
	for _, other := range []string{
		"admin.http.host-port", "collector.grpc-server.host-port", "collector.http-server.host-port", "collector.otlp.grpc.host-port",
		"http-server.host-port", "processor.jaeger-binary.server-host-port", "processor.jaeger-compact.server-host-port",
		"processor.zipkin-compact.server-host-port", "query.grpc-server.host-port",
	} {
		args = append(args, fmt.Sprintf("--%s=localhost:%d", other, freePort(t)))
	}
	log := &lockedBuffer{}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "SPAN_STORAGE_TYPE=memory")
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Jaeger's log:\n%s", log)
		}
	})
	j := &jaeger{otlp: fmt.Sprintf("http://localhost:%d", otlp), query: fmt.Sprintf("http://localhost:%d", query)}
	eventually(t, func(ctx context.Context) string {
		if _, err := j.search(ctx, nil); err != nil {
			return err.Error()
		}
		return ""
	})
	return j
}

// search finds traces by tags.
func (j *jaeger) search(ctx context.Context, tags map[string]string) ([]jaegerTrace, error) {
	filter, err := json.Marshal(tags)
	if err != nil {
		return nil, err
	}
	q := url.Values{"service": {"e2e"}, "limit": {"100"}}
	if len(tags) > 0 {
		q.Set("tags", string(filter))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.query+"/api/traces?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data []jaegerTrace `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", resp.Status, err)
	}
	return answer.Data, nil
}

type jaegerTrace struct {
	Spans []jaegerSpan `json:"spans"`
}

type jaegerSpan struct {
	SpanID        string `json:"spanID"`
	OperationName string `json:"operationName"`
	// StartTime and Duration are in microseconds.
	StartTime  int64 `json:"startTime"`
	Duration   int64 `json:"duration"`
	References []struct {
		RefType string `json:"refType"`
		SpanID  string `json:"spanID"`
	} `json:"references"`
	Tags []jaegerTag `json:"tags"`
	Logs []jaegerLog `json:"logs"`
}

type jaegerTag struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

type jaegerLog struct {
	Fields []jaegerTag `json:"fields"`
}

func (l jaegerLog) field(key string) string {
	for _, f := range l.Fields {
		if f.Key == key {
			return fmt.Sprint(f.Value)
		}
	}
	return ""
}

func (s jaegerSpan) String() string { return s.OperationName }

func (s jaegerSpan) tags() map[string]string {
	out := map[string]string{}
	for _, tag := range s.Tags {
		out[tag.Key] = fmt.Sprint(tag.Value)
	}
	return out
}

func (s jaegerSpan) parent() string {
	for _, ref := range s.References {
		if ref.RefType == "CHILD_OF" {
			return ref.SpanID
		}
	}
	return ""
}

func (tr jaegerTrace) span(id string) jaegerSpan {
	for _, s := range tr.Spans {
		if s.SpanID == id {
			return s
		}
	}
	return jaegerSpan{}
}

func (tr jaegerTrace) root(t *testing.T) jaegerSpan {
	t.Helper()
	for _, s := range tr.Spans {
		if s.parent() == "" {
			return s
		}
	}
	require.FailNow(t, "the trace has no root")
	return jaegerSpan{}
}
