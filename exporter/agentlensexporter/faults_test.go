package agentlensexporter

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
)

// Whatever happens to the requests, every tracked event is there exactly once,
// with the totals and the order right.
func TestFaults(t *testing.T) {
	for name, faults := range map[string][]origin.Fault{
		"none":                         nil,
		"throttled":                    {{Status: 429, RetryAfter: "0"}, {Status: 429, Reset: "0"}, {Status: 429}},
		"500":                          {{Status: 500, Error: "database is locked"}, {Status: 500}, {Status: 500}},
		"502, 503, 504":                {{Status: 502}, {Status: 503, RetryAfter: "0"}, {Status: 504}},
		"507":                          {{Status: 507, Error: "disk full"}},
		"reset":                        {{Cut: true}, {Cut: true}},
		"hang":                         {{Hang: true}},
		"413":                          {{Status: 413}, {Status: 413}, {Status: 413}},
		"400 batch too large":          {{Status: 400, Error: "Batch too large (max 500 events)"}},
		"413, then 500":                {{Status: 413}, {}, {Status: 500}},
		"answer is not JSON":           {{Body: "<html>It works!</html>"}},
		"taken, then 500":              {{Take: true, Status: 500}},
		"taken, then no answer":        {{Take: true, Hang: true}},
		"taken, then reset":            {{Take: true, Cut: true}, {Take: true, Cut: true}},
		"taken, answer not JSON":       {{Take: true, Body: `{"status":"o`}},
		"first taken, second fails":    {{}, {Status: 500}, {Cut: true}},
		"first fails, all after taken": {{Status: 503}, {Take: true, Cut: true}, {Take: true, Status: 502}},
	} {
		t.Run(name, func(t *testing.T) {
			s := origin.New(t, origin.Config{})
			s.FailEvents(faults...)
			cfg := fast(s.URL())
			cfg.ClientConfig.Timeout = 300 * time.Millisecond
			severalRequests(cfg)
			e := run(t, cfg)
			one, small := whole(1, 12)
			two, large := whole(2, 900) // of several requests
			require.NoError(t, e.ConsumeTraces(t.Context(), small))
			require.NoError(t, e.ConsumeTraces(t.Context(), large))
			requireExact(t, s, one, two)
			e.stop()
			requireExact(t, s, one, two)
			assert.Zero(t, e.count("exporter_agentlens_events_dropped"))
			assert.Zero(t, e.count("exporter_agentlens_events_skipped"))
			if slices.ContainsFunc(faults, func(f origin.Fault) bool { return f.Take }) {
				return
			}
			sent := map[string]int{}
			for _, entry := range s.Sessions()[two.id].Log {
				sent[entry]++
			}
			for _, id := range two.events {
				assert.Equal(t, 1, sent[id], "what was taken is not sent again")
			}
		})
	}
}

// severalRequests makes batches that need more than one request.
func severalRequests(cfg *Config) {
	batch := cfg.QueueConfig.Get().Batch.Get()
	batch.MinSize, batch.MaxSize = 5_000, 5_000
}

// The backend dies and comes back, while spans arrive.
func TestRestart(t *testing.T) {
	s := origin.New(t, origin.Config{})
	e := run(t, fast(s.URL()))
	var agents []*agent
	for i := range 30 {
		switch i {
		case 5, 15:
			s.Stop()
		case 10, 20:
			s.Restart(t)
		}
		a, td := whole(i, 8)
		agents = append(agents, a)
		require.NoError(t, e.ConsumeTraces(t.Context(), td))
	}
	requireExact(t, s, agents...)
}

// What the backend refuses for good is dropped, counted by reason and logged
// with the backend's words; it costs nothing else.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		text   string
	}{
		"401": {401, "Invalid or missing API key"},
		"403": {403, "Forbidden"},
		"404": {404, "Not found"},
		"400": {400, "Invalid events"},
		"302": {302, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := origin.New(t, origin.Config{})
			s.FailEvents(origin.Fault{Status: c.status, Error: c.text})
			cfg := fast(s.URL())
			severalRequests(cfg)
			e := run(t, cfg)
			a, td := whole(1, 900)
			require.NoError(t, e.ConsumeTraces(t.Context(), td))
			require.Eventually(t, func() bool { return s.Sessions()[a.id].Status == "completed" }, 20*time.Second, 5*time.Millisecond)
			e.stop()

			// The first request is gone; the session is whole but for that.
			held := s.Sessions()[a.id]
			dropped := e.count("exporter_agentlens_events_dropped")
			assert.Positive(t, dropped)
			assert.Len(t, held.Events, 900-int(dropped-1), "a session_start was among the dropped")
			assert.Equal(t, a.tokensIn, held.TokensIn)
			assert.Equal(t, a.name, held.AgentName)
			assert.Equal(t, a.metadata, held.Metadata, "known from the dropped batch")
			assert.Equal(t, a.startedAt, origin.Time(held.StartedAt), "known from the dropped batch")
			lines := e.logged("refuses events for good")
			require.Len(t, lines, 1)
			assert.Contains(t, lines[0].ContextMap()["error"], http.StatusText(c.status))
			assert.Contains(t, lines[0].ContextMap()["error"], c.text)
		})
	}
}

// A key that is refused costs the events, and is never written anywhere.
func TestWrongKey(t *testing.T) {
	s := origin.New(t, origin.Config{APIKey: "right"})
	cfg := fast(s.URL())
	cfg.APIKey = "wr0ng-secret"
	cfg.QueueConfig.Get().WaitForResult = true
	e := run(t, cfg)
	_, td := whole(1, 4)
	err := e.ConsumeTraces(t.Context(), td)
	require.ErrorContains(t, err, "Invalid or missing API key")
	for _, line := range e.logs.All() {
		assert.NotContains(t, line.Message, "wr0ng")
		for _, v := range line.ContextMap() {
			assert.NotContains(t, fmt.Sprint(v), "wr0ng")
		}
	}
	cfg.APIKey = "right"
	a, td := whole(2, 4)
	require.NoError(t, run(t, cfg).ConsumeTraces(t.Context(), td))
	requireExact(t, s, a)
}

// Several consumers send parts of one session at once, and some fail.
func TestParallelConsumers(t *testing.T) {
	s := origin.New(t, origin.Config{})
	cfg := fast(s.URL())
	cfg.QueueConfig.Get().NumConsumers = 8
	batch := cfg.QueueConfig.Get().Batch.Get()
	batch.MinSize, batch.MaxSize = 5, 5
	for range 20 {
		s.FailEvents(origin.Fault{Status: 500}, origin.Fault{}, origin.Fault{Take: true, Cut: true}, origin.Fault{})
	}
	e := run(t, cfg)
	var agents []*agent
	for i := range 10 {
		a, td := whole(i, 60)
		agents = append(agents, a)
		require.NoError(t, e.ConsumeTraces(t.Context(), td))
	}
	requireExact(t, s, agents...)
	e.stop()
	requireExact(t, s, agents...)
}

// The limits of the original hold when the exporter keeps none itself: it
// waits for as long as the backend says.
func TestRateLimitOfTheBackend(t *testing.T) {
	s := origin.New(t, origin.Config{IngestLimit: 3, Window: 800 * time.Millisecond})
	cfg := fast(s.URL())
	batch := cfg.QueueConfig.Get().Batch.Get()
	batch.MinSize, batch.MaxSize = 20, 20
	e := run(t, cfg)
	a, td := whole(1, 98) // of five requests
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	requireExact(t, s, a)
	refused := 0
	for _, r := range s.Requests() {
		if r.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	assert.Equal(t, 1, refused, "after a 429 nothing is sent until the time is over")
}

// A batch that is sent twice, as after a restart with a queue on disk, leaves
// the totals right.
func TestResend(t *testing.T) {
	s := origin.New(t, origin.Config{})
	a := newAgent(1)
	first, last := ptrace.NewTraces(), ptrace.NewTraces()
	a.start(first)
	a.track(first, 8)
	a.track(last, 4)
	a.end(last)
	for _, td := range []ptrace.Traces{first, last, first, first} {
		c := ptrace.NewTraces()
		td.CopyTo(c)
		cfg := fast(s.URL())
		cfg.QueueConfig.Get().WaitForResult = true
		if td == last {
			e := run(t, cfg)
			require.NoError(t, e.ConsumeTraces(t.Context(), c))
			// The same process sees the first part again, after the end.
			again := ptrace.NewTraces()
			first.CopyTo(again)
			require.NoError(t, e.ConsumeTraces(t.Context(), again))
			requireExact(t, s, a)
			assert.Len(t, s.Requests(), 3, "the end is told again in the same request")
			return
		}
		require.NoError(t, run(t, cfg).ConsumeTraces(t.Context(), c))
	}
}

func sumOf(m metricdata.Metrics) (n int64) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			n += p.Value
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			n += p.Value
		}
	}
	return n
}
