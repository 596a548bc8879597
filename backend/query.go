package backend

import (
	"net/http"
	"strconv"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// sessionQuery reads the parameters that select sessions: status, agent (or
// agent_name), tag (more than once for several), model, tool, from, to, q,
// min_tokens, max_tokens, sort and order, limit and offset.
func sessionQuery(r *http.Request, limit int) (q store.SessionQuery, err error) {
	v := r.URL.Query()
	if q.Limit, q.Offset, err = page(r, limit, maxSessions); err != nil {
		return q, err
	}
	q.Status = analysis.Status(v.Get("status"))
	switch q.Status {
	case "", analysis.StatusActive, analysis.StatusCompleted, analysis.StatusError, analysis.StatusTimeout:
	default:
		return q, &analysis.FieldError{Field: "status", Value: strconv.Quote(string(q.Status)), Want: "active, completed, error or timeout"}
	}
	q.Agent = v.Get("agent")
	if q.Agent == "" {
		q.Agent = v.Get("agent_name")
	}
	for _, tag := range v["tag"] {
		if tag != "" {
			q.Tags = append(q.Tags, tag)
		}
	}
	q.Model, q.Tool, q.Text, q.Sort = v.Get("model"), v.Get("tool"), v.Get("q"), v.Get("sort")
	if !store.SortsSessions(q.Sort) {
		return q, &analysis.FieldError{Field: "sort", Value: short(q.Sort), Want: "started_at, duration, tokens, cost, events or errors"}
	}
	switch v.Get("order") {
	case "", "desc":
	case "asc":
		q.Ascending = true
	default:
		return q, &analysis.FieldError{Field: "order", Value: short(v.Get("order")), Want: "asc or desc"}
	}
	if q.From, q.To, err = period(r); err != nil {
		return q, err
	}
	for name, to := range map[string]*analysis.Opt[int64]{"min_tokens": &q.MinTokens, "max_tokens": &q.MaxTokens} {
		if v.Get(name) == "" {
			continue
		}
		n, err := number(r, name, 0, 0)
		if err != nil {
			return q, err
		}
		*to = analysis.Some(int64(n))
	}
	return q, nil
}

// period reads from and to.
func period(r *http.Request) (from, to time.Time, err error) {
	if from, err = moment(r, "from"); err != nil {
		return from, to, err
	}
	to, err = moment(r, "to")
	return from, to, err
}

// moment reads a time: RFC 3339, a local-looking one, or a day, all in UTC
// where they do not say. It returns the zero time when there is none.
func moment(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &analysis.FieldError{Field: name, Value: short(text), Want: "a day as 2026-02-14, or a time as 2026-02-14T10:30:00Z"}
}

// days reads how many days back figures go.
func days(r *http.Request) (int, error) {
	n, err := number(r, "days", insight.DefaultDays, 1)
	if err == nil && n > insight.MaxDays {
		err = &analysis.FieldError{Field: "days", Value: n, Want: "1 to " + strconv.Itoa(insight.MaxDays)}
	}
	return n, err
}
