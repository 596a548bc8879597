package web

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend/chart"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Overview is what the first page shows.
type Overview struct {
	*insight.Overview
	// Heat is when agents work.
	Heat store.Heat
	// Stored is how many sessions there are at all.
	Stored int
}

// Overview writes the first page.
func (p *Pages) Overview(w io.Writer, v Overview) error {
	return p.write(w, "overview", "overview", true, v)
}

// Periods are those a page offers, in days.
func (Overview) Periods() []int { return []int{7, 30, 90} }

// HeatChart draws when agents work.
func (o Overview) HeatChart() template.HTML {
	return chart.Heat(o.Heat, "Activity", func(n int64) string { return number(n) + " events" })
}

// SessionChart draws sessions by day and status.
func (o Overview) SessionChart() template.HTML {
	statuses := []analysis.Status{analysis.StatusCompleted, analysis.StatusActive, analysis.StatusTimeout, analysis.StatusError}
	b := chart.Bars{
		Name: "Sessions by day", Description: fmt.Sprintf("%d sessions in %d days, %d with an error", o.Sessions.Sessions, o.Days, o.Errored),
		Height: 180, Classes: []string{"good", "busy", "warn", "bad"}, Label: func(v float64) string { return number(int64(v)) }, Whole: true,
	}
	for _, s := range statuses {
		b.Series = append(b.Series, string(s))
	}
	for _, day := range o.Costs.Days {
		parts := make([]float64, len(statuses))
		for _, d := range o.Daily {
			for i, s := range statuses {
				if d.Day.Equal(day.Day) && d.Status == s {
					parts[i] += float64(d.Sessions)
				}
			}
		}
		b.Bars = append(b.Bars, chart.Bar{Name: dayName(day.Day), Short: dayShort(day.Day), Parts: parts})
	}
	return b.SVG()
}

// maxSeries is how many models a chart tells apart.
const maxSeries = 6

const otherModels = "other models"

// CostSeries returns the models that a chart of costs tells apart.
func CostSeries(c *insight.Costs) []string {
	var names []string
	for _, m := range c.Models {
		if m.CostUSD <= 0 {
			continue
		}
		if len(names) == maxSeries {
			return append(names, otherModels)
		}
		names = append(names, cmp.Or(m.Model, "no model"))
	}
	return names
}

// CostChart draws costs by day and model, and the forecast.
func CostChart(c *insight.Costs) template.HTML {
	series := CostSeries(c)
	at := map[string]int{}
	for i, name := range series {
		at[name] = i
	}
	b := chart.Bars{
		Name: "Cost by day", Description: fmt.Sprintf("%s in %d days", money(c.TotalUSD), len(c.Days)), Height: 300, Series: series, Label: axisMoney,
	}
	index := map[string]int{}
	for _, d := range c.Days {
		bar := chart.Bar{Name: dayName(d.Day), Short: dayShort(d.Day), Parts: make([]float64, len(series))}
		for model, usd := range d.ByModel {
			i, ok := at[cmp.Or(model, "no model")]
			if !ok {
				if i, ok = at[otherModels]; !ok {
					continue
				}
			}
			bar.Parts[i] += usd
		}
		index[d.Day.Format(time.DateOnly)] = len(b.Bars)
		b.Bars = append(b.Bars, bar)
	}
	if c.Forecast != nil {
		for _, d := range c.Forecast.DailyPredictions {
			i, ok := index[d.Date.String()]
			if !ok {
				i = len(b.Bars)
				b.Bars = append(b.Bars, chart.Bar{Name: dayName(d.Date.Time()), Short: dayShort(d.Date.Time())})
				index[d.Date.String()] = i
			}
			b.Bars[i].Forecast = &chart.Band{Low: d.Low, Mid: d.PredictedCost, High: d.High}
		}
	}
	for _, r := range c.Budgets {
		if i, ok := index[r.ExhaustionDate.V.String()]; ok && r.ExhaustionDate.OK {
			b.Bars[i].Mark = "budget used up"
		}
	}
	return b.SVG()
}

// Standing is a budget among the costs it is about.
type Standing struct {
	insight.BudgetStanding
	costs *insight.Costs
}

// Chart draws what the budget's period has cost and will, day by day, beneath
// the limit.
func (v Standing) Chart() template.HTML {
	r, c := v.BudgetReport, v.costs
	b := chart.Bars{
		Name: "Spending against the budget", Description: r.Message, Height: 220, Series: []string{"spent so far"}, Label: axisMoney,
		Limit: r.BudgetUSD, LimitName: "budget",
	}
	spent := map[string]float64{}
	for _, d := range c.Days {
		spent[d.Day.Format(time.DateOnly)] = d.TotalUSD
	}
	expected := map[string]forecast.DailyPrediction{}
	if c.Forecast != nil {
		for _, d := range c.Forecast.DailyPredictions {
			expected[d.Date.String()] = d
		}
	}
	today := ""
	if len(c.Days) > 0 {
		today = c.Days[len(c.Days)-1].Day.Format(time.DateOnly)
	}
	var sum, low, mid, high float64
	for day := r.PeriodStart; day <= r.PeriodEnd; day++ {
		key := day.String()
		bar := chart.Bar{Name: dayName(day.Time()), Short: dayShort(day.Time())}
		sum += spent[key]
		if key <= today {
			bar.Parts = []float64{sum}
			low, mid, high = sum, sum, sum
		}
		if p, ok := expected[key]; ok {
			low, mid, high = low+p.Low-spent[key], mid+p.PredictedCost-spent[key], high+p.High-spent[key]
			bar.Forecast = &chart.Band{Low: max(low, sum), Mid: max(mid, sum), High: max(high, sum)}
		}
		if r.ExhaustionDate.OK && day == r.ExhaustionDate.V {
			bar.Mark = "used up"
		}
		b.Bars = append(b.Bars, bar)
	}
	return b.SVG()
}

func dayName(t time.Time) string  { return t.Format("Monday, 2 January 2006") }
func dayShort(t time.Time) string { return t.Format("2 Jan") }
