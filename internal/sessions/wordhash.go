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

func (h *wordHash) of(w spanWords) uint64 {
	return product(product(product(w[0]^h[0], w[1]^h[1]), w[2]^h[2]), h[3])
}

func (h *wordHash) ofTrace(t pcommon.TraceID) uint64 { return h.of(wordsOf(t)) }

// product multiplies two words, and folds what comes out.
func product(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
