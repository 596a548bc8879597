package pricing

import "time"

// model is one entry of the table. Its strings are the table's ids.
type model struct {
	provider, id string
	// prices is never empty; the last whose condition holds is taken.
	prices []conditional
}

// conditional is a price set and when it holds.
type conditional struct {
	kind condition
	// start is the first moment of a dated price.
	start time.Time
	// from and to bound an hourly price, as time since midnight UTC, to
	// excluded; from > to passes midnight.
	from, to time.Duration
	set      priceSet
}

type condition uint8

const (
	always condition = iota
	sinceDate
	timeOfDay
)

// priceSet is the prices of one model at one time, in USD per million tokens;
// requestKcount is USD per thousand requests.
type priceSet struct {
	input, output, cacheRead, cacheWrite *price
	requestKcount                        float64
}

// price is a price with the tiers that replace it, in order of start.
type price struct {
	base  float64
	tiers []tier
}

// tier holds for calls of more than start input tokens.
type tier struct {
	start int64
	price float64
}

func (m *model) pricesAt(at time.Time) *priceSet {
	if len(m.prices) == 1 {
		return &m.prices[0].set
	}
	if at.IsZero() {
		at = time.Now()
	}
	for i := len(m.prices) - 1; i > 0; i-- {
		if m.prices[i].holds(at) {
			return &m.prices[i].set
		}
	}
	return &m.prices[0].set
}

func (c *conditional) holds(at time.Time) bool {
	switch c.kind {
	case sinceDate:
		return !at.Before(c.start)
	case timeOfDay:
		const day = int64(24 * time.Hour / time.Second)
		since := time.Duration((at.Unix()%day+day)%day)*time.Second + time.Duration(at.Nanosecond())
		if c.to < c.from {
			return since >= c.from || since < c.to
		}
		return since >= c.from && since < c.to
	default:
		return true
	}
}

// cost prices a usage: each kind of token at its own price where there is one,
// else as part of the input.
func (s *priceSet) cost(u Usage) (inputUSD, outputUSD, totalUSD float64, ok bool) {
	in, out := u.InputTokens.Or(0), u.OutputTokens.Or(0)
	read, write := u.CacheReadTokens.Or(0), u.CacheWriteTokens.Or(0)
	if in < 0 || out < 0 || read < 0 || write < 0 {
		return 0, 0, 0, false
	}
	if s.input != nil {
		plain := in
		if s.cacheRead != nil {
			plain -= read
		}
		if s.cacheWrite != nil && plain >= 0 {
			plain -= write
		}
		// Cache parts without an input that holds them are not priced either.
		if plain < 0 || (!u.InputTokens.OK && read+write != 0) {
			return 0, 0, 0, false
		}
		inputUSD = s.input.of(plain, in) + s.cacheRead.of(read, in) + s.cacheWrite.of(write, in)
	}
	outputUSD = s.output.of(out, in)
	return inputUSD, outputUSD, inputUSD + outputUSD + s.requestKcount/1e3, true
}

// of returns the USD for some of a call's tokens. Which tier applies is decided
// by all its input tokens; a nil price costs nothing.
func (p *price) of(tokens, inputTokens int64) float64 {
	if p == nil {
		return 0
	}
	usd := p.base
	for _, t := range p.tiers {
		if inputTokens <= t.start {
			break
		}
		usd = t.price
	}
	return usd * float64(tokens) / 1e6
}
