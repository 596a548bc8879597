package measure

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// PipelineTable returns rows of Compare as a Markdown table. A ratio stands
// with the least and the largest of the rounds behind it.
func PipelineTable(rows []Row) string {
	table := [][]string{{"pipeline", "spans/s", "× bare", "CPU µs/span", "× bare", "B/span", "× bare", "mallocs/span", "× bare", "peak RSS MiB", "× bare", "core busy"}}
	for _, r := range rows {
		s := r.Sample
		table = append(table, []string{
			r.Pipeline,
			fmt.Sprintf("%.0f", s.SpansPerSecond), ratio(r.Throughput),
			fmt.Sprintf("%.2f", s.CPUPerSpan), ratio(r.CPU),
			fmt.Sprintf("%.0f", s.BytesPerSpan), short(r.Bytes),
			fmt.Sprintf("%.1f", s.MallocsPerSpan), short(r.Mallocs),
			fmt.Sprintf("%.0f", s.PeakRSS/(1<<20)), short(r.RSS),
			fmt.Sprintf("%.0f %%", 100*s.Busy),
		})
	}
	return Markdown(table)
}

func ratio(s Spread) string {
	if s == (Spread{}) {
		return ""
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Min, s.Max)
}

func short(s Spread) string {
	if s == (Spread{}) {
		return ""
	}
	return fmt.Sprintf("%.2f", s.Median)
}

// Markdown returns a table whose first row is its head, columns aligned.
func Markdown(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	line := func(row []string, fill string) {
		for i, width := range widths {
			cell := ""
			if i < len(row) {
				cell = row[i]
			}
			b.WriteString("| " + cell + strings.Repeat(fill, width-utf8.RuneCountInString(cell)) + " ")
		}
		b.WriteString("|\n")
	}
	for i, row := range rows {
		line(row, " ")
		if i == 0 {
			line(nil, "-")
		}
	}
	return b.String()
}
