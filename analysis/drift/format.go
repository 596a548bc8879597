package drift

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Format renders the report for people: the verdict, what changed and by how
// much, then the table of all metrics.
func (r *Report) Format() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Drift: %s, score %.0f/100\n", strings.ReplaceAll(string(r.Status), "_", " "), r.Score)
	fmt.Fprintf(&b, "Sessions: %d baseline, %d current\n\n%s\n", r.BaselineSessions, r.CurrentSessions, r.Summary)
	if len(r.Changes) > 0 {
		b.WriteString("\nChanged\n")
		for _, name := range r.Changes {
			fmt.Fprintf(&b, "  %s\n", r.describe(name))
		}
	}
	if novel := r.novelties(); len(novel) > 0 {
		b.WriteString("\nNew and dropped\n")
		for _, line := range novel {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	b.WriteString("\n")
	r.writeTable(&b)
	b.WriteString("\ng: change in standard deviations with its 95 % interval; p: adjusted for all tests; d: plain Cohen's d.\n")
	return b.String()
}

// sentence says the verdict.
func (r *Report) sentence() string {
	if r.Status == NotEnoughEvidence {
		s := "Nothing can be said yet: "
		if e, ok := r.DetectableEffect.Get(); ok {
			s += fmt.Sprintf("so few sessions would show only a change of %.1f standard deviations or more.", e)
		} else {
			s += "so few sessions could not show any change of a single metric."
		}
		return s + " About " + r.missingSessions() + " would do."
	}
	if len(r.Changes) == 0 {
		s := "No change that is sure and worth reporting."
		if e, ok := r.DetectableEffect.Get(); ok {
			s += fmt.Sprintf(" These windows would show one of %.1f standard deviations.", e)
		}
		return s
	}
	parts := make([]string, 0, 3)
	for _, name := range r.Changes[:min(3, len(r.Changes))] {
		parts = append(parts, r.describeShort(name))
	}
	s := strings.Join(parts, ", ")
	if more := len(r.Changes) - len(parts); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s + "."
}

func (r *Report) missingSessions() string {
	switch {
	case r.MoreBaseline == 0:
		return fmt.Sprintf("%d more current sessions", r.MoreCurrent)
	case r.MoreCurrent == 0:
		return fmt.Sprintf("%d more baseline sessions", r.MoreBaseline)
	case r.MoreBaseline == r.MoreCurrent:
		return fmt.Sprintf("%d more sessions on each side", r.MoreCurrent)
	}
	return fmt.Sprintf("%d more baseline and %d more current sessions", r.MoreBaseline, r.MoreCurrent)
}

// describeShort says of a change which way it went and how far.
func (r *Report) describeShort(name string) string {
	if m := r.metric(name); m != nil {
		t := &m.Test.V
		word := "rose"
		if t.HedgesG < 0 {
			word = "fell"
		}
		return fmt.Sprintf("%s %s %s", name, word, changeText(name, t.BaselineTypical, t.CurrentTypical))
	}
	mix := r.mix(name)
	s := fmt.Sprintf("%s shifted by %.2f bits", name, mix.Test.V.Divergence)
	if share := mix.mostChanged(); share != nil {
		s += fmt.Sprintf(" (%s %s to %s)", share.Name, percent(share.BaselineRate), percent(share.CurrentRate))
	}
	return s
}

// describe adds the evidence.
func (r *Report) describe(name string) string {
	if m := r.metric(name); m != nil {
		t := &m.Test.V
		return fmt.Sprintf("%s: %s -> %s typically, g = %.2f (%.2f to %.2f), p %s", r.describeShort(name),
			figure(name, t.BaselineTypical), figure(name, t.CurrentTypical), t.HedgesG, t.GLow, t.GHigh, pRelation(t.AdjustedP))
	}
	t := &r.mix(name).Test.V
	return fmt.Sprintf("%s: effect %.2f, p %s", r.describeShort(name), t.Effect, pRelation(t.AdjustedP))
}

// novelties lists the names that occur on one side only.
func (r *Report) novelties() []string {
	var out []string
	for _, m := range [...]struct {
		kind string
		mix  *Mix
	}{{"model", &r.Models}, {"tool", &r.Tools}, {"event type", &r.EventTypes}} {
		for i := range m.mix.Shares {
			switch s := &m.mix.Shares[i]; {
			case s.IsNew:
				out = append(out, fmt.Sprintf("new %s %s (%s of events)", m.kind, s.Name, percent(s.CurrentRate)))
			case s.IsDropped:
				out = append(out, fmt.Sprintf("dropped %s %s (was %s of events)", m.kind, s.Name, percent(s.BaselineRate)))
			}
		}
	}
	return out
}

func (r *Report) writeTable(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "metric\tbaseline\tcurrent\tchange\tg\tp\td")
	for i := range r.Metrics {
		m := &r.Metrics[i]
		g, p := "-", "-"
		if t, ok := m.Test.Get(); ok {
			g = fmt.Sprintf("%.2f (%.2f to %.2f)", t.HedgesG, t.GLow, t.GHigh)
			p = pText(t.AdjustedP)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%.2f\n", m.Name,
			figure(m.Name, m.BaselineMean), figure(m.Name, m.CurrentMean), relative(m.RelativeChange), g, p, m.EffectSize)
	}
	for _, name := range [...]string{"tools", "models", "event_types"} {
		if t, ok := r.mix(name).Test.Get(); ok {
			fmt.Fprintf(w, "%s\t\t\t%.2f bits\t%.2f\t%s\t\n", name, t.Divergence, t.Effect, pText(t.AdjustedP))
		}
	}
	// A strings.Builder takes every write.
	_ = w.Flush()
}

func (r *Report) metric(name string) *Metric {
	for i := range r.Metrics {
		if r.Metrics[i].Name == name {
			return &r.Metrics[i]
		}
	}
	return nil
}

func (r *Report) mix(name string) *Mix {
	switch name {
	case "tools":
		return &r.Tools
	case "models":
		return &r.Models
	default:
		return &r.EventTypes
	}
}

// mostChanged returns the share with the largest change, nil when there is none.
func (m *Mix) mostChanged() *Share {
	var most *Share
	for i := range m.Shares {
		if s := &m.Shares[i]; most == nil || math.Abs(s.Change) > math.Abs(most.Change) {
			most = s
		}
	}
	return most
}

// changeText says how far a value went: points for rates, else percent.
func changeText(name string, base, cur float64) string {
	if isRate(name) {
		return fmt.Sprintf("%.1f points", 100*math.Abs(cur-base))
	}
	if base <= 0 {
		return "from " + figure(name, base) + " to " + figure(name, cur)
	}
	return strings.TrimLeft(relative((cur-base)/base), "+-")
}

// relative renders a relative change: from tenfold on as a factor.
func relative(change float64) string {
	if change >= 9 {
		return fmt.Sprintf("%.3g-fold", 1+change)
	}
	return fmt.Sprintf("%+.0f %%", 100*change)
}

// figure renders a value of a metric: rates as percentages, the rest with
// three digits that count.
func figure(name string, x float64) string {
	switch {
	case isRate(name):
		return percent(x)
	case math.Abs(x) >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	default:
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
}

// isRate also answers for a name from a report of another version.
func isRate(name string) bool {
	id := metricID(name)
	return id >= 0 && metrics[id].unit == 0
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + " %" }

func pRelation(p float64) string {
	if p < 0.0001 {
		return "< 0.0001"
	}
	return "= " + pText(p)
}

func pText(p float64) string {
	if p < 0.0001 {
		return "<0.0001"
	}
	return strconv.FormatFloat(p, 'f', 4, 64)
}
