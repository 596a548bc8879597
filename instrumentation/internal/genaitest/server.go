package genaitest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Answer is one answer that a Server plays.
type Answer struct {
	Status int // 200 when 0
	Header map[string]string
	Body   string
	// Hang keeps the connection open after the body until the client is gone.
	Hang bool
	// Abort breaks the connection after the body.
	Abort bool
}

// JSON returns an answer of one JSON value.
func JSON(body string) Answer {
	return Answer{Header: map[string]string{"Content-Type": "application/json"}, Body: body}
}

// SSE returns an answer that streams events.
func SSE(body string) Answer {
	return Answer{Header: map[string]string{"Content-Type": "text/event-stream; charset=utf-8"}, Body: body}
}

// Failed returns an answer of an error, which the client may try again at once.
func Failed(status int, body string) Answer {
	a := JSON(body)
	a.Status = status
	a.Header["Retry-After-Ms"] = "1"
	return a
}

// Server plays answers, one a request, the last one again and again.
type Server struct {
	*httptest.Server

	mu       sync.Mutex
	answers  []Answer
	requests []Request
}

// Request is what a Server was asked.
type Request struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// NewServer starts a server. It is closed with the test.
func NewServer(t testing.TB, answers ...Answer) *Server {
	s := &Server{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// Play sets what is answered from now on, and forgets the requests.
func (s *Server) Play(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers, s.requests = answers, nil
}

// Requests returns what was asked.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.Method, r.URL.Path, r.Header, body})
	a := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	s.mu.Unlock()

	for k, v := range a.Header {
		w.Header().Set(k, v)
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	fmt.Fprint(w, a.Body)
	if a.Hang || a.Abort {
		w.(http.Flusher).Flush()
	}
	if a.Hang {
		<-r.Context().Done()
	}
	if a.Abort {
		panic(http.ErrAbortHandler)
	}
}

// Cut is a transport that hands the answer over in pieces of the sizes given;
// the last size goes on. A Read never gets more than one piece.
type Cut struct {
	Base  http.RoundTripper
	Sizes []int
}

// RoundTrip makes the request.
func (c Cut) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.Base.RoundTrip(req)
	if err == nil {
		resp.Body = &cutBody{resp.Body, c.Sizes}
	}
	return resp, err
}

type cutBody struct {
	io.ReadCloser
	sizes []int
}

func (b *cutBody) Read(p []byte) (int, error) {
	n := len(p)
	if len(b.sizes) > 0 {
		n = min(n, b.sizes[0])
	}
	got := 0
	for got < n {
		m, err := b.ReadCloser.Read(p[got:n])
		if got += m; err != nil {
			return got, err
		}
	}
	if len(b.sizes) > 1 {
		b.sizes = b.sizes[1:]
	}
	return got, nil
}
