package pricing

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"sync"
)

//go:generate go run ./gen

// embedded is data/genai-prices.json without what says nothing about the price
// of tokens, compressed.
//
//go:embed prices.json.gz
var embedded []byte

var loadEmbedded = sync.OnceValue(func() *Table {
	t, err := load(embedded)
	if err != nil {
		// Only a broken build gets here: a test loads the same bytes.
		panic(fmt.Sprintf("pricing: embedded table: %v", err))
	}
	return t
})

// Default returns the embedded table. The first call reads it, which takes some
// milliseconds.
func Default() *Table { return loadEmbedded() }

func load(compressed []byte) (*Table, error) {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	return Load(z)
}
