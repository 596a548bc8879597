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

// Alerts writes the page of alerts.
func (p *Pages) Alerts(w io.Writer, v Alerts) error { return p.write(w, "alerts", "alerts", true, v) }
