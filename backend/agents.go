package backend

import (
	"net/http"
	"strconv"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// agentList is the answer to GET /api/agents.
type agentList struct {
	Agents []store.Agent `json:"agents"`
	Days   int           `json:"period_days"`
}

func (s *Server) getAgents(w http.ResponseWriter, r *http.Request) {
	n, err := days(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	agents, err := s.store.Agents(r.Context(), s.figures.Period(n, ""))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, agentList{agents, n})
}

// getOverview is GET /api/overview: the figures of the first page.
func (s *Server) getOverview(w http.ResponseWriter, r *http.Request) {
	n, err := days(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	o, err := s.figures.Overview(r.Context(), n)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, o)
}

// getForecast is GET /api/agents/{name}/forecast, and GET /api/forecast for all
// agents together. Parameters: days (of history shown), horizon, method.
func (s *Server) getForecast(w http.ResponseWriter, r *http.Request) {
	n, err := days(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	horizon, err := number(r, "horizon", insight.Horizon, 1)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.figures.Costs(r.Context(), r.PathValue("name"), n, horizon, forecast.Method(r.URL.Query().Get("method")))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, c)
}

// getDrift is GET /api/agents/{name}/drift. It compares the latest sessions
// with those before them or, with parameters, what baseline_ and current_ from,
// to, version and sessions select.
func (s *Server) getDrift(w http.ResponseWriter, r *http.Request) {
	d, err := s.drift(r, r.PathValue("name"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if d.Report == nil {
		text := "there are not enough ended sessions to compare: " + strconv.Itoa(len(d.Baseline)) + " in the baseline, " + strconv.Itoa(len(d.Current)) + " in the current window"
		if d.Wants > 0 {
			refuse(w, http.StatusConflict, text+", want "+strconv.Itoa(d.Wants)+" or more in all")
		} else {
			refuse(w, http.StatusConflict, text+", want 1 or more in each")
		}
		return
	}
	s.answer(w, http.StatusOK, d)
}

func (s *Server) drift(r *http.Request, agent string) (*insight.Drift, error) {
	baseline, err := window(r, "baseline_")
	if err != nil {
		return nil, err
	}
	current, err := window(r, "current_")
	if err != nil {
		return nil, err
	}
	if baseline == (insight.Window{}) && current == (insight.Window{}) {
		return s.figures.Drift(r.Context(), agent)
	}
	return s.figures.CompareWindows(r.Context(), agent, baseline, current)
}

// maxWindow bounds the sessions of one side of a comparison.
const maxWindow = 500

func window(r *http.Request, prefix string) (w insight.Window, err error) {
	if w.From, err = moment(r, prefix+"from"); err != nil {
		return w, err
	}
	if w.To, err = moment(r, prefix+"to"); err != nil {
		return w, err
	}
	w.Version = r.URL.Query().Get(prefix + "version")
	w.Sessions, err = number(r, prefix+"sessions", 0, 1)
	w.Sessions = min(w.Sessions, maxWindow)
	return w, err
}

// getCompliance is GET /api/agents/{name}/compliance. With policy=strict or
// permissive it adds what that policy would say of the latest sessions.
func (s *Server) getCompliance(w http.ResponseWriter, r *http.Request) {
	n, err := days(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.figures.Compliance(r.Context(), r.PathValue("name"), n)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if c.Check, err = s.check(r, r.PathValue("name")); err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, c)
}

func (s *Server) check(r *http.Request, agent string) (*insight.Check, error) {
	var policy *compliance.Policy
	switch name := r.URL.Query().Get("policy"); name {
	case "":
		return nil, nil
	case "strict":
		policy = compliance.Strict()
	case "permissive":
		policy = compliance.Permissive()
	default:
		return nil, &analysis.FieldError{Field: "policy", Value: short(name), Want: "strict or permissive"}
	}
	return s.figures.Check(r.Context(), agent, policy, maxWindow)
}
