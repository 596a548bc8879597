package analysis

import (
	"math"
	"slices"
)

// exactDurations is how many durations are kept as they are before they go
// into the sketch.
const exactDurations = 64

// sketchGamma is the ratio of neighbouring bucket bounds. A bucket's middle is
// within 1 % of every value in it: the DDSketch of Masson, Rim and Lee (2019)
// with a relative accuracy of 0.01.
const sketchGamma = 1.01 / 0.99

var logGamma = math.Log(sketchGamma)

// Durations holds measured durations in milliseconds in bounded space: up to
// 64 exactly, more in a sketch whose quantiles are within 1 % of the true ones.
// What it holds does not depend on the order of adding or merging. The zero
// Durations is empty and ready.
type Durations struct {
	N   int64 `json:"n"`
	Sum Sum   `json:"sum"`
	// Exact holds every duration, sorted, while there are at most 64.
	Exact []float64 `json:"exact,omitempty"`
	// Sketch counts durations by bucket, sorted, once there are more.
	Sketch []Bucket `json:"sketch,omitempty"`
}

// Bucket counts durations d, in milliseconds, with
// Index = ceil(log(d)/log(1.01/0.99)); zero durations have index math.MinInt32.
type Bucket struct {
	Index int32 `json:"i"`
	N     int64 `json:"n"`
}

// Add adds a duration in milliseconds, which must be finite and not negative.
func (d *Durations) Add(ms float64) {
	d.N++
	d.Sum.Add(ms)
	if d.Sketch == nil {
		if len(d.Exact) < exactDurations {
			d.insert(ms)
			return
		}
		d.spill()
	}
	d.count(bucketIndex(ms), 1)
}

// insert puts a duration where it belongs among the exact ones, of which a session
// mostly has a handful.
func (d *Durations) insert(ms float64) {
	d.Exact = append(d.Exact, ms)
	at := len(d.Exact) - 1
	for ; at > 0 && d.Exact[at-1] > ms; at-- {
		d.Exact[at] = d.Exact[at-1]
	}
	d.Exact[at] = ms
}

// Merge adds all that other holds.
func (d *Durations) Merge(other *Durations) {
	d.N += other.N
	d.Sum.Merge(other.Sum)
	if d.Sketch == nil && other.Sketch == nil && len(d.Exact)+len(other.Exact) <= exactDurations {
		d.Exact = append(d.Exact, other.Exact...)
		slices.Sort(d.Exact)
		return
	}
	if d.Sketch == nil {
		d.spill()
	}
	for _, ms := range other.Exact {
		d.count(bucketIndex(ms), 1)
	}
	for _, b := range other.Sketch {
		d.count(b.Index, b.N)
	}
}

// Mean returns the mean in milliseconds, 0 when nothing was measured.
func (d *Durations) Mean() float64 {
	if d.N == 0 {
		return 0
	}
	return d.Sum.Float64() / float64(d.N)
}

// Quantile returns, in milliseconds, the duration at index
// min(trunc(q*N), N-1) of the sorted durations, as the original does, without
// interpolation; 0 when nothing was measured.
func (d *Durations) Quantile(q float64) float64 {
	if d.N == 0 {
		return 0
	}
	rank := max(0, min(int64(q*float64(d.N)), d.N-1))
	if d.Sketch == nil {
		return d.Exact[rank]
	}
	for _, b := range d.Sketch {
		if rank -= b.N; rank < 0 {
			return bucketValue(b.Index)
		}
	}
	return bucketValue(d.Sketch[len(d.Sketch)-1].Index)
}

// spill moves the exact durations into the sketch.
func (d *Durations) spill() {
	// Not nil even without durations; most sessions need few buckets.
	d.Sketch = make([]Bucket, 0, 8)
	for _, ms := range d.Exact {
		d.count(bucketIndex(ms), 1)
	}
	d.Exact = nil
}

func (d *Durations) count(index int32, n int64) {
	i, found := slices.BinarySearchFunc(d.Sketch, index, func(b Bucket, index int32) int {
		return int(b.Index) - int(index)
	})
	if found {
		d.Sketch[i].N += n
		return
	}
	d.Sketch = slices.Insert(d.Sketch, i, Bucket{index, n})
}

// bucketIndex keeps the number of buckets bounded: a duration from a
// picosecond to 30 million years has an index in ±2100.
func bucketIndex(ms float64) int32 {
	if ms < 1e-9 {
		return math.MinInt32
	}
	return int32(math.Ceil(math.Log(min(ms, 1e18)) / logGamma))
}

func bucketValue(index int32) float64 {
	if index == math.MinInt32 {
		return 0
	}
	return 2 * math.Exp(float64(index)*logGamma) / (sketchGamma + 1)
}
