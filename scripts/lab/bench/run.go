package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
)

// Options say how much to measure.
type Options struct {
	Mixes     []Mix
	Length    time.Duration // of a round's load
	Rounds    int           // per mix and side
	Browsers  int           // per side, each with one connection
	Customers int           // who are signed in beforehand, per side
	// WithLogins makes Customer Registration register and sign in, passwords hashed and all.
	WithLogins bool
	// Seed of what chance decides.
	Seed uint64
	// Out is told the progress.
	Out io.Writer
}

// Full measures for some minutes, Quick for about one.
func Full() Options {
	return Options{Mixes: Mixes, Length: 10 * time.Second, Rounds: 5, Browsers: 16, Customers: 500, Seed: 1, Out: io.Discard}
}

// Quick is enough to see which way things go.
func Quick() Options {
	o := Full()
	o.Length, o.Rounds, o.Customers = 2*time.Second, 3, 4*o.Browsers
	return o
}

// warmUp is how long a side is asked before its rounds of a mix. It belongs to no figure.
func (o Options) warmUp() time.Duration { return min(o.Length/2, 3*time.Second) }

// load is how long each side is under load in the whole run.
func (o Options) load() time.Duration {
	return time.Duration(len(o.Mixes)) * (o.warmUp() + time.Duration(o.Rounds)*o.Length)
}

func (o Options) validate() error {
	switch {
	case len(o.Mixes) == 0:
		return errors.New("there is no mix to measure")
	case o.Length < 100*time.Millisecond || o.Length > time.Hour:
		return errors.New("a round takes 0.1 seconds at least and an hour at most")
	case o.Rounds < 1:
		return errors.New("there has to be one round at least")
	case o.Browsers < 1 || o.Browsers > o.Customers:
		return fmt.Errorf("%d browsers need a customer each, and there are %d", o.Browsers, o.Customers)
	}
	return nil
}

// Some answers are read and compared: more of them while nothing is measured.
const (
	sampleWarmUp = 5
	sampleRound  = 50
)

// runner is one run.
type runner struct {
	options  Options
	sides    []*side
	flow     *flow
	accounts *accountant
	began    time.Time
}

// Run measures the sides of a running lab. A run that is worth nothing is no error: the report says why.
func Run(ctx context.Context, state *up.State, options Options) (*Report, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	r := &runner{options: options, began: time.Now()}
	var err error
	if r.accounts, err = openAccounts(ctx, state); err != nil {
		return nil, err
	}
	defer r.accounts.close(ctx)
	if r.flow, err = openFlow(ctx, state); err != nil {
		return nil, err
	}
	defer r.flow.close()
	if err := r.prepare(ctx, state); err != nil {
		return nil, err
	}
	report, err := newReport(ctx, state, options, r)
	if err != nil {
		return nil, err
	}
	for _, mix := range options.Mixes {
		if err := r.measure(ctx, mix, report); err != nil {
			return nil, err
		}
	}
	if err := report.weigh(ctx, r.accounts, state); err != nil {
		return nil, err
	}
	report.judge()
	return report, nil
}

// prepare does what has to be done before the clock may start.
func (r *runner) prepare(ctx context.Context, state *up.State) error {
	size, err := seed.ParseSize(state.SeedSize)
	if err != nil {
		return fmt.Errorf("the benchmark needs the lab's seeded data: %w", err)
	}
	known := newShop(seed.Generate(size))
	readers, err := known.takeReaders(r.options.Customers)
	if err != nil {
		return err
	}
	keys := "bench-" + strings.SplitN(uuid.NewString(), "-", 2)[0]
	for _, name := range state.Sides() {
		s := &side{name: name, url: state.SideURL(name)}
		s.session = session{shop: known, keys: keys, withLogins: r.options.WithLogins}
		r.sides = append(r.sides, s)
		r.say("%s: signing in %d customers, which is not measured", name, len(readers))
		if err := s.signIn(ctx, readers); err != nil {
			return err
		}
		r.say("%s: filling up the stock", name)
		if err := s.fillUp(ctx, r.options.load().Seconds()); err != nil {
			return err
		}
	}
	if err := r.flow.drain(ctx); err != nil {
		return err
	}
	_, _, err = r.settle(ctx)
	return err
}

// measure plays the rounds of a mix, the sides taking turns.
func (r *runner) measure(ctx context.Context, mix Mix, report *Report) error {
	for _, s := range r.sides {
		r.say("%s: warming up the %s", mix.Name, s.name)
		done, err := r.play(ctx, s, mix, 0, r.options.warmUp(), sampleWarmUp)
		if err != nil {
			return err
		}
		report.warmedUp(s.name, mix.Name, done)
	}
	for number := 1; number <= r.options.Rounds; number++ {
		for _, s := range r.sides {
			done, err := r.play(ctx, s, mix, number, r.options.Length, sampleRound)
			if err != nil {
				return err
			}
			report.add(s.name, mix.Name, done)
			r.say("%s: round %d of %d: %s %.0f requests/s", mix.Name, number, r.options.Rounds, s.name, done.throughput())
		}
	}
	return nil
}

func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.options.Out, "%6.1fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}
