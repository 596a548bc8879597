package sessions

import (
	"math/bits"
	"math/rand/v2"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// wordHash hashes ids of traces and spans, which are words of random bits or begin
// with a time, by random seeds: who makes up ids cannot tell which of them meet. It
// takes a quarter of the time of maphash, for which a key may be anything.
type wordHash [4]uint64

func newWordHash() wordHash {
	return wordHash{rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64()}
}

// of takes the words one by one, for that they go in registers.
func (h *wordHash) of(first, second, third uint64) uint64 {
	return product(product(product(first^h[0], second^h[1]), third^h[2]), h[3])
}

func (h *wordHash) ofTrace(t pcommon.TraceID) uint64 {
	w := wordsOf(t)
	return h.of(w[0], w[1], 0)
}

// product multiplies two words, and folds what comes out.
func product(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
