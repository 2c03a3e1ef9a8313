package mutants

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"banyan/scripts/lab/invariants"
)

// Report is what came of a run.
type Report struct {
	Seed      uint64         `json:"seed"`
	Checkouts int            `json:"checkouts"` // under each trouble
	Correct   Judgement      `json:"correct"`   // of the shop as it is
	Mutants   []MutantReport `json:"mutants"`
}

// MutantReport is a mistake beside the shop as it is.
type MutantReport struct {
	Name    string    `json:"name"`
	Mistake string    `json:"mistake"`
	Bears   bool      `json:"bears"` // the shop has to bear it
	Naive   Result    `json:"naive"`
	Correct Result    `json:"correct"` // under the same trouble
	Judged  Judgement `json:"judged"`
}

// Result is what became of the orders of one load.
type Result struct {
	invariants.Tally
	Troubles int           `json:"troubles"` // how often something happened
	Took     time.Duration `json:"took_ns"`
}

// Judgement is what the judge says of a shop.
type Judgement struct {
	Left   []string             `json:"left,omitempty"` // what did not come to rest
	Rest   time.Duration        `json:"rest_ns"`
	Rules  int                  `json:"rules"`
	Broken []invariants.Verdict `json:"broken,omitempty"`
}

// Per is a number as a share of ten thousand.
func Per(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) * 10_000 / float64(of)
}

// AsExpected says that the judge objects to the mistake, or, if the shop has to bear it, that nothing is wrong at all.
func (m *MutantReport) AsExpected() bool {
	if m.Bears {
		return len(m.Judged.Broken)+len(m.Judged.Left) == 0 && m.Naive.Lost+m.Naive.Doubled == 0
	}
	return len(m.Judged.Broken) > 0
}

// Clean says that the shop as it is has come to rest, breaks no rule, and has lost and doubled nothing.
func (r *Report) Clean() bool {
	for _, m := range r.Mutants {
		if m.Correct.Lost+m.Correct.Doubled > 0 || m.Correct.Orders == 0 {
			return false
		}
	}
	return len(r.Correct.Left) == 0 && len(r.Correct.Broken) == 0
}

// Unexpected are the mutants that nobody objects to, and those that somebody objects to although the shop has to bear them.
func (r *Report) Unexpected() []string {
	var names []string
	for _, m := range r.Mutants {
		if !m.AsExpected() {
			names = append(names, m.Name)
		}
	}
	return names
}

// Print writes the report for people.
func (r *Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "Mistakes put back in, %d checkouts under each trouble, seed %d\n\n", r.Checkouts, r.Seed)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "per 10,000 orders\ttroubles\torders\tlost\tdoubled\tas it is: troubles\torders\tlost\tdoubled")
	for _, m := range r.Mutants {
		n, c := m.Naive, m.Correct
		fmt.Fprintf(table, "%s\t%d\t%d\t%.0f\t%.0f\t%d\t%d\t%.0f\t%.0f\n", m.Name,
			n.Troubles, n.Orders, Per(n.Lost, n.Orders), Per(n.Doubled, n.Orders),
			c.Troubles, c.Orders, Per(c.Lost, c.Orders), Per(c.Doubled, c.Orders))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nAs it is: at rest after %s\n", r.Correct.Rest.Round(100*time.Millisecond))
	if err := r.Correct.print(out); err != nil {
		return err
	}
	for _, m := range r.Mutants {
		fmt.Fprintf(out, "\n%s: %s\n", m.Name, m.Mistake)
		for _, e := range m.Naive.Effects {
			if e.Lost+e.Doubled > 0 {
				fmt.Fprintf(out, "  %s: %d due, %d missing, %d too many\n", e.Name, e.Due, e.Lost, e.Doubled)
			}
		}
		if err := m.Judged.print(out); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out)
	return err
}

func (j *Judgement) print(out io.Writer) error {
	if len(j.Left) > 0 {
		fmt.Fprintf(out, "  never came to rest: %s\n", strings.Join(j.Left, ", "))
	}
	if len(j.Broken) == 0 {
		_, err := fmt.Fprintf(out, "  breaks none of %d rules\n", j.Rules)
		return err
	}
	for _, v := range j.Broken {
		fmt.Fprintf(out, "  breaks: %s (%d of %d)\n", v.Rule, v.Broken, v.Checked)
	}
	return nil
}
