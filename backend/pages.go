package backend

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/backend/web"
)

// pageEvents is how many events the page of a session shows at once.
const pageEvents = 200

// maxExplained is the number of events up to which the page of a session shows
// its explanation; a longer one is left to the API.
const maxExplained = 2_000

func (s *Server) pageOverview(w http.ResponseWriter, r *http.Request) {
	n, err := days(r)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	o, err := s.figures.Overview(r.Context(), n)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	view := web.Overview{Overview: o}
	if view.Heat, err = s.store.Heatmap(r.Context(), s.figures.Period(n, ""), store.HeatEvents); err != nil {
		s.problem(w, r, err)
		return
	}
	view.Stored = o.Sessions.Sessions
	if view.Stored == 0 { // none in the period: is there any?
		sums, err := s.store.SessionSums(r.Context(), store.Range{})
		if err != nil {
			s.problem(w, r, err)
			return
		}
		view.Stored = sums.Sessions
	}
	s.render(w, http.StatusOK, func(out io.Writer) error { return s.pages.Overview(out, view) })
}

func (s *Server) pageSessions(w http.ResponseWriter, r *http.Request) {
	view := web.SessionList{Query: r.URL.Query()}
	status := http.StatusOK
	list, q, err := s.listSessions(r, defaultSessions)
	var field *analysis.FieldError
	switch {
	case errors.As(err, &field):
		status, view.Error = http.StatusBadRequest, field.Error()
	case err != nil:
		s.problem(w, r, err)
		return
	default:
		if view.Totals, err = s.store.SessionTotals(r.Context(), q); err != nil {
			s.problem(w, r, err)
			return
		}
	}
	query := url.Values{}
	for key, values := range view.Query {
		if key != "limit" && key != "offset" && values[0] != "" {
			query[key] = values
		}
	}
	view.Sessions = list.Sessions
	view.Paging = web.Paging{Limit: list.Limit, Offset: list.Offset, Total: int64(list.Total), Query: query}
	if err := s.filterChoices(r, &view); err != nil {
		s.problem(w, r, err)
		return
	}
	s.render(w, status, func(out io.Writer) error { return s.pages.Sessions(out, view) })
}

// filterChoices fills in what there is to filter by.
func (s *Server) filterChoices(r *http.Request, view *web.SessionList) error {
	ctx, all := r.Context(), store.Range{}
	agents, err := s.store.Agents(ctx, all)
	if err != nil {
		return err
	}
	for _, a := range agents {
		view.Agents = append(view.Agents, a.Name)
	}
	models, err := s.store.UsageByModel(ctx, all)
	if err != nil {
		return err
	}
	for _, m := range models {
		if m.Model != "" {
			view.Models = append(view.Models, m.Model)
		}
	}
	tools, err := s.store.Names(ctx, all, store.Tools)
	if err != nil {
		return err
	}
	for _, t := range tools {
		view.Tools = append(view.Tools, t.Name)
	}
	tags, err := s.store.Tags(ctx)
	for _, t := range tags {
		view.Tags = append(view.Tags, t.Name)
	}
	return err
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

func (s *Server) pageAgents(w http.ResponseWriter, r *http.Request) {
	n, err := days(r)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	period := s.figures.Period(n, "")
	agents, err := s.store.Agents(r.Context(), period)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	view := web.AgentList{Days: n}
	for i, a := range agents {
		row := web.AgentRow{Agent: a, Daily: make([]float64, n)}
		if i < 60 {
			daily, err := s.store.SessionDays(r.Context(), s.figures.Period(n, a.Name))
			if err != nil {
				s.problem(w, r, err)
				return
			}
			for _, d := range daily {
				row.Daily[min(n-1, int(d.Day.Sub(period.From)/(24*time.Hour)))] += float64(d.Sessions)
			}
		}
		if i < insight.MaxDrifts {
			v, ok, err := s.figures.Verdict(r.Context(), &agents[i])
			if err != nil {
				s.problem(w, r, err)
				return
			}
			if ok {
				row.Drift = &v
			}
		}
		view.Agents = append(view.Agents, row)
	}
	s.render(w, http.StatusOK, func(out io.Writer) error { return s.pages.Agents(out, view) })
}

func (s *Server) pageAgent(w http.ResponseWriter, r *http.Request) {
	view, err := s.agentView(r, r.PathValue("name"))
	if err != nil {
		s.problem(w, r, err)
		return
	}
	s.render(w, http.StatusOK, func(out io.Writer) error { return s.pages.Agent(out, *view) })
}

func (s *Server) agentView(r *http.Request, name string) (*web.Agent, error) {
	ctx := r.Context()
	n, err := days(r)
	if err != nil {
		return nil, err
	}
	ever, err := s.store.SessionSums(ctx, store.Range{Agent: name})
	if err != nil {
		return nil, err
	}
	if ever.Sessions == 0 {
		return nil, errNoAgent
	}
	view := &web.Agent{Name: name, Days: n}
	period := s.figures.Period(n, name)
	if view.Sums, err = s.store.SessionSums(ctx, period); err != nil {
		return nil, err
	}
	if view.Costs, err = s.figures.Costs(ctx, name, n, insight.Horizon, ""); err != nil {
		return nil, err
	}
	if view.Drift, err = s.figures.Drift(ctx, name); err != nil {
		return nil, err
	}
	if view.Compliance, err = s.figures.Compliance(ctx, name, n); err != nil {
		return nil, err
	}
	if view.Compliance.Check, err = s.check(r, name); err != nil {
		return nil, err
	}
	if view.Tools, err = s.store.Names(ctx, period, store.Tools); err != nil {
		return nil, err
	}
	if view.Types, err = s.store.Names(ctx, period, store.EventTypes); err != nil {
		return nil, err
	}
	latency, err := s.store.Latency(ctx, period, string(analysis.EventLLMCall))
	if err != nil {
		return nil, err
	}
	if latency.N > 0 {
		view.P95 = analysis.Some(latency.Quantile(0.95))
	}
	return view, nil
}

var errNoAgent = fmt.Errorf("agent %w", store.ErrNotFound)

// recentSessions is how many sessions the form to compare offers.
const recentSessions = 50

func (s *Server) pageCompare(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	view := web.Compare{
		A: v.Get("a"), B: v.Get("b"), Agent: v.Get("agent"), Baseline: v.Get("baseline_version"), Current: v.Get("current_version"),
		BaselineFrom: v.Get("baseline_from"), BaselineTo: v.Get("baseline_to"), CurrentFrom: v.Get("current_from"), CurrentTo: v.Get("current_to"),
	}
	err := s.compareChoices(r, &view)
	switch {
	case err != nil:
	case view.A != "" && view.B != "":
		view.Sessions, err = s.figures.Compare(r.Context(), view.A, view.B)
	case view.Agent != "":
		view.Drift, err = s.drift(r, view.Agent)
	}
	status := http.StatusOK
	var field *analysis.FieldError
	if errors.Is(err, store.ErrNotFound) || errors.As(err, &field) {
		status, view.Error = s.explainError(r, err)
		err = nil
	}
	if err != nil {
		s.problem(w, r, err)
		return
	}
	s.render(w, status, func(out io.Writer) error { return s.pages.Compare(out, view) })
}

// compareChoices fills in what there is to compare.
func (s *Server) compareChoices(r *http.Request, view *web.Compare) (err error) {
	ctx := r.Context()
	if view.Recent, _, err = s.store.Sessions(ctx, store.SessionQuery{Limit: recentSessions}); err != nil {
		return err
	}
	agents, err := s.store.Agents(ctx, store.Range{})
	if err != nil {
		return err
	}
	for _, a := range agents {
		view.Agents = append(view.Agents, a.Name)
	}
	if view.Agent != "" {
		view.Versions, err = s.store.Versions(ctx, view.Agent)
	}
	return err
}

// pageAlertCount is how many alerts the page of alerts gathers by rule.
const pageAlertCount = 200

func (s *Server) pageAlerts(w http.ResponseWriter, r *http.Request) {
	q, err := alertQuery(r, pageAlertCount)
	var found insight.AlertPage
	if err == nil {
		found, err = s.figures.Alerts(r.Context(), q)
	}
	if err != nil {
		s.problem(w, r, err)
		return
	}
	view := web.Alerts{
		Rules: found.Rules(), Firing: found.FiringRules(), Paging: web.Paging{Limit: q.Limit, Offset: q.Offset, Total: int64(found.Total), Query: r.URL.Query()},
	}
	s.render(w, http.StatusOK, func(out io.Writer) error { return s.pages.Alerts(out, view) })
}

// problem shows a page for a request that failed.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, err error) {
	status, text := s.explainError(r, err)
	if errors.Is(err, errNoAgent) {
		text = "No session of an agent of that name is stored."
	}
	s.render(w, status, func(out io.Writer) error {
		return s.pages.Problem(out, web.Problem{Title: cmp.Or(http.StatusText(status), "Problem"), Text: text})
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
