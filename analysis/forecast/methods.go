package forecast

import (
	"math"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Method is a way to forecast.
type Method string

// The methods.
const (
	// MethodAuto is linear with 7 or more days, ema with 3 to 6, else average.
	MethodAuto Method = "auto"
	// MethodLinear continues a least-squares line.
	MethodLinear Method = "linear"
	// MethodEMA repeats an exponential moving average with alpha 0.3.
	MethodEMA Method = "ema"
	// MethodAverage repeats the mean.
	MethodAverage Method = "average"
	// MethodSeasonalNaive repeats the last 7 days.
	MethodSeasonalNaive Method = "seasonal_naive"
	// MethodHoltWinters is additive damped Holt-Winters with a week's season;
	// below three weeks it has no season, and is damped Holt.
	MethodHoltWinters Method = "holt_winters"
	// MethodBest is a mean of the five methods above, weighted by back-test,
	// with the weekly season taken out of those that know none.
	MethodBest Method = "best"
)

// week is the period of the seasonal methods, in days.
const week = 7

// candidates are the methods that best weighs, in the order of its table.
var candidates = [...]Method{MethodAverage, MethodLinear, MethodEMA, MethodSeasonalNaive, MethodHoltWinters}

// resolve returns the method that auto stands for with n days of data, and
// refuses an unknown method.
func (m Method) resolve(n int) (Method, error) {
	switch m {
	case MethodLinear, MethodEMA, MethodAverage, MethodSeasonalNaive, MethodHoltWinters, MethodBest:
		return m, nil
	case MethodAuto:
		switch {
		case n >= 7:
			return MethodLinear, nil
		case n >= 3:
			return MethodEMA, nil
		}
		return MethodAverage, nil
	}
	return "", &analysis.FieldError{
		Field: "method", Value: string(m),
		Want: "auto, linear, ema, average, seasonal_naive, holt_winters or best",
	}
}

// predict writes the forecast of the days after y into out: unclamped, so it
// can be negative. m is one of the candidates and y is not empty.
func (m Method) predict(y, out []float64) {
	switch m {
	case MethodLinear:
		l := fitLine(y)
		for h := range out {
			out[h] = l.at(len(y) + h)
		}
	case MethodEMA:
		fill(out, ema(y))
	case MethodSeasonalNaive:
		for h := range out {
			if h >= week {
				out[h] = out[h-week]
			} else {
				// A history shorter than a week repeats itself.
				period := min(week, len(y))
				out[h] = y[len(y)-period+h%period]
			}
		}
	case MethodHoltWinters:
		holtWinters(y, out)
	default:
		fill(out, mean(y))
	}
}

// line is a least-squares line over the positions 0, 1, 2 ….
type line struct{ xMean, yMean, slope float64 }

// fitLine fits a line; one point gives slope 0.
func fitLine(y []float64) line {
	n := float64(len(y))
	l := line{xMean: (n - 1) / 2, yMean: mean(y)}
	var sxy, sxx float64
	for i, v := range y {
		dx := float64(i) - l.xMean
		sxy += dx * (v - l.yMean)
		sxx += dx * dx
	}
	if sxx > 0 {
		l.slope = sxy / sxx
	}
	return l
}

func (l line) at(x int) float64 { return l.yMean + l.slope*(float64(x)-l.xMean) }

// residualError returns the standard error of the residuals with n-2 degrees of
// freedom; y has at least 3 points.
func (l line) residualError(y []float64) float64 {
	var ss float64
	for i, v := range y {
		r := v - l.at(i)
		ss += r * r
	}
	return math.Sqrt(ss / float64(len(y)-2))
}

// emaAlpha is the original's smoothing factor.
const emaAlpha = 0.3

func ema(y []float64) float64 {
	level := y[0]
	for _, v := range y[1:] {
		level = emaAlpha*v + (1-emaAlpha)*level
	}
	return level
}

func mean(y []float64) float64 {
	var sum float64
	for _, v := range y {
		sum += v
	}
	return sum / float64(len(y))
}

// sampleDeviation returns the standard deviation with n-1 degrees of freedom;
// y has at least 2 points.
func sampleDeviation(y []float64) float64 {
	m := mean(y)
	var ss float64
	for _, v := range y {
		ss += (v - m) * (v - m)
	}
	return math.Sqrt(ss / float64(len(y)-1))
}

func fill(out []float64, v float64) {
	for i := range out {
		out[i] = v
	}
}
