package origin

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
)

// Fault is how one request fails.
type Fault struct {
	// Status answers with it, before the request is read; 0 = as usual.
	Status int
	// Error is the text of the answer.
	Error string
	// RetryAfter and Reset are headers of the answer, in seconds.
	RetryAfter, Reset string
	// Take takes the request as usual and fails afterwards, so that whether it
	// was taken cannot be known.
	Take bool
	// Hang keeps the connection open without an answer until the client goes.
	Hang bool
	// Cut ends the connection: in the middle of the answer with Take, else with
	// a reset.
	Cut bool
	// Body answers 200 with it instead of the answer.
	Body string
}

// FailEvents scripts the next requests to /events, one fault each.
func (s *Server) FailEvents(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// FailFindings scripts the next requests with tags and annotations.
func (s *Server) FailFindings(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.findings = append(s.findings, faults...)
}

func (s *Server) next(events bool) (f Fault, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	script := &s.findings
	if events {
		script = &s.faults
	}
	if len(*script) == 0 {
		return f, false
	}
	f = (*script)[0]
	*script = (*script)[1:]
	return f, true
}

// before answers a request that fails before it is taken.
func (f *Fault) before(w http.ResponseWriter, r *http.Request) bool {
	if f.Take {
		return false
	}
	return f.answer(w, r, nil)
}

// after answers one that fails after that.
func (f *Fault) after(w http.ResponseWriter, r *http.Request, _ int, answer any) bool {
	if !f.Take {
		return false
	}
	body, _ := json.Marshal(answer)
	return f.answer(w, r, body)
}

func (f *Fault) answer(w http.ResponseWriter, r *http.Request, body []byte) bool {
	switch {
	case f.Hang:
		// Only with the body read does net/http see the client go.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	case f.Cut && f.Take:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		reset(w)
	case f.Cut:
		reset(w)
	case f.Body != "":
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte(f.Body))
	case f.Status != 0:
		for name, value := range map[string]string{"Retry-After": f.RetryAfter, "RateLimit-Reset": f.Reset} {
			if value != "" {
				w.Header().Set(name, value)
			}
		}
		fail(w, f.Status, f.Error)
	default:
		return false
	}
	return true
}

// reset ends the connection with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}
