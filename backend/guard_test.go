package backend

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/store"
)

func TestHostHeader(t *testing.T) {
	c := start(t, Config{Hosts: []string{"agentlens.example.com"}})
	for host, want := range map[string]int{
		"localhost:3000": 200, "LOCALHOST": 200, "app.localhost:3000": 200, "127.0.0.1:3000": 200, "[::1]:3000": 200, "[::1]": 200,
		"192.0.2.7:3000": 200, "agentlens.example.com": 200, "AgentLens.Example.com:443": 200,
		"evil.example": 403, "evil.example:3000": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403,
	} {
		for _, path := range []string{"/health", "/sessions", "/"} {
			res, text := c.do("GET", path, "", func(r *http.Request) { r.Host = host })
			require.Equal(t, want, res.StatusCode, "%s of %q: %s", path, host, text)
		}
	}
}

func TestOtherOriginsMayNotPost(t *testing.T) {
	c := start(t, Config{})
	for _, h := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"},
		{"Sec-Fetch-Site": "same-site"},
		{"Origin": "http://evil.example"},
	} {
		set := func(r *http.Request) {
			for k, v := range h {
				r.Header.Set(k, v)
			}
		}
		got := c.want(403, "POST", "/events", `{"events":[]}`, set)
		require.Contains(t, got["error"], "origin")
		c.want(200, "GET", "/sessions", "", set)
	}
	c.want(200, "POST", "/events", `{"events":[]}`, func(r *http.Request) { r.Header.Set("Origin", c.url) })
}

func TestAPIKey(t *testing.T) {
	c := start(t, Config{APIKey: "secret-key"})
	basic := func(password string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Del("X-API-Key"); r.SetBasicAuth("anyone", password) }
	}
	header := func(key string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-API-Key", key) }
	}
	none := func(r *http.Request) { r.Header.Del("X-API-Key") }

	closed := []string{"/", "/ui/sessions/s1", "/sessions", "/sessions/s1", "/sessions/s1/explain", "/healthy", "/static", "/nothing"}
	for _, path := range closed {
		for name, f := range map[string]func(*http.Request){"none": none, "empty": header(""), "wrong": header("secret-kez"), "prefix": header("secret"), "longer": header("secret-key1"), "basic": basic("wrong")} {
			res, text := c.do("GET", path, "", f)
			require.Equal(t, 401, res.StatusCode, "%s with key %s", path, name)
			require.JSONEq(t, `{"error":"Invalid or missing API key"}`, text)
			require.Contains(t, res.Header.Get("WWW-Authenticate"), "Basic ")
		}
	}
	require.Contains(t, c.want(401, "POST", "/events", example, none), "error")

	for _, path := range []string{"/health", "/static/style.css"} {
		res, _ := c.do("GET", path, "", none)
		require.Equal(t, 200, res.StatusCode, path)
	}
	c.want(200, "POST", "/events", example)
	c.want(200, "GET", "/sessions/s1", "", basic("secret-key"))
	res, _ := c.do("GET", "/", "", basic("secret-key"))
	require.Equal(t, 200, res.StatusCode)
	// No way round it through another spelling of an open path.
	res, _ = c.do("GET", "/static/../sessions", "", none, func(r *http.Request) {
		r.URL = &url.URL{Scheme: "http", Host: r.URL.Host, Opaque: "/static/../sessions"}
	})
	require.NotEqual(t, 200, res.StatusCode)
}

func TestSecurityHeaders(t *testing.T) {
	c := start(t, Config{})
	for _, path := range []string{"/", "/sessions", "/nothing", "/static/style.css"} {
		res, _ := c.do("GET", path, "")
		require.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
		require.NotContains(t, res.Header.Get("Content-Security-Policy"), "unsafe", path)
		require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "DENY", res.Header.Get("X-Frame-Options"), path)
	}
}

func TestWhatAnErrorMeansToTheClient(t *testing.T) {
	s := &Server{log: zap.NewNop()}
	for _, c := range []struct {
		err    error
		status int
		text   string
	}{
		{fmt.Errorf("read: %w", store.ErrNotFound), 404, "Session not found"},
		{fmt.Errorf("store a batch: %w", store.ErrFull), 507, "disk full"},
		{fmt.Errorf("tag: %w", store.ErrTooManyTags), 400, "a session has at most 20 tags"},
		{&analysis.FieldError{Field: "limit", Value: "x", Want: "a number"}, 400, "limit is x, want a number"},
		{errors.New("open /home/someone/agentlens.db: input/output error"), 500, "internal error"},
	} {
		status, text := s.explainError(httptest.NewRequest("GET", "/sessions", nil), c.err)
		require.Equal(t, c.status, status, c.err)
		require.Equal(t, c.text, text)
	}
}
