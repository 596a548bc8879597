package web

import (
	"io"

	"github.com/agentlens/agentlens-otel/backend/insight"
)

// Alerts is what the page of alerts shows.
type Alerts struct {
	Rules []insight.Rule
	// Firing counts the rules that fire.
	Firing int
	Paging Paging
}

// Partial reports whether there are other pages.
func (a Alerts) Partial() bool { return a.Paging.Total > int64(a.Paging.Limit) }

// Alerts writes the page of alerts.
func (p *Pages) Alerts(w io.Writer, v Alerts) error { return p.write(w, "alerts", "alerts", true, v) }
