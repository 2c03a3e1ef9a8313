package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"banyan/scripts/lab/bench/budget"
	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// Report is what a run has found.
type Report struct {
	Valid    bool     `json:"valid"`
	Reasons  []string `json:"reasons"`  // why it is not valid
	Warnings []string `json:"warnings"` // what to know besides

	// Ratios are the services' throughput divided by the monolith's, by mix: medians of the rounds' own ratios. A report
	// that is not valid has none, nor has one of a single side.
	Ratios map[string]float64 `json:"ratios,omitempty"`
	// RatioRanges hold the true ratios, as far as the rounds can tell.
	RatioRanges map[string][2]float64 `json:"ratio_ranges,omitempty"`
	// CPURatios are the monolith's CPU time per request divided by the services'. They leave out what the
	// load generator takes from the machine.
	CPURatios map[string]float64 `json:"cpu_ratios,omitempty"`
	// Comparisons are of any two sides, mixes and pages.
	Comparisons []Comparison `json:"comparisons,omitempty"`
	// Budgets are the figures of the table of budgets that this run has measured.
	Budgets budget.Results `json:"budgets"`

	Sides map[string]*SideReport `json:"sides"`
	// Data is what the sides' databases held before the load, by database.
	Data map[string]map[string]AreaData `json:"data,omitempty"`
	// Inspected is how many rules of lab verify were held against the sides after the rounds; Broken are those that did not hold.
	Inspected int      `json:"rules_inspected"`
	Broken    []Broken `json:"rules_broken,omitempty"`

	Options ReportOptions `json:"options"`
	Machine Machine       `json:"machine"`
	Began   time.Time     `json:"began"`
	Seconds float64       `json:"seconds"`

	// Ladder is what each step has beside its throughput, where each ran in a lab of its own.
	Ladder []Rung `json:"ladder,omitempty"`

	// Annexes are measured beside the mixes: limits, the ledger of costs.
	Annexes []Annex `json:"annexes,omitempty"`
}

// Annex is a part of the report that was measured by something else.
type Annex struct {
	Name     string            `json:"name"` // of its files: limits
	Title    string            `json:"title"`
	Text     string            `json:"-"` // Markdown
	Figures  any               `json:"figures,omitempty"`
	Pictures map[string][]byte `json:"-"` // SVG by name of file; Text refers to them
}

// ReportOptions is how it was measured.
type ReportOptions struct {
	SeedSize        string    `json:"seed_size"`
	Steps           []int     `json:"steps"`
	Rounds          int       `json:"rounds"`
	MostRounds      int       `json:"rounds_at_most,omitempty"` // while the range of the ratio is wide
	Within          float64   `json:"within_seconds,omitempty"` // the whole run
	Seconds         float64   `json:"seconds_per_round"`
	Browsers        int       `json:"browsers"` // 0: those of the sweep at which the sides did best
	Sweep           []int     `json:"sweep,omitempty"`
	Open            []float64 `json:"open_loop_shares,omitempty"`
	OpenRounds      int       `json:"open_loop_rounds,omitempty"`
	OpenSeconds     float64   `json:"open_loop_seconds_per_round,omitempty"`
	OpenConnections int       `json:"open_loop_connections,omitempty"`
	Forget          bool      `json:"open_loop_begins_with_empty_memories,omitempty"`
	Customers       int       `json:"customers"`
	WithLogins      bool      `json:"with_logins"`
	Seed            uint64    `json:"seed"`
	ThinkTime       float64   `json:"think_time_seconds"`
}

// SideReport is what one side did.
type SideReport struct {
	Step  int                `json:"step"`
	URL   string             `json:"url"`
	Mixes map[string]*Result `json:"mixes"`
	Pages map[string]*Result `json:"pages,omitempty"`
	// MemoryIdle is bytes by process before the first request, Memory the most that was seen under this side's load; of
	// the processes that several sides use, once for each.
	MemoryIdle map[string]int64 `json:"memory_idle_bytes,omitempty"`
	Memory     map[string]int64 `json:"memory_bytes,omitempty"`
	// Connections is how many the pools to PostgreSQL may open, by process.
	Connections map[string]int `json:"postgres_connections"`

	home string
}

func newReport(seedSize string, o Options, sides []*side) *Report {
	r := &Report{
		Reasons: []string{}, Warnings: []string{}, Sides: map[string]*SideReport{}, Budgets: budget.Results{},
		Began: time.Now().UTC().Truncate(time.Second),
		Options: ReportOptions{
			SeedSize: seedSize, Rounds: o.Rounds, MostRounds: o.MostRounds, Within: o.Within.Seconds(), Seconds: o.Length.Seconds(), Browsers: o.Browsers, Sweep: o.Sweep,
			Customers: o.Customers, WithLogins: o.WithLogins, Seed: o.Seed, ThinkTime: o.Think.Seconds(),
		},
	}
	if len(o.Open) > 0 {
		r.Options.Open, r.Options.OpenRounds = o.Open, o.OpenRounds
		r.Options.OpenSeconds, r.Options.OpenConnections, r.Options.Forget = o.OpenLength.Seconds(), o.OpenConnections, o.Forget
	}
	for _, s := range sides {
		r.Options.Steps = append(r.Options.Steps, s.step)
		r.Sides[s.name] = &SideReport{
			Step: s.step, URL: s.url, home: s.home,
			Mixes: map[string]*Result{}, Pages: map[string]*Result{}, Connections: map[string]int{},
		}
	}
	return r
}

// notePools asks the processes how many connections to PostgreSQL they may open.
func (r *Report) notePools(ctx context.Context, state *up.State, sides []*side) error {
	for _, process := range state.Processes {
		if process.OpsURL == "" {
			continue
		}
		shown, err := gauge.ReadMetrics(ctx, process.OpsURL)
		if err != nil {
			return fmt.Errorf("ask %s for its pool: %w", process.Name, err)
		}
		most := int(shown[poolSize])
		for _, s := range sides {
			if most > 0 && worksFor(process.Name, s.name) {
				r.Sides[s.name].Connections[process.Name] = most
			}
		}
	}
	return nil
}

// sides are those that were measured, in the ladder's order.
func (r *Report) sides() []string {
	var names []string
	for name := range r.Sides {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return r.Sides[a].Step - r.Sides[b].Step })
	return names
}

// mixes are those that were measured, in TPC-W's order.
func (r *Report) mixes() []string { return r.measured(workload.Mixes) }

// pages are the single interactions that were measured.
func (r *Report) pages() []string { return r.measured(Pages) }

func (r *Report) measured(of []workload.Mix) []string {
	var names []string
	for _, mix := range of {
		if slices.ContainsFunc(r.sides(), func(side string) bool { return r.resultIfThere(side, mix.Name) != nil }) {
			names = append(names, mix.Name)
		}
	}
	return names
}

func (r *Report) resultIfThere(side, mix string) *Result {
	s := r.Sides[side]
	if s == nil {
		return nil
	}
	if result := s.Mixes[mix]; result != nil {
		return result
	}
	return s.Pages[mix]
}

func (r *Report) result(side, mix string) *Result {
	if result := r.resultIfThere(side, mix); result != nil {
		return result
	}
	s := r.Sides[side]
	in := s.Mixes
	if slices.ContainsFunc(Pages, func(page workload.Mix) bool { return page.Name == mix }) {
		in = s.Pages
	}
	in[mix] = newResult()
	return in[mix]
}

// take puts a round down.
func (r *Report) take(side, mix string, done *round) {
	r.result(side, mix).take(side, done, r.Machine.Cores)
}

// warnOnce says what may hold for several labs.
func (r *Report) warnOnce(line string) {
	if !slices.Contains(r.Warnings, line) {
		r.Warnings = append(r.Warnings, line)
	}
}

// weigh notes how much memory the processes of a lab took.
func (r *Report) weigh(s *scales, sides []*side) {
	if s == nil || len(s.idle) == 0 {
		r.warnOnce("this system has no /proc: CPU and memory figures are left out")
		return
	}
	if !s.proportional {
		r.warnOnce("memory counts shared pages once for every process (VmRSS): this user may not read smaps_rollup")
	}
	for _, one := range sides {
		name, side := one.name, r.Sides[one.name]
		side.Memory, side.MemoryIdle = s.peaks[name], map[string]int64{}
		for process, bytes := range s.idle {
			if worksFor(process, name) {
				side.MemoryIdle[process] = bytes
			}
		}
	}
}

// noteTransactions shares the transactions of a database out to the requests that the sides made there. It may be called
// again after more rounds of the mix.
func (r *Report) noteTransactions(mix string, before, after map[string]int64) {
	requests := map[string]int64{}
	for name, side := range r.Sides {
		if result := r.resultIfThere(name, mix); result != nil {
			requests[side.home] += result.everything()
		}
	}
	for name, side := range r.Sides {
		result := r.resultIfThere(name, mix)
		if result == nil {
			continue
		}
		result.committed += after[side.home] - before[side.home]
		if requests[side.home] > 0 && result.committed > 0 {
			result.Transactions = float64(result.committed) / float64(requests[side.home])
		}
	}
}

// bestBrowsers is the number of browsers of the sweep at which the sides together did best: where the product of
// their throughputs is highest, which favours none of them.
func (r *Report) bestBrowsers(mix string) int {
	products := map[int]float64{}
	for _, name := range r.sides() {
		for _, point := range r.result(name, mix).Sweep {
			if products[point.Browsers] == 0 {
				products[point.Browsers] = 1
			}
			products[point.Browsers] *= point.Throughput
		}
	}
	best := 0
	for _, browsers := range r.Options.Sweep {
		if best == 0 || products[browsers] > products[best] {
			best = browsers
		}
	}
	return best
}

// slowest is the highest interactions per second of the side that did least.
func (r *Report) slowest(mix string) float64 {
	var rates []float64
	for _, name := range r.sides() {
		rates = append(rates, r.result(name, mix).bestVisits())
	}
	return slices.Min(rates)
}
