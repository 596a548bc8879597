package backend

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// answer writes v as JSON.
func (s *Server) answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.log.Error("Cannot write an answer as JSON", zap.Error(err))
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// A failed write means the client has gone.
	_, _ = w.Write(append(body, '\n'))
}

// refuse answers with an error of the wire's shape.
func refuse(w http.ResponseWriter, status int, text string) {
	body, _ := json.Marshal(wire.Error{Error: text}) // a string always marshals
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// fail answers with what err means to the client, and logs what is our fault.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := s.explainError(r, err)
	refuse(w, status, text)
}

// explainError returns the status and the text for the client that err calls
// for. The text of an error of ours is in the log only: it may hold paths.
func (s *Server) explainError(r *http.Request, err error) (int, string) {
	var field *analysis.FieldError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, "Session not found"
	case errors.As(err, &field):
		return http.StatusBadRequest, field.Error()
	case errors.Is(err, store.ErrTooManyTags):
		return http.StatusBadRequest, store.ErrTooManyTags.Error()
	case errors.Is(err, store.ErrFull):
		s.log.Error("The disk is full: events are refused until there is room", zap.Error(err))
		return http.StatusInsufficientStorage, "disk full"
	case errors.Is(err, context.Canceled):
		// The client has gone; nobody reads this.
		return http.StatusServiceUnavailable, "request cancelled"
	}
	s.log.Error("Request failed", zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Error(err))
	return http.StatusInternalServerError, "internal error"
}

// jsonErrors gives the mux's own answers, 404 and 405, the wire's shape.
func jsonErrors(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		own := headerOnly{header: http.Header{}}
		h.ServeHTTP(&own, r)
		if own.status == http.StatusMethodNotAllowed {
			allow := own.header.Get("Allow")
			w.Header().Set("Allow", allow)
			refuse(w, own.status, r.Method+" is not allowed here, want "+allow)
			return
		}
		refuse(w, http.StatusNotFound, "no such resource: "+r.URL.Path)
	})
}

// headerOnly is a http.ResponseWriter that keeps status and header, and drops
// the body.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header         { return h.header }
func (h *headerOnly) WriteHeader(status int)      { h.status = status }
func (h *headerOnly) Write(p []byte) (int, error) { return len(p), nil }

// page reads the parameters limit and offset: limit is def when absent, and at
// most most.
func page(r *http.Request, def, most int) (limit, offset int, err error) {
	if limit, err = number(r, "limit", def, 1); err != nil {
		return 0, 0, err
	}
	if offset, err = number(r, "offset", 0, 0); err != nil {
		return 0, 0, err
	}
	return min(limit, most), offset, nil
}

func number(r *http.Request, name string, def, least int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < int64(least) {
		return 0, &analysis.FieldError{Field: name, Value: strconv.Quote(text), Want: "a whole number, " + strconv.Itoa(least) + " or more"}
	}
	return int(n), nil
}

// WriteError answers with an error of the wire's shape. It is what a server
// around Handler needs for the requests that it refuses itself.
func WriteError(w http.ResponseWriter, _ *http.Request, text string, status int) {
	refuse(w, status, text)
}
