package backend

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

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
	failed, err := optionalBool(r, "failed")
	if err != nil {
		return q, err
	}
	q.Failed = failed.V
	q.From, q.To, err = period(r)
	return q, err
}

// sessionEvents is the answer to GET /sessions/{id}/events/search.
type sessionEvents struct {
	SessionID string `json:"session_id"`
	// Total counts the session's events, Matched those found, Returned those of
	// this page.
	Total    int64 `json:"total_events"`
	Matched  int64 `json:"matched"`
	Returned int   `json:"returned"`
	Limit    int   `json:"limit"`
	Offset   int   `json:"offset"`
	// Summary sums up all that matched.
	Summary store.EventSums `json:"summary"`
	Events  []store.Event   `json:"events"`
}

// searchSession is GET /sessions/{id}/events/search. Parameters: q (words that
// must all occur), type and model (comma-separated), min_tokens, max_tokens,
// min_duration_ms, has_tools, has_reasoning, errors, after, before, limit and
// offset.
func (s *Server) searchSession(w http.ResponseWriter, r *http.Request) {
	q, err := sessionEventQuery(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	id := r.PathValue("id")
	found, err := s.store.SearchSession(r.Context(), id, q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, sessionEvents{
		SessionID: id, Total: found.Total, Matched: found.Matched, Returned: len(found.Events), Limit: q.Limit, Offset: q.Offset,
		Summary: found.Sums, Events: found.Events,
	})
}

// maxWords bounds the words, types and models of a search.
const maxWords = 20

func sessionEventQuery(r *http.Request) (q store.SessionEventQuery, err error) {
	v := r.URL.Query()
	if q.Limit, q.Offset, err = page(r, 100, 500); err != nil {
		return q, err
	}
	q.Types, q.Models, q.Words = list(v.Get("type")), list(v.Get("model")), strings.Fields(v.Get("q"))
	for name, words := range map[string][]string{"type": q.Types, "model": q.Models, "q": q.Words} {
		if len(words) > maxWords {
			return q, &analysis.FieldError{Field: name, Value: fmt.Sprintf("%d words", len(words)), Want: fmt.Sprintf("%d at most", maxWords)}
		}
	}
	for name, to := range map[string]*bool{"has_tools": &q.HasTool, "has_reasoning": &q.HasReasoning, "errors": &q.Failed} {
		flag, err := optionalBool(r, name)
		if err != nil {
			return q, err
		}
		*to = flag.V
	}
	for name, to := range map[string]*analysis.Opt[int64]{"min_tokens": &q.MinTokens, "max_tokens": &q.MaxTokens} {
		if v.Get(name) != "" {
			n, err := number(r, name, 0, 0)
			if err != nil {
				return q, err
			}
			*to = analysis.Some(int64(n))
		}
	}
	if text := v.Get("min_duration_ms"); text != "" {
		ms, err := strconv.ParseFloat(text, 64)
		if err != nil || !(ms >= 0) {
			return q, &analysis.FieldError{Field: "min_duration_ms", Value: short(text), Want: "a number, 0 or more"}
		}
		q.MinDurationMS = analysis.Some(ms)
	}
	if q.After, err = moment(r, "after"); err != nil {
		return q, err
	}
	q.Before, err = moment(r, "before")
	return q, err
}

// list splits a comma-separated parameter, and drops what is empty.
func list(text string) (out []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// optionalBool reads a parameter that is true or false, absent when it is not
// there.
func optionalBool(r *http.Request, name string) (analysis.Opt[bool], error) {
	switch text := r.URL.Query().Get(name); text {
	case "":
		return analysis.Opt[bool]{}, nil
	case "true", "1":
		return analysis.Some(true), nil
	case "false", "0":
		return analysis.Some(false), nil
	default:
		return analysis.Opt[bool]{}, &analysis.FieldError{Field: name, Value: short(text), Want: "true or false"}
	}
}
