package bench

import (
	"maps"
	"slices"
	"strings"
	"time"

	"banyan/scripts/lab/workload"
)

// Result is one side under one mix, or one page. Latencies are in milliseconds and seen by the browsers; in a closed loop
// they say how long one of so many browsers waits, not what a customer at a fixed rate would see: that is in Open.
type Result struct {
	Throughput float64    `json:"requests_per_second"` // median over the rounds
	Range      [2]float64 `json:"requests_per_second_range"`
	Visits     float64    `json:"interactions_per_second"`
	Browsers   int        `json:"browsers"`
	P50        float64    `json:"p50_ms"`
	P95        float64    `json:"p95_ms"`
	P99        float64    `json:"p99_ms"`
	P999       float64    `json:"p999_ms"`

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

	Work

	Interactions map[string]InteractionResult `json:"interactions"`
	Rounds       []RoundResult                `json:"rounds"`
	Sweep        []SweepPoint                 `json:"sweep,omitempty"`
	Open         []*OpenResult                `json:"open_loop,omitempty"`

	tally    *workload.Tally // of the closed rounds
	bill     *bill
	counted  *counted
	load     time.Duration
	seen     map[string]*workload.Tally // of all rounds, by kind
	restless int                        // rounds after which it did not come to rest

	committed int64 // transactions, in the side's database
}

// InteractionResult is one interaction under a mix.
type InteractionResult struct {
	Count     int64   `json:"count"`
	PerSecond float64 `json:"per_second"`
	Requests  int64   `json:"requests"`
	Errors    int64   `json:"errors"`
	MeanMS    float64 `json:"mean_ms"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	P999      float64 `json:"p999_ms"`
}

// RoundResult is one round of the closed loop.
type RoundResult struct {
	Throughput float64 `json:"requests_per_second"`
	Requests   int64   `json:"requests"`
	Load       float64 `json:"load_seconds"`
	Drain      float64 `json:"drain_seconds"`
}

// SweepPoint is a short closed loop with so many browsers.
type SweepPoint struct {
	Browsers   int     `json:"browsers"`
	Throughput float64 `json:"requests_per_second"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`

	visits float64
}

// OpenResult is the open loop at one rate, all its rounds together. A latency counts from when the interaction
// should have begun.
type OpenResult struct {
	Share       float64    `json:"share"` // of what the slowest side can do
	Rate        float64    `json:"interactions_per_second"`
	Connections int        `json:"connections"`
	Requests    int64      `json:"requests"`
	Errors      int64      `json:"errors"`
	P50         float64    `json:"p50_ms"`
	P95         float64    `json:"p95_ms"`
	P99         float64    `json:"p99_ms"`
	P999        float64    `json:"p999_ms"`
	P99Range    [2]float64 `json:"p99_ms_range"` // over the rounds
	// Late is the share of the interactions that the generator itself began more than 10 ms late.
	Late      float64 `json:"generator_late_share"`
	Generator float64 `json:"generator_cpu_share,omitempty"`
	CPUTotal  float64 `json:"cpu_ms_per_request_total,omitempty"`
	// Effects are from the commit of a change to the effect of its event, by consumer.
	Effects map[string]Effect `json:"commit_to_effect,omitempty"`
	// Interactions as in the closed loop.
	Interactions map[string]InteractionResult `json:"interactions"`

	tally   *workload.Tally
	bill    *bill
	counted *counted
	load    time.Duration
	p99s    []float64
}

func newBill() *bill { return &bill{known: true, lab: map[string]time.Duration{}} }

func newResult() *Result {
	return &Result{tally: workload.NewTally(), bill: newBill(), counted: newCounted(), seen: map[string]*workload.Tally{}}
}

func (t *Result) take(side string, done *round, cores int) {
	kind := done.load.kind
	if t.seen[kind] == nil {
		t.seen[kind] = workload.NewTally()
	}
	t.seen[kind].Add(done.tally)
	t.Checked += done.tally.Checked
	t.Wrong += done.tally.Wrong
	if !done.rest {
		t.restless++
	}
	switch kind {
	case kindClosed:
		t.takeClosed(side, done, cores)
	case kindSweep:
		t.Sweep = append(t.Sweep, SweepPoint{done.load.Browsers, done.throughput(), percentile(&done.tally.Latency, 50), percentile(&done.tally.Latency, 99), done.visits()})
	case kindOpen:
		t.takeOpen(side, done, cores)
	}
}

func (t *Result) takeClosed(side string, done *round, cores int) {
	t.tally.Add(done.tally)
	t.bill.add(done.bill)
	t.counted.add(done.counted)
	t.load += done.took
	t.Browsers = done.load.Browsers
	t.Rounds = append(t.Rounds, RoundResult{
		Throughput: done.throughput(), Requests: done.tally.Requests, Load: done.took.Seconds(), Drain: done.drain.Seconds(),
	})
	var perRound []float64
	for _, r := range t.Rounds {
		perRound = append(perRound, r.Throughput)
	}
	t.Throughput, t.Range = median(perRound), [2]float64{slices.Min(perRound), slices.Max(perRound)}
	all := t.tally
	t.Requests, t.Pending, t.Errors, t.Refused = all.Requests, all.Pending, all.Errors, refusals(all)
	t.P50, t.P95, t.P99, t.P999 = percentile(&all.Latency, 50), percentile(&all.Latency, 95), percentile(&all.Latency, 99), percentile(&all.Latency, 99.9)
	if all.Requests == 0 {
		return
	}
	t.Visits = t.Throughput * float64(all.AllVisits()) / float64(all.Requests)
	t.Interactions = interactionResults(all, t.Visits)
	t.CPU, t.CPUTotal = t.bill.perRequest(side, all.Requests)
	t.Generator = t.bill.generatorShare(t.load, cores)
	t.Work = workOf(side, t.counted, all)
}

func (t *Result) takeOpen(side string, done *round, cores int) {
	at := slices.IndexFunc(t.Open, func(o *OpenResult) bool { return o.Share == done.load.share })
	if at < 0 {
		at = len(t.Open)
		t.Open = append(t.Open, &OpenResult{
			Share: done.load.share, Rate: done.load.Rate, Connections: done.load.Browsers,
			tally: workload.NewTally(), bill: newBill(), counted: newCounted(),
		})
	}
	o := t.Open[at]
	o.tally.Add(done.tally)
	o.bill.add(done.bill)
	o.counted.add(done.counted)
	o.load += done.took
	o.p99s = append(o.p99s, percentile(&done.tally.Latency, 99))
	all := o.tally
	o.Requests, o.Errors = all.Requests, all.Errors
	o.P50, o.P95, o.P99, o.P999 = percentile(&all.Latency, 50), percentile(&all.Latency, 95), percentile(&all.Latency, 99), percentile(&all.Latency, 99.9)
	o.P99Range = [2]float64{slices.Min(o.p99s), slices.Max(o.p99s)}
	o.Late, o.Generator = all.Pace.LateShare(), o.bill.generatorShare(o.load, cores)
	_, o.CPUTotal = o.bill.perRequest(side, all.Requests)
	o.Interactions = interactionResults(all, done.load.Rate)
	o.Effects = effectsOf(side, o.counted)
}

// everything is how many requests were made in all rounds, of whatever kind.
func (t *Result) everything() (n int64) {
	for _, seen := range t.seen {
		n += seen.Requests
	}
	return n
}

// bestVisits is the highest rate of interactions, in the rounds or in the sweep.
func (t *Result) bestVisits() float64 {
	best := t.Visits
	for _, point := range t.Sweep {
		best = max(best, point.visits)
	}
	return best
}

// best is the highest throughput, in the rounds or in the sweep, and with how many browsers.
func (t *Result) best() (requestsPerSecond float64, browsers int) {
	requestsPerSecond, browsers = t.Throughput, t.Browsers
	for _, point := range t.Sweep {
		if point.Throughput > requestsPerSecond {
			requestsPerSecond, browsers = point.Throughput, point.Browsers
		}
	}
	return requestsPerSecond, browsers
}

// refusals is a copy of the refused answers' counts; nil if there are none.
func refusals(t *workload.Tally) map[string]int64 {
	if len(t.Refused) == 0 {
		return nil
	}
	return maps.Clone(t.Refused)
}

func interactionResults(t *workload.Tally, visits float64) map[string]InteractionResult {
	found := map[string]InteractionResult{}
	for i := range t.Visits {
		v := &t.Visits[i]
		if v.Count == 0 {
			continue
		}
		found[workload.Interaction(i).String()] = InteractionResult{
			Count: v.Count, PerSecond: visits * float64(v.Count) / float64(t.AllVisits()),
			Requests: v.Requests, Errors: v.Errors, MeanMS: float64(v.Spent.Microseconds()) / float64(v.Count) / 1000,
			P50: percentile(&v.Latency, 50), P95: percentile(&v.Latency, 95), P99: percentile(&v.Latency, 99), P999: percentile(&v.Latency, 99.9),
		}
	}
	return found
}

// perRequest shares a side's part of the bill out, in milliseconds.
func (b *bill) perRequest(side string, requests int64) (byProcess map[string]float64, total float64) {
	if !b.known || requests == 0 {
		return nil, 0
	}
	byProcess = map[string]float64{}
	for name, cpu := range b.lab {
		// The other side's processes run as well. What they do while they idle is not this side's.
		if cpu > 0 && worksFor(name, side) {
			byProcess[name] = cpu.Seconds() * 1000 / float64(requests)
			total += byProcess[name]
		}
	}
	return byProcess, total
}

func (b *bill) generatorShare(load time.Duration, cores int) float64 {
	if load <= 0 || cores == 0 {
		return 0
	}
	return b.generator.Seconds() / (load.Seconds() * float64(cores))
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

// area is what a role of PostgreSQL works for: catalog for catalog_app.
func area(role string) string { return strings.TrimSuffix(role, "_app") }
