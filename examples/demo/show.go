package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/agentlens/agentlens-otel/internal/roundtrip"
)

// show prints what the backend holds: the list, one explanation, the findings.
func show(ctx context.Context, api *roundtrip.Client, held []*roundtrip.Detail) error {
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
	for _, d := range held {
		for _, a := range d.Annotations {
			fmt.Printf("  %s (%s): %s\n", d.ID, d.AgentName, a.Text)
		}
	}
	return nil
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}
