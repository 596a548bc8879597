package agentlenstest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// Recorder takes what a test's code records. Its methods can be called from any
// number of goroutines; those named Require from that of the test.
type Recorder struct {
	t        testing.TB
	tracker  *agentlens.Tracker
	provider *sdktrace.TracerProvider
	spans    *received
}

// New returns a recorder, and a tracker on it with the options, that end with
// the test. An option that concerns an exporter fails the test.
func New(t testing.TB, opts ...agentlens.Option) *Recorder {
	t.Helper()
	spans := &received{}
	exporter, err := otlptrace.New(t.Context(), spans)
	require.NoError(t, err, "start the exporter")
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(agentlens.NewSpanProcessor()),
		sdktrace.WithSyncer(exporter))
	tracker, err := agentlens.NewTracker(t.Context(), append(opts, agentlens.WithTracerProvider(provider))...)
	require.NoError(t, err, "start the tracker")
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = tracker.Shutdown(ctx)
		_ = provider.Shutdown(ctx)
	})
	return &Recorder{t, tracker, provider, spans}
}

// For returns the same recorder for another test, such as a subtest.
func (r *Recorder) For(t testing.TB) *Recorder {
	other := *r
	other.t = t
	return &other
}

// Tracker returns the tracker for the code under test.
func (r *Recorder) Tracker() *agentlens.Tracker { return r.tracker }

// TracerProvider returns the provider that the recorder listens to: for
// libraries that write spans of their own, and for agentlens.Init where the code
// under test uses the package's functions.
func (r *Recorder) TracerProvider() trace.TracerProvider { return r.provider }

// Sessions returns what was recorded so far, by the start of the sessions. An
// event counts from its end on, a session has a status once it has ended.
func (r *Recorder) Sessions() []*Session {
	r.t.Helper()
	traces, err := r.spans.decode()
	require.NoError(r.t, err, "read the spans")
	return assemble(r.t, traces)
}

// RequireSession returns the one session of the agent, and fails the test when
// there is none, or more than one.
func (r *Recorder) RequireSession(agent string) *Session {
	r.t.Helper()
	var found []*Session
	all := r.Sessions()
	for _, s := range all {
		if s.AgentName == agent {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		require.FailNow(r.t, fmt.Sprintf("%d sessions of agent %q, want 1", len(found), agent), "recorded: %s", describe(all))
	}
	return found[0]
}

// RequireTool returns the first call of the tool in any session, and fails the
// test when there is none.
func (r *Recorder) RequireTool(name string) analysis.Event {
	r.t.Helper()
	all := r.Sessions()
	for _, s := range all {
		if e, ok := s.tool(name); ok {
			return e
		}
	}
	require.FailNow(r.t, fmt.Sprintf("no call of tool %q", name), "recorded: %s", describe(all))
	return analysis.Event{}
}

// RequireCompliant checks all sessions, and fails the test when one breaks the
// policy, or when there is none.
func (r *Recorder) RequireCompliant(policy *compliance.Policy, opts ...compliance.Option) {
	r.t.Helper()
	all := r.Sessions()
	require.NotEmpty(r.t, all, "no session was recorded")
	for _, s := range all {
		s.RequireCompliant(policy, opts...)
	}
}

// RequireNoAlerts runs the rules over each session, and fails the test when one
// fires, or when there is none.
func (r *Recorder) RequireNoAlerts(rules []alert.Rule) {
	r.t.Helper()
	all := r.Sessions()
	require.NotEmpty(r.t, all, "no session was recorded")
	for _, s := range all {
		s.RequireNoAlerts(rules)
	}
}

func describe(sessions []*Session) string {
	if len(sessions) == 0 {
		return "no session"
	}
	lines := make([]string, len(sessions))
	for i, s := range sessions {
		lines[i] = fmt.Sprintf("%s (%s, %d events, tools %v, models %v)", s.AgentName, s.Status, s.Summary.Events,
			s.Summary.Tools.Names(), s.Summary.Models.Names())
	}
	return strings.Join(lines, "; ")
}

// received is where the exporter sends: spans as OTLP has them, in the order in
// which they ended.
type received struct {
	mu    sync.Mutex
	spans []*tracepb.ResourceSpans
}

// Start does nothing: there is nothing to connect to.
func (*received) Start(context.Context) error { return nil }

// Stop does nothing.
func (*received) Stop(context.Context) error { return nil }

// UploadTraces keeps the spans.
func (c *received) UploadTraces(_ context.Context, spans []*tracepb.ResourceSpans) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, spans...)
	return nil
}

// decode returns the spans as the collector gets them.
func (c *received) decode() (ptrace.Traces, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, err := proto.Marshal(&coltracepb.ExportTraceServiceRequest{ResourceSpans: c.spans})
	if err != nil {
		return ptrace.Traces{}, err
	}
	return (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b)
}
