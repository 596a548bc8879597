package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/chart"
	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// absent stands for what is not known. It is not a zero.
const absent = "–"

var functions = template.FuncMap{
	"at":         at,
	"clock":      clock,
	"moment":     func(t time.Time) string { return t.UTC().Format("2 Jan 15:04") },
	"date":       func(t time.Time) string { return t.UTC().Format("2 Jan 2006") },
	"iso":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"ended":      ended,
	"length":     length,
	"count":      count,
	"number":     number,
	"int":        func(n int) string { return number(int64(n)) },
	"usd":        usd,
	"money":      money,
	"millis":     millis,
	"ms":         func(v float64) string { return millis(analysis.Some(v)) },
	"percent":    percent,
	"share":      func(v float64) string { return percent(analysis.Some(v)) },
	"signed":     func(v float64) string { return strings.Replace(fmt.Sprintf("%+.2f", v), "-", "−", 1) },
	"score":      func(v float64) string { return strconv.FormatFloat(math.Round(v), 'f', 0, 64) },
	"meter":      chart.Meter,
	"indent":     indent,
	"scalar":     scalar,
	"sessionURL": sessionURL,
	"agentURL":   agentURL,
	"tagURL":     tagURL,
	"telling":    telling,
	"tone":       tone,
	"severity":   severityTone,
	"words":      func(s string) string { return strings.ReplaceAll(s, "_", " ") },
	"failed":     failed,
	"named":      named,
	"named2":     func(name string, rows []MixRow) mix { return mix{name, rows} },
	"statuses":   statuses,
	"costSeries": CostSeries,
	"costChart":  CostChart,
	"explained":  explained,
	"times":      func(n int) string { return map[bool]string{true: "once", false: number(int64(n)) + " times"}[n == 1] },
	"compact":    compact,
	"standing":   func(c *insight.Costs, b insight.BudgetStanding) Standing { return Standing{b, c} },
	"plus":       func(a, b int) int { return a + b },
	"driftRows":  DriftRows,
	"mixRows":    MixRows,
	"ruleSpark":  RuleSpark,
	"shares":     shares,
	"models":     modelShares,
	"str":        func(v any) string { return fmt.Sprint(v) },
}

// at writes a time in UTC, to the second; the pages say that it is UTC.
func at(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// clock writes a time of day in UTC, to the millisecond.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

func ended(t analysis.Opt[time.Time]) string {
	if !t.OK {
		return absent
	}
	return at(t.V)
}

// length writes how long a session took.
func length(s store.Session) string {
	if !s.EndedAt.OK || s.EndedAt.V.Before(s.StartedAt) {
		return absent
	}
	return millis(analysis.Some(float64(s.EndedAt.V.Sub(s.StartedAt)) / float64(time.Millisecond)))
}

func count(n analysis.Opt[int64]) string {
	if !n.OK {
		return absent
	}
	return number(n.V)
}

// number writes n with a narrow no-break space between groups of three digits.
func number(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

func grouped(s string) string {
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// compact writes n with three digits and a unit, as 5.21M.
func compact(n int64) string {
	v, unit := float64(n), ""
	for _, next := range [...]string{"k", "M", "B"} {
		if v < 999.5 {
			break
		}
		v, unit = v/1000, next
	}
	return strconv.FormatFloat(roundTo3(v), 'f', -1, 64) + unit
}

// roundTo3 rounds to three significant digits.
func roundTo3(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// usd writes an amount to the cent, and a small one to four digits, in groups as
// number does.
func usd(v analysis.Opt[float64]) string {
	switch {
	case !v.OK:
		return absent
	case v.V == 0:
		return "$0"
	case v.V < 0.00005:
		return "$" + strconv.FormatFloat(v.V, 'g', 2, 64)
	case v.V < 1:
		return fmt.Sprintf("$%.4f", v.V)
	}
	dollars, cents, _ := strings.Cut(strconv.FormatFloat(v.V, 'f', 2, 64), ".")
	return "$" + grouped(dollars) + "." + cents
}

// money writes an amount that is known.
func money(v float64) string { return usd(analysis.Some(v)) }

// axisMoney writes an amount on an axis, without more digits than it needs.
func axisMoney(v float64) string {
	switch {
	case v >= 1e6:
		return "$" + strconv.FormatFloat(v/1e6, 'f', -1, 64) + "M"
	case v >= 10_000:
		return "$" + strconv.FormatFloat(v/1000, 'f', -1, 64) + "k"
	}
	return "$" + strconv.FormatFloat(v, 'g', 4, 64)
}

// millis writes milliseconds in the unit that reads best.
func millis(v analysis.Opt[float64]) string {
	switch {
	case !v.OK:
		return absent
	case v.V < 999.95:
		return strconv.FormatFloat(math.Round(v.V*10)/10, 'f', -1, 64) + " ms"
	case v.V < 60_000:
		return fmt.Sprintf("%.2f s", v.V/1000)
	}
	d := analysis.MillisToDuration(v.V).Round(time.Second)
	if d < time.Hour {
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

func percent(v analysis.Opt[float64]) string {
	if !v.OK {
		return absent
	}
	return strconv.FormatFloat(math.Round(1000*v.V)/10, 'f', -1, 64) + " %"
}

// indent writes JSON over several lines; what is not JSON stays as it is.
func indent(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// scalar writes a JSON string without its quotes, and anything else as JSON.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// decision reads an event's decision trace, nil when it has none.
func decision(raw json.RawMessage) *analysis.DecisionTrace { return read[analysis.DecisionTrace](raw) }

// toolCall reads an event's tool call, nil when it has none.
func toolCall(raw json.RawMessage) *analysis.ToolCall { return read[analysis.ToolCall](raw) }

func read[T any](raw json.RawMessage) *T {
	v := new(T)
	if len(raw) == 0 || json.Unmarshal(raw, v) != nil {
		return nil
	}
	return v
}

func sessionURL(id string) string { return "/ui/sessions/" + url.PathEscape(id) }

// tone returns the CSS class for a tag, a status or an annotation type: the
// findings of the collector stand out.
func tone(s string) string {
	switch {
	case s == "error" || s == "bug" || s == "compliance:fail" || strings.HasPrefix(s, "alert:") || s == "drift:degraded":
		return "bad"
	case s == "active":
		return "busy"
	case s == "timeout" || s == "warning" || strings.HasPrefix(s, "drift:") && s != "drift:stable" || strings.HasPrefix(s, "budget:"):
		return "warn"
	case s == "completed" || s == "milestone" || s == "compliance:pass" || s == "drift:stable":
		return "good"
	}
	return "plain"
}

func failed(e store.Event) bool { return e.Error != nil || strings.HasSuffix(e.Type, "error") }

// data is what the template "data" shows: JSON under a name.
type data struct {
	Name  string
	Value json.RawMessage
}

func named(name string, value json.RawMessage) data { return data{name, value} }

// severityTone returns the CSS class for the severity of a finding.
func severityTone(f finding.Finding) string {
	if f.Resolved {
		return "good"
	}
	switch f.Severity {
	case "critical", "error", "degraded", "significant_drift":
		return "bad"
	case "info", "stable":
		return "plain"
	}
	if f.Kind == finding.Note || f.Kind == finding.Forecast {
		return "plain"
	}
	return "warn"
}

// mix is what the template "mix" shows.
type mix struct {
	Name string
	Rows []MixRow
}
