package history

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Violation is something that should not be.
type Violation struct {
	Rule   string `json:"rule"`   // what should be
	Detail string `json:"detail"` // what is
}

// Findings are the violations found so far. None are an empty list, for JSON's sake.
type Findings struct{ All []Violation }

// NewFindings begins with none.
func NewFindings() Findings { return Findings{[]Violation{}} }

// Add notes that a rule does not hold.
func (f *Findings) Add(rule, format string, args ...any) {
	f.All = append(f.All, Violation{rule, fmt.Sprintf(format, args...)})
}

// NewTable writes rows of a name and what there is to say of it, in two columns, once it is flushed.
func NewTable(out io.Writer) (table *tabwriter.Writer, row func(name, format string, args ...any)) {
	table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	return table, func(name, format string, args ...any) {
		fmt.Fprintf(table, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
}

// PrintVerdict names each rule that was broken, with a few cases of it.
func PrintVerdict(out io.Writer, violations []Violation) error {
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
