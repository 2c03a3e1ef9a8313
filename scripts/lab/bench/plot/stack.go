package plot

import (
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Stack is lying bars that consist of parts: a bar for each label, from the top down, and in it a part for each
// series. Of more series than can be told apart, the smallest are drawn as one.
type Stack struct {
	Title  string
	Unit   string // of the values: "CPU µs/request"
	Labels []string
	Series []Series // Low and High are not drawn
}

// most is how many parts can be told apart, the one of all others included.
const most = 8

// SVG draws it.
func (s Stack) SVG() ([]byte, error) {
	if err := check(s.Labels, s.Series); err != nil {
		return nil, err
	}
	parts, rest := largest(s.Series, len(s.Labels))
	var longest float64
	for i := range s.Labels {
		longest = max(longest, total(parts, i))
	}
	p := lying(s.Title, s.Unit, s.Labels)
	p.X.Min, p.X.Max = 0, room(longest)
	colours := func(i int) color.Color {
		if rest && i == len(parts)-1 {
			return grey
		}
		return palette[i%len(palette)]
	}
	p.Add(grid{values: &p.X}, stacks{s.Labels, parts, colours})

	var legend []key
	for i, part := range parts {
		legend = append(legend, swatch(part.Name, colours(i)))
	}
	return svg(p, max(tall(len(s.Labels)), vg.Length(60+18*len(parts))), legend)
}

// lying is a page for bars that lie, the first label's at the top.
func lying(title, unit string, labels []string) *plot.Plot {
	p := page(title)
	p.X.Label.Text = unit
	p.X.Tick.Marker = figures{}
	var ticks []plot.Tick
	style, longest := letters(textPt), vg.Length(0)
	for i, label := range labels {
		ticks = append(ticks, plot.Tick{Value: -float64(i), Label: label})
		longest = max(longest, style.Width(label))
	}
	p.Y.Padding = 4 + longest*(wider-1) // a wider font grows to the right from where its text begins
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length, p.Y.LineStyle.Width = 0, 0
	p.Y.Min, p.Y.Max = 0.5-float64(len(labels)), 0.5
	return p
}

// tall is a height with a line for each bar.
func tall(bars int) vg.Length { return vg.Length(95 + 27*bars) }

// largest keeps the series with the greatest sums, in their order, and adds the others up.
func largest(series []Series, labels int) (parts []Series, rest bool) {
	if len(series) <= most {
		return series, false
	}
	sum := func(s Series) (all float64) {
		for _, v := range s.Values {
			all += v
		}
		return all
	}
	bySize := slices.Clone(series)
	slices.SortStableFunc(bySize, func(a, b Series) int {
		switch x, y := sum(a), sum(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	least := sum(bySize[most-2])
	others := Series{Values: make([]float64, labels)}
	merged := 0
	for _, s := range series {
		if len(parts) < most-1 && sum(s) >= least {
			parts = append(parts, s)
			continue
		}
		merged++
		for i, v := range s.Values {
			others.Values[i] += v
		}
	}
	others.Name = fmt.Sprintf("%d others", merged)
	return append(parts, others), true
}

func total(series []Series, label int) (sum float64) {
	for _, s := range series {
		sum += s.Values[label]
	}
	return sum
}

// stacks draws the bars.
type stacks struct {
	labels  []string
	parts   []Series
	colours func(int) color.Color
}

// Plot implements plot.Plotter.
func (s stacks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	half := (y(1) - y(0)) * 0.36
	inside := letters(9)
	inside.XAlign, inside.YAlign = draw.XCenter, draw.YCenter
	end := letters(10)
	end.YAlign = draw.YCenter
	for i := range s.labels {
		middle := y(-float64(i))
		var from float64
		for n, part := range s.parts {
			to := from + part.Values[i]
			box := vg.Rectangle{Min: vg.Point{X: x(from), Y: middle - half}, Max: vg.Point{X: x(to), Y: middle + half}}
			rectangle(c, s.colours(n), box)
			// A thin line between the parts tells them apart where the colours do not.
			c.StrokeLine2(draw.LineStyle{Color: color.White, Width: 0.8}, x(to), box.Min.Y, x(to), box.Max.Y)
			if text := figure(part.Values[i]); inside.Width(text)+6 < x(to)-x(from) {
				inside.Color = readable(s.colours(n))
				c.FillText(inside, vg.Point{X: (x(from) + x(to)) / 2, Y: middle}, text)
			}
			from = to
		}
		c.FillText(end, vg.Point{X: x(from) + 5, Y: middle}, figure(from))
	}
}
