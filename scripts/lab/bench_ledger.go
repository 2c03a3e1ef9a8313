package main

import (
	"context"
	"fmt"
	"io"

	"banyan/scripts/lab/bench"
	"banyan/scripts/lab/bench/ledger"
	"banyan/scripts/lab/bench/plot"
)

// addLedger measures where the services' extra cost goes, in a lab of its own, and adds it to the report.
func addLedger(ctx context.Context, report *bench.Report, out io.Writer) error {
	fmt.Fprintln(out, "Measuring where the services' extra cost goes, by switching one thing at a time.")
	found, err := ledger.Run(ctx, ledger.Options{Out: out})
	if err != nil {
		return fmt.Errorf("measure the ledger of costs: %w", err)
	}
	annex := bench.Annex{Name: "ledger", Title: "Where the extra cost goes", Figures: found, Pictures: map[string][]byte{}}
	annex.Text = "From the monolith's figure to the services', by switching one thing at a time, in turns, in one run.\n"
	for _, part := range []struct {
		name string
		of   *ledger.Ledger
	}{{"checkout", found.Checkout}, {"page", found.Page}} {
		annex.Text += "\n### " + part.of.Thing + "\n"
		for _, picture := range []struct {
			kind string
			plot.Waterfall
		}{{"cpu", part.of.CPU()}, {"latency", part.of.Latency()}} {
			file := "ledger-" + part.name + "-" + picture.kind + ".svg"
			if annex.Pictures[file], err = picture.SVG(); err != nil {
				return fmt.Errorf("draw the ledger of costs: %w", err)
			}
			annex.Text += fmt.Sprintf("\n![%s](%s)\n", picture.Title, file)
		}
		annex.Text += "\n" + part.of.Markdown()
	}
	report.Annexes = append(report.Annexes, annex)
	return nil
}
