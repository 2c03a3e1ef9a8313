package chaos

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"banyan/scripts/lab/chaos/fault"
	"banyan/scripts/lab/chaos/points"
	"banyan/scripts/lab/history"
	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/up"
)

// FaultRow is what faults of one kind came to. Times are zero where there is none to tell.
type FaultRow struct {
	Kind    string   `json:"kind"`
	Times   int      `json:"times"`
	Targets []string `json:"targets,omitempty"`
	Notes   []string `json:"notes,omitempty"`
	// From the end of the fault, or the kill, until new checkouts are paid at the usual rate again.
	RecoveryP50 time.Duration `json:"recovery_p50_ns"`
	RecoveryMax time.Duration `json:"recovery_max_ns"`
	Never       int           `json:"not_recovered"` // within the time that a fault is followed
	// From then until all events that waited have been dealt with; of services only.
	BacklogP50 time.Duration `json:"backlog_p50_ns"`
	BacklogMax time.Duration `json:"backlog_max_ns"`
	Behind     int           `json:"not_caught_up"` // within the time that a fault is followed
}

// Skipped is a kind of fault that could not be made here.
type Skipped struct {
	Kind string `json:"kind"`
	Why  string `json:"why"`
}

// Report is what came of a run.
type Report struct {
	Side  string  `json:"side"`
	Step  int     `json:"step"`
	URL   string  `json:"url"`
	Seed  uint64  `json:"seed"`
	Quick bool    `json:"quick"`
	Usual float64 `json:"usual_per_s"` // paid checkouts, while nothing is broken

	Faults  []FaultRow   `json:"faults"`
	Skipped []Skipped    `json:"skipped"`
	Points  []points.Hit `json:"points"`

	Wanted int `json:"wanted"`
	history.Counts
	Deeds     map[string]int `json:"deeds"`    // what else was asked about orders, and answered
	Orders    map[string]int `json:"orders"`   // by what they ended as
	Effects   map[string]int `json:"effects"`  // at the card processor
	Receipts  int            `json:"receipts"` // mails, by distinct Message-ID
	MailTwice int            `json:"mail_repeated"`

	Load time.Duration `json:"load_ns"`
	history.Judgement
	Disks   *Report  `json:"disks,omitempty"` // the run of its own in which they were filled
	Missing []string `json:"missing"`         // what a run has to have, and this had not
}

// Passed says that nothing was off, and that all was tried.
func (r *Report) Passed() bool { return r.Judgement.Passed() && len(r.Missing) == 0 }

// Reason is one line on why it did not pass.
func (r *Report) Reason() string {
	if off := r.Judgement.Reason(); off != "" {
		return off
	}
	return strings.Join(r.Missing, "; ")
}

func (s *storm) report(loaded time.Time, judgement *history.Judgement, f *invariants.Facts) *Report {
	state := s.lab.State()
	r := &Report{
		Side: s.options.Side, Step: state.Step, URL: state.SideURL(s.options.Side), Seed: s.options.Seed, Quick: s.options.Quick,
		Usual: s.meter.usual, Wanted: s.options.Checkouts,
		Faults: faultRows(s.options.Side, s.struck), Skipped: []Skipped{}, Missing: []string{},
		Counts: s.history.Counts(), Deeds: map[string]int{}, Orders: map[string]int{}, Effects: map[string]int{},
		Load: loaded.Sub(s.began), Judgement: *judgement,
	}
	for _, d := range s.history.Deeds {
		if !d.Ended.IsZero() {
			r.Deeds[d.What]++
		}
	}
	for _, o := range f.Orders {
		r.Orders[o.Status]++
	}
	for _, e := range f.Ledger {
		r.Effects[e.Effect]++
	}
	r.Receipts, r.MailTwice = invariants.Receipts(f.Mails)
	for _, row := range r.Faults {
		if row.Never > 0 {
			r.Violations = append(r.Violations, history.Violation{Rule: "the shop sells again after a fault",
				Detail: fmt.Sprintf("%s: %d times not within %s", row.Kind, row.Never, s.pace.recovery)})
		}
	}
	s.demand(r)
	return r
}

// demand names what a run of its kind has to have had.
func (s *storm) demand(r *Report) {
	missing := func(format string, args ...any) { r.Missing = append(r.Missing, fmt.Sprintf(format, args...)) }
	disks := s.options.Disks != nil // their run is over with its faults
	if r.Checkouts < r.Wanted && !disks {
		missing("%d of %d checkouts were made", r.Checkouts, r.Wanted)
	}
	for _, kind := range fault.Kinds(s.options.Side) {
		if kind.OfDisk() == disks && !slices.ContainsFunc(r.Faults, func(row FaultRow) bool { return row.Kind == string(kind) }) {
			missing("there was no fault %q", kind)
		}
	}
	if disks {
		return
	}
	r.Points = s.points.Hits()
	never := 0
	for _, p := range r.Points {
		if p.Hits == 0 {
			never++
			if !s.options.Quick {
				missing("%s was never killed at the point %q", p.Victim, p.What)
			}
		}
	}
	// A quick run has not got the time to wait for the rare ones.
	if s.options.Quick && never > len(r.Points)/3 {
		missing("%d of %d points were never hit", never, len(r.Points))
	}
}

func faultRows(side string, struck []struck) []FaultRow {
	rows := []FaultRow{}
	for _, kind := range fault.Kinds(side) {
		row := FaultRow{Kind: string(kind)}
		var recovered, caughtUp []time.Duration
		for _, s := range struck {
			if s.step.Kind != kind {
				continue
			}
			row.Times++
			row.Targets = append(row.Targets, s.step.On())
			if s.note != "" {
				row.Notes = append(row.Notes, s.note)
			}
			if s.recovered >= 0 {
				recovered = append(recovered, s.recovered)
			} else {
				row.Never++
			}
			if s.caughtUp >= 0 {
				caughtUp = append(caughtUp, s.caughtUp)
			} else {
				row.Behind++
			}
		}
		if row.Times > 0 {
			row.RecoveryP50, row.RecoveryMax = middle(recovered)
			row.BacklogP50, row.BacklogMax = middle(caughtUp)
			rows = append(rows, row)
		}
	}
	return rows
}

// middle is the median and the largest; zero of nothing.
func middle(all []time.Duration) (median, largest time.Duration) {
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[(len(all)-1)/2], all[len(all)-1]
}

func (s struck) felt() string {
	text := "not selling again"
	if s.recovered >= 0 {
		text = "selling again after " + brief(s.recovered)
	}
	if s.caughtUp >= 0 {
		text += ", caught up after " + brief(s.caughtUp)
	}
	return text
}

func brief(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func suffix(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}

// Print writes the report for people.
func (r *Report) Print(out io.Writer) error {
	kind := ""
	if r.Quick {
		kind = ", a quick run: no stop is longer than 4 s, and no outage of the broker longer than its duplicate window"
	}
	fmt.Fprintf(out, "Everything at once: the %s, seed %d, %.1f paid checkouts a second while nothing is broken%s\n", up.SideName(r.Side, r.Step), r.Seed, r.Usual, kind)
	if err := r.printFaults(out); err != nil {
		return err
	}
	if err := r.printPoints(out); err != nil {
		return err
	}
	table, row := history.NewTable(out)
	row("checkouts", "%d, in %d requests, %s", r.Checkouts, r.Requests, r.Load.Round(time.Second))
	row("requests without an answer", "%d", r.Unknown)
	row("what the customers know", "201: %d, 202: %d, 402: %d, refused: %d, nothing: %d", r.Outcomes[history.Paid],
		r.Outcomes[history.Accepted], r.Outcomes[history.Declined], r.Outcomes[history.Refused], r.Outcomes[history.Unknown])
	row("answers about orders", "%d reads, %d lists, %d cancellations, %d dispatches", r.Deeds[history.Read], r.Deeds[history.List],
		r.Deeds[history.Cancel], r.Deeds[history.Dispatch])
	row("orders", "%d paid, %d shipped, %d cancelled, %d pending", r.Orders["paid"], r.Orders["shipped"], r.Orders["cancelled"], r.Orders["pending"])
	row("at the card processor", "%d charges, %d refunds, %d declines", r.Effects["charge"], r.Effects["refund"], r.Effects["decline"])
	row("receipts", "%d by Message-ID; of all mails, %d came twice", r.Receipts, r.MailTwice)
	row("at rest after", "%s", r.Rest.Round(10*time.Millisecond))
	row("invariants", "%d of %d broken", len(r.Broken()), len(r.Invariants))
	if err := table.Flush(); err != nil {
		return err
	}
	for _, what := range r.Missing {
		fmt.Fprintf(out, "  NOT PASSED: %s\n", what)
	}
	if r.Judgement.Passed() && !r.Passed() {
		_, err := fmt.Fprintln(out)
		return err
	}
	return r.PrintOff(out)
}

func (r *Report) printFaults(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  fault\ttimes\tselling again: p50\tmax\tcaught up: p50\tmax\t\n")
	for _, row := range r.Faults {
		caughtUp := "\t"
		if row.BacklogMax > 0 {
			caughtUp = brief(row.BacklogP50) + "\t" + brief(row.BacklogMax)
			if row.Behind > 0 {
				caughtUp += fmt.Sprintf(", %d later", row.Behind)
			}
		}
		fmt.Fprintf(table, "  %s\t%d\t%s\t%s\t%s\t\n", row.Kind, row.Times, brief(row.RecoveryP50), brief(row.RecoveryMax), caughtUp)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(table, "  %s\tskipped: %s\n", s.Kind, s.Why)
	}
	return table.Flush()
}

// printPoints puts the victims of one moment on one line.
func (r *Report) printPoints(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  killed at this point\ttimes\t\n")
	for i := 0; i < len(r.Points); i++ {
		what, total := r.Points[i].What, 0
		if slices.ContainsFunc(r.Points[:i], func(p points.Hit) bool { return p.What == what }) {
			continue
		}
		var who []string
		for _, p := range r.Points[i:] {
			if p.What == what {
				total += p.Hits
				who = append(who, fmt.Sprintf("%s %d", p.Victim, p.Hits))
			}
		}
		fmt.Fprintf(table, "  %s\t%d\t%s\n", what, total, strings.Join(who, ", "))
	}
	return table.Flush()
}
