package bench

import (
	"fmt"
	"slices"
	"strings"

	"banyan/scripts/lab/up"
)

// What makes a run worth nothing, or calls for a word.
const (
	mostErrors    = 0.001 // share of the requests
	mostGenerator = 0.60  // share of the machine's CPU: above, the browsers are what is measured
	someOthers    = 0.10  // share that other programs may take without a word
	mostOthers    = 0.50  // above, nobody knows what was measured
	mostStolen    = 0.05  // share that the host of a virtual machine may take without a word
)

// judge decides whether the run is worth something, and compares the sides if it is.
func (r *Report) judge() {
	for _, side := range []string{up.Monolith, up.Services} {
		for _, mix := range Mixes {
			if result := r.resultIfThere(side, mix.Name); result != nil {
				r.judgeResult(side+", "+mix.Name, result)
			}
		}
	}
	r.Valid = len(r.Reasons) == 0
	if r.Valid {
		r.compare()
	}
}

func (r *Report) resultIfThere(side, mix string) *Result {
	if r.Sides[side] == nil {
		return nil
	}
	return r.Sides[side].Mixes[mix]
}

func (r *Report) judgeResult(where string, t *Result) {
	invalid := func(format string, args ...any) {
		r.Reasons = append(r.Reasons, where+": "+fmt.Sprintf(format, args...))
	}
	warn := func(format string, args ...any) {
		r.Warnings = append(r.Warnings, where+": "+fmt.Sprintf(format, args...))
	}
	complaints := strings.Join(t.tally.complaints, "; ")
	switch {
	case t.Requests == 0:
		invalid("nothing was answered")
	case t.Checked == 0:
		invalid("no answer was compared with what it has to be: take longer rounds")
	}
	if t.Wrong > 0 {
		invalid("%d answers were wrong: %s", t.Wrong, complaints)
	}
	if share := float64(t.Errors) / float64(max(t.Requests, 1)); share > mostErrors {
		invalid("%d of %d requests failed (%.2f %%, more than %.1f %%): %s", t.Errors, t.Requests, 100*share, 100*mostErrors, complaints)
	} else if t.Errors > 0 {
		warn("%d of %d requests failed: %s", t.Errors, t.Requests, complaints)
	}
	if t.Generator > mostGenerator {
		invalid("the load generator took %.0f %% of the machine's CPU and was the bottleneck itself", 100*t.Generator)
	}
	if n := t.Refused["sold-out"]; n > 0 {
		warn("%d checkouts found a book sold out", n)
	}
	if t.restless > 0 {
		warn("after %d of %d rounds it did not come to rest within %s, and the next round began beside it",
			t.restless, len(t.Rounds), restLimit)
	}
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

// compare fills in the ratios.
func (r *Report) compare() {
	if r.Sides[up.Monolith] == nil || r.Sides[up.Services] == nil {
		return
	}
	r.Ratios, r.RatioRanges = map[string]float64{}, map[string][2]float64{}
	for mix, monolith := range r.Sides[up.Monolith].Mixes {
		services := r.Sides[up.Services].Mixes[mix]
		if services == nil || monolith.Throughput == 0 {
			continue
		}
		r.Ratios[mix] = services.Throughput / monolith.Throughput
		var each []float64
		for i := range min(len(monolith.Rounds), len(services.Rounds)) {
			if beside := monolith.Rounds[i].Throughput; beside > 0 {
				each = append(each, services.Rounds[i].Throughput/beside)
			}
		}
		if len(each) > 0 {
			r.RatioRanges[mix] = [2]float64{slices.Min(each), slices.Max(each)}
		}
		if services.CPUTotal > 0 {
			if r.CPURatios == nil {
				r.CPURatios = map[string]float64{}
			}
			r.CPURatios[mix] = monolith.CPUTotal / services.CPUTotal
		}
	}
}
