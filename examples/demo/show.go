package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/agentlens/agentlens-otel/internal/roundtrip"
)

// show prints what the backend holds: the sessions of now, one explanation, and
// the findings on all sessions.
func show(ctx context.Context, api *roundtrip.Client, held, all []*roundtrip.Detail) error {
	fmt.Println("\nSessions")
	w := tabwriter.NewWriter(os.Stdout, 2, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  session\tagent\tstatus\tevents\ttokens in / out\tcost (USD)\ttags")
	for _, d := range held {
		cost := "–"
		if d.TotalCostUSD.OK {
			cost = fmt.Sprintf("%.6f", d.TotalCostUSD.V)
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%d\t%d / %d\t%s\t%s\n",
			d.ID, d.AgentName, d.Status, len(d.Events), d.TotalTokensIn, d.TotalTokensOut, cost, strings.Join(d.Tags, " "))
	}
	if err := w.Flush(); err != nil {
		return err
	}

	explanation, err := api.Explain(ctx, held[0].ID)
	if err != nil {
		return err
	}
	fmt.Printf("\nExplanation of the first session\n\n%s\n", indent(explanation))

	fmt.Println("\nFindings")
	for _, d := range latest(all) {
		for _, a := range d.Annotations {
			fmt.Printf("  %s (%s): %s\n", d.ID, d.AgentName, a.Text)
		}
	}
	return nil
}

// latest leaves out what the past has in plenty: the forecasts of days gone by.
func latest(all []*roundtrip.Detail) []*roundtrip.Detail {
	var out []*roundtrip.Detail
	forecast := map[string]bool{}
	for _, d := range slices.Backward(all) {
		copied := *d
		copied.Annotations = slices.DeleteFunc(slices.Clone(d.Annotations), func(a roundtrip.Annotation) bool {
			if !strings.HasPrefix(a.Text, "Forecast: ") {
				return false
			}
			told := forecast[d.AgentName]
			forecast[d.AgentName] = true
			return told
		})
		out = append(out, &copied)
	}
	slices.Reverse(out)
	return out
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}
