package readcmd

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// print writes the result as two tables.
func (res *result) print(w io.Writer) error {
	fmt.Fprintf(w, "%d spans, %d of them GenAI, %d sessions\n", res.Spans, res.GenAI, len(res.Sessions))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\nSESSION\tAGENT\tSTATUS\tCALLS\tTOKENS IN\tCACHED\tOUT\tREASONING\tUSD\tTOOLS\tERRORS\n")
	for i := range res.Sessions {
		s := &res.Sessions[i]
		id := s.ID
		if !s.Named {
			id += " (a trace)"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%d\n", id, orDash(s.Agent), s.Status, s.LLMCalls,
			s.TokensIn, s.CacheRead+s.CacheWrite, s.TokensOut, s.Reasoning, s.usd(), orDash(list(s.Tools)), s.Errors)
	}
	fmt.Fprint(t, "\nSPAN\tNAME\tREAD AS\tDIALECT\tBECAUSE OF\tMODEL OR TOOL\tIN\tOUT\tUSD\tERROR\n")
	for i := range res.Listed {
		s := &res.Listed[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.SpanID, s.Name, s.readAs(), s.Dialect, s.Rule,
			orDash(s.Tool+s.modelIfNoTool()), number(s.TokensIn), number(s.TokensOut), dollars(s.CostUSD), orDash(s.Error))
	}
	return t.Flush()
}

// usd is the cost, with a + when there are calls without a price.
func (s *session) usd() string {
	out := dollars(s.CostUSD)
	if s.CostUSD != nil && s.Unpriced > 0 {
		out += fmt.Sprintf(" + %d unpriced", s.Unpriced)
	}
	return out
}

// readAs is the role, and whether the span only repeats what was counted.
func (s *span) readAs() string {
	switch s.Role {
	case "session", "start", "report", "part", "wrapper":
		return s.Role
	}
	if !s.Counted {
		return s.Role + " (told before)"
	}
	return s.Role
}

func (s *span) modelIfNoTool() string {
	if s.Tool != "" {
		return ""
	}
	return s.Model
}

func dollars(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.6f", *v)
}

func number(v *int64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(*v)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func list(m map[string]int64) string {
	var parts []string
	for name, n := range m {
		parts = append(parts, fmt.Sprintf("%s ×%d", name, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
