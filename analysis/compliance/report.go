package compliance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Verdict is the outcome of one rule. A skipped rule neither passes nor fails:
// it had nothing to judge.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	Fail Verdict = "fail"
	Skip Verdict = "skip"
)

// Report is the outcome of a check.
type Report struct {
	// Compliant is whether no rule of severity error failed.
	Compliant bool   `json:"compliant"`
	Policy    string `json:"policy"`
	SessionID string `json:"session_id,omitempty"`
	AgentName string `json:"agent_name,omitempty"`

	TotalRules int `json:"total_rules"`
	Passed     int `json:"passed"`
	Failed     int `json:"failed"`
	Skipped    int `json:"skipped"`
	// FailedErrors and FailedWarnings split Failed by severity.
	FailedErrors   int `json:"failed_errors"`
	FailedWarnings int `json:"failed_warnings"`

	// Results are in the order of the policy's rules.
	Results []Result `json:"results"`
}

// Result is the outcome of one rule.
type Result struct {
	Kind     Kind     `json:"kind"`
	Name     string   `json:"name,omitempty"`
	Severity Severity `json:"severity"`
	Verdict  Verdict  `json:"verdict"`
	// Actual is what the session did, Expected what the rule wants of it.
	// Both are null when the rule was skipped.
	Actual   Value `json:"actual"`
	Expected Value `json:"expected"`
	// Message says in words why a rule failed or was skipped; empty on a pass.
	Message string `json:"message,omitempty"`
}

// JSON returns the report as indented JSON.
func (r *Report) JSON() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

// Render returns the report as a table for people.
func (r *Report) Render() string {
	var b strings.Builder
	outcome := "COMPLIANT"
	if !r.Compliant {
		outcome = "NOT COMPLIANT"
	}
	fmt.Fprintf(&b, "Compliance: %s (policy %s", outcome, r.Policy)
	if r.SessionID != "" {
		fmt.Fprintf(&b, ", session %s", r.SessionID)
	}
	if r.AgentName != "" {
		fmt.Fprintf(&b, ", agent %s", r.AgentName)
	}
	fmt.Fprintf(&b, ")\n%d of %d rules passed, %d failed (%d errors, %d warnings), %d skipped\n",
		r.Passed, r.TotalRules, r.Failed, r.FailedErrors, r.FailedWarnings, r.Skipped)
	if len(r.Results) == 0 {
		return b.String()
	}
	b.WriteByte('\n')
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERDICT\tRULE\tSEVERITY\tACTUAL\tEXPECTED\tWHY")
	for i := range r.Results {
		res := &r.Results[i]
		rule := string(res.Kind)
		if res.Name != "" {
			rule += " (" + res.Name + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", res.Verdict, cell(rule), res.Severity, cell(res.Actual.String()), cell(res.Expected.String()), oneLine(res.Message))
	}
	w.Flush()
	return trimLines(b.String())
}

// Value is a number, a list of names, or null.
type Value struct {
	number float64
	names  []string
	kind   valueKind
}

type valueKind uint8

const (
	null valueKind = iota
	number
	names
)

// Number returns the value when it is a number.
func (v Value) Number() (float64, bool) { return v.number, v.kind == number }

// Names returns the value when it is a list of names: lower case, sorted,
// without doubles, not to be written to.
func (v Value) Names() ([]string, bool) { return v.names, v.kind == names }

// IsNull reports whether there is no value.
func (v Value) IsNull() bool { return v.kind == null }

// String returns the number, the names separated by commas, or "-".
func (v Value) String() string {
	switch {
	case v.kind == number:
		return formatNumber(v.number)
	case v.kind == names && len(v.names) == 0:
		return "none"
	case v.kind == names:
		return strings.Join(v.names, ", ")
	}
	return "-"
}

// MarshalJSON writes a number, an array of strings, or null.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case number:
		return json.Marshal(v.number)
	case names:
		return json.Marshal(v.names)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(b []byte) error {
	*v = Value{}
	var err error
	switch {
	case string(b) == "null":
	case len(b) > 0 && b[0] == '[':
		err = json.Unmarshal(b, &v.names)
		v.kind = names
	default:
		err = json.Unmarshal(b, &v.number)
		v.kind = number
	}
	return err
}

func numberValue(x float64) Value    { return Value{number: x, kind: number} }
func namesValue(list []string) Value { return Value{names: list, kind: names} }

func formatNumber(x float64) string { return string(appendNumber(nil, x)) }

func appendNumber(b []byte, x float64) []byte { return strconv.AppendFloat(b, x, 'f', -1, 64) }

// cell fits a text into a column of the table.
func cell(s string) string {
	const width = 40
	s = oneLine(s)
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// oneLine keeps a foreign text from breaking the table.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
