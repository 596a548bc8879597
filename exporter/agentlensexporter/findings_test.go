package agentlensexporter

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// found returns a session with a finding of every engine, as the processor
// writes them.
func found(number int) (*agent, ptrace.Traces) {
	a, td := newAgent(number), ptrace.NewTraces()
	a.start(td)
	a.track(td, 2)
	event := td.ResourceSpans().At(0).ScopeSpans().At(1).Spans().At(0)
	spanevent.StampAlerts(event, []alert.Alert{{RuleName: "Error spike", Severity: alert.SeverityCritical, Message: "6 errors in 5 min", Timestamp: a.now}})
	root := a.end(td)
	spanevent.StampCompliance(root, []*compliance.Report{{Policy: "production", Failed: 2, Results: []compliance.Result{
		{Kind: compliance.MaxTokens, Verdict: compliance.Fail, Severity: compliance.SeverityError, Message: "120 tokens, at most 100"},
		{Kind: compliance.ForbiddenTools, Verdict: compliance.Fail, Severity: compliance.SeverityError, Message: "search is forbidden"},
		{Kind: compliance.MaxEvents, Verdict: compliance.Pass},
	}}}, a.now)
	spanevent.StampDriftDetected(root, &drift.Report{Status: drift.SignificantDrift, Score: 55, Summary: "tokens doubled"}, a.now)
	spanevent.StampBudget(root, "team", "", &forecast.BudgetReport{Period: forecast.PeriodMonthly, BudgetUSD: 10, SpentUSD: 12, Message: "12 of 10 USD are spent"}, a.now)
	return a, td
}

// missing says what of the findings of found is not there exactly once.
func missing(s *origin.Server, a *agent) string {
	held := s.Sessions()[a.id]
	var problems []string
	for _, want := range []string{"compliance:fail", "alert:Error spike", "drift:significant_drift", "budget:"} {
		if !slices.ContainsFunc(held.Tags, func(tag string) bool { return strings.HasPrefix(tag, want) }) {
			problems = append(problems, fmt.Sprintf("no tag %s among %q", want, held.Tags))
		}
	}
	for _, want := range []string{"120 tokens, at most 100", "search is forbidden", "6 errors in 5 min", "significant", "12 of 10 USD"} {
		n := 0
		for _, note := range held.Annotations {
			if strings.Contains(note.Text, want) {
				n++
				if onEvent := note.EventID == a.events[0]; onEvent != (want == "6 errors in 5 min") {
					problems = append(problems, fmt.Sprintf("%q is on event %q", note.Text, note.EventID))
				}
			}
		}
		if n != 1 {
			problems = append(problems, fmt.Sprintf("%d annotations with %q, want 1, of %v", n, want, held.Annotations))
		}
	}
	if len(held.Annotations) != 5 {
		problems = append(problems, fmt.Sprintf("%d annotations, want 5", len(held.Annotations)))
	}
	return strings.Join(problems, "\n")
}

func requireFound(t *testing.T, s *origin.Server, agents ...*agent) {
	t.Helper()
	for _, a := range agents {
		problem := ""
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if problem = missing(s, a); problem == "" {
				break
			}
			if time.Now().After(end) {
				require.Empty(t, problem)
			}
		}
	}
}

// Every kind of finding is on the dashboard, once, also when the posts fail in
// every way and when the spans come again.
func TestFindings(t *testing.T) {
	for name, faults := range map[string][]origin.Fault{
		"no fault":            nil,
		"throttled":           {{Status: 429, Reset: "0"}, {}, {Status: 429}},
		"500":                 {{Status: 500}, {Status: 503}, {}, {Status: 502}},
		"hang":                {{Hang: true}, {Take: true, Hang: true}},
		"taken, answer lost":  {{}, {Take: true, Cut: true}, {Take: true, Status: 500}, {}, {Take: true, Cut: true}},
		"taken, then no list": {{}, {Take: true, Cut: true}, {Status: 404}},
	} {
		t.Run(name, func(t *testing.T) {
			s := origin.New(t, origin.Config{})
			cfg := fast(s.URL())
			cfg.ClientConfig.Timeout = 300 * time.Millisecond
			e := run(t, cfg)
			s.FailFindings(faults...)
			a, td := found(1)
			again := ptrace.NewTraces()
			td.CopyTo(again)
			require.NoError(t, e.ConsumeTraces(t.Context(), td))
			if name == "taken, then no list" {
				// It cannot look, so it posts again: better twice than never.
				require.Eventually(t, func() bool { return len(s.Sessions()[a.id].Annotations) == 6 }, 10*time.Second, 5*time.Millisecond)
				return
			}
			requireFound(t, s, a)
			// The backend has the last one before the exporter has its answer.
			require.Eventually(t, func() bool { return e.count("exporter_agentlens_annotation_backlog") == 0 }, 10*time.Second, time.Millisecond)
			sent := e.count("exporter_agentlens_annotations_sent")
			require.NoError(t, e.ConsumeTraces(t.Context(), again))
			e.stop()
			assert.Empty(t, missing(s, a))
			assert.Equal(t, sent, e.count("exporter_agentlens_annotations_sent"), "posted once each")
			assert.Zero(t, e.count("exporter_agentlens_annotations_dropped"))
		})
	}
}

// Findings that cannot be posted hold no event back.
func TestFindingsDoNotDelayEvents(t *testing.T) {
	s := origin.New(t, origin.Config{})
	s.FailFindings(origin.Fault{Hang: true})
	cfg := fast(s.URL())
	cfg.ClientConfig.Timeout = 3 * time.Second
	e := run(t, cfg)
	var agents []*agent
	for i := range 20 {
		a, td := found(i)
		agents = append(agents, a)
		require.NoError(t, e.ConsumeTraces(t.Context(), td))
	}
	requireExact(t, s, agents...)
	require.Eventually(t, func() bool { return e.count("exporter_agentlens_annotation_backlog") == 20*9 }, 2*time.Second, time.Millisecond,
		"all that was found waits behind the first")
	assert.Empty(t, s.Sessions()[agents[0].id].Tags)
	requireFound(t, s, agents...)
}

// A finding that the backend refuses costs no other.
func TestRefusedFinding(t *testing.T) {
	s := origin.New(t, origin.Config{})
	s.FailFindings(origin.Fault{Status: 400, Error: "Too many tags"}, origin.Fault{}, origin.Fault{Status: 413})
	e := run(t, fast(s.URL()))
	a, td := found(1)
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	requireExact(t, s, a)
	require.Eventually(t, func() bool { return e.count("exporter_agentlens_annotations_sent") == 7 }, 10*time.Second, 5*time.Millisecond)
	assert.EqualValues(t, 2, e.count("exporter_agentlens_annotations_dropped"))
	assert.Len(t, e.logged("refuses a finding"), 2)
}

// With storage, findings that wait survive a restart, and those that were
// posted are not posted again when their spans are.
func TestFindingsSurviveRestart(t *testing.T) {
	host, id := storageHost(t)
	s := origin.New(t, origin.Config{})
	cfg := fast(s.URL())
	cfg.QueueConfig.Get().StorageID = &id
	cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval = time.Hour, time.Hour
	one, first := found(1)
	again := ptrace.NewTraces()
	first.CopyTo(again)

	e := runOn(t, cfg, host)
	s.FailFindings(origin.Fault{}, origin.Fault{}, origin.Fault{}, origin.Fault{Take: true, Cut: true}) // and then it waits
	require.NoError(t, e.ConsumeTraces(t.Context(), first))
	requireExact(t, s, one)
	require.Eventually(t, func() bool { return len(s.Sessions()[one.id].Annotations) == 2 }, 10*time.Second, 5*time.Millisecond)
	e.stop()
	require.NotEmpty(t, missing(s, one))

	e = runOn(t, cfg, host)
	requireFound(t, s, one)
	require.NoError(t, e.ConsumeTraces(t.Context(), again))
	two, other := found(2)
	require.NoError(t, e.ConsumeTraces(t.Context(), other))
	requireFound(t, s, two)
	assert.Empty(t, missing(s, one))
}

// What storage holds that was not written by us costs that, and no more.
func TestUnreadableBacklog(t *testing.T) {
	for name, damage := range map[string]map[string]string{
		"head":      {"head": "x"},
		"too many":  {"tail": "999999"},
		"backwards": {"head": "9", "tail": "3"},
		"slot":      {"post/1": "{"},
		"no slot":   {"tail": "20"},
	} {
		t.Run(name, func(t *testing.T) {
			host, id := storageHost(t)
			cfg := fast("http://127.0.0.1:1")
			cfg.QueueConfig.Get().StorageID = &id
			client, err := openStorage(t.Context(), host, cfg, component.MustNewID("agentlens"))
			require.NoError(t, err)
			defer client.Close(t.Context())
			b, err := newBacklog(t.Context(), client)
			require.NoError(t, err)
			_, err = b.add(t.Context(), []post{{SessionID: "a", Tag: "1"}, {SessionID: "a", Tag: "2"}, {SessionID: "a", Tag: "3"}})
			require.NoError(t, err)
			for key, value := range damage {
				require.NoError(t, client.Set(t.Context(), key, []byte(value)))
			}
			b, err = newBacklog(t.Context(), client)
			require.Error(t, err)
			_, err = b.add(t.Context(), []post{{SessionID: "b", Tag: "4"}})
			require.NoError(t, err)
			var last post
			for p, ok := b.next(); ok; p, ok = b.next() {
				last = p
				require.NoError(t, b.done(t.Context()))
			}
			assert.Equal(t, "4", last.Tag)
		})
	}
}

// More findings than can wait are counted, and the backlog stays bounded.
func TestBacklogIsBounded(t *testing.T) {
	b, err := newBacklog(t.Context(), nil)
	require.NoError(t, err)
	full, next := 0, 0
	for i := range 3 * ringSize {
		n, err := b.add(t.Context(), []post{{SessionID: "a", Tag: fmt.Sprint(i)}})
		require.NoError(t, err)
		full += n
		if i%2 == 1 {
			p, ok := b.next()
			require.True(t, ok)
			if next < maxWaiting {
				require.Equal(t, fmt.Sprint(next), p.Tag)
			}
			next++
			require.NoError(t, b.done(t.Context()))
		}
		require.LessOrEqual(t, b.len(), maxWaiting)
		require.LessOrEqual(t, len(b.seen), ringSize)
	}
	assert.Equal(t, 3*ringSize-next-b.len(), full)
	assert.Positive(t, full)
}

// storageHost is a host with a file_storage extension.
func storageHost(t testing.TB) (component.Host, component.ID) {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = filepath.Join(t.TempDir(), "storage")
	cfg.CreateDirectory = true
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, cfg.Validate())
	id := component.NewID(factory.Type())
	h := &hostWith{map[component.ID]component.Component{id: ext}}
	require.NoError(t, ext.Start(t.Context(), h))
	t.Cleanup(func() { _ = ext.Shutdown(t.Context()) })
	return h, id
}

type hostWith struct {
	extensions map[component.ID]component.Component
}

func (h *hostWith) GetExtensions() map[component.ID]component.Component { return h.extensions }
