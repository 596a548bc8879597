package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is a Markdown table whose columns line up as plain text too.
type table struct {
	headers []string
	rows    [][]string
}

func newTable(headers ...string) *table { return &table{headers: headers} }

// row adds a row; a float64 cell is printed with two decimals, any other as
// fmt.Sprint prints it. It returns t so that rows can be chained.
func (t *table) row(cells ...any) *table {
	texts := make([]string, len(cells))
	for i, c := range cells {
		if f, ok := c.(float64); ok {
			texts[i] = fmt.Sprintf("%.2f", f)
		} else {
			texts[i] = fmt.Sprint(c)
		}
	}
	t.rows = append(t.rows, texts)
	return t
}

// write prints the table, followed by an empty line.
func (t *table) write(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	rule := make([]string, len(t.headers))
	for i, h := range t.headers {
		rule[i] = strings.Repeat("-", max(3, len([]rune(h))))
	}
	for _, cells := range append([][]string{t.headers, rule}, t.rows...) {
		fmt.Fprintf(tw, "| %s\t|\n", strings.Join(cells, "\t| "))
	}
	fmt.Fprintln(tw)
	return tw.Flush()
}
