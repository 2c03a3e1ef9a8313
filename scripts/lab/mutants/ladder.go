package mutants

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// LadderMutant is what moves an area out of the monolith, with a mistake in it. A test that forces the moment at which the
// mistake hurts has to fail with it.
type LadderMutant struct {
	Name   string // its patch is the file of this name
	loses  string // what the shop loses by it
	folder string // of the test's package, from the repository's root on
	test   string
	says   string // what the test's failure says if it fails for the reason that is expected
}

func (m LadderMutant) patch() string { return m.Name + ".patch" }

const (
	engine = "scripts/lab/ladder"
	driver = "scripts/lab/move"
)

// Ladder are the mutants of the ladder, in the order in which they are told.
var Ladder = []LadderMutant{
	{
		Name: "switch-without-lock", loses: "the change of the last writer",
		folder: engine, test: "TestSwitchWaitsForTheLastWriter", says: `expected: []string{"from monolith at `,
	},
	{
		Name: "switch-without-hold", loses: "requests of customers who are there",
		folder: driver, test: "TestMove", says: `Should be empty, but was [`,
	},
	{
		Name: "copier-without-lock", loses: "the end of a session",
		folder: engine, test: "TestTwoCopiersResurrectNothing", says: "a session that its customer has ended is open again",
	},
	{
		Name: "backfill-resurrects", loses: "the end of a session",
		folder: engine, test: "TestBackfillResurrectsNothing", says: `actual  : []string{"4"}`,
	},
	{
		Name: "switch-forgets-keys", loses: "the changes beyond the first thousand",
		folder: engine, test: "TestSwitchTakesTheLastKeys", says: `expected: []string{"Grace 0"}`,
	},
	{
		Name: "rollback-forgets-refunds", loses: "the refund of a cancelled order",
		folder: engine, test: "TestRollbackOfPaymentsRefundsTheLastCancel", says: "who has cancelled gets the money back",
	},
	{
		Name: "events-left-behind", loses: "the event of a new customer",
		folder: engine, test: "TestEventsGoWithTheirOwner", says: "nobody publishes what is left with the old owner",
	},
}

// LadderReport is what came of the mutants of the ladder.
type LadderReport struct {
	Mutants []LadderMutantReport `json:"mutants"`
}

// LadderMutantReport is a test with a mistake, beside the same test of what moves areas as it is.
type LadderMutantReport struct {
	Name    string  `json:"name"`
	Mistake string  `json:"mistake"`
	Loses   string  `json:"loses"`
	Test    string  `json:"test"`
	Naive   Outcome `json:"naive"`
	Correct Outcome `json:"correct"`
	Caught  bool    `json:"caught"` // the test passes as it is, and fails with the mistake for the reason that is expected
}

// Outcome is what came of one test.
type Outcome struct {
	Passed bool          `json:"passed"`
	At     string        `json:"at,omitempty"`   // file and line of the assertion that failed first
	Says   string        `json:"says,omitempty"` // what this one says; all that was printed, if none did
	Took   time.Duration `json:"took_ns"`
}

// Missed are the mutants that are not caught.
func (r *LadderReport) Missed() []string {
	var names []string
	for _, m := range r.Mutants {
		if !m.Caught {
			names = append(names, m.Name)
		}
	}
	return names
}

// Print writes the report for people: a table in Markdown, and what each test said.
func (r *LadderReport) Print(out io.Writer) error {
	fmt.Fprint(out, "Mistakes put back into what moves the areas\n\n"+
		"| mistake | what is lost | the test that catches it | as it is | with the mistake |\n"+
		"|---|---|---|---|---|\n")
	for _, m := range r.Mutants {
		fmt.Fprintf(out, "| %s | %s | `%s` | %s | %s |\n", m.Mistake, m.Loses, m.Test, m.Correct.verdict(), m.Naive.verdict())
	}
	for _, m := range r.Mutants {
		if m.Caught {
			fmt.Fprintf(out, "\n%s is caught at %s:\n  %s\n", m.Name, m.Naive.At, shorten(m.Naive.Says))
			continue
		}
		fmt.Fprintf(out, "\n%s is NOT caught for the reason that is expected.\n", m.Name)
		for _, o := range []struct {
			of string
			Outcome
		}{{"As it is", m.Correct}, {"With the mistake", m.Naive}} {
			fmt.Fprintf(out, "  %s the test %s. %s\n", o.of, o.verdict(), o.Says)
		}
	}
	_, err := fmt.Fprintln(out)
	return err
}

func (o Outcome) verdict() string {
	verdict := "fails"
	if o.Passed {
		verdict = "passes"
	}
	return fmt.Sprintf("%s after %.1f s", verdict, o.Took.Seconds())
}

// shorten leaves of a failure what fits into a few lines.
func shorten(says string) string {
	const most = 240
	says = strings.Join(strings.Fields(says), " ")
	if short := []rune(says); len(short) > most {
		return string(short[:most]) + " …"
	}
	return says
}
