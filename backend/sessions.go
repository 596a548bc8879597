package backend

import (
	"net/http"

	"github.com/agentlens/agentlens-otel/backend/store"
)

// How many sessions or events an answer holds: when the request does not say,
// and at most.
const (
	defaultSessions, maxSessions = 50, 1_000
	defaultEvents, maxEvents     = 1_000, 10_000
)

// sessionList is the answer to GET /sessions.
type sessionList struct {
	Sessions []store.Session `json:"sessions"`
	// Total counts the sessions on all pages.
	Total  int `json:"total"`
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
}

func (s *Server) getSessions(w http.ResponseWriter, r *http.Request) {
	list, _, err := s.listSessions(r, defaultSessions)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, list)
}

// listSessions returns the sessions that the request's parameters select.
func (s *Server) listSessions(r *http.Request, limit int) (list sessionList, q store.SessionQuery, err error) {
	if q, err = sessionQuery(r, limit); err != nil {
		return list, q, err
	}
	list.Limit, list.Offset = q.Limit, q.Offset
	list.Sessions, list.Total, err = s.store.Sessions(r.Context(), q)
	return list, q, err
}

// sessionDetail is the answer to GET /sessions/{id}: limit and offset page
// through events, of which the session has event_count.
type sessionDetail struct {
	*store.Detail
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
}

func (s *Server) getSession(w http.ResponseWriter, r *http.Request) {
	d, err := s.detail(r, defaultEvents)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, d)
}

func (s *Server) detail(r *http.Request, limit int) (d sessionDetail, err error) {
	if d.Limit, d.Offset, err = page(r, limit, maxEvents); err != nil {
		return d, err
	}
	d.Detail, err = s.store.Detail(r.Context(), r.PathValue("id"), d.Limit, d.Offset)
	return d, err
}

// eventList is the answer to GET /sessions/{id}/events.
type eventList struct {
	SessionID string        `json:"session_id"`
	Events    []store.Event `json:"events"`
	// Total counts the events on all pages.
	Total  int64 `json:"total"`
	Limit  int   `json:"limit"`
	Offset int   `json:"offset"`
}

func (s *Server) getSessionEvents(w http.ResponseWriter, r *http.Request) {
	d, err := s.detail(r, defaultEvents)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, eventList{SessionID: d.ID, Events: d.Events, Total: d.EventCount, Limit: d.Limit, Offset: d.Offset})
}
