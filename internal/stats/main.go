package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "stats:", err)
		os.Exit(1)
	}
}

// run prints the tables that args ask for.
func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("stats", flag.ContinueOnError)
	seed := flags.Uint64("seed", 1, "seed of the simulations; the same seed gives the same tables")
	runs := flags.Int("runs", 2000, "simulated comparisons for each row")
	only := flags.String("only", "", "engine to measure: forecast or drift; both when empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 {
		return fmt.Errorf("-runs is %d, want 1 or more", *runs)
	}
	engines := []struct {
		name   string
		tables func(io.Writer, uint64, int) error
	}{
		{"forecast", forecastTables},
		{"drift", driftTables},
	}
	known := *only == ""
	for _, e := range engines {
		if *only != "" && *only != e.name {
			continue
		}
		known = true
		if err := e.tables(w, *seed, *runs); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	if !known {
		return fmt.Errorf("-only is %q, want forecast or drift", *only)
	}
	return nil
}
