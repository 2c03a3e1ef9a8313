package plot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Waterfall shows how one figure becomes another, step by step, from the top down.
type Waterfall struct {
	Title string
	Unit  string // "CPU µs"
	Start Total
	Steps []Step
	End   Total
}

// Total is where a waterfall begins or ends.
type Total struct {
	Name  string
	Value float64
}

// Step is what one cause adds, or takes away.
type Step struct {
	Name   string
	Change float64
	// Unexplained is what no measurement accounts for. It is drawn apart.
	Unexplained bool
}

// SVG draws it. Steps that do not lead from the start to the end are an error: what is missing has to stand there
// as unexplained.
func (w Waterfall) SVG() ([]byte, error) {
	at := w.Start.Value
	low, high := min(0, at), max(0, at)
	labels := []string{w.Start.Name}
	for _, step := range w.Steps {
		at += step.Change
		if math.IsNaN(at) || math.IsInf(at, 0) {
			return nil, fmt.Errorf("step %q: %v can't be drawn", step.Name, step.Change)
		}
		low, high = min(low, at), max(high, at)
		labels = append(labels, step.Name)
	}
	labels = append(labels, w.End.Name)
	low, high = min(low, w.End.Value), max(high, w.End.Value)
	if math.Abs(at-w.End.Value) > 0.001*(high-low) || high == low {
		return nil, fmt.Errorf("the steps lead from %v to %v and not to %v: show the rest as unexplained", w.Start.Value, at, w.End.Value)
	}

	p := lying(w.Title, w.Unit, labels)
	p.X.Max = high + (high-low)*0.14
	if p.X.Min = low; low < 0 {
		p.X.Min = low - (high-low)*0.14
	}
	p.Add(grid{values: &p.X}, falls{w})
	legend := []key{swatch("in all", inAll), swatch("adds", adds)}
	for _, step := range w.Steps {
		if step.Change < 0 && !step.Unexplained {
			legend = append(legend, swatch("saves", saves))
			break
		}
	}
	for _, step := range w.Steps {
		if step.Unexplained {
			legend = append(legend, swatch("unexplained", grey))
			break
		}
	}
	return svg(p, tall(len(labels)), legend)
}

var inAll, adds, saves = palette[0], palette[4], palette[2]

// falls draws the bars.
type falls struct{ Waterfall }

// Plot implements plot.Plotter.
func (w falls) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	half := (y(1) - y(0)) * 0.34
	row := 0
	bar := func(from, to float64, fill color.Color, label string) {
		middle := y(-float64(row))
		left, right := x(min(from, to)), x(max(from, to))
		rectangle(c, fill, vg.Rectangle{
			Min: vg.Point{X: left, Y: middle - half}, Max: vg.Point{X: max(right, left+0.8), Y: middle + half},
		})
		style := letters(10)
		style.YAlign = draw.YCenter
		place := vg.Point{X: right + 5, Y: middle}
		if to < 0 && from <= 0 {
			style.XAlign, place.X = draw.XRight, left-5
		}
		c.FillText(style, place, label)
		row++
	}
	link := func(at float64) { // from the row just drawn to the next
		c.StrokeLine2(draw.LineStyle{Color: grey, Width: 0.7, Dashes: []vg.Length{2, 2}},
			x(at), y(1-float64(row))-half, x(at), y(-float64(row))+half)
	}

	at := w.Start.Value
	bar(0, at, inAll, figure(at))
	for _, step := range w.Steps {
		link(at)
		fill := adds
		switch {
		case step.Unexplained:
			fill = grey
		case step.Change < 0:
			fill = saves
		}
		bar(at, at+step.Change, fill, signed(step.Change))
		at += step.Change
	}
	link(at)
	bar(0, w.End.Value, inAll, figure(w.End.Value))
}

func signed(v float64) string {
	if v < 0 {
		return "−" + figure(-v)
	}
	return "+" + figure(v)
}
