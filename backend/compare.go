package backend

import (
	"errors"
	"net/http"

	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// postCompare is POST /sessions/compare: two sessions side by side.
func (s *Server) postCompare(w http.ResponseWriter, r *http.Request) {
	var in struct {
		A string `json:"session_a"`
		B string `json:"session_b"`
	}
	if !s.readFinding(w, r, &in) {
		return
	}
	switch {
	case in.A == "" || in.B == "":
		refuse(w, http.StatusBadRequest, "Both session_a and session_b are required")
		return
	case !wire.ValidID(in.A) || !wire.ValidID(in.B):
		refuse(w, http.StatusBadRequest, "Invalid session ID format")
		return
	case in.A == in.B:
		refuse(w, http.StatusBadRequest, "Cannot compare a session with itself")
		return
	}
	c, err := s.figures.Compare(r.Context(), in.A, in.B)
	if errors.Is(err, store.ErrNotFound) {
		missing := in.A
		if _, err := s.store.Session(r.Context(), in.A); err == nil {
			missing = in.B
		}
		refuse(w, http.StatusNotFound, "Session "+missing+" not found")
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, c)
}
