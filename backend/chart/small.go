package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Lane is one row of a waterfall.
type Lane struct {
	// Start and End are shares of the time shown, from 0 to 1. Where they are
	// equal the row has a point.
	Start, End float64
	// Class colours it.
	Class string
	// Title is its tooltip.
	Title string
}

// laneHeight is that of a row of a waterfall, in pixels.
const laneHeight = 18

// Marks are where a waterfall has lines, as shares of the time shown.
var Marks = [...]float64{0, 0.25, 0.5, 0.75, 1}

// SVG draws the row. It is decoration: the row says its figures in words.
func (l Lane) SVG() template.HTML {
	var c canvas
	c.f(`<svg class="lane" width="100%%" height="%d" aria-hidden="true"><title>%s</title>`, laneHeight, esc(l.Title))
	for _, m := range Marks {
		c.f(`<line class="grid" x1="%s" x2="%s" y1="0" y2="%d"/>`, pct(m), pct(m), laneHeight)
	}
	start, end := clamp(l.Start), clamp(l.End)
	if end-start < 0.002 {
		c.f(`<circle class="%s" cx="%s" cy="%d" r="4"/>`, esc(l.Class), pct(min(0.995, max(0.005, start))), laneHeight/2)
	} else {
		c.f(`<rect class="%s" x="%s" width="%s" y="4" height="%d" rx="2"/>`, esc(l.Class), pct(start), pct(max(0.004, end-start)), laneHeight-8)
	}
	return c.close()
}

func clamp(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(1, v)
}

// Meter draws a share as a bar; class colours it.
func Meter(share float64, class string) template.HTML {
	var c canvas
	c.f(`<svg class="meter" width="100%%" height="8" aria-hidden="true"><rect class="track" width="100%%" height="8" rx="4"/>`)
	if share > 0 {
		c.f(`<rect class="%s" width="%s" height="8" rx="4"/>`, esc(class), pct(clamp(share)))
	}
	return c.close()
}

// Spark draws a row of values as a line without axes.
func Spark(values []float64, name string) template.HTML {
	var c canvas
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	c.f(`<svg class="spark" viewBox="0 0 1000 100" preserveAspectRatio="none" width="100%%" height="32" role="img" aria-label="%s">`, esc(name))
	if len(values) > 1 && most > 0 {
		points := make([]string, len(values))
		for i, v := range values {
			points[i] = px(1000*float64(i)/float64(len(values)-1)) + "," + px(96-92*v/most)
		}
		line := strings.Join(points, " ")
		c.f(`<polygon class="under" points="0,100 %s 1000,100"/><polyline class="line" points="%s" vector-effect="non-scaling-stroke"/>`, line, line)
	}
	return c.close()
}

// Distributions draws how the values of two groups lie beside each other, as
// shares of their group in the same bins: baseline below the line, current
// above it.
func Distributions(baseline, current []float64, name string, label func(float64) string) template.HTML {
	low, high := math.Inf(1), math.Inf(-1)
	for _, side := range [...][]float64{baseline, current} {
		for _, v := range side {
			low, high = min(low, v), max(high, v)
		}
	}
	var c canvas
	if len(baseline) == 0 || len(current) == 0 {
		return ""
	}
	bins := 24
	if low == high {
		bins = 1
	}
	a, b := histogram(baseline, low, high, bins), histogram(current, low, high, bins)
	most := 0.0
	for i := range a {
		most = max(most, a[i], b[i])
	}
	const half = 34.0
	c.open("distribution", int(2*half)+18, name, fmt.Sprintf("%d sessions in the baseline, %d in the current window, from %s to %s",
		len(baseline), len(current), label(low), label(high)))
	for i := range a {
		x, w := (float64(i)+0.08)/float64(bins), 0.84/float64(bins)
		at := low + (high-low)*(float64(i)+0.5)/float64(bins)
		c.f(`<g><title>about %s: %.0f %% of the baseline, %.0f %% now</title>`, esc(label(at)), 100*a[i], 100*b[i])
		if b[i] > 0 {
			h := max(1.5, (half-2)*b[i]/most)
			c.f(`<rect class="now" x="%s" width="%s" y="%s" height="%s"/>`, pct(x), pct(w), px(half-h), px(h))
		}
		if a[i] > 0 {
			h := max(1.5, (half-2)*a[i]/most)
			c.f(`<rect class="before" x="%s" width="%s" y="%s" height="%s"/>`, pct(x), pct(w), px(half+1), px(h))
		}
		c.f(`</g>`)
	}
	c.f(`<line class="axis" x1="0" x2="100%%" y1="%s" y2="%s"/>`, px(half+0.5), px(half+0.5))
	c.f(`<text x="0" y="%d">%s</text><text x="100%%" y="%d" text-anchor="end">%s</text>`, int(2*half)+14, esc(label(low)), int(2*half)+14, esc(label(high)))
	return c.close()
}

// histogram returns the share of values in each of equal bins.
func histogram(values []float64, low, high float64, bins int) []float64 {
	out := make([]float64, bins)
	for _, v := range values {
		i := 0
		if high > low {
			i = min(bins-1, int(float64(bins)*(v-low)/(high-low)))
		}
		out[i] += 1 / float64(len(values))
	}
	return out
}

// Heat draws activity by weekday, Sunday first, and hour; cells have a class
// from h0 (nothing) to h5 (the most).
func Heat(cells [7][24]int64, name string, label func(int64) string) template.HTML {
	days := [...]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	most := int64(0)
	for _, row := range cells {
		for _, n := range row {
			most = max(most, n)
		}
	}
	const row, left, top = 20, 9.0, 18 // pixels, percent, pixels
	var c canvas
	c.open("heat", top+7*row, name, "By weekday and hour, UTC")
	for hour := 0; hour < 24; hour += 6 {
		c.f(`<text x="%s" y="12">%02d:00</text>`, pct((left+(100-left)*float64(hour)/24)/100), hour)
	}
	for i := range cells {
		day := (i + 1) % 7 // Monday first
		y := top + i*row
		c.f(`<text x="0" y="%d" dominant-baseline="middle">%s</text>`, y+row/2, days[day])
		for hour, n := range cells[day] {
			class := 0
			if n > 0 {
				class = 1 + int(min(4, 5*n/(most+1)))
			}
			c.f(`<rect class="h%d" x="%s" width="%s" y="%d" height="%d" rx="2"><title>%s %02d:00: %s</title></rect>`,
				class, pct((left+(100-left)*(float64(hour)+0.05)/24)/100), pct((100-left)*0.9/24/100), y+1, row-2, days[day], hour, esc(label(n)))
		}
	}
	return c.close()
}
