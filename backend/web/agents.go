package web

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/backend/chart"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// AgentList is what the page of agents shows.
type AgentList struct {
	Agents []AgentRow
	Days   int
}

// AgentRow is an agent with its sessions by day.
type AgentRow struct {
	store.Agent
	Daily []float64
	// Drift is nil when too few sessions have ended.
	Drift *insight.DriftVerdict
}

// Spark draws an agent's sessions by day.
func (a AgentRow) Spark() template.HTML { return chart.Spark(a.Daily, a.Name+": sessions by day") }

// ErrorRate is the share of sessions that ended with an error.
func (a AgentRow) ErrorRate() analysis.Opt[float64] {
	if a.Sessions == 0 {
		return analysis.Opt[float64]{}
	}
	return analysis.Some(float64(a.Agent.Failed) / float64(a.Sessions))
}

// Agents writes the page of agents.
func (p *Pages) Agents(w io.Writer, v AgentList) error {
	return p.write(w, "agents", "agents", true, v)
}

// Agent is what the page of one agent shows.
type Agent struct {
	Name       string
	Days       int
	Sums       store.SessionSums
	Costs      *insight.Costs
	Drift      *insight.Drift
	Compliance *insight.Compliance
	Tools      []analysis.Count
	Types      []analysis.Count
	Versions   []analysis.Count
	P95        analysis.Opt[float64]
}

// Agent writes the page of one agent.
func (p *Pages) Agent(w io.Writer, v Agent) error { return p.write(w, "agent", "agents", false, v) }

// MeanTokens is the mean over the sessions.
func (a Agent) MeanTokens() analysis.Opt[int64] {
	if a.Sums.Sessions == 0 {
		return analysis.Opt[int64]{}
	}
	return analysis.Some((a.Sums.TokensIn + a.Sums.TokensOut) / int64(a.Sums.Sessions))
}

// ErrorRate is the share of sessions that ended with an error.
func (a Agent) ErrorRate() analysis.Opt[float64] {
	if a.Sums.Sessions == 0 {
		return analysis.Opt[float64]{}
	}
	return analysis.Some(float64(a.Sums.Statuses[analysis.StatusError]) / float64(a.Sums.Sessions))
}

// ComplianceChart draws failed and passed sessions by day.
func (a Agent) ComplianceChart() template.HTML {
	b := chart.Bars{
		Name: "Compliance by day", Description: fmt.Sprintf("%d sessions broke a policy", a.Compliance.Failed), Height: 150,
		Series: []string{"compliant", "broke a policy"}, Classes: []string{"good", "bad"}, Label: func(v float64) string { return number(int64(v)) }, Whole: true,
	}
	for _, d := range a.Compliance.Days {
		b.Bars = append(b.Bars, chart.Bar{Name: dayName(d.Day), Short: dayShort(d.Day), Parts: []float64{float64(d.Passed), float64(d.Failed)}})
	}
	return b.SVG()
}

// RuleSpark draws how often a rule failed by day.
func RuleSpark(r insight.RuleFailures) template.HTML {
	values := make([]float64, len(r.ByDay))
	for i, n := range r.ByDay {
		values[i] = float64(n)
	}
	return chart.Spark(values, r.Rule+": failures by day")
}

// share is a name's part of a whole.
type share struct {
	Name  string
	N     int64
	Share float64
	Bar   template.HTML
}

// shares returns the parts of counts, those beyond a number together.
func shares(counts []analysis.Count, class string) []share {
	const most = 8
	var total int64
	for _, c := range counts {
		total += c.N
	}
	var out []share
	add := func(name string, n int64) {
		part := float64(n) / float64(max(1, total))
		out = append(out, share{name, n, part, chart.Meter(part, class)})
	}
	var rest int64
	for i, c := range counts {
		if i >= most {
			rest += c.N
			continue
		}
		add(c.Name, c.N)
	}
	if rest > 0 {
		add(fmt.Sprintf("%d others", len(counts)-most), rest)
	}
	return out
}

// modelShares returns the parts of models in the events.
func modelShares(models []insight.ModelCost) []share {
	var counts []analysis.Count
	for _, m := range models {
		if m.Model != "" {
			counts = append(counts, analysis.Count{Name: m.Model, N: m.Events})
		}
	}
	slices.SortStableFunc(counts, func(a, b analysis.Count) int { return cmp.Compare(b.N, a.N) })
	return shares(counts, "s0")
}

// driftLabels write the metrics of the drift engine.
var driftLabels = map[string]func(float64) string{
	"total_tokens": plainNumber, "tokens_per_event": plainNumber, "event_count": plainNumber, "cost_usd": money,
	"avg_latency_ms": plainMillis, "p95_latency_ms": plainMillis,
	"error_rate": plainRate, "tool_call_rate": plainRate, "tool_failure_rate": plainRate,
}

// metricNames are the metrics' names for people.
var metricNames = map[string]string{
	"total_tokens": "Tokens", "tokens_per_event": "Tokens an event", "event_count": "Events", "cost_usd": "Cost",
	"avg_latency_ms": "Mean latency", "p95_latency_ms": "p95 latency",
	"error_rate": "Error rate", "tool_call_rate": "Tool calls an event", "tool_failure_rate": "Tool failures",
}

func plainNumber(v float64) string { return number(int64(math.Round(v))) }
func plainMillis(v float64) string { return millis(analysis.Some(v)) }
func plainRate(v float64) string   { return percent(analysis.Some(v)) }

// DriftRow is one metric of a drift report, drawn.
type DriftRow struct {
	drift.Metric
	// Label names it for people.
	Label string
	Draw  template.HTML
	// Before and Now are the means, written.
	Before, Now string
	Changed     bool
}

// DriftRows returns the metrics of a report, those that changed first.
func DriftRows(d *insight.Drift) []DriftRow {
	if d == nil || d.Report == nil {
		return nil
	}
	before, now := figuresOf(d.Baseline), figuresOf(d.Current)
	var rows []DriftRow
	for _, m := range d.Metrics {
		row := DriftRow{Metric: m, Label: cmp.Or(metricNames[m.Name], strings.ReplaceAll(m.Name, "_", " ")), Changed: m.Test.OK && m.Test.V.Changed}
		label := driftLabels[m.Name]
		if label == nil {
			label = func(v float64) string { return fmt.Sprintf("%.4g", v) }
		}
		row.Draw = chart.Distributions(before[m.Name], now[m.Name], row.Label, label)
		row.Before, row.Now = label(m.BaselineMean), label(m.CurrentMean)
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b DriftRow) int {
		switch {
		case a.Changed == b.Changed:
			return 0
		case a.Changed:
			return -1
		}
		return 1
	})
	return rows
}

// figuresOf returns the metrics of sessions by name.
func figuresOf(sessions []*analysis.Summary) map[string][]float64 {
	out := map[string][]float64{}
	for _, s := range sessions {
		figures, err := drift.Figures(s)
		if err != nil {
			continue // the report has refused it too
		}
		for name, v := range figures {
			out[name] = append(out[name], v)
		}
	}
	return out
}

// MixRow is the part of something in a mix, before and now.
type MixRow struct {
	drift.Share
	Before, Now template.HTML
}

// MixRows draws the shares of a mix.
func MixRows(m drift.Mix) []MixRow {
	var before, now float64 // the rates are by event, of which some have none
	for _, s := range m.Shares {
		before, now = before+s.BaselineRate, now+s.CurrentRate
	}
	var rows []MixRow
	for _, s := range m.Shares {
		if before > 0 {
			s.BaselineRate /= before
		}
		if now > 0 {
			s.CurrentRate /= now
		}
		rows = append(rows, MixRow{s, chart.Meter(s.BaselineRate, "before"), chart.Meter(s.CurrentRate, "now")})
	}
	return rows
}

func agentURL(name string) string { return "/ui/agents/" + url.PathEscape(name) }
