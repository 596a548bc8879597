package forecast

import (
	"math"
	"time"
)

// profile is the weekly season: the factor by which a weekday differs from the
// level. All ones is no season.
type profile [week]float64

var noSeason = profile{1, 1, 1, 1, 1, 1, 1}

const (
	// seasonDays bounds the days a profile is estimated from: habits change.
	seasonDays = 12 * week
	// minFactor is the smallest factor that is divided by.
	minFactor = 0.1
	// A factor is shrunk toward none by 1 - evidence*noise/signal (James and
	// Stein), so noise of this strength relative to the signal removes it.
	weekendEvidence = 4
	weekdayEvidence = 2
)

// weekProfile estimates the season of y, whose elements fall on the given
// weekdays, from their ratios to a centred weekly mean. Below a week there is
// none. Below two weeks nothing repeats yet, so only a weekend that is quieter
// than the other days counts, if it stands out from their scatter. From two
// weeks on every weekday has a factor of its own, shrunk by how little its
// repetitions agree.
func weekProfile(y []float64, weekdays []time.Weekday) profile {
	if len(y) < week {
		return noSeason
	}
	if drop := len(y) - seasonDays; drop > 0 {
		y, weekdays = y[drop:], weekdays[drop:]
	}
	ratios := make([]float64, len(y))
	for i, v := range y {
		from := min(max(i-week/2, 0), len(y)-week)
		ratios[i] = 1
		if m := mean(y[from : from+week]); m > 0 {
			ratios[i] = v / m
		}
	}
	p := weekendProfile(ratios, weekdays)
	if len(y) >= 2*week {
		p.refine(ratios, weekdays)
	}
	return p
}

// weekendProfile has one factor for Saturday and Sunday and one for the rest.
func weekendProfile(ratios []float64, weekdays []time.Weekday) profile {
	var n, sum, squares [2]float64
	for i, r := range ratios {
		g := 0
		if isWeekend(weekdays[i]) {
			g = 1
		}
		n[g]++
		sum[g] += r
		squares[g] += r * r
	}
	// Days without gaps hold both groups; observed days alone need not.
	if n[0] == 0 || n[1] == 0 {
		return noSeason
	}
	rest, weekend := sum[0]/n[0], sum[1]/n[1]
	contrast := weekend - rest
	if len(ratios) < 2*week && contrast > 0 {
		return noSeason
	}
	residual := max(0, squares[0]-sum[0]*rest) + max(0, squares[1]-sum[1]*weekend)
	noise := residual / (n[0] + n[1] - 2) * (1/n[0] + 1/n[1])
	contrast *= shrink(contrast*contrast, weekendEvidence*noise)
	if contrast == 0 {
		return noSeason
	}
	var p profile
	base := 1 - contrast*2/week // so that the factors' mean is 1
	for d := range p {
		p[d] = base
		if isWeekend(time.Weekday(d)) {
			p[d] = max(0, base+contrast)
		}
	}
	return p
}

// refine adds each weekday's own deviation from p.
func (p *profile) refine(ratios []float64, weekdays []time.Weekday) {
	var n, deviation [week]float64
	for i, r := range ratios {
		n[weekdays[i]]++
		deviation[weekdays[i]] += r - p[weekdays[i]]
	}
	var signal, variance float64
	for d := range deviation {
		if n[d] == 0 {
			return
		}
		deviation[d] /= n[d]
		signal += deviation[d] * deviation[d]
		variance += 1 / n[d]
	}
	var residual float64
	for i, r := range ratios {
		e := r - p[weekdays[i]] - deviation[weekdays[i]]
		residual += e * e
	}
	keep := shrink(signal, weekdayEvidence*variance*residual/float64(len(ratios)-week))
	for d := range p {
		p[d] = max(0, p[d]+keep*deviation[d])
	}
}

// shrink returns the share of an estimate to keep, given its square and what
// that would be from noise alone.
func shrink(signal, noise float64) float64 {
	if signal <= noise || signal < 1e-18 {
		return 0
	}
	return 1 - noise/signal
}

func isWeekend(d time.Weekday) bool { return d == time.Saturday || d == time.Sunday }

// remove returns y without the season. A day that the season leaves next to
// nothing of says nothing about the level, and repeats the day before.
func (p *profile) remove(y []float64, weekdays []time.Weekday) []float64 {
	out := make([]float64, len(y))
	last := math.NaN()
	for i, v := range y {
		if f := p[weekdays[i]]; f >= minFactor {
			last = v / f
		}
		out[i] = last
	}
	for i := len(out) - 1; i >= 0; i-- {
		// What comes before the first day that says something repeats it.
		if math.IsNaN(out[i]) {
			out[i] = 0
			if i+1 < len(out) {
				out[i] = out[i+1]
			}
		}
	}
	return out
}

// apply puts the season into forecasts of the given weekdays.
func (p *profile) apply(out []float64, weekdays []time.Weekday) {
	for h := range out {
		out[h] *= p[weekdays[h]]
	}
}
