package rolling

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
	Seed      uint64        `json:"seed"`
	Customers int           `json:"customers"`
	Quick     bool          `json:"quick"`
	Phases    []*Phase      `json:"phases"`
	Failures  []Failure     `json:"failures"`            // the first of them
	Moved     int64         `json:"moved"`               // requests for which one gateway could not be connected to
	Orders    int           `json:"orders"`              // that customers know of
	Rest      time.Duration `json:"rest_ns"`             // until the shop had come to rest
	Left      []string      `json:"left,omitempty"`      // what kept it from it
	Untouched []string      `json:"untouched,omitempty"` // processes that were never restarted

	Deadlocks []string `json:"deadlocks,omitempty"` // lines of PostgreSQL's log

	Invariants []invariants.Verdict `json:"invariants"`
}

// Err says what is wrong, in one error; nil if nothing is.
func (r *Report) Err() error {
	var problems []string
	failed := 0
	for _, p := range r.Phases {
		failed += p.Failed
	}
	if failed > 0 {
		text := fmt.Sprintf("%d failures", failed)
		if len(r.Failures) > 0 {
			f := r.Failures[0]
			text += fmt.Sprintf(", the first while %s: %s: %s", f.Phase, f.Request, f.What)
		}
		problems = append(problems, text)
	}
	if len(r.Left) > 0 {
		problems = append(problems, "the shop did not come to rest: "+strings.Join(r.Left, ", "))
	}
	for _, process := range r.Untouched {
		problems = append(problems, process+" was never restarted")
	}
	if len(r.Deadlocks) > 0 {
		problems = append(problems, "PostgreSQL's log: "+r.Deadlocks[0])
	}
	for _, v := range r.Invariants {
		if v.Broken > 0 {
			problems = append(problems, fmt.Sprintf("not so: %s (%d of %d)", v.Rule, v.Broken, v.Checked))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("the fleet can't be restarted unnoticed: %s", strings.Join(problems, "; "))
}

// Print writes the report for people.
func (r *Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "Restarting a fleet of two instances each under %d customers, seed %d\n", r.Customers, r.Seed)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  phase\ttook\trequests\tfailed\tunanswered\tslowest\trestarts\tstop, start: longest")
	for _, p := range r.Phases {
		var stop, start time.Duration
		for _, restart := range p.Restarts {
			stop, start = max(stop, restart.Stop), max(start, restart.Start)
		}
		longest := ""
		if len(p.Restarts) > 0 {
			longest = fmt.Sprintf("%s, %s", short(stop), short(start))
		}
		fmt.Fprintf(table, "  %s\t%s\t%d\t%d\t%d\t%s %s\t%d\t%s\n", p.Name, short(p.Took), p.Requests, p.Failed, p.Unanswered,
			short(p.Slowest), p.SlowestOf, len(p.Restarts), longest)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, p := range r.Phases {
		for _, note := range p.Notes {
			fmt.Fprintf(out, "  %s: %s\n", p.Name, note)
		}
	}
	fmt.Fprintf(out, "  %d orders that customers know of; %d requests went to the other gateway, since one was away\n", r.Orders, r.Moved)
	fmt.Fprintf(out, "  at rest after %s\n\n", short(r.Rest))
	if err := invariants.Print(out, r.Invariants); err != nil {
		return err
	}
	for _, f := range r.Failures {
		fmt.Fprintf(out, "FAILED  %s  %s (%s)\n          %s\n", f.At.Format("15:04:05.000"), f.Request, f.Phase, f.What)
	}
	for _, line := range r.Deadlocks {
		fmt.Fprintf(out, "FAILED  PostgreSQL: %s\n", line)
	}
	if r.Err() == nil {
		_, err := fmt.Fprint(out, "\npassed: nobody noticed\n\n")
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

func short(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
