package backend

import (
	"net/http"

	"github.com/agentlens/agentlens-otel/analysis"
)

// explanation is the answer to GET /sessions/{id}/explain.
type explanation struct {
	SessionID string `json:"session_id"`
	// Explanation is Markdown.
	Explanation string `json:"explanation"`
}

func (s *Server) getExplain(w http.ResponseWriter, r *http.Request) {
	sess, err := s.store.Outline(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, explanation{sess.ID, analysis.Explain(sess)})
}
