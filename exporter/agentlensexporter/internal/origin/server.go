package origin

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Limits of the original.
const (
	maxEvents     = 500
	maxBytes      = 10 << 20
	maxTags       = 20
	maxAnnotation = 4000
)

// Config says how a Server differs from the original with its defaults.
type Config struct {
	// APIKey is asked of every request; "" = none is asked.
	APIKey string
	// IngestLimit and OtherLimit are requests per Window; 0 = no limit. The
	// original has 60 and 120 a minute.
	IngestLimit, OtherLimit int
	Window                  time.Duration
	// MaxBytes is the longest inflated body; 0 = the original's 10 MB.
	MaxBytes int64
}

// Server is the model. Its methods are safe for concurrent use.
type Server struct {
	cfg  Config
	addr string

	mu       sync.Mutex
	http     *httptest.Server // nil while it is down
	state    state
	faults   []Fault
	findings []Fault
	ingest   window
	other    window
	requests []Request
}

// Request is one that arrived, as the server saw it.
type Request struct {
	At       time.Time
	Path     string
	Events   int
	Bytes    int
	Encoding string
	Status   int
}

// New starts a server that stops with the test.
func New(t testing.TB, cfg Config) *Server {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = maxBytes
	}
	if cfg.Window == 0 {
		cfg.Window = time.Minute
	}
	s := &Server{cfg: cfg, state: newState()}
	s.listen(t, "127.0.0.1:0")
	t.Cleanup(s.Stop)
	return s
}

// URL is the base URL, the same after a restart.
func (s *Server) URL() string { return "http://" + s.addr }

// Stop closes the port and every connection, as a process that dies does. What
// is stored stays.
func (s *Server) Stop() {
	s.mu.Lock()
	server := s.http
	s.http = nil
	s.mu.Unlock()
	if server != nil {
		server.CloseClientConnections()
		server.Close()
	}
}

// Restart listens on the same port again.
func (s *Server) Restart(t testing.TB) { s.listen(t, s.addr) }

func (s *Server) listen(t testing.TB, addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	for end := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
		listener, err = net.Listen("tcp", addr)
	}
	if err != nil {
		t.Fatalf("listen on %s: %v", addr, err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.Listener.Close()
	server.Listener = listener
	s.mu.Lock()
	s.http, s.addr = server, listener.Addr().String()
	s.mu.Unlock()
	server.Start()
}

// Requests returns those that have arrived, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Take stores a batch without HTTP, and returns what the original would answer.
func (s *Server) Take(body []byte) (status, processed, skipped, truncated int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, answer := s.events(body, &Request{})
	r, _ := answer.(result)
	return status, r.Processed, r.Skipped, r.TruncatedFields
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	seen := Request{At: time.Now(), Path: r.URL.Path, Encoding: r.Header.Get("Content-Encoding")}
	recorder := &statusWriter{ResponseWriter: w}
	defer func() {
		seen.Status = recorder.status
		s.mu.Lock()
		s.requests = append(s.requests, seen)
		s.mu.Unlock()
	}()
	events := r.URL.Path == "/events"
	fault, ok := s.next(events)
	if ok && fault.before(recorder, r) {
		return
	}
	// Refused keys count against the limit, too.
	if !s.admit(recorder, events) {
		return
	}
	if s.cfg.APIKey != "" && r.Header.Get("X-API-Key") != s.cfg.APIKey {
		fail(recorder, http.StatusUnauthorized, "Invalid or missing API key")
		return
	}
	body, status := s.read(r)
	if status != 0 {
		fail(recorder, status, "request entity too large")
		return
	}
	seen.Bytes = len(body)
	code, answer := s.handle(r, body, &seen)
	if ok && fault.after(recorder, r, code, answer) {
		return
	}
	write(recorder, code, answer)
}

func (s *Server) handle(r *http.Request, body []byte, seen *Request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/events" && r.Method == http.MethodPost {
		return s.events(body, seen)
	}
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(part) != 3 || part[0] != "sessions" {
		return http.StatusNotFound, problem{"Not found"}
	}
	return s.state.finding(r.Method, part[1], part[2], body)
}

func (s *Server) events(body []byte, seen *Request) (int, any) {
	var batch struct {
		Events []map[string]any `json:"events"`
	}
	if json.Unmarshal(body, &batch) != nil || batch.Events == nil {
		return http.StatusBadRequest, problem{"Invalid events"}
	}
	seen.Events = len(batch.Events)
	if len(batch.Events) > maxEvents {
		return http.StatusBadRequest, problem{"Batch too large"}
	}
	return http.StatusOK, s.state.take(batch.Events)
}

// read returns the inflated body, or a status that refuses it.
func (s *Server) read(r *http.Request) ([]byte, int) {
	in := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		gz, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, http.StatusBadRequest
		}
		in = gz
	}
	body, err := io.ReadAll(io.LimitReader(in, s.cfg.MaxBytes+1))
	if err != nil {
		return nil, http.StatusBadRequest
	}
	if int64(len(body)) > s.cfg.MaxBytes {
		return nil, http.StatusRequestEntityTooLarge
	}
	return body, 0
}

// window counts the requests of one fixed window.
type window struct {
	began time.Time
	n     int
}

// admit counts a request against its limit, and refuses it when there were too
// many.
func (s *Server) admit(w http.ResponseWriter, events bool) bool {
	s.mu.Lock()
	limit, win := s.cfg.OtherLimit, &s.other
	if events {
		limit, win = s.cfg.IngestLimit, &s.ingest
	}
	now := time.Now()
	if now.Sub(win.began) >= s.cfg.Window {
		*win = window{began: now}
	}
	win.n++
	left, reset := limit-win.n, win.began.Add(s.cfg.Window).Sub(now)
	s.mu.Unlock()
	if limit == 0 {
		return true
	}
	seconds := strconv.Itoa(int(math.Ceil(reset.Seconds())))
	w.Header().Set("RateLimit-Limit", strconv.Itoa(limit))
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(max(0, left)))
	w.Header().Set("RateLimit-Reset", seconds)
	if left < 0 {
		w.Header().Set("Retry-After", seconds)
		fail(w, http.StatusTooManyRequests, "Too many requests, please try again later")
		return false
	}
	return true
}

type problem struct {
	Error string `json:"error"`
}

func fail(w http.ResponseWriter, status int, text string) { write(w, status, problem{text}) }

func write(w http.ResponseWriter, status int, v any) {
	body, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
