package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"banyan/scripts/lab/workload"
)

// Some answers are read and compared: more of them while nothing is measured.
const (
	sampleWarmUp = 5
	sampleRound  = 50
)

// pageRounds is how often each page is measured on each side.
const pageRounds = 2

// pageBrowsers is how many ask for them, unless the number is given.
const pageBrowsers = 16

// measureAll measures the mixes, and the pages if they are wanted.
func (r *runner) measureAll(ctx context.Context, report *Report) error {
	for i, mix := range r.options.Mixes {
		err := r.countTransactions(ctx, mix, report, func() error { return r.measure(ctx, mix, r.shareOfTime(len(r.options.Mixes)-i), report) })
		if err != nil {
			return err
		}
	}
	if err := r.narrow(ctx, report); err != nil {
		return err
	}
	browsers := r.options.Browsers
	if browsers == 0 {
		browsers = pageBrowsers
	}
	for _, page := range r.options.pages() {
		l := r.closed(browsers)
		l.Length = r.options.pageLength()
		if err := r.warmUp(ctx, page, browsers, report); err != nil {
			return err
		}
		for l.Number = 1; l.Number <= pageRounds; l.Number++ {
			if err := r.closedRound(ctx, page, l, report); err != nil {
				return err
			}
		}
	}
	return nil
}

// countTransactions adds what PostgreSQL committed meanwhile to a mix.
func (r *runner) countTransactions(ctx context.Context, mix workload.Mix, report *Report, meanwhile func() error) error {
	before, err := r.transactions(ctx)
	if err != nil {
		return err
	}
	if err := meanwhile(); err != nil {
		return err
	}
	after, err := r.transactions(ctx)
	if err != nil {
		return err
	}
	report.noteTransactions(mix.Name, before, after)
	return nil
}

// inspect holds the sides to the invariants, after each round.
func (r *runner) inspect(ctx context.Context, after string, report *Report) error {
	var rules int
	var broken []Broken
	for _, l := range r.labs() {
		held, found, err := l.inspectors.inspect(ctx, after)
		if err != nil {
			return err
		}
		rules, broken = rules+held, append(broken, found...)
	}
	report.Inspected += rules
	report.Broken = append(report.Broken, broken...)
	if len(broken) > 0 {
		r.say("%s: %d of %d rules of lab verify broken", after, len(broken), rules)
	}
	return nil
}

// measure plays the rounds of a mix, the sides taking turns in each, as many as there is time for.
func (r *runner) measure(ctx context.Context, mix workload.Mix, until time.Time, report *Report) error {
	browsers := r.options.Browsers
	middle := browsers
	if n := len(r.options.Sweep); n > 0 {
		middle = r.options.Sweep[n/2]
	}
	if err := r.warmUp(ctx, mix, middle, report); err != nil {
		return err
	}
	if err := r.sweep(ctx, mix, report); err != nil {
		return err
	}
	if browsers == 0 {
		browsers = report.bestBrowsers(mix.Name)
	}
	l := r.closed(browsers)
	for l.Number = 1; l.Number <= r.options.Rounds; l.Number++ {
		if l.Number > 1 && r.tooLate(until.Add(-r.options.openLoop(len(r.sides)))) {
			break
		}
		if err := r.closedRound(ctx, mix, l, report); err != nil {
			return err
		}
	}
	return r.openLoop(ctx, mix, report)
}

// sweep tries numbers of browsers, to find where each side does best.
func (r *runner) sweep(ctx context.Context, mix workload.Mix, report *Report) error {
	for i, browsers := range r.options.Sweep {
		for _, s := range r.sides {
			l := asking{kind: kindSweep, Asking: workload.Asking{
				Browsers: browsers, Think: r.options.Think, Length: r.options.SweepLength, Number: 1000 + i, SampleEvery: sampleRound,
			}}
			done, err := r.playFor(ctx, s, mix, l, report)
			if err != nil {
				return err
			}
			r.say("%s: %d browsers: %s %.0f requests/s", mix.Name, browsers, s.name, done.throughput())
		}
	}
	return nil
}

// warmUp asks each side for a while, which belongs to no figure.
func (r *runner) warmUp(ctx context.Context, mix workload.Mix, browsers int, report *Report) error {
	l := asking{kind: kindWarmUp, Asking: workload.Asking{
		Browsers: browsers, Think: r.options.Think, Length: r.options.warmUp(), SampleEvery: sampleWarmUp,
	}}
	for _, s := range r.sides {
		r.say("%s: warming up the %s", mix.Name, s.name)
		if _, err := r.playFor(ctx, s, mix, l, report); err != nil {
			return err
		}
	}
	return nil
}

// closed is the load of a round of the closed loop.
func (r *runner) closed(browsers int) asking {
	return asking{kind: kindClosed, Asking: workload.Asking{
		Browsers: browsers, Think: r.options.Think, Length: r.options.Length, SampleEvery: sampleRound,
	}}
}

// closedRound measures the highest throughput.
func (r *runner) closedRound(ctx context.Context, mix workload.Mix, l asking, report *Report) error {
	began := time.Now()
	for _, s := range r.turns(l.Number) {
		done, err := r.playFor(ctx, s, mix, l, report)
		if err != nil {
			return err
		}
		r.say("%s: round %d: %s %.0f requests/s", mix.Name, l.Number, s.name, done.throughput())
	}
	if err := r.inspect(ctx, fmt.Sprintf("%s, round %d", mix.Name, l.Number), report); err != nil {
		return err
	}
	r.longest = max(r.longest, time.Since(began))
	return nil
}

// turns is the order of the sides in a round. Every second one goes backwards: if the machine gets slower all the while, each
// side is hit as often first as last.
func (r *runner) turns(number int) []*side {
	sides := slices.Clone(r.sides)
	if number%2 == 0 {
		slices.Reverse(sides)
	}
	return sides
}

// openLoop measures latency, each side at the same rates. The sides keep their order, so that what each remembers has one age.
func (r *runner) openLoop(ctx context.Context, mix workload.Mix, report *Report) error {
	if len(r.options.Open) == 0 {
		return nil
	}
	if err := r.forget(ctx); err != nil {
		return err
	}
	slowest := report.slowest(mix.Name)
	for i, share := range r.options.Open {
		l := asking{kind: kindOpen, share: share, Asking: workload.Asking{
			Browsers: r.options.OpenConnections, Rate: share * slowest, Length: r.options.OpenLength, SampleEvery: sampleRound,
		}}
		if l.Rate*l.Length.Seconds() < 1 {
			continue // nothing came back before; the report says so
		}
		for n := range r.options.OpenRounds {
			l.Number = 2000 + 100*i + n
			for _, s := range r.sides {
				done, err := r.playFor(ctx, s, mix, l, report)
				if err != nil {
					return err
				}
				r.say("%s: %.0f interactions/s: %s p50 %.1f ms, p99 %.1f ms", mix.Name, l.Rate, s.name,
					percentile(&done.tally.Latency, 50), percentile(&done.tally.Latency, 99))
			}
			if err := r.inspect(ctx, fmt.Sprintf("%s at %.0f/s, round %d", mix.Name, l.Rate, n+1), report); err != nil {
				return err
			}
		}
	}
	return nil
}

// playFor plays a round and puts it down.
func (r *runner) playFor(ctx context.Context, s *side, mix workload.Mix, l asking, report *Report) (*round, error) {
	done, err := r.play(ctx, s, mix, l)
	if err != nil {
		return nil, err
	}
	report.take(s.name, mix.Name, done)
	return done, r.raw(done.line(s, mix))
}
