package backend

import (
	"net/http"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// foundSessions is the answer to GET /sessions/search.
type foundSessions struct {
	sessionList
	// Totals are the sums over all the sessions found, whatever the page.
	Totals store.Totals `json:"totals"`
	Query  string       `json:"query"`
}

// searchSessions is GET /sessions/search: the list, with sums over everything
// found.
func (s *Server) searchSessions(w http.ResponseWriter, r *http.Request) {
	list, q, err := s.listSessions(r, defaultSessions)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	totals, err := s.store.SessionTotals(r.Context(), q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, foundSessions{list, totals, q.Text})
}

// foundEvents is the answer to GET /events and GET /events/search.
type foundEvents struct {
	Events []store.Event `json:"events"`
	Total  int           `json:"total"`
	Limit  int           `json:"limit"`
	Offset int           `json:"offset"`
	// Complete is false when events that arrived long ago were not looked at.
	Complete bool `json:"complete"`
}

// getEvents is GET /events and GET /events/search: events over all sessions,
// the last to arrive first. Parameters: session_id, agent, type (or
// event_type), model, tool, failed, from, to, q, limit, offset.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	q, err := eventQuery(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	found, err := s.store.SearchEvents(r.Context(), q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, foundEvents{found.Events, found.Total, q.Limit, q.Offset, found.Complete})
}

func eventQuery(r *http.Request) (q store.EventQuery, err error) {
	v := r.URL.Query()
	if q.Limit, q.Offset, err = page(r, 100, maxSessions); err != nil {
		return q, err
	}
	q.SessionID, q.Agent, q.Type, q.Model, q.Tool, q.Text = v.Get("session_id"), v.Get("agent"), v.Get("type"), v.Get("model"), v.Get("tool"), v.Get("q")
	if q.Type == "" {
		q.Type = v.Get("event_type")
	}
	switch v.Get("failed") {
	case "", "false", "0":
	case "true", "1":
		q.Failed = true
	default:
		return q, &analysis.FieldError{Field: "failed", Value: short(v.Get("failed")), Want: "true or false"}
	}
	q.From, q.To, err = period(r)
	return q, err
}
