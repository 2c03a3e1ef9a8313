// Package plot draws the benchmark's pictures as SVG: bars, lines of percentiles, stacked bars and waterfalls.
//
// A picture is a struct of plain values (labels, series, a unit), and its SVG method draws it or says what is
// missing. They are made for a page on GitHub: on white, since a transparent picture loses its text in the dark
// theme; in a font that every browser has one of the same widths for; in colours that can be told apart with
// any kind of colour-blindness (Okabe and Ito's), and never by colour alone: series stand in the legend's order,
// lines have marks of their own, and figures are written where they fit.
package plot
