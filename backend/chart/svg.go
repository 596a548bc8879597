package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// canvas writes SVG. Everything that is text goes through esc.
type canvas struct{ strings.Builder }

func (c *canvas) f(format string, args ...any) { fmt.Fprintf(&c.Builder, format, args...) }

func esc(s string) string { return html.EscapeString(s) }

// open begins a drawing of a height in pixels as wide as there is room, that
// is told as an image with a name and a description.
func (c *canvas) open(class string, height int, name, description string) {
	c.f(`<svg class="%s" width="100%%" height="%d" role="img" aria-label="%s">`, class, height, esc(strings.TrimSpace(name+". "+description)))
}

func (c *canvas) close() template.HTML {
	c.f(`</svg>`)
	// Every text above went through esc.
	return template.HTML(c.String()) //nolint:gosec // see above
}

// pct writes a share of the width.
func pct(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e4)/100, 'f', -1, 64) + "%"
}

// px writes pixels.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// Ticks returns round values from 0 to at least most, four or five of them;
// only 0 and 1 when most is 0 or less.
func Ticks(most float64) []float64 {
	if !(most > 0) || math.IsInf(most, 0) {
		return []float64{0, 1}
	}
	step := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, m := range [...]float64{1, 2, 2.5, 5, 10} {
		if step*m*4 >= most*0.999999 {
			step *= m
			break
		}
	}
	ticks := []float64{0}
	for n := 1; ticks[len(ticks)-1] < most*0.999999; n++ {
		ticks = append(ticks, float64(n)*step)
	}
	return ticks
}

// whole leaves out the ticks between whole numbers, but never the last.
func whole(ticks []float64) []float64 {
	last := len(ticks) - 1
	out := ticks[:0:0]
	for i, t := range ticks {
		if i == last || t == math.Trunc(t) {
			out = append(out, t)
		}
	}
	return out
}

// yAxis draws the labels of ticks in a narrow column of its own.
func yAxis(ticks []float64, height int, y func(float64) float64, label func(float64) string) string {
	var c canvas
	width := 0
	for _, t := range ticks {
		width = max(width, len([]rune(label(t))))
	}
	w := 8 + 7*width
	c.f(`<svg class="yaxis" width="%d" height="%d" aria-hidden="true">`, w, height)
	for _, t := range ticks {
		c.f(`<text x="%d" y="%s" text-anchor="end" dominant-baseline="middle">%s</text>`, w-6, px(y(t)), esc(label(t)))
	}
	c.f(`</svg>`)
	return c.String()
}
