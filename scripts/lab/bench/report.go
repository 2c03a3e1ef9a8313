package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"banyan/scripts/lab/up"
)

// Report is what a run has found.
type Report struct {
	Valid    bool     `json:"valid"`
	Reasons  []string `json:"reasons"`  // why it is not valid
	Warnings []string `json:"warnings"` // what to know besides

	// Ratios are the services' throughput divided by the monolith's, by mix: medians over the rounds. A report
	// that is not valid has none, nor has one of a single side.
	Ratios map[string]float64 `json:"ratios,omitempty"`
	// RatioRanges are the lowest and the highest of the rounds' own ratios.
	RatioRanges map[string][2]float64 `json:"ratio_ranges,omitempty"`
	// CPURatios are the monolith's CPU time per request divided by the services'. They leave out what the
	// load generator takes from the machine.
	CPURatios map[string]float64 `json:"cpu_ratios,omitempty"`

	Sides   map[string]*SideReport `json:"sides"`
	Options ReportOptions          `json:"options"`
	Machine Machine                `json:"machine"`
}

// ReportOptions is how it was measured.
type ReportOptions struct {
	SeedSize   string  `json:"seed_size"`
	Rounds     int     `json:"rounds"`
	Seconds    float64 `json:"seconds_per_round"`
	Browsers   int     `json:"browsers"`
	Customers  int     `json:"customers"`
	WithLogins bool    `json:"with_logins"`
	Seed       uint64  `json:"seed"`
	ThinkTime  float64 `json:"think_time_seconds"`
}

// SideReport is what one side did.
type SideReport struct {
	URL   string             `json:"url"`
	Mixes map[string]*Result `json:"mixes"`
	// Memory is resident bytes by process after the load; of the processes that both sides use, once for each.
	Memory map[string]int64 `json:"memory_bytes,omitempty"`
	// Connections is how many the pools to PostgreSQL may open, by process.
	Connections map[string]int `json:"postgres_connections"`
}

// Result is one side under one mix. Latencies are in milliseconds and seen by the browsers; in a closed loop
// they say how long one of so many browsers waits, not what a customer at a fixed rate would see.
type Result struct {
	Throughput float64 `json:"requests_per_second"` // median over the rounds
	Visits     float64 `json:"interactions_per_second"`
	P50        float64 `json:"p50_ms"`
	P95        float64 `json:"p95_ms"`
	P99        float64 `json:"p99_ms"`

	Requests int64            `json:"requests"`
	Checked  int64            `json:"answers_compared"`
	Errors   int64            `json:"errors"`
	Wrong    int64            `json:"wrong_answers"`
	Pending  int64            `json:"answered_202"`
	Refused  map[string]int64 `json:"refused,omitempty"`

	// CPU is milliseconds per request by process, all that followed included; absent where the system does not
	// tell. Generator is the share of the machine's CPU that the browsers took while they ran.
	CPU       map[string]float64 `json:"cpu_ms_per_request,omitempty"`
	CPUTotal  float64            `json:"cpu_ms_per_request_total,omitempty"`
	Generator float64            `json:"generator_cpu_share,omitempty"`

	Interactions map[string]InteractionResult `json:"interactions"`
	Rounds       []RoundResult                `json:"rounds"`

	tally    *tally
	bill     *bill
	load     time.Duration
	restless int // rounds after which it did not come to rest
}

// InteractionResult is one interaction under a mix.
type InteractionResult struct {
	Count  int64   `json:"count"`
	MeanMS float64 `json:"mean_ms"`
}

// RoundResult is one round.
type RoundResult struct {
	Throughput float64 `json:"requests_per_second"`
	Requests   int64   `json:"requests"`
	Load       float64 `json:"load_seconds"`
	Drain      float64 `json:"drain_seconds"`
}

func newReport(ctx context.Context, state *up.State, o Options, r *runner) (*Report, error) {
	machine, err := describeMachine(ctx, r.accounts.conn, r.flow)
	if err != nil {
		return nil, err
	}
	report := &Report{
		Reasons: []string{}, Warnings: []string{}, Sides: map[string]*SideReport{}, Machine: machine,
		Options: ReportOptions{
			SeedSize: state.SeedSize, Rounds: o.Rounds, Seconds: o.Length.Seconds(), Browsers: o.Browsers,
			Customers: o.Customers, WithLogins: o.WithLogins, Seed: o.Seed,
		},
	}
	for _, s := range r.sides {
		report.Sides[s.name] = &SideReport{URL: s.url, Mixes: map[string]*Result{}, Connections: map[string]int{}}
	}
	for _, process := range state.Processes {
		name := sideOfProcess(process.Name)
		if name == "" || report.Sides[name] == nil || process.OpsURL == "" {
			continue
		}
		metrics, err := gauges(ctx, process.OpsURL)
		if err != nil {
			return nil, fmt.Errorf("ask %s for its pool: %w", process.Name, err)
		}
		if most := metrics["postgres_pool_connections_max"]; most > 0 {
			report.Sides[name].Connections[process.Name] = int(most)
		}
	}
	return report, nil
}

// sideOfProcess is the side that a process works for, one of PostgreSQL's by its role; empty if it works for both.
func sideOfProcess(name string) string {
	role, backend := strings.CutPrefix(name, postgresName+" ")
	switch {
	case name == up.Monolith, backend && strings.HasPrefix(role, up.Monolith+"_"):
		return up.Monolith
	case name == postgresName, name == background, name == "outside":
		return ""
	}
	return up.Services // the broker as well: the monolith needs none
}

func (r *Report) result(side, mix string) *Result {
	mixes := r.Sides[side].Mixes
	if mixes[mix] == nil {
		mixes[mix] = &Result{tally: newTally(), bill: &bill{known: true, lab: map[string]time.Duration{}}}
	}
	return mixes[mix]
}

// warmedUp keeps of a warm-up only what makes a run invalid.
func (r *Report) warmedUp(side, mix string, done *round) {
	total := r.result(side, mix)
	total.tally.wrong += done.tally.wrong
	total.tally.checked += done.tally.checked
	for _, text := range done.tally.complaints {
		total.tally.complain(text)
	}
}

// add takes a round in.
func (r *Report) add(side, mix string, done *round) {
	total := r.result(side, mix)
	total.tally.add(done.tally)
	total.bill.add(done.bill)
	total.load += done.load
	if !done.rest {
		total.restless++
	}
	total.Rounds = append(total.Rounds, RoundResult{
		Throughput: done.throughput(), Requests: done.tally.requests,
		Load: done.load.Seconds(), Drain: done.drain.Seconds(),
	})
	total.sum(side, r.Machine.Cores)
}

// sum makes the figures out of what the rounds counted.
func (t *Result) sum(side string, cores int) {
	perRound := make([]float64, len(t.Rounds))
	for i, done := range t.Rounds {
		perRound[i] = done.Throughput
	}
	t.Throughput = median(perRound)
	all := t.tally
	t.Requests, t.Checked, t.Errors, t.Wrong, t.Pending = all.requests, all.checked, all.errors, all.wrong, all.pending
	t.Refused = all.refusals()
	t.P50, t.P95, t.P99 = all.percentile(50), all.percentile(95), all.percentile(99)
	t.Interactions = map[string]InteractionResult{}
	for i, count := range all.visits {
		if count > 0 {
			mean := float64(all.spent[i].Microseconds()) / float64(count) / 1000
			t.Interactions[Interaction(i).String()] = InteractionResult{count, mean}
		}
	}
	if all.requests == 0 {
		return
	}
	t.Visits = t.Throughput * float64(all.allVisits()) / float64(all.requests)
	if t.bill.known {
		t.CPU, t.CPUTotal = map[string]float64{}, 0
		for name, cpu := range t.bill.lab {
			// The other side's processes run as well. What they do while they idle is not this side's.
			if of := sideOfProcess(name); cpu > 0 && (of == side || of == "") {
				t.CPU[name] = cpu.Seconds() * 1000 / float64(all.requests)
				t.CPUTotal += t.CPU[name]
			}
		}
	}
	t.Generator = t.bill.generator.Seconds() / (t.load.Seconds() * float64(cores))
}

// weigh notes how much memory the processes take now.
func (r *Report) weigh(ctx context.Context, accounts *accountant, state *up.State) error {
	sizes, proportional, err := accounts.residents(ctx)
	if err != nil {
		return err
	}
	if len(sizes) == 0 {
		r.Warnings = append(r.Warnings, "this system has no /proc: CPU and memory figures are left out")
		return nil
	}
	if !proportional {
		r.Warnings = append(r.Warnings, "memory counts shared pages once for every process (VmRSS): this user may not read smaps_rollup")
	}
	for name, side := range r.Sides {
		side.Memory = map[string]int64{}
		for process, bytes := range sizes {
			if of := sideOfProcess(process); of == name || of == "" {
				side.Memory[process] = bytes
			}
		}
	}
	return nil
}

// median of the figures; their order is not changed.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	switch {
	case len(sorted) == 0:
		return 0
	case len(sorted)%2 == 1:
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
