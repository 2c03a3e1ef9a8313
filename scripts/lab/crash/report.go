package crash

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"banyan/scripts/lab/history"
	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/up"
)

// Report is what came of a crash run.
type Report struct {
	Side       string        `json:"side"`
	Step       int           `json:"step"`
	URL        string        `json:"url"`
	Seed       uint64        `json:"seed"`
	SweepAfter time.Duration `json:"sweep_after_ns"`

	history.Counts
	Kills map[string]int `json:"kills"`   // by process
	Away  time.Duration  `json:"away_ns"` // from a kill to readiness, on average

	Paid      int `json:"paid"` // orders, by what they ended as
	Cancelled int `json:"cancelled"`
	Pending   int `json:"pending"`
	BySweeper int `json:"by_sweeper"` // settled after their request had died or given up
	Charges   int `json:"charges"`
	Receipts  int `json:"receipts"`      // mails, by distinct Message-ID
	MailTwice int `json:"mail_repeated"` // mails that came again with the same Message-ID

	Load time.Duration `json:"load_ns"`
	history.Judgement
}

func (c *crash) report(loaded time.Time, judgement *history.Judgement, f *invariants.Facts) *Report {
	state := c.lab.State()
	worker := up.Monolith
	if c.options.Side == up.Services {
		worker = up.Ladder[state.Step].Home("orders")
	}
	r := &Report{
		Side: c.options.Side, Step: state.Step, URL: state.SideURL(c.options.Side), Seed: c.options.Seed, SweepAfter: c.options.SweepAfter,
		Counts: c.history.Counts(), Kills: map[string]int{},
		BySweeper: bySweeper(f, c.killer.deaths, worker),
		Load:      loaded.Sub(c.began), Judgement: *judgement,
	}
	for _, d := range c.killer.deaths {
		r.Kills[d.Process]++
		r.Away += d.Away / time.Duration(len(c.killer.deaths))
	}
	for _, o := range f.Orders {
		switch o.Status {
		case "paid":
			r.Paid++
		case "cancelled":
			r.Cancelled++
		default:
			r.Pending++
		}
	}
	for _, e := range f.Ledger {
		if e.Effect == "charge" {
			r.Charges++
		}
	}
	r.Receipts, r.MailTwice = invariants.Receipts(f.Mails)
	return r
}

// Print writes the report for people.
func (r *Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "Killing the %s while %d checkouts are made, seed %d, sweeper after %s\n", up.SideName(r.Side, r.Step), r.Checkouts, r.Seed, r.SweepAfter)
	table, row := history.NewTable(out)
	kills := 0
	var which []string
	for _, process := range slices.Sorted(maps.Keys(r.Kills)) {
		kills += r.Kills[process]
		which = append(which, fmt.Sprintf("%s %d", process, r.Kills[process]))
	}
	row("kill -9", "%d in %s (%s), back after %s on average", kills, r.Load.Round(100*time.Millisecond), strings.Join(which, ", "),
		r.Away.Round(time.Millisecond))
	row("checkouts", "%d, in %d requests", r.Checkouts, r.Requests)
	row("requests without an answer", "%d", r.Unknown)
	row("what the customers know", "201: %d, 202: %d, 402: %d, refused: %d, nothing: %d", r.Outcomes[history.Paid],
		r.Outcomes[history.Accepted], r.Outcomes[history.Declined], r.Outcomes[history.Refused], r.Outcomes[history.Unknown])
	row("orders", "%d paid, %d cancelled, %d pending", r.Paid, r.Cancelled, r.Pending)
	row("finished by the sweeper", "%d", r.BySweeper)
	row("charges", "%d", r.Charges)
	row("receipts", "%d by Message-ID; of all mails, %d came twice", r.Receipts, r.MailTwice)
	rest := r.Rest.Round(10 * time.Millisecond).String()
	if len(r.Last) > 0 {
		rest += ", in the end waiting for " + strings.Join(r.Last, ", ")
	}
	row("at rest after", "%s", rest)
	row("invariants", "%d of %d broken", len(r.Broken()), len(r.Invariants))
	if err := table.Flush(); err != nil {
		return err
	}
	return r.PrintOff(out)
}
