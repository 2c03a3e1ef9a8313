package chaos

import (
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"
)

// newTable writes rows of a name and what there is to say of it, in two columns, once it is flushed.
func newTable(out io.Writer) (table *tabwriter.Writer, row func(name, format string, args ...any)) {
	table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	return table, func(name, format string, args ...any) {
		fmt.Fprintf(table, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
}

// Print writes the report for people.
func (r *RaceReport) Print(out io.Writer) error {
	fmt.Fprintf(out, "Race for the last copies: the %s at %s\n", r.Side, r.URL)
	table, row := newTable(out)
	row("customers, a copy each", "%d at once, for %d copies, in %s", r.Buyers, r.Copies, r.Took.Round(time.Millisecond))
	row("paid orders", "%d", r.Paid)
	row("sold out", "%d at once, %d after a 202 (of %d)", r.SoldOut, r.SoldOutLater, r.Accepted)
	row("copies left", "%d", r.Stock)
	row("captured charges", "%d", r.Charges)
	row(fmt.Sprintf("one key, %d times at once", r.SameKey.Requests), "%d order, %d × %d %s, %d × 409 key-in-use", r.SameKey.Orders,
		r.SameKey.Answered, r.SameKey.First, http.StatusText(r.SameKey.First), r.SameKey.InUse)
	row("a repetition afterwards", "%s", either(r.SameKey.Repeated, "the same bytes", "something else"))
	if err := table.Flush(); err != nil {
		return err
	}
	return printVerdict(out, r.Violations)
}

// printVerdict names each rule that was broken, with a few cases of it.
func printVerdict(out io.Writer, violations []Violation) error {
	if len(violations) == 0 {
		_, err := fmt.Fprint(out, "  passed: nothing was lost, and nothing happened twice\n\n")
		return err
	}
	const most = 3
	var rules []string
	cases := map[string][]string{}
	for _, v := range violations {
		if cases[v.Rule] == nil {
			rules = append(rules, v.Rule)
		}
		cases[v.Rule] = append(cases[v.Rule], v.Detail)
	}
	fmt.Fprintf(out, "  FAILED: %d violations\n", len(violations))
	for _, rule := range rules {
		fmt.Fprintf(out, "    not so: %s (%d)\n", rule, len(cases[rule]))
		for _, detail := range cases[rule][:min(most, len(cases[rule]))] {
			fmt.Fprintf(out, "      %s\n", detail)
		}
		if more := len(cases[rule]) - most; more > 0 {
			fmt.Fprintf(out, "      and %d more\n", more)
		}
	}
	_, err := fmt.Fprintln(out)
	return err
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
