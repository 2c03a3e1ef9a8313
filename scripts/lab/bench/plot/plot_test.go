package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pictures are one of each kind, with what makes drawing hard: long names, many series, values far apart.
var pictures = map[string]interface{ SVG() ([]byte, error) }{
	"bars": Bars{
		Title: "Throughput", Unit: "requests/s", Labels: []string{"browsing", "shopping", "ordering"},
		Series: []Series{
			{Name: "monolith", Values: []float64{13352, 2880, 1832}, Low: []float64{12900, 2700, 1800}, High: []float64{13900, 2950, 1900}},
			{Name: "monolith, gateway", Values: []float64{5100, 1900, 1400}, Low: []float64{5000, 1800, 1300}, High: []float64{5200, 1950, 1500}},
			{Name: "services", Values: []float64{1572, 1225, 503}, Low: []float64{1500, 1200, 480}, High: []float64{1600, 1300, 520}},
		},
	},
	"curve": Curve{
		Title: "Throughput over the steps", Unit: "requests/s",
		Labels: []string{"0 monolith", "1 facade", "2 notifications", "3 accounts", "4 catalog", "5 inventory", "6 payments", "7 shipping", "8 orders"},
		Series: []Series{
			{Name: "browsing", Values: []float64{13352, 5100, 5000, 4800, 3900, 3800, 3700, 3600, 1572}},
			{Name: "ordering", Values: []float64{1832, 1400, 1300, 1250, 1000, 800, 700, 650, 503},
				Low: []float64{1800, 1300, 1200, 1200, 900, 700, 650, 600, 480}, High: []float64{1900, 1500, 1400, 1300, 1100, 900, 750, 700, 520}},
		},
	},
	"percentiles": Percentiles{
		Title: "Latency, ordering mix at 400 requests/s", Unit: "ms", Percentiles: []float64{50, 95, 99, 99.9},
		Series: []Series{
			{Name: "monolith", Values: []float64{0.9, 3.2, 8.1, 31}},
			{Name: "monolith, gateway", Values: []float64{1.4, 4.2, 11, 44}},
			{Name: "services", Values: []float64{3.8, 12, 31, 140}},
		},
	},
	"stack": Stack{
		Title: "CPU per request", Unit: "CPU µs/request",
		Labels: []string{"browsing, monolith", "browsing, services", "ordering, monolith", "ordering, services"},
		Series: []Series{
			{Name: "monolith", Values: []float64{257, 0, 365, 0}},
			{Name: "gateway", Values: []float64{0, 267, 0, 363}},
			{Name: "catalog", Values: []float64{0, 278, 0, 354}},
			{Name: "orders", Values: []float64{0, 53, 0, 379}},
			{Name: "inventory", Values: []float64{0, 21, 0, 246}},
			{Name: "payments", Values: []float64{0, 18, 0, 208}},
			{Name: "notifications", Values: []float64{0, 16, 0, 183}},
			{Name: "shipping", Values: []float64{0, 11, 0, 133}},
			{Name: "accounts", Values: []float64{0, 10, 0, 107}},
			{Name: "nats", Values: []float64{0, 31, 0, 215}},
			{Name: "postgres", Values: []float64{165, 415, 435, 1092}},
			{Name: "outside", Values: []float64{7, 5, 71, 101}},
		},
	},
	"memory": Bars{
		Title: "Memory, idle and at the peak", Unit: "MiB (PSS)", Labels: []string{"idle", "peak"},
		Series: []Series{{Name: "monolith", Values: []float64{120, 290}}, {Name: "services", Values: []float64{335, 480}}},
	},
	"waterfall": Waterfall{
		Title: "One checkout: where the milliseconds go", Unit: "CPU ms per checkout",
		Start: Total{"monolith", 0.87},
		Steps: []Step{
			{Name: "gateway", Change: 0.18}, {Name: "hop to inventory", Change: 0.31}, {Name: "hop to payments", Change: 0.28},
			{Name: "outbox, relay, NATS", Change: 0.92}, {Name: "no session lookup", Change: -0.05},
			{Name: "not explained", Change: 0.2, Unexplained: true},
		},
		End: Total{"services", 2.71},
	},
}

// With PICTURES=folder the pictures are kept, to be looked at.
func TestPicturesAreWholeAndReadable(t *testing.T) {
	for name, picture := range pictures {
		t.Run(name, func(t *testing.T) {
			content, err := picture.SVG()
			require.NoError(t, err)
			if folder := os.Getenv("PICTURES"); folder != "" {
				require.NoError(t, os.WriteFile(filepath.Join(folder, name+".svg"), content, 0o644))
			}
			texts := textsOf(t, string(content))
			for _, want := range named(picture) {
				require.Contains(t, texts, want)
			}
			require.NotContains(t, string(content), "NaN")
			require.Contains(t, string(content), "Arial,Helvetica,sans-serif", "a font that everybody has")
			require.NotContains(t, string(content), "font-family:Liberation Sans;")
			require.Less(t, len(content), 60<<10, "small enough for a repository")
		})
	}
}

// named is what has to be written in a picture.
func named(picture any) (texts []string) {
	switch p := picture.(type) {
	case Bars:
		texts = append(p.Labels, p.Title, p.Unit)
		for _, s := range p.Series {
			texts = append(texts, s.Name, figure(s.Values[0]))
		}
	case Percentiles:
		texts = []string{p.Title, p.Unit, "p50", "p95", "p99", "p99.9", "1", "10", "100"}
		for _, s := range p.Series {
			texts = append(texts, s.Name)
		}
	case Stack:
		texts = append(p.Labels, p.Title, p.Unit, "monolith", "postgres", "5 others", "429")
	case Waterfall:
		texts = []string{p.Title, p.Unit, p.Start.Name, p.End.Name, "+0.18", "−0.05", "unexplained"}
		for _, s := range p.Steps {
			texts = append(texts, s.Name)
		}
	}
	return texts
}

// textsOf reads the SVG as XML.
func textsOf(t *testing.T, svg string) (texts []string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(svg))
	inside := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == "text"
		case xml.CharData:
			if inside {
				texts = append(texts, string(token))
			}
		case xml.EndElement:
			inside = false
		}
	}
}

func TestWhatCannotBeDrawnIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		picture interface{ SVG() ([]byte, error) }
		says    string
	}{
		"nothing":             {Bars{}, "nothing to draw"},
		"a value too few":     {Bars{Labels: []string{"a", "b"}, Series: []Series{{Name: "s", Values: []float64{1}}}}, "s has 1 values for 2 labels"},
		"no number":           {Stack{Labels: []string{"a"}, Series: []Series{{Name: "s", Values: []float64{math.NaN()}}}}, "can't be drawn"},
		"half a range":        {Bars{Labels: []string{"a"}, Series: []Series{{Name: "s", Values: []float64{1}, Low: []float64{1}}}}, "one end of its range"},
		"falling percentiles": {Percentiles{Percentiles: []float64{99, 50}, Series: []Series{{Values: []float64{1, 2}}}}, "they rise"},
		"zero on a log scale": {Percentiles{Percentiles: []float64{50}, Series: []Series{{Name: "s", Values: []float64{0}}}}, "logarithmic"},
		"a step that is lost": {Waterfall{Start: Total{"a", 1}, Steps: []Step{{Name: "s", Change: 1}}, End: Total{"b", 3}}, "unexplained"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.picture.SVG()
			require.ErrorContains(t, err, test.says)
		})
	}
}

func TestTheSmallestPartsAreAddedUp(t *testing.T) {
	var series []Series
	for i := range 12 {
		series = append(series, Series{Name: string(rune('a' + i)), Values: []float64{float64(i), 1}})
	}
	parts, rest := largest(series, 2)
	require.True(t, rest)
	require.Len(t, parts, most)
	require.Equal(t, "f", parts[0].Name)
	require.Equal(t, Series{Name: "5 others", Values: []float64{0 + 1 + 2 + 3 + 4, 5}}, parts[most-1])

	parts, rest = largest(series[:most], 2)
	require.False(t, rest)
	require.Len(t, parts, most)
}

func TestFigures(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 0.0123: "0.012", 0.87: "0.87", 9.951: "10.0", 12.34: "12.3", 123.4: "123", 999.6: "1,000", 1234567: "1,234,567", -4321: "−4,321",
	} {
		require.Equal(t, want, figure(value))
	}
	require.Equal(t, 0.5, down(0.9))
	require.Equal(t, 200.0, up(140))
	require.Equal(t, 5.0, up(5))
}
