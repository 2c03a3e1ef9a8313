package plot

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Percentiles are lines over percentiles, a line for each series. Both axes are logarithmic: the one of percentiles
// gives each further nine the same room, since the rare answers are what is looked for.
type Percentiles struct {
	Title       string
	Unit        string    // of the values: "ms"
	Percentiles []float64 // rising, below 100: 50, 95, 99, 99.9
	Series      []Series
}

// SVG draws it.
func (l Percentiles) SVG() ([]byte, error) {
	var labels []string
	for i, percentile := range l.Percentiles {
		if percentile < 0 || percentile >= 100 || i > 0 && percentile <= l.Percentiles[i-1] {
			return nil, fmt.Errorf("percentile %v of %v has no place: they rise, and stay below 100", percentile, l.Percentiles)
		}
		labels = append(labels, "p"+strconv.FormatFloat(percentile, 'f', -1, 64))
	}
	if err := check(labels, l.Series); err != nil {
		return nil, err
	}
	low, high := math.Inf(1), 0.0
	for _, s := range l.Series {
		for i, v := range s.Values {
			if v == 0 {
				return nil, fmt.Errorf("%s, %s: 0 has no place on a logarithmic axis", s.Name, labels[i])
			}
			low, high = min(low, v), max(high, v)
		}
	}

	p := page(l.Title)
	p.Y.Label.Text = l.Unit
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker, p.Y.Tick.Length = decades{}, 0
	p.Y.LineStyle.Width, p.Y.Padding = 0, 8
	p.Y.Min, p.Y.Max = down(low), up(high)
	var ticks []plot.Tick
	for i, percentile := range l.Percentiles {
		ticks = append(ticks, plot.Tick{Value: nines(percentile), Label: labels[i]})
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	first, last := ticks[0].Value, ticks[len(ticks)-1].Value
	side := max(last-first, 1) * 0.06
	p.X.Min, p.X.Max = first-side, last+side
	p.Add(grid{values: &p.Y}, curves{picture: l})

	var legend []key
	for i, s := range l.Series {
		legend = append(legend, lineKey(i, s.Name))
	}
	return svg(p, 3.6*vg.Inch, legend)
}

// nines is where a percentile stands: 90 at 1, 99 at 2, 99.9 at 3.
func nines(percentile float64) float64 { return -math.Log10(1 - percentile/100) }

// curves draws the lines.
type curves struct{ picture Percentiles }

// Plot implements plot.Plotter.
func (l curves) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, s := range l.picture.Series {
		var points []vg.Point
		for n, v := range s.Values {
			points = append(points, vg.Point{X: x(nines(l.picture.Percentiles[n])), Y: y(v)})
		}
		c.StrokeLines(stroke(i), points)
		for _, point := range points {
			c.DrawGlyph(mark(i), point)
		}
	}
}

var (
	dashes = [][]vg.Length{nil, {7, 3}, {2, 2}, {8, 3, 2, 3}}
	marks  = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}}
)

func stroke(i int) draw.LineStyle {
	return draw.LineStyle{Color: palette[i%len(palette)], Width: 2, Dashes: dashes[i%len(dashes)]}
}

func mark(i int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: palette[i%len(palette)], Radius: 3.5, Shape: marks[i%len(marks)]}
}

// decades are ticks at 1, 2 and 5 times each power of ten.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for v := down(low); v <= high*1.0001; v = next(v) {
		if v >= low*0.9999 {
			ticks = append(ticks, plot.Tick{Value: v, Label: trimZeros(v)})
		}
	}
	return ticks
}

// down and up are the nearest round figures: 1, 2 or 5 times a power of ten.
func down(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, times := range []float64{5, 2} {
		if times*power <= v*1.0001 {
			return times * power
		}
	}
	return power
}

func up(v float64) float64 {
	if d := down(v); d >= v*0.9999 {
		return d
	}
	return next(down(v))
}

func next(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)+1e-9))
	switch times := v / power; {
	case times < 1.5:
		return 2 * power
	case times < 3:
		return 5 * power
	}
	return 10 * power
}
