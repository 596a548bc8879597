package chart

import (
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// parse checks that a drawing is well-formed, has no style or script of its
// own, and no number that is none; it returns its text.
func parse(t require.TestingT, drawing string) string {
	d := xml.NewDecoder(strings.NewReader("<r>" + drawing + "</r>"))
	var text strings.Builder
	for {
		token, err := d.Token()
		if err == io.EOF {
			return text.String()
		}
		require.NoError(t, err, drawing)
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			require.Contains(t, []string{"r", "div", "svg", "g", "rect", "line", "text", "title", "polygon", "polyline", "circle"}, token.Name.Local)
			for _, a := range token.Attr {
				require.NotContains(t, []string{"style", "onclick", "href"}, a.Name.Local)
				require.NotContains(t, a.Value, "NaN")
				require.NotContains(t, a.Value, "Inf")
				if a.Name.Local == "height" && token.Name.Local == "rect" {
					h, err := strconv.ParseFloat(a.Value, 64)
					require.NoError(t, err)
					require.GreaterOrEqual(t, h, 0.0)
				}
			}
		}
	}
}

func dollars(v float64) string { return "$" + strconv.FormatFloat(v, 'f', 2, 64) }

func TestTicks(t *testing.T) {
	require.Equal(t, []float64{0, 1}, Ticks(0))
	require.Equal(t, []float64{0, 1}, Ticks(math.NaN()))
	require.Equal(t, []float64{0, 1, 2, 3, 4}, Ticks(4))
	require.Equal(t, []float64{0, 25, 50, 75, 100}, Ticks(100))
	require.InDeltaSlice(t, []float64{0, 0.02, 0.04, 0.06}, Ticks(0.055), 1e-12)
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Float64Range(1e-9, 1e12).Draw(t, "most")
		ticks := Ticks(most)
		require.GreaterOrEqual(t, ticks[len(ticks)-1], most*0.99999)
		require.Less(t, len(ticks), 7)
		require.Greater(t, len(ticks), 2)
	})
}

func TestBars(t *testing.T) {
	b := Bars{
		Name: "Cost <by> day", Description: "two models", Height: 200, Series: []string{"a<b>", "c"}, Label: dollars, Limit: 3, LimitName: "budget",
		Bars: []Bar{
			{Name: "1 March", Short: "1", Parts: []float64{1, 2}},
			{Name: "2 March", Short: "2", Parts: []float64{0.5, 0}, Forecast: &Band{0.4, 1, 2}},
			{Name: "3 March", Short: "3", Forecast: &Band{0, 1.5, 4}, Mark: "budget used up"},
		},
	}
	got := string(b.SVG())
	text := parse(t, got)
	for _, want := range []string{"1 March\nc: $2.00\na<b>: $1.00\ntotal: $3.00", "forecast: $1.50 ($0.00 to $4.00)", "budget used up", "$4.00", "budget $3.00"} {
		require.Contains(t, text, want)
	}
	// The plot is 162 pixels high and ends at 4: a bar of 1 from 0 is 40.5 high.
	require.Contains(t, got, `class="s0" x="3%" width="27.33%" y="137.5" height="40.5"`)
	require.Contains(t, got, `class="s1" x="3%" width="27.33%" y="56.5" height="81"`)
	require.Contains(t, got, `class="band"`)
	parse(t, string((&Bars{Name: "empty", Height: 100, Label: dollars}).SVG()))
}

func TestSmallCharts(t *testing.T) {
	require.Contains(t, string(Lane{Start: 0.25, End: 0.5, Class: "llm"}.SVG()), `<rect class="llm" x="25%" width="25%"`)
	require.Contains(t, string(Lane{Start: 0.25, End: 0.25, Class: "llm"}.SVG()), `<circle class="llm" cx="25%"`)
	require.Contains(t, string(Meter(0.5, "good")), `<rect class="good" width="50%"`)
	require.NotContains(t, string(Meter(0, "good")), "good")
	require.Contains(t, string(Spark([]float64{0, 1, 2}, "x")), `points="0,96 500,50 1000,4"`)
	require.Equal(t, []float64{0.5, 0, 0.5}, histogram([]float64{0, 3}, 0, 3, 3))
	require.Empty(t, Distributions(nil, []float64{1}, "x", dollars))
	var cells [7][24]int64
	cells[1][3] = 10
	heat := parse(t, string(Heat(cells, "x", func(n int64) string { return strconv.FormatInt(n, 10) + " events" })))
	require.Contains(t, heat, "Mon 03:00: 10 events")
}

// TestAnyValuesDraw: whatever the values, a drawing is well-formed.
func TestAnyValuesDraw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1e9)), 0, 40).Draw(t, "values")
		text := rapid.String().Draw(t, "text")
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\ufffe' || r == '\uffff' }) {
			t.Skip("not a character of XML")
		}
		b := Bars{Name: text, Height: 150, Series: []string{text}, Label: dollars}
		for i, v := range values {
			bar := Bar{Name: text, Short: text, Parts: []float64{v}}
			if i%3 == 2 {
				bar = Bar{Name: text, Forecast: &Band{v / 2, v, v * 2}, Mark: text}
			}
			b.Bars = append(b.Bars, bar)
		}
		parse(t, string(b.SVG()))
		parse(t, string(Spark(values, text)))
		parse(t, string(Distributions(values, values, text, dollars)))
		for _, v := range values {
			parse(t, string(Lane{Start: v, End: v * 2, Class: "x", Title: text}.SVG()))
			parse(t, string(Meter(v, "x")))
		}
	})
}

// TestWholeTicks: an axis of counts does not say 0 four times, or 2 at 2.5.
func TestWholeTicks(t *testing.T) {
	require.Equal(t, []float64{0, 1}, whole(Ticks(1)))
	require.Equal(t, []float64{0, 5, 10}, whole(Ticks(10)))
	require.Equal(t, Ticks(40), whole(Ticks(40)))
	require.Equal(t, []float64{0, 0.5}, whole([]float64{0, 0.25, 0.5}), "the top stays")
	b := Bars{Height: 100, Series: []string{"n"}, Label: func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }, Whole: true, Bars: []Bar{{Name: "day", Short: "d", Parts: []float64{1}}}}
	require.Equal(t, 2, strings.Count(string(b.SVG()), `class="grid"`))
}
