package plot

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bars are groups of bars beside each other: a group for each label, a bar for each series.
type Bars struct {
	Title  string
	Unit   string // of the values, for the axis: "requests/s"
	Labels []string
	Series []Series
}

// SVG draws it.
func (b Bars) SVG() ([]byte, error) {
	if err := check(b.Labels, b.Series); err != nil {
		return nil, err
	}
	p := page(b.Title)
	p.Y.Label.Text = b.Unit
	p.Y.Min, p.Y.Max = 0, room(highest(b.Series))
	p.Y.Tick.Marker, p.Y.Tick.Length = figures{}, 0
	p.Y.LineStyle.Width = 0
	p.NominalX(b.Labels...)
	p.X.Min, p.X.Max = -0.5, float64(len(b.Labels))-0.5
	p.X.Tick.Length = 0
	p.Y.Padding = 8
	p.Add(grid{values: &p.Y}, groups{b})

	var legend []key
	for i, s := range b.Series {
		legend = append(legend, swatch(s.Name, palette[i%len(palette)]))
	}
	return svg(p, 3.6*vg.Inch, legend)
}

func highest(series []Series) float64 {
	var most float64
	for _, s := range series {
		for _, values := range [][]float64{s.Values, s.High} {
			for _, v := range values {
				most = max(most, v)
			}
		}
	}
	return most
}

// room is an axis's end with space for a figure above the highest value.
func room(most float64) float64 {
	if most == 0 {
		return 1
	}
	return most * 1.12
}

// groups draws the bars.
type groups struct{ Bars }

// Plot implements plot.Plotter.
func (g groups) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	n := float64(len(g.Series))
	step := (x(1) - x(0)) * 0.78 / vg.Length(n)
	label := letters(fitting(step))
	label.XAlign, label.YAlign = draw.XCenter, draw.YBottom
	for i := range g.Labels {
		left := x(float64(i)) - step*vg.Length(n)/2
		for s, series := range g.Series {
			from, to := left+step*vg.Length(s), left+step*vg.Length(s)+step*0.92
			rectangle(c, palette[s%len(palette)], vg.Rectangle{
				Min: vg.Point{X: from, Y: y(0)}, Max: vg.Point{X: to, Y: y(series.Values[i])},
			})
			middle, top := (from+to)/2, y(series.Values[i])
			if series.High != nil {
				whisker(c, middle, y(series.Low[i]), y(series.High[i]))
				top = max(top, y(series.High[i]))
			}
			c.FillText(label, vg.Point{X: middle, Y: top + 3}, figure(series.Values[i]))
		}
	}
}

// fitting is a size at which a figure such as 12,345 is no wider than its bar.
func fitting(bar vg.Length) vg.Length { return min(10, max(6.5, bar/3.2)) }

// whisker shows the range of the rounds.
func whisker(c draw.Canvas, x, low, high vg.Length) {
	style := draw.LineStyle{Color: ink, Width: 1}
	c.StrokeLine2(style, x, low, x, high)
	c.StrokeLine2(style, x-3, low, x+3, low)
	c.StrokeLine2(style, x-3, high, x+3, high)
}

// grid draws faint lines at the ticks of the axis of values.
type grid struct{ values *plot.Axis }

// Plot implements plot.Plotter.
func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Color: faint, Width: 0.7}
	for _, tick := range g.values.Tick.Marker.Ticks(g.values.Min, g.values.Max) {
		if tick.Label == "" {
			continue
		}
		if g.values == &p.Y {
			c.StrokeLine2(style, c.Min.X, y(tick.Value), c.Max.X, y(tick.Value))
		} else {
			c.StrokeLine2(style, x(tick.Value), c.Min.Y, x(tick.Value), c.Max.Y)
		}
	}
}

// readable is black or white, whichever can be read on the colour.
func readable(on color.Color) color.Color {
	r, g, b, _ := on.RGBA()
	if 299*r+587*g+114*b > 1000*0xFFFF*55/100 {
		return ink
	}
	return color.White
}
