// Command gen writes the price table that package pricing embeds.
//
//	go run ./gen                       data/genai-prices.json → prices.json.gz
//	go run ./gen -update release.tgz   a release of the npm package → both
//
// The release comes from `npm pack @pydantic/genai-prices`.
package main

import (
	"cmp"
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
	in := filepath.Join(dir, dataFile)
	var r *release
	var data []byte
	var err error
	if update == "" {
		data, err = os.ReadFile(in)
	} else if r, err = readRelease(update); err == nil {
		data, err = r.data()
	}
	if err != nil {
		return err
	}
	// Nothing is written before the whole of it is known to be good.
	small, err := compact(data)
	if err != nil {
		return fmt.Errorf("%s: %w", cmp.Or(update, in), err)
	}
	out, err := compress(small)
	if err != nil {
		return err
	}
	if r != nil {
		if err := os.WriteFile(in, data, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, licenseFile), r.license, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, outFile), out, 0o644)
}
