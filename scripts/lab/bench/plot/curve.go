package plot

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curve is lines over steps that follow each other, a line for each series, from zero. Low and High of a series are drawn as
// upright lines.
type Curve struct {
	Title  string
	Unit   string // of the values: "requests/s"
	Labels []string
	Series []Series
}

// SVG draws it.
func (l Curve) SVG() ([]byte, error) {
	if err := check(l.Labels, l.Series); err != nil {
		return nil, err
	}
	p := page(l.Title)
	p.Y.Label.Text = l.Unit
	p.Y.Min, p.Y.Max = 0, room(highest(l.Series))
	p.Y.Tick.Marker, p.Y.Tick.Length = figures{}, 0
	p.Y.LineStyle.Width, p.Y.Padding = 0, 8
	p.NominalX(l.Labels...)
	p.X.Min, p.X.Max = -0.5, float64(len(l.Labels))-0.5
	p.Add(grid{values: &p.Y}, steps{picture: l})

	var legend []key
	for i, s := range l.Series {
		legend = append(legend, lineKey(i, s.Name))
	}
	return svg(p, 3.6*vg.Inch, legend)
}

// lineKey is a line with its mark, for the legend.
func lineKey(i int, name string) key {
	return key{name, func(c draw.Canvas, box vg.Rectangle) {
		middle := (box.Min.Y + box.Max.Y) / 2
		c.StrokeLine2(stroke(i), box.Min.X-5, middle, box.Max.X+3, middle)
		c.DrawGlyph(mark(i), vg.Point{X: (box.Min.X+box.Max.X)/2 - 1, Y: middle})
	}}
}

// steps draws the lines.
type steps struct{ picture Curve }

// Plot implements plot.Plotter.
func (l steps) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, s := range l.picture.Series {
		var points []vg.Point
		for n, v := range s.Values {
			points = append(points, vg.Point{X: x(float64(n)), Y: y(v)})
		}
		c.StrokeLines(stroke(i), points)
		for n, point := range points {
			if len(s.Low) > n && len(s.High) > n {
				c.StrokeLine2(draw.LineStyle{Color: stroke(i).Color, Width: 1}, point.X, y(s.Low[n]), point.X, y(s.High[n]))
			}
			c.DrawGlyph(mark(i), point)
		}
	}
}
