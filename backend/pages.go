package backend

import (
	"bytes"
	"io"
	"net/http"
	"net/url"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/web"
)

// pageEvents is how many events the page of a session shows at once.
const pageEvents = 200

// maxExplained is the number of events up to which the page of a session shows
// its explanation; a longer one is left to the API.
const maxExplained = 2_000

func (s *Server) pageSessions(w http.ResponseWriter, r *http.Request) {
	list, err := s.listSessions(r, defaultSessions)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	status := r.URL.Query().Get("status")
	query := url.Values{}
	if status != "" {
		query.Set("status", status)
	}
	s.render(w, http.StatusOK, func(out io.Writer) error {
		return s.pages.Sessions(out, web.SessionList{
			Sessions: list.Sessions, Status: status,
			Paging: web.Paging{Limit: list.Limit, Offset: list.Offset, Total: int64(list.Total), Query: query},
		})
	})
}

func (s *Server) pageSession(w http.ResponseWriter, r *http.Request) {
	d, err := s.detail(r, pageEvents)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	view := web.Session{Detail: *d.Detail, Paging: web.Paging{Limit: d.Limit, Offset: d.Offset, Total: d.EventCount}}
	view.Explanation = "This session is long. Its explanation: GET /sessions/" + d.ID + "/explain"
	if d.EventCount <= maxExplained {
		outline, err := s.store.Outline(r.Context(), d.ID)
		if err != nil {
			s.problem(w, r, err)
			return
		}
		view.Explanation = analysis.Explain(outline)
	}
	s.render(w, http.StatusOK, func(out io.Writer) error { return s.pages.Session(out, view) })
}

// problem shows a page for a request that failed.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, err error) {
	status, text := s.explainError(r, err)
	s.render(w, status, func(out io.Writer) error {
		return s.pages.Problem(out, web.Problem{Title: http.StatusText(status), Text: text})
	})
}

// render writes a whole page or, when that fails, none of it.
func (s *Server) render(w http.ResponseWriter, status int, page func(io.Writer) error) {
	var out bytes.Buffer
	if err := page(&out); err != nil {
		s.log.Error("Cannot render a page", zap.Error(err))
		refuse(w, http.StatusInternalServerError, "the page cannot be rendered")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // a failed write means the client has gone
}
