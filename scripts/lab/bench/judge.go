package bench

import (
	"fmt"
	"slices"
	"strings"

	"banyan/scripts/lab/load"
	"banyan/scripts/lab/workload"
)

// What makes a run worth nothing, or calls for a word.
const (
	mostErrors    = 0.001 // share of the requests
	mostGenerator = 0.60  // share of the machine's CPU: above, the browsers are what is measured
	mostLate      = 0.01  // share of an open loop's interactions that the generator may begin late
	someOthers    = 0.10  // share that other programs may take without a word
	mostOthers    = 0.50  // above, nobody knows what was measured
	mostStolen    = 0.05  // share that the host of a virtual machine may take without a word
)

// judge decides whether the run is worth something, and compares the sides if it is.
func (r *Report) judge() {
	for _, side := range r.sides() {
		for _, mix := range append(r.mixes(), r.pages()...) {
			if result := r.resultIfThere(side, mix); result != nil {
				r.judgeResult(side+", "+mix, result)
			}
		}
	}
	for _, b := range r.Broken {
		r.Reasons = append(r.Reasons, b.String())
	}
	r.Valid = len(r.Reasons) == 0
	if r.Valid {
		r.compare()
	}
	if err := r.judgeBudgets(); err != nil {
		r.Warnings = append(r.Warnings, err.Error())
	}
}

// judgeData makes a run of unequal sides invalid.
func (r *Report) judgeData() {
	unequal := differences(r.Data)
	if len(unequal) == 0 {
		return
	}
	r.Reasons = append(r.Reasons, "the sides do not hold the same data: "+strings.Join(unequal, ", ")+
		". Somebody has used one of them otherwise than the other; an earlier benchmark does that, too. Measure on fresh data: "+
		"lab down, and then lab bench, which starts a lab of its own; or lab up --fresh before it")
}

func (r *Report) judgeResult(where string, t *Result) {
	invalid := func(format string, args ...any) {
		r.Reasons = append(r.Reasons, where+": "+fmt.Sprintf(format, args...))
	}
	warn := func(format string, args ...any) {
		r.Warnings = append(r.Warnings, where+": "+fmt.Sprintf(format, args...))
	}
	switch {
	case t.Requests == 0:
		invalid("nothing was answered")
	case t.Checked == 0:
		invalid("no answer was compared with what it has to be: take longer rounds")
	}
	if t.Wrong > 0 {
		invalid("%d answers were wrong: %s", t.Wrong, t.complaints())
	}
	for _, kind := range []string{kindWarmUp, kindSweep, kindClosed, kindOpen} {
		seen := t.seen[kind]
		if seen == nil || seen.Errors == 0 {
			continue
		}
		if share := float64(seen.Errors) / float64(max(seen.Requests, seen.Errors)); share > mostErrors {
			invalid("%d of %d requests failed (%.2f %%, more than %.1f %%) in rounds of the kind %s: %s",
				seen.Errors, seen.Requests, 100*share, 100*mostErrors, kind, strings.Join(first(seen), "; "))
		} else {
			warn("%d of %d requests failed: %s", seen.Errors, seen.Requests, strings.Join(first(seen), "; "))
		}
	}
	if t.Generator > mostGenerator {
		invalid("the load generator took %.0f %% of the machine's CPU and was the bottleneck itself", 100*t.Generator)
	}
	for _, open := range t.Open {
		if open.Generator > mostGenerator {
			invalid("at %.0f interactions/s the load generator took %.0f %% of the machine's CPU and was the bottleneck itself",
				open.Rate, 100*open.Generator)
		}
		if open.tally.Pace.TooLate(mostLate) {
			invalid("at %.0f interactions/s the load generator began %.1f %% of them more than %s late: it did not get the CPU "+
				"that it needs, and its latencies mean nothing", open.Rate, 100*open.Late, load.LateAfter)
		}
	}
	if n := t.Refused["sold-out"]; n > 0 {
		warn("%d checkouts found a book sold out", n)
	}
	if t.restless > 0 {
		warn("after %d rounds it did not come to rest within %s, and the next round began beside it", t.restless, restLimit)
	}
	r.judgeMachine(t, invalid, warn)
}

// judgeMachine looks at who else was at work.
func (r *Report) judgeMachine(t *Result, invalid, warn func(string, ...any)) {
	if !t.bill.known || t.bill.elapsed == 0 {
		return
	}
	machine := t.bill.elapsed.Seconds() * float64(r.Machine.Cores)
	if share := t.bill.others.Seconds() / machine; share > mostOthers {
		invalid("other programs took %.0f %% of the machine's CPU: close them", 100*share)
	} else if share > someOthers {
		warn("other programs took %.0f %% of the machine's CPU", 100*share)
	}
	if share := t.bill.stolen.Seconds() / machine; share > mostStolen {
		warn("the host of this virtual machine took %.0f %% of its CPU", 100*share)
	}
}

// mostComplaints is how many are shown.
const mostComplaints = 3

// first are the first complaints.
func first(t *workload.Tally) (texts []string) {
	for _, c := range t.Complaints[:min(len(t.Complaints), mostComplaints)] {
		texts = append(texts, c.Text)
	}
	return texts
}

// complaints are the first of each kind of round.
func (t *Result) complaints() string {
	var all []string
	for _, kind := range []string{kindWarmUp, kindSweep, kindClosed, kindOpen} {
		if seen := t.seen[kind]; seen != nil {
			all = append(all, first(seen)...)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return strings.Join(all[:min(len(all), mostComplaints)], "; ")
}
