package alert

import (
	"math"

	"github.com/agentlens/agentlens-otel/analysis"
)

type aggFunc string

const (
	aggSum   aggFunc = "sum"
	aggAvg   aggFunc = "avg"
	aggMin   aggFunc = "min"
	aggMax   aggFunc = "max"
	aggCount aggFunc = "count"
)

var aggFuncs = []aggFunc{aggSum, aggAvg, aggMin, aggMax, aggCount}

// Sample is the metric of an event.
type Sample struct {
	// Event is the event's number, from 1.
	Event int64   `json:"e"`
	Value float64 `json:"v"`
}

// window is the aggregate over the last events of a stream. Its samples are, for
// min and max, only those that can still become the answer.
type window struct {
	samples queue[Sample]
	// sum and abs are the exact sums of the samples and of their absolute
	// values, without the huge ones.
	sum, abs analysis.Sum
	// fractions and huge count samples that are no whole number, and those too
	// large for the exact sums.
	fractions, huge int
}

// tooLarge keeps the sums of maxCount samples within analysis.Sum.
const tooLarge = 1 << 40

// observe adds the metric of event number seq, if it has it, and forgets what
// has left the window.
func (w *window) observe(n *node, seq int64, x float64, present bool) {
	for w.samples.len() > 0 && w.samples.items()[0].Event <= seq-n.events {
		w.tally(n.fn, w.samples.items()[0].Value, -1)
		w.samples.popFront()
	}
	if !present {
		return
	}
	if n.fn == aggMin || n.fn == aggMax {
		for items := w.samples.items(); len(items) > 0; items = w.samples.items() {
			last := items[len(items)-1].Value
			if (n.fn == aggMin && last < x) || (n.fn == aggMax && last > x) {
				break
			}
			w.samples.popBack()
		}
	}
	w.samples.push(Sample{seq, x})
	w.tally(n.fn, x, 1)
}

func (w *window) tally(fn aggFunc, x float64, sign int) {
	if fn != aggSum && fn != aggAvg {
		return
	}
	if math.Abs(x) >= tooLarge {
		w.huge += sign
		return
	}
	if x != math.Trunc(x) {
		w.fractions += sign
	}
	w.sum.Add(float64(sign) * x)
	w.abs.Add(float64(sign) * math.Abs(x))
}

// empty reports whether the window is as that of a stream without events.
func (w *window) empty() bool {
	return w.samples.len() == 0 && w.sum == (analysis.Sum{}) && w.abs == (analysis.Sum{}) && w.fractions == 0 && w.huge == 0
}

// holds compares the aggregate with the node's limit.
func (w *window) holds(n *node) bool {
	if w.samples.len() == 0 {
		return false
	}
	if n.fn != aggSum && n.fn != aggAvg {
		return compare(w.value(n), n.op, n.limit)
	}
	// The answer is that of adding the window from left to right, as Evaluate
	// does. The running sum is exact and so differs from it by rounding; only
	// where that could decide is the window added again.
	k := float64(w.samples.len())
	x, slack := w.sum.Float64(), 0.0
	if abs := w.abs.Float64(); w.fractions > 0 || abs >= 1<<53 {
		slack = k*abs*0x1p-52 + k*0x1p-63
	}
	if n.fn == aggAvg {
		x, slack = x/k, slack/k+math.Abs(x/k)*0x1p-52
	}
	if w.huge > 0 || (slack > 0 && math.Abs(x-n.limit) <= slack+math.Abs(n.limit)*0x1p-52) {
		x = w.value(n)
	}
	return compare(x, n.op, n.limit)
}

// value computes the aggregate from the samples: O(window) for sum and avg.
func (w *window) value(n *node) float64 {
	switch items := w.samples.items(); n.fn {
	case aggCount:
		return float64(len(items))
	case aggMin, aggMax:
		return items[0].Value
	default:
		return addUp(n.fn, items)
	}
}

// addUp computes an aggregate of at least one sample, all of which are in the
// window. Sums are from left to right, as the original's.
func addUp(fn aggFunc, samples []Sample) float64 {
	x := samples[0].Value
	for _, s := range samples[1:] {
		switch fn {
		case aggMin:
			x = min(x, s.Value)
		case aggMax:
			x = max(x, s.Value)
		default:
			x += s.Value
		}
	}
	switch fn {
	case aggAvg:
		return x / float64(len(samples))
	case aggCount:
		return float64(len(samples))
	}
	return x
}
