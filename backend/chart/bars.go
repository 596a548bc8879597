package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// Bars is a chart of stacked bars along time, with a forecast after them.
type Bars struct {
	// Name and Description tell the chart to who cannot see it.
	Name, Description string
	// Height is that of the plot in pixels.
	Height int
	// Series name the parts of a bar, from the bottom; part i has class s<i>,
	// or the one in Classes.
	Series  []string
	Classes []string
	Bars    []Bar
	// Label writes a value.
	Label func(float64) string
	// Whole says that the values are counts.
	Whole bool
	// Limit is a line across, where it is more than 0, called LimitName.
	Limit     float64
	LimitName string
}

// Bar is one step of time.
type Bar struct {
	// Name is said in full, Short stands below the bar.
	Name, Short string
	// Parts are the values by series.
	Parts []float64
	// Forecast is what is expected.
	Forecast *Band
	// Mark is a word above the bar, for a day that something happens on.
	Mark string
}

// Band is a value with the interval in which it is expected.
type Band struct{ Low, Mid, High float64 }

func (b *Bar) total() (sum float64) {
	for _, p := range b.Parts {
		sum += p
	}
	return sum
}

const (
	padTop    = 16.0
	padBottom = 22.0
	gap       = 0.18 // share of a step between two bars
)

// SVG draws the chart.
func (b *Bars) SVG() template.HTML {
	most := b.Limit
	for i := range b.Bars {
		most = max(most, b.Bars[i].total())
		if f := b.Bars[i].Forecast; f != nil {
			most = max(most, f.High, f.Mid)
		}
	}
	ticks := Ticks(most)
	if b.Whole {
		ticks = whole(ticks)
	}
	top := ticks[len(ticks)-1]
	plot := float64(b.Height) - padTop - padBottom
	y := func(v float64) float64 { return padTop + plot*(1-v/top) }

	var c canvas
	c.f(`<div class="plot">%s`, yAxis(ticks, b.Height, y, b.Label))
	c.open("bars", b.Height, b.Name, b.Description)
	for _, t := range ticks {
		c.f(`<line class="grid" x1="0" x2="100%%" y1="%s" y2="%s"/>`, px(y(t)), px(y(t)))
	}
	n := float64(max(1, len(b.Bars)))
	b.band(&c, y, n)
	for i := range b.Bars {
		b.bar(&c, i, n, y)
	}
	if b.Limit > 0 {
		c.f(`<line class="limit" x1="0" x2="100%%" y1="%s" y2="%s"/><text class="limit" x="0" y="%s">%s %s</text>`,
			px(y(b.Limit)), px(y(b.Limit)), px(y(b.Limit)-4), esc(b.LimitName), esc(b.Label(b.Limit)))
	}
	b.labels(&c, n)
	c.f(`</svg></div>`)
	return template.HTML(c.String()) //nolint:gosec // every text went through esc
}

func (b *Bars) class(series int) string {
	if series < len(b.Classes) {
		return b.Classes[series]
	}
	return fmt.Sprint("s", series)
}

func (b *Bars) bar(c *canvas, i int, n float64, y func(float64) float64) {
	bar := &b.Bars[i]
	left, width := (float64(i)+gap/2)/n, (1-gap)/n
	c.f(`<g><title>%s</title>`, esc(b.tell(bar)))
	// The whole step answers to the pointer, not only what is drawn.
	c.f(`<rect class="hit" x="%s" width="%s" y="%s" height="%s"/>`, pct(float64(i)/n), pct(1/n), px(padTop), px(y(0)-padTop))
	base := 0.0
	for s, v := range bar.Parts {
		if v <= 0 {
			continue
		}
		c.f(`<rect class="%s" x="%s" width="%s" y="%s" height="%s"/>`, b.class(s), pct(left), pct(width), px(y(base+v)), px(max(0.8, y(base)-y(base+v))))
		base += v
	}
	if f := bar.Forecast; f != nil && f.Mid > base {
		c.f(`<rect class="expected" x="%s" width="%s" y="%s" height="%s"/>`, pct(left), pct(width), px(y(f.Mid)), px(max(0.8, y(base)-y(f.Mid))))
	}
	if bar.Mark != "" {
		c.f(`<line class="mark" x1="%s" x2="%s" y1="%s" y2="%s"/>`, pct((float64(i)+0.5)/n), pct((float64(i)+0.5)/n), px(padTop), px(y(0)))
		anchor := "middle"
		if float64(i) > 0.8*n {
			anchor = "end"
		} else if float64(i) < 0.2*n {
			anchor = "start"
		}
		c.f(`<text class="mark" x="%s" y="11" text-anchor="%s">%s</text>`, pct((float64(i)+0.5)/n), anchor, esc(bar.Mark))
	}
	c.f(`</g>`)
}

// tell says a bar in words.
func (b *Bars) tell(bar *Bar) string {
	lines := []string{bar.Name}
	if len(bar.Parts) > 0 {
		if len(b.Series) > 1 {
			for s := len(bar.Parts) - 1; s >= 0; s-- {
				if bar.Parts[s] > 0 {
					lines = append(lines, b.Series[s]+": "+b.Label(bar.Parts[s]))
				}
			}
			lines = append(lines, "total: "+b.Label(bar.total()))
		} else {
			lines = append(lines, b.Label(bar.total()))
		}
	}
	if f := bar.Forecast; f != nil {
		lines = append(lines, fmt.Sprintf("forecast: %s (%s to %s)", b.Label(f.Mid), b.Label(f.Low), b.Label(f.High)))
	}
	if bar.Mark != "" {
		lines = append(lines, bar.Mark)
	}
	return strings.Join(lines, "\n")
}

// band draws the interval of the forecast as one shape, in a drawing of its
// own that may be stretched.
func (b *Bars) band(c *canvas, y func(float64) float64, n float64) {
	var upper, lower []string
	for i := range b.Bars {
		f := b.Bars[i].Forecast
		if f == nil {
			continue
		}
		for _, x := range [...]float64{float64(i) / n, (float64(i) + 1) / n} {
			upper = append(upper, px(1000*x)+","+px(y(f.High)))
			lower = append(lower, px(1000*x)+","+px(y(f.Low)))
		}
	}
	if upper == nil {
		return
	}
	points := upper
	for i := len(lower) - 1; i >= 0; i-- {
		points = append(points, lower[i])
	}
	c.f(`<svg viewBox="0 0 1000 %d" preserveAspectRatio="none" width="100%%" height="%d"><polygon class="band" points="%s"/></svg>`,
		b.Height, b.Height, strings.Join(points, " "))
}

// labels writes at most eight names below the bars; every other one has class
// alt, for screens that have no room for it.
func (b *Bars) labels(c *canvas, n float64) {
	every := (len(b.Bars) + 7) / 8
	for i := 0; i < len(b.Bars); i += max(1, every) {
		class, anchor, x := "x", "middle", (float64(i)+0.5)/n
		if i/max(1, every)%2 == 1 {
			class = "x alt"
		}
		if i == 0 && n > 8 {
			anchor, x = "start", gap/2/n
		}
		c.f(`<text class="%s" x="%s" y="%d" text-anchor="%s">%s</text>`, class, pct(x), b.Height-6, anchor, esc(b.Bars[i].Short))
	}
}
