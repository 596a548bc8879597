package forecast

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Render returns the forecast as text for people.
func (r *Result) Render() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Cost forecast, %d days, method %s, from %d days of data\n", len(r.DailyPredictions), r.Method, r.DataPoints)
	if r.Insufficient != nil {
		fmt.Fprintf(&b, "Too little data: %s needs %d days.\n", r.Insufficient.What, r.Insufficient.Need)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nday\tcost\tlow\thigh\ttokens\t")
	for _, p := range r.DailyPredictions {
		fmt.Fprintf(w, "%s %s\t%s\t%s\t%s\t%d\t\n", p.Date.Weekday().String()[:3], p.Date,
			usd(p.PredictedCost), usd(p.Low), usd(p.High), p.PredictedTokens)
	}
	fmt.Fprintf(w, "total\t%s\t\t\t%d\t\n", usd(r.TotalPredictedCost), r.TotalPredictedTokens)
	w.Flush()
	if r.Backtest != nil {
		b.WriteString("\n" + r.Backtest.render())
	}
	return trimLines(b.String())
}

func (t *Backtest) render() string {
	var b strings.Builder
	season := "no weekly season found"
	if t.Season {
		season = "weekly season found"
	}
	fmt.Fprintf(&b, "Back-test: %d origins, up to %d days ahead; %s\n", t.Origins, t.Horizon, season)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "method\tMASE\tweight")
	for _, row := range t.Rows {
		name := string(row.Method)
		if row.Adjusted {
			name += ", season removed"
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.0f %%\n", name, row.MASE, 100*row.Weight)
	}
	w.Flush()
	return b.String()
}

// Render returns the summary as text for people.
func (s *Summary) Render() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Spending from %s to %s (%d days)\n\n", s.FirstDay, s.LastDay, s.DaysTracked)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "total\t%s\t%d tokens (%d in, %d out), %d records\n", usd(s.TotalCost), s.TotalTokens, s.TotalTokensIn, s.TotalTokensOut, s.Records)
	fmt.Fprintf(w, "a day\t%s\t%d tokens\n", usd(s.DailyAverage), s.DailyAverageTokens)
	fmt.Fprintf(w, "7 days\t%s\t\n", usd(s.WeeklyProjection))
	fmt.Fprintf(w, "30 days\t%s\t\n", usd(s.MonthlyProjection))
	fmt.Fprintf(w, "1,000 tokens\t%s\t\n", usd(s.CostPer1KTokens))
	fmt.Fprintf(w, "busiest day\t%s\t%s\n", usd(s.BusiestDayCost), s.BusiestDay)
	fmt.Fprintf(w, "trend\t%s\t%+.1f %% of the average a day\n\n", s.Trend, s.TrendPct)
	names := slices.SortedFunc(maps.Keys(s.Models), func(a, b string) int {
		if x, y := s.Models[a].CostUSD, s.Models[b].CostUSD; x > y {
			return -1
		} else if x < y {
			return 1
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		m := s.Models[name]
		fmt.Fprintf(w, "%s\t%s\t%d tokens in, %d out, %d records\n", printable(name), usd(m.CostUSD), m.TokensIn, m.TokensOut, m.Records)
	}
	w.Flush()
	return trimLines(b.String())
}

// Render returns the budget report as text for people.
func (r *BudgetReport) Render() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Budget %s (%s, %s to %s): %s\n%s\n\n", usd(r.BudgetUSD), r.Period, r.PeriodStart, r.PeriodEnd, r.Severity, r.Message)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "spent\t%s\t(%.0f %%)\n", usd(r.SpentUSD), 100*r.SpentUSD/r.BudgetUSD)
	fmt.Fprintf(w, "projected\t%s\t(%.0f %%)\n", usd(r.ProjectedUSD), 100*r.ProjectedUSD/r.BudgetUSD)
	if r.ExhaustionDate.OK {
		fmt.Fprintf(w, "used up on\t%s\t\n", r.ExhaustionDate.V)
	}
	if r.ProbabilityOfExceeding.OK {
		fmt.Fprintf(w, "probability of exceeding\t%.0f %%\t\n", 100*r.ProbabilityOfExceeding.V)
	}
	w.Flush()
	if r.Insufficient != nil {
		fmt.Fprintf(&b, "Too little data: %s needs %d complete days, there are %d.\n", r.Insufficient.What, r.Insufficient.Need, r.Insufficient.Have)
	}
	return trimLines(b.String())
}

// message says how the budget stands, in the original's words.
func (r *BudgetReport) message() string {
	share := 100 * r.ProjectedUSD / r.BudgetUSD
	switch r.Severity {
	case SeveritySafe:
		return fmt.Sprintf("On track: projected %s of %s budget (%.0f%%)", usd(r.ProjectedUSD), usd(r.BudgetUSD), share)
	case SeverityWarning:
		return fmt.Sprintf("Approaching limit: projected %s of %s (%.0f%%). Consider reducing usage.", usd(r.ProjectedUSD), usd(r.BudgetUSD), share)
	}
	m := fmt.Sprintf("Budget overrun likely: projected %s vs %s limit (+%.0f%%).", usd(r.ProjectedUSD), usd(r.BudgetUSD), r.OvershootPct)
	switch days := r.DaysUntilExceeded; {
	case r.SpentUSD >= r.BudgetUSD:
		m += " Already exceeded!"
	case days.OK:
		m += fmt.Sprintf(" ~%d days until exceeded.", days.V)
	}
	return m
}

// trimLines removes the spaces that tabwriter fills empty last cells with.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// usd prints dollars with cents, and small amounts with four digits that count.
func usd(v float64) string {
	if v > 0 && v < 0.1 {
		return fmt.Sprintf("$%.4g", v)
	}
	return fmt.Sprintf("$%.2f", v)
}

// printable keeps a name from breaking the table it stands in.
func printable(name string) string {
	quoted := fmt.Sprintf("%q", name)
	if quoted == `"`+name+`"` {
		return name
	}
	return quoted
}
