package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// runner is one run.
type runner struct {
	options Options
	sides   []*side
	began   time.Time
	longest time.Duration // that a round of the closed loop has taken, all sides together
}

// Run measures sides of a running lab. A run that is worth nothing is no error: the report says why.
func Run(ctx context.Context, state *up.State, options Options) (*Report, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	sides, err := sidesOf(state, options.Steps)
	if err != nil {
		return nil, err
	}
	findOthers(sides, state.Processes)
	return run(ctx, sides, options)
}

func run(ctx context.Context, sides []*side, options Options) (*Report, error) {
	r := &runner{options: options, sides: sides, began: time.Now()}
	report := newReport(sides[0].lab.state.SeedSize, options, sides)
	defer r.close(ctx)
	if err := r.open(ctx, report); err != nil {
		return nil, err
	}
	// Other data would not be worth a minute's load.
	if err := r.compareData(ctx, report); err != nil || len(report.Reasons) > 0 {
		report.judge()
		return report, err
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if err := r.compareData(ctx, report); err != nil || len(report.Reasons) > 0 {
		report.judge()
		return report, err
	}
	if err := r.measureAll(ctx, report); err != nil {
		return nil, err
	}
	for _, l := range r.labs() {
		report.weigh(l.scales, r.sidesIn(l))
	}
	report.Seconds = time.Since(r.began).Seconds()
	report.judge()
	return report, nil
}

// open connects to all that can be read beside the shops.
func (r *runner) open(ctx context.Context, report *Report) (err error) {
	for _, l := range r.labs() {
		missing, err := l.open(ctx, homes(r.sidesIn(l)))
		if err != nil {
			return err
		}
		for _, line := range missing {
			report.warnOnce(line)
		}
		if err := report.notePools(ctx, l.state, r.sidesIn(l)); err != nil {
			return err
		}
	}
	last := r.sides[len(r.sides)-1].lab // which has a broker, if any has
	report.Machine, err = describeMachine(ctx, last.accounts.conn, last.flow)
	return err
}

func (r *runner) close(ctx context.Context) {
	for _, l := range r.labs() {
		l.close(ctx)
	}
}

// compareData makes the report invalid if the sides do not hold the same.
func (r *runner) compareData(ctx context.Context, report *Report) error {
	report.Data = map[string]map[string]AreaData{}
	for _, s := range r.sides {
		if report.Data[s.home] != nil {
			continue
		}
		data, err := readData(ctx, s.lab.state.Databases[databaseOf(s.home)], s.home, up.Ladder[s.step])
		if err != nil {
			return err
		}
		report.Data[s.home] = data
	}
	report.judgeData()
	return nil
}

// fastest is a rate of checkouts per second that no side of this lab comes near.
const fastest = 5_000

// prepare does what has to be done before the clock may start.
func (r *runner) prepare(ctx context.Context) error {
	size, err := seed.ParseSize(r.sides[0].lab.state.SeedSize)
	if err != nil {
		return fmt.Errorf("the benchmark needs the lab's seeded data: %w", err)
	}
	visitors := workload.Visitors{
		Catalogue: workload.NewCatalogue(seed.Generate(size)), Customers: r.options.Customers,
		Keys: "bench-" + strings.SplitN(uuid.NewString(), "-", 2)[0], WithLogins: r.options.WithLogins,
	}
	first := map[string]*side{}
	for _, s := range r.sides {
		if other := first[s.home]; other != nil {
			// The same accounts in the same database: what the customers put into their carts here is there as well.
			s.people = other.people.At(s.url)
			continue
		}
		first[s.home] = s
		r.say("%s: signing in %d customers, which is not measured", s.name, visitors.Customers)
		if s.people, err = workload.SignIn(ctx, s.url, visitors); err != nil {
			return fmt.Errorf("prepare the side %s: %w", s.name, err)
		}
		r.say("%s: filling up the stock", s.name)
		// As much as all sides together can sell from one stock, and so the same everywhere.
		seconds := r.options.load().Seconds() * float64(len(r.sides)-len(homes(r.sides))+1)
		if err := s.people.FillUp(ctx, fastest*seconds); err != nil {
			return fmt.Errorf("prepare the side %s: %w", s.name, err)
		}
	}
	for _, l := range r.labs() {
		if err := l.flow.drain(ctx); err != nil {
			return err
		}
		if _, _, err := l.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.options.Out, "%6.1fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}
