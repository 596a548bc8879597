package backend

import (
	"net/http"
	"time"

	"go.uber.org/zap"
)

// health is the answer to GET /health.
type health struct {
	Status        string `json:"status"`
	Version       string `json:"version"`
	UptimeSeconds int64  `json:"uptime_seconds"`
}

// getHealth says whether the database can be read.
func (s *Server) getHealth(w http.ResponseWriter, r *http.Request) {
	if err := s.store.Ping(r.Context()); err != nil {
		s.log.Error("The database cannot be read", zap.Error(err))
		refuse(w, http.StatusServiceUnavailable, "the database cannot be read")
		return
	}
	s.answer(w, http.StatusOK, health{Status: "ok", Version: s.cfg.Version, UptimeSeconds: int64(time.Since(s.started).Seconds())})
}
