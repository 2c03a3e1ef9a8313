package limits

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"banyan/scripts/lab/bench/budget"
	"banyan/scripts/lab/up"
)

// Options say how much to measure.
type Options struct {
	// Only are the rows of the table of budgets to measure; none: all that this package can.
	Only []int
	// Rounds per probe, each with all that it compares; 3 if zero.
	Rounds int
	// Length of a round of one of those; 1.5 s if zero.
	Length time.Duration
	// Cold also measures a start with an empty build cache, which takes minutes.
	Cold bool
	// Out is told the progress; nil is silent.
	Out io.Writer
}

// Report is what was measured.
type Report struct {
	Figures []Figure `json:"figures"`
	Skipped []Skip   `json:"skipped,omitempty"`
}

// Figure is one value that has a budget.
type Figure struct {
	Key    string             `json:"key"` // of the budget
	Value  float64            `json:"value"`
	Rounds []float64          `json:"rounds,omitempty"` // whose median the value is
	Parts  map[string]float64 `json:"parts,omitempty"`  // what it was made from, by name and unit
	Notes  []string           `json:"notes,omitempty"`  // what has to be known to read it
}

// Skip is what could not be measured.
type Skip struct {
	Keys   []string `json:"keys"`
	Reason string   `json:"reason"`
}

// Budgets holds the figures against their budgets.
func (r *Report) Budgets() (budget.Results, error) {
	results := budget.Results{}
	for _, figure := range r.Figures {
		if err := results.Add(figure.Key, figure.Value); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// probe measures some of the figures.
type probe struct {
	rows    []int
	keys    []string
	what    string
	within  time.Duration
	shop    bool // it needs the lab
	measure func(context.Context, *world) ([]Figure, error)
}

// probes are all, in their order: those that do not use the lab come between its start and the look at its memory,
// which is to be that of a lab that has been idle.
func probes(o Options) []probe {
	all := []probe{
		{[]int{13}, []string{"13 warm"}, "start of a lab, warm build cache", time.Minute, false, startWarm},
		{[]int{6}, []string{"6 nginx", "6 caddy", "6 cpu"}, "gateway, nginx and Caddy at full speed", 2 * time.Minute, false, compareProxies},
		{[]int{7}, []string{"7"}, "gateway and Caddy at 2,000 requests/s", time.Minute, false, addedLatency},
		{[]int{9}, []string{"9 p50", "9 p99"}, "events at 1,000/s", time.Minute, true, eventDelay},
		{[]int{11}, []string{"11 service", "11 lab"}, "memory at idle", 3 * time.Minute, true, idleMemory},
		{[]int{12}, []string{"12"}, "exec → ready", time.Minute, true, execToReady},
		{[]int{8}, []string{"8"}, "calls that a checkout waits for", time.Minute, true, countHops},
		{[]int{1}, []string{"1"}, "checkout beside pgbench", 2 * time.Minute, true, compareCheckout},
		{[]int{2}, []string{"2"}, "one book beside net/http and pgx", time.Minute, true, compareBook},
		{[]int{3}, []string{"3"}, "lists beside a static answer", time.Minute, true, compareLists},
	}
	if o.Cold {
		all = slices.Insert(all, 1, probe{[]int{13}, []string{"13 cold"}, "start of a lab, cold build cache", 10 * time.Minute, false, startCold})
	}
	if len(o.Only) > 0 {
		all = slices.DeleteFunc(all, func(p probe) bool { return !slices.Contains(o.Only, p.rows[0]) })
	}
	return all
}

// skip is the error of a probe that can't measure here, for want of a tool for instance.
type skip string

func (s skip) Error() string { return string(s) }

// Run measures. The error is that nothing can be measured, or that ctx ended.
func Run(ctx context.Context, options Options) (*Report, error) {
	options.complete()
	chosen := probes(options)
	if len(chosen) == 0 {
		return nil, fmt.Errorf("there is no probe for the rows %v", options.Only)
	}
	report := &Report{}
	err := up.Folder(ctx, nil, func(dir string) (err error) {
		w := &world{options: options, began: time.Now(), dir: dir}
		defer func() { err = errors.Join(err, w.stopExtra(context.WithoutCancel(ctx))) }()
		if err := w.prepare(ctx); err != nil {
			return err
		}
		measure := func(ctx context.Context) error { return report.measure(ctx, w, chosen) }
		if slices.ContainsFunc(chosen, func(p probe) bool { return p.shop }) {
			return w.withShop(ctx, measure)
		}
		return measure(ctx)
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

// measure runs the probes, one after the other.
func (r *Report) measure(ctx context.Context, w *world, chosen []probe) error {
	for _, p := range chosen {
		w.say("%s", p.what)
		figures, err := p.run(ctx, w)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.Figures = append(r.Figures, figures...)
		for _, f := range figures {
			w.say("  %s: %.3g", f.Key, f.Value)
		}
		if err != nil {
			missing := slices.DeleteFunc(slices.Clone(p.keys), func(key string) bool {
				return slices.ContainsFunc(figures, func(f Figure) bool { return f.Key == key })
			})
			r.Skipped = append(r.Skipped, Skip{Keys: missing, Reason: err.Error()})
			w.say("  skipped: %v", err)
		}
	}
	return nil
}

// run bounds a probe in time.
func (p probe) run(ctx context.Context, w *world) ([]Figure, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.within, fmt.Errorf("it took longer than %s", p.within))
	defer cancel()
	figures, err := p.measure(ctx, w)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var missing skip
	if err != nil && !errors.As(err, &missing) {
		err = fmt.Errorf("it failed: %w", err)
	}
	return figures, err
}

func (o *Options) complete() {
	if o.Rounds == 0 {
		o.Rounds = 3
	}
	if o.Length == 0 {
		o.Length = 1500 * time.Millisecond
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
}

// median of some values, of which there has to be one at least.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}
