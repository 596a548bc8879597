package forecast

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// spread is the uncertainty of a forecast: the error of each day ahead, in USD,
// is sigma times a Student t variable with df degrees of freedom.
type spread struct {
	sigma []float64
	df    float64
	// noise is the part of sigma that is independent from day to day; the
	// rest is error in the level, which the days share.
	noise []float64
}

const (
	// recency is how much less an error counts that is a day older.
	recency = 0.85
	// robustShare: the size of an error is told from the one that this share
	// of errors does not exceed, so that the days right after a jump, which
	// every method misses, do not make it.
	robustShare = 0.6
	// residualLead: errors up to this many days ahead are measured. Longer
	// ones overlap, and a jump would be in most of them.
	residualLead = 3
	// noiseBound: an error is at most this many times what one would be whose
	// only cause is the scatter from day to day.
	noiseBound = 1.45
	// Exponential smoothing with alpha has, h days ahead, the variance
	// 1 + (h-1)*alpha^2 relative to one day ahead, and of that one
	// alpha/(2-alpha) against the noise is error in the level (Hyndman and
	// Athanasopoulos, table 8.8).
	leadGrowth = emaAlpha * emaAlpha
	levelShare = emaAlpha / (2 - emaAlpha)
	// relativeFloor is the smallest prediction, as a share of the mean, that
	// an error is taken relative to.
	relativeFloor = 0.1
)

// spreadOf measures the errors of a blend by back-test on a history of at least
// bestDays, and carries them over to its predictions. Errors are relative to
// the prediction, since what costs more varies more.
func (b *blend) spreadOf(d daily, predicted []float64) *spread {
	n := len(d.y)
	season := weekProfile(d.y, d.weekdays[:n])
	if n < 2*week {
		d.season = &season
	}
	base := relativeFloor * mean(d.y)
	type residual struct{ size, weight float64 }
	var residuals []residual
	var total, originWeights, originSquares float64
	out := make([]float64, residualLead)
	for origin := firstOrigin(n); origin < n; origin++ {
		ahead := min(residualLead, n-origin)
		b.predict(d.until(origin), out[:ahead])
		w := math.Pow(recency, float64(n-1-origin))
		originWeights += w
		originSquares += w * w
		for h, p := range out[:ahead] {
			e := ratio(math.Abs(p-d.y[origin+h]), max(p, base)) / math.Sqrt(1+leadGrowth*float64(h))
			w := math.Pow(recency, float64(n-1-origin-h))
			residuals = append(residuals, residual{e, w})
			total += w
		}
	}
	slices.SortFunc(residuals, func(a, b residual) int { return cmp.Compare(a.size, b.size) })
	var size, below float64
	for _, r := range residuals {
		size = r.size
		if below += r.weight; below >= robustShare*total {
			break
		}
	}
	size /= distuv.UnitNormal.Quantile(0.5 + robustShare/2)
	if scatter := d.scatter(&season); scatter > 0 {
		size = min(size, noiseBound*scatter)
	}

	// Weighted origins are worth this many equal ones; a season that was
	// estimated from the same days costs one.
	df := originWeights * originWeights / originSquares
	if d.season != nil && season != noSeason {
		df--
	}
	s := &spread{df: max(1, df), sigma: make([]float64, len(predicted)), noise: make([]float64, len(predicted))}
	for h, p := range predicted {
		one := size * max(p, base)
		s.sigma[h] = one * math.Sqrt(1+leadGrowth*float64(h))
		s.noise[h] = one / math.Sqrt(1+levelShare)
	}
	return s
}

// interval returns the bounds that nine values of ten fall between.
func (s *spread) interval(predicted []float64) (low, high []float64) {
	t := distuv.StudentsT{Sigma: 1, Nu: s.df}.Quantile(0.95)
	low, high = make([]float64, len(predicted)), make([]float64, len(predicted))
	for h, p := range predicted {
		low[h], high[h] = p-t*s.sigma[h], p+t*s.sigma[h]
	}
	return low, high
}

// exceeds returns the probability that the first days of the forecast together
// cost more than limit.
func (s *spread) exceeds(predicted []float64, limit float64) float64 {
	var sum, noise, level float64
	for h, p := range predicted {
		sum += max(0, p)
		noise += s.noise[h] * s.noise[h]
		level += math.Sqrt(max(0, s.sigma[h]*s.sigma[h]-s.noise[h]*s.noise[h]))
	}
	sigma := math.Sqrt(noise + level*level)
	if sigma == 0 {
		if sum > limit {
			return 1
		}
		return 0
	}
	return distuv.StudentsT{Mu: sum, Sigma: sigma, Nu: s.df}.Survival(limit)
}

// scatter returns the standard deviation of a day around its level, relative to
// the level, from the median change from day to day: a jump is one change. It is
// 0 when most days do not change, which tells nothing of the others.
func (d *daily) scatter(season *profile) float64 {
	y := season.remove(d.y, d.weekdays)
	base := relativeFloor * mean(y)
	changes := make([]float64, len(y)-1)
	for i := range changes {
		changes[i] = ratio(math.Abs(y[i+1]-y[i]), max((y[i]+y[i+1])/2, base))
	}
	slices.Sort(changes)
	m := len(changes)
	median := (changes[(m-1)/2] + changes[m/2]) / 2
	return median / distuv.UnitNormal.Quantile(0.75) / math.Sqrt2
}

// ratio returns a/b, and 0 for 0/0.
func ratio(a, b float64) float64 {
	if a == 0 {
		return 0
	}
	return a / b
}
