// Command gen writes the price table that package pricing embeds.
//
//	go run ./gen                           data/genai-prices.json → prices.json.gz
//	go run ./gen -update release.tgz       a release of the npm package → both
//
// The release comes from `npm pack @pydantic/genai-prices`.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

const (
	dataFile    = "data/genai-prices.json"
	licenseFile = "data/LICENSE"
	outFile     = "prices.json.gz"
)

func main() {
	dir := flag.String("dir", ".", "folder of package pricing")
	update := flag.String("update", "", "release of @pydantic/genai-prices (.tgz) to take the data from first")
	flag.Parse()
	if err := run(*dir, *update); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir, update string) error {
	if update != "" {
		r, err := readRelease(update)
		if err != nil {
			return err
		}
		data, err := r.data()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, dataFile), data, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, licenseFile), r.license, 0o644); err != nil {
			return err
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, dataFile))
	if err != nil {
		return err
	}
	small, err := compact(data)
	if err != nil {
		return fmt.Errorf("%s: %w", dataFile, err)
	}
	out, err := compress(small)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, outFile), out, 0o644)
}
