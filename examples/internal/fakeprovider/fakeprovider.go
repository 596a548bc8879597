package fakeprovider

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// Server is a running provider.
type Server struct {
	// URL is its base, such as http://127.0.0.1:41723.
	URL string

	http    http.Server
	answers atomic.Int64
}

// Start starts a provider on a free port of loopback.
func Start() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the fake provider: %w", err)
	}
	s := &Server{URL: "http://" + listener.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.openAI)
	mux.HandleFunc("POST /v1/messages", s.anthropic)
	s.http.Handler = mux
	go func() { _ = s.http.Serve(listener) }() // It returns when Close is called.
	return s, nil
}

// Close stops the provider.
func (s *Server) Close() error { return s.http.Close() }

// id returns the id of the next answer: the collector counts a call once by it.
func (s *Server) id(prefix string) string { return fmt.Sprintf("%s%d", prefix, s.answers.Add(1)) }

const finalAnswer = "It is 21 degrees and sunny in Zürich."

// arguments is what the model calls its tool with.
const arguments = `{"city": "Zürich"}`

func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		http.Error(w, fmt.Sprintf(`{"error":{"type":"invalid_request_error","message":%q}}`, err), http.StatusBadRequest)
		return false
	}
	return true
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// stream writes events one by one.
type stream struct {
	w http.ResponseWriter
}

func newStream(w http.ResponseWriter) stream {
	w.Header().Set("Content-Type", "text/event-stream")
	return stream{w}
}

func (s stream) send(event string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		return
	}
	if event != "" {
		fmt.Fprintf(s.w, "event: %s\n", event)
	}
	fmt.Fprintf(s.w, "data: %s\n\n", data)
	s.w.(http.Flusher).Flush()
}

// pieces cuts a text as models send it, word by word.
func pieces(text string) []string { return strings.SplitAfter(text, " ") }

type object = map[string]any
