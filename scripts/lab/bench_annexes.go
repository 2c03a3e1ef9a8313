package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"banyan/scripts/lab/bench"
	"banyan/scripts/lab/bench/budget"
	"banyan/scripts/lab/bench/limits"
)

// addAnnexes measures what a full report has beside the sides. What fails is not worth losing the rest for: the report says why it is missing.
func addAnnexes(ctx context.Context, report *bench.Report, out io.Writer) {
	for _, annex := range []struct {
		name, title string
		add         func(context.Context, *bench.Report, io.Writer) error
	}{{"limits", "Limits", addLimits}, {"ledger", "Where the extra cost goes", addLedger}} {
		err := annex.add(ctx, report, out)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			fmt.Fprintln(out, err)
			report.Annexes = append(report.Annexes, bench.Annex{Name: annex.name, Title: annex.title, Text: "Not measured. " + err.Error() + "\n"})
		}
	}
}

// addLimits measures how far the shop is from what the machine can do, in labs of its own, and adds it to the report.
func addLimits(ctx context.Context, report *bench.Report, out io.Writer) error {
	fmt.Fprintln(out, "Measuring the limits, each part of the shop beside something that does as little as can be done.")
	found, err := limits.Run(ctx, limits.Options{Out: out})
	if err != nil {
		return fmt.Errorf("measure the limits: %w", err)
	}
	budgets, err := found.Budgets()
	if err != nil {
		return err
	}
	maps.Copy(report.Budgets, budgets)
	report.Annexes = append(report.Annexes, bench.Annex{Name: "limits", Title: "Limits", Text: limitsText(found), Figures: found})
	return nil
}

// limitsText is Markdown.
func limitsText(found *limits.Report) string {
	var text strings.Builder
	text.WriteString("Each part of the shop beside something that does the same with nothing around it, in turns, in one run; the value is the " +
		"median over the rounds.\n\n| budget | what | value | rounds | made from |\n|---|---|---:|---|---|\n")
	for _, f := range found.Figures {
		line, err := budget.Find(f.Key)
		if err != nil {
			continue // Budgets has refused it before
		}
		var rounds, parts []string
		for _, value := range f.Rounds {
			rounds = append(rounds, fmt.Sprintf("%.3g", value))
		}
		for _, part := range slices.Sorted(maps.Keys(f.Parts)) {
			parts = append(parts, fmt.Sprintf("%s: %.4g", part, f.Parts[part]))
		}
		fmt.Fprintf(&text, "| %s | %s | %.3g %s | %s | %s |\n", f.Key, line.What, f.Value, line.Unit, strings.Join(rounds, ", "), strings.Join(parts, "; "))
	}
	text.WriteString("\n")
	for _, f := range found.Figures {
		for _, note := range f.Notes {
			fmt.Fprintf(&text, "- %s: %s\n", f.Key, note)
		}
	}
	for _, s := range found.Skipped {
		fmt.Fprintf(&text, "- Not measured: %s. %s\n", strings.Join(s.Keys, ", "), s.Reason)
	}
	return text.String()
}
