package plot

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Series is one row of values, one for each of the picture's labels.
type Series struct {
	Name   string
	Values []float64
	// Low and High are the ends of what the rounds said, where the picture shows that; nil leaves it out.
	Low, High []float64
}

// palette is Okabe and Ito's, dark and light in turns, so that neighbours differ in print as well.
var palette = []color.Color{
	rgb(0x0072B2), rgb(0xE69F00), rgb(0x009E73), rgb(0xCC79A7), rgb(0xD55E00), rgb(0x56B4E9), rgb(0xB3A100), rgb(0x5A5A5A),
}

var (
	ink   = rgb(0x24292F)
	faint = rgb(0xE1E4E8) // the grid
	grey  = rgb(0x9A9FA5) // what is left over
)

func rgb(hex uint32) color.Color {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xFF}
}

const (
	width   = 8.6 * vg.Inch // GitHub's column
	margin  = 10 * vg.Length(1)
	textPt  = 11
	titlePt = 14

	// A reader's machine may have none of the fonts that are asked for, and take a wider one.
	wider = 1.15
)

// letters is the style of a text.
func letters(size vg.Length) text.Style {
	return text.Style{
		Color:   ink,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: plot.DefaultTextHandler,
	}
}

// page is a plot in this package's style, with a grid for the values of one axis.
func page(title string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Text = title
	p.Title.TextStyle = letters(titlePt)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	p.Title.Padding = 10
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		turn, x, y := axis.Label.TextStyle.Rotation, axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign
		axis.Label.TextStyle = letters(textPt)
		axis.Label.TextStyle.Rotation, axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign = turn, x, y
		axis.Label.Padding = 6
		x, y = axis.Tick.Label.XAlign, axis.Tick.Label.YAlign
		axis.Tick.Label = letters(textPt)
		axis.Tick.Label.XAlign, axis.Tick.Label.YAlign = x, y
		axis.Color, axis.Tick.Color = ink, ink
	}
	return p
}

// key is an entry of the legend.
type key struct {
	name string
	draw func(c draw.Canvas, box vg.Rectangle)
}

func swatch(name string, fill color.Color) key {
	return key{name, func(c draw.Canvas, box vg.Rectangle) { rectangle(c, fill, box) }}
}

// svg draws the plot with the legend to the right of it, where it can hide nothing.
func svg(p *plot.Plot, height vg.Length, legend []key) ([]byte, error) {
	canvas := vgsvg.NewWith(vgsvg.UseWH(width, height))
	all := draw.New(canvas)
	rectangle(all, color.White, all.Rectangle)

	beside := vg.Length(0)
	style := letters(textPt)
	const box, gap, line = 11, 6, 18
	for _, k := range legend {
		beside = max(beside, style.Width(k.name)*wider+box+3*gap)
	}
	p.Draw(draw.Crop(all, margin, -margin-beside, margin, -margin))
	style.YAlign = draw.YCenter
	for i, k := range legend {
		middle := vg.Point{X: all.Max.X - margin - beside + 2*gap, Y: all.Max.Y - margin - 34 - vg.Length(i)*line}
		k.draw(all, vg.Rectangle{
			Min: vg.Point{X: middle.X, Y: middle.Y - box/2}, Max: vg.Point{X: middle.X + box, Y: middle.Y + box/2},
		})
		all.FillText(style, vg.Point{X: middle.X + box + gap, Y: middle.Y}, k.name)
	}

	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, err
	}
	// Few machines have Liberation; Arial and Helvetica were made, and copied, with the same widths.
	return bytes.ReplaceAll(out.Bytes(),
		[]byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), nil
}

func rectangle(c draw.Canvas, fill color.Color, r vg.Rectangle) {
	c.FillPolygon(fill, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}

// figure writes a value with about three digits, and thousands apart.
func figure(v float64) string {
	size := math.Abs(v)
	switch {
	case size == 0:
		return "0"
	case size >= 999.5:
		whole := strconv.FormatFloat(math.Round(size), 'f', 0, 64)
		for at := len(whole) - 3; at > 0; at -= 3 {
			whole = whole[:at] + "," + whole[at:]
		}
		if v < 0 {
			return "−" + whole
		}
		return whole
	case size >= 99.5:
		return fmt.Sprintf("%.0f", v)
	case size >= 9.95:
		return fmt.Sprintf("%.1f", v)
	case size >= 0.0995:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

// figures are ticks of an axis of values, from zero, with thousands apart.
type figures struct{}

// Ticks implements plot.Ticker.
func (figures) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, tick := range (plot.DefaultTicks{}).Ticks(low, high) {
		if tick.Label != "" {
			tick.Label = trimZeros(tick.Value)
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

func trimZeros(v float64) string {
	if math.Abs(v) >= 1000 {
		return figure(v)
	}
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}

// check finds what can't be drawn.
func check(labels []string, series []Series) error {
	if len(labels) == 0 || len(series) == 0 {
		return fmt.Errorf("there is nothing to draw: %d labels, %d series", len(labels), len(series))
	}
	for _, s := range series {
		for what, values := range map[string][]float64{"values": s.Values, "low ends": s.Low, "high ends": s.High} {
			if len(values) != len(labels) && (what == "values" || values != nil) {
				return fmt.Errorf("%s has %d %s for %d labels", s.Name, len(values), what, len(labels))
			}
			for i, v := range values {
				if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
					return fmt.Errorf("%s, %s: %v can't be drawn", s.Name, labels[i], v)
				}
			}
		}
		if (s.Low == nil) != (s.High == nil) {
			return fmt.Errorf("%s has one end of its range and not the other", s.Name)
		}
	}
	return nil
}
