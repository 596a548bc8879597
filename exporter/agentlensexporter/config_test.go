package agentlensexporter

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/origin"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

func load(t *testing.T, values map[string]any) (*Config, error) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(values).Unmarshal(cfg))
	return cfg, confmap.Validate(cfg)
}

// What the documentation says of the defaults.
func TestDefaults(t *testing.T) {
	cfg, err := load(t, nil)
	require.NoError(t, err)
	queue := cfg.QueueConfig.Get()
	assert.Equal(t, "http://localhost:3000", cfg.ClientConfig.Endpoint)
	assert.Equal(t, 1, queue.NumConsumers)
	assert.Equal(t, exporterhelper.RequestSizerTypeItems, queue.Sizer)
	assert.EqualValues(t, 100_000, queue.QueueSize)
	assert.False(t, queue.BlockOnOverflow)
	assert.EqualValues(t, 400, queue.Batch.Get().MaxSize)
	assert.Equal(t, time.Second, queue.Batch.Get().FlushTimeout)
	assert.Zero(t, cfg.RetryConfig.MaxElapsedTime)
	assert.Equal(t, RateLimitConfig{EventsPerMinute: 60, FindingsPerMinute: 120}, cfg.RateLimit)
}

func TestConfigMistakes(t *testing.T) {
	for want, values := range map[string]map[string]any{
		"`endpoint` is empty":                        {"endpoint": ""},
		"`endpoint` is \"localhost:3000\"":           {"endpoint": "localhost:3000"},
		"`endpoint` is not a URL":                    {"endpoint": "http://[::1"},
		"want a URL with http or https":              {"endpoint": "ftp://host"},
		"`rate_limit::events_per_minute` is -1":      {"rate_limit": map[string]any{"events_per_minute": -1}},
		"`rate_limit::findings_per_minute` is -2":    {"rate_limit": map[string]any{"findings_per_minute": -2}},
		"`num_consumers` must be positive":           {"sending_queue": map[string]any{"num_consumers": 0}},
		"`min_size` must be less than or equal to `": {"sending_queue": map[string]any{"queue_size": 10}},
	} {
		_, err := load(t, values)
		require.ErrorContains(t, err, want)
	}
	_, err := load(t, map[string]any{"endpoint": "ftp://user:secret@host"})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
	_, err = load(t, map[string]any{"endpoint": "http://user:secret@[::1"})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

// Beyond loopback, bodies are compressed unless the configuration says
// otherwise, and a key over plain HTTP is warned of; on loopback neither.
func TestBeyondLoopback(t *testing.T) {
	s := origin.New(t, origin.Config{})
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := r.Clone(r.Context())
		req.RequestURI, req.URL.Host = "", s.URL()[len("http://"):]
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_ = resp.Write(discardHeader{w})
	}))
	t.Cleanup(proxy.Close)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)

	for _, c := range []struct {
		endpoint    string
		compression configcompression.Type
		encoding    string
		warned      int
	}{
		{s.URL(), "", "", 0},
		{"http://agentlens.example.com", "", "gzip", 1},
		{"http://agentlens.example.com", "none", "", 1},
		{s.URL(), "gzip", "gzip", 0},
	} {
		cfg := fast(c.endpoint)
		cfg.ClientConfig.Compression = c.compression
		if c.endpoint != s.URL() {
			cfg.ClientConfig.ProxyURL = proxy.URL
		}
		cfg.APIKey = "k"
		e := run(t, cfg)
		before := len(s.Requests())
		a, td := whole(before, 4)
		require.NoError(t, e.ConsumeTraces(t.Context(), td))
		// A request is listed when it has been answered.
		require.Eventually(t, func() bool {
			return s.Sessions()[a.id].Status == "completed" && len(s.Requests()) > before
		}, 20*time.Second, 5*time.Millisecond)
		assert.Equal(t, c.encoding, s.Requests()[before].Encoding, c)
		assert.Len(t, e.logged("API key is sent over plain HTTP"), c.warned, c)
		e.stop()
	}
}

// discardHeader drops the status line and header that Response.Write writes.
type discardHeader struct{ http.ResponseWriter }

func (discardHeader) Write(p []byte) (int, error) { return len(p), nil }

// A redirect is refused, and the key does not go where it points.
func TestRedirectIsNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	t.Cleanup(other.Close)
	front := httptest.NewServer(http.RedirectHandler(other.URL+"/events", http.StatusTemporaryRedirect))
	t.Cleanup(front.Close)
	cfg := fast(front.URL)
	cfg.APIKey = "k"
	cfg.QueueConfig.Get().WaitForResult = true
	_, td := whole(1, 1)
	require.ErrorContains(t, run(t, cfg).ConsumeTraces(t.Context(), td), "not followed: set endpoint to it")
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 2, 14, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after, reset string
		want         time.Duration
		ok           bool
	}{
		{"", "", 0, false},
		{"7", "", 7 * time.Second, true},
		{"", "42", 42 * time.Second, true},
		{"7", "42", 7 * time.Second, true},
		{"soon", "42", 42 * time.Second, true},
		{now.Add(time.Minute).Format(http.TimeFormat), "", time.Minute, true},
		{now.Add(-time.Minute).Format(http.TimeFormat), "", 0, true},
		{"", "1771063230", 30 * time.Second, true},
		{"-1", "", 0, false},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.after)
		h.Set(wire.HeaderRateLimitReset, c.reset)
		got, ok := retryAfter(h, now)
		assert.Equal(t, c.want, got, c)
		assert.Equal(t, c.ok, ok, c)
	}
}

// No minute sees more requests than the limit, wherever it begins.
func TestPace(t *testing.T) {
	for _, limit := range []int{2, 7, 60, 120, 1000} {
		p := newPace(limit)
		var sent []time.Time
		for at := epoch; at.Before(epoch.Add(5 * time.Minute)); at = at.Add(10 * time.Millisecond) {
			if at.Sub(epoch) > 2*time.Minute && at.Sub(epoch) < 3*time.Minute {
				continue // a pause fills the bucket
			}
			for p.limiter.AllowN(at, 1) {
				sent = append(sent, at)
			}
		}
		from := 0
		for i, at := range sent {
			for at.Sub(sent[from]) >= time.Minute {
				from++
			}
			require.LessOrEqual(t, i-from+1, limit, "in the minute before %s", at.Sub(epoch))
		}
		assert.Greater(t, len(sent), limit*2, "and not many fewer: of four minutes with traffic")
	}
	assert.Nil(t, newPace(0).limiter)
}

// The default rate does not run into the original's limit.
func TestDefaultRateOnTheOriginal(t *testing.T) {
	s := origin.New(t, origin.Config{IngestLimit: 60})
	cfg := fast(s.URL())
	cfg.RateLimit = createDefaultConfig().(*Config).RateLimit
	e := run(t, cfg)
	var agents []*agent
	td := ptrace.NewTraces()
	for i := range 6 { // as many requests as may come at once
		a, more := whole(i, 396)
		agents = append(agents, a)
		more.ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	}
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	requireExact(t, s, agents...)
	for _, r := range s.Requests() {
		assert.Equal(t, http.StatusOK, r.Status)
	}
}
