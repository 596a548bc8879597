package web

import (
	"fmt"
	"io"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Compare is what the page of comparisons shows: two sessions, or two windows
// of an agent, or only the forms.
type Compare struct {
	A, B     string
	Sessions *insight.Comparison

	Agent             string
	Baseline, Current string // versions
	// The bounds of two periods, as the form has them.
	BaselineFrom, BaselineTo, CurrentFrom, CurrentTo string
	Drift                                            *insight.Drift

	Agents   []string
	Versions []analysis.Count
	Recent   []store.Session
	// Error says what cannot be compared.
	Error string
}

// Periods reports whether periods are compared.
func (c Compare) Periods() bool {
	return c.BaselineFrom != "" || c.BaselineTo != "" || c.CurrentFrom != "" || c.CurrentTo != ""
}

// Side names a side of the comparison of two windows.
func (c Compare) Side(version, from, to string, sessions int) string {
	name := fmt.Sprintf("%s sessions", number(int64(sessions)))
	if version != "" {
		name = "version " + version + ", " + name
	}
	switch {
	case from != "" && to != "":
		name = from + " to " + to + ", " + name
	case from != "":
		name = "from " + from + ", " + name
	case to != "":
		name = "before " + to + ", " + name
	}
	return name
}

// Compare writes the page of comparisons.
func (p *Pages) Compare(w io.Writer, v Compare) error {
	return p.write(w, "compare", "compare", false, v)
}

// DeltaRow is a figure of two sessions.
type DeltaRow struct {
	Label, A, B, Change string
	// Tone is better, worse or even.
	Tone string
}

// DeltaRows returns the figures of the two sessions with how they differ.
func (c Compare) DeltaRows() []DeltaRow {
	s := c.Sessions
	row := func(label, key string, a, b float64, write func(float64) string) DeltaRow {
		d := s.Deltas[key]
		r := DeltaRow{Label: label, A: write(a), B: write(b), Tone: "even", Change: "same"}
		if d.Absolute != 0 {
			r.Change = fmt.Sprintf("%+.1f %%", d.Percent)
			if d.Percent > 999 {
				r.Change = fmt.Sprintf("×%.1f", d.Percent/100+1)
			}
			r.Change = strings.Replace(r.Change, "-", "−", 1)
			r.Tone = "less"
			if d.Absolute > 0 {
				r.Tone = "more"
			}
		}
		return r
	}
	rows := []DeltaRow{
		row("Tokens", "total_tokens", float64(s.A.TotalTokens), float64(s.B.TotalTokens), plainNumber),
		row("Tokens in", "tokens_in", float64(s.A.TokensIn), float64(s.B.TokensIn), plainNumber),
		row("Tokens out", "tokens_out", float64(s.A.TokensOut), float64(s.B.TokensOut), plainNumber),
		row("Events", "event_count", float64(s.A.EventCount), float64(s.B.EventCount), plainNumber),
		row("Errors", "error_count", float64(s.A.ErrorCount), float64(s.B.ErrorCount), plainNumber),
		row("Time in events", "total_processing_ms", s.A.ProcessingMS, s.B.ProcessingMS, plainMillis),
		row("Mean event", "avg_event_duration_ms", s.A.AverageMS, s.B.AverageMS, plainMillis),
	}
	if s.A.DurationMS.OK && s.B.DurationMS.OK {
		rows = append([]DeltaRow{row("Took", "session_duration_ms", s.A.DurationMS.V, s.B.DurationMS.V, plainMillis)}, rows...)
	}
	if s.A.CostUSD.OK && s.B.CostUSD.OK {
		rows = append([]DeltaRow{row("Cost", "total_cost_usd", s.A.CostUSD.V, s.B.CostUSD.V, money)}, rows...)
	}
	return rows
}

// UseRow is how often something was used by two sessions.
type UseRow struct {
	Kind, Name string
	A, B       int64
}

// UseRows returns models, tools and event types of the two sessions.
func (c Compare) UseRows() []UseRow {
	var rows []UseRow
	s := c.Sessions
	for _, name := range s.Shared.Models {
		rows = append(rows, UseRow{"model", name, s.A.Models[name].Calls, s.B.Models[name].Calls})
	}
	for _, name := range s.Shared.Tools {
		rows = append(rows, UseRow{"tool", name, s.A.Tools[name].Calls, s.B.Tools[name].Calls})
	}
	for _, name := range s.Shared.EventTypes {
		rows = append(rows, UseRow{"event type", name, s.A.EventTypes[name], s.B.EventTypes[name]})
	}
	return rows
}
