package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
)

// runner is one run. Its instruments may be missing, all or some: then their figures are as well.
type runner struct {
	options    Options
	sides      []*side
	flow       *flow
	accounts   *accountant
	meters     *meters
	scales     *scales
	inspectors inspectors
	began      time.Time
	longest    time.Duration // that a round of the closed loop has taken, all sides together
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
	r := &runner{options: options, sides: sides, began: time.Now()}
	findOthers(sides, state.Processes)
	report := newReport(state.SeedSize, options, sides)
	defer r.close(ctx)
	if err := r.open(ctx, state, report); err != nil {
		return nil, err
	}
	// Other data would not be worth a minute's load.
	if err := r.compareData(ctx, state, report); err != nil || len(report.Reasons) > 0 {
		report.judge()
		return report, err
	}
	if err := r.prepare(ctx, state); err != nil {
		return nil, err
	}
	if err := r.compareData(ctx, state, report); err != nil || len(report.Reasons) > 0 {
		report.judge()
		return report, err
	}
	if err := r.measureAll(ctx, report); err != nil {
		return nil, err
	}
	report.weigh(r.scales)
	report.Seconds = time.Since(r.began).Seconds()
	report.judge()
	return report, nil
}

// open connects to all that can be read beside the shops.
func (r *runner) open(ctx context.Context, state *up.State, report *Report) (err error) {
	if r.accounts, err = openAccounts(ctx, state); err != nil {
		return err
	}
	if r.scales, err = newScales(ctx, r.accounts); err != nil { // before anything else: at idle
		return err
	}
	if r.flow, err = openFlow(ctx, state); err != nil {
		return err
	}
	var missing []string
	if r.meters, missing, err = openMeters(ctx, state, r.flow); err != nil {
		return err
	}
	report.Warnings = append(report.Warnings, missing...)
	if r.inspectors, err = openInspectors(ctx, state, homes(r.sides)); err != nil {
		return err
	}
	if report.Machine, err = describeMachine(ctx, r.accounts.conn, r.flow); err != nil {
		return err
	}
	return report.notePools(ctx, state)
}

func (r *runner) close(ctx context.Context) {
	r.inspectors.close()
	r.meters.close(ctx)
	r.flow.close()
	r.accounts.close(ctx)
}

// compareData makes the report invalid if the sides do not hold the same.
func (r *runner) compareData(ctx context.Context, state *up.State, report *Report) error {
	report.Data = map[string]map[string]AreaData{}
	for _, home := range homes(r.sides) {
		data, err := readData(ctx, state.Databases[home], home)
		if err != nil {
			return err
		}
		report.Data[home] = data
	}
	report.judgeData()
	return nil
}

// prepare does what has to be done before the clock may start.
func (r *runner) prepare(ctx context.Context, state *up.State) error {
	size, err := seed.ParseSize(state.SeedSize)
	if err != nil {
		return fmt.Errorf("the benchmark needs the lab's seeded data: %w", err)
	}
	known := newCatalogue(seed.Generate(size))
	readers, err := known.takeReaders(r.options.Customers)
	if err != nil {
		return err
	}
	keys := "bench-" + strings.SplitN(uuid.NewString(), "-", 2)[0]
	first := map[string]*side{}
	for _, s := range r.sides {
		s.session = session{shop: known, keys: keys, withLogins: r.options.WithLogins}
		if other := first[s.home]; other != nil {
			// The same accounts in the same database: what the customers put into their carts here is there as well.
			s.customers, s.staff = other.customers, other.staff
			continue
		}
		first[s.home] = s
		r.say("%s: signing in %d customers, which is not measured", s.name, len(readers))
		if err := s.signIn(ctx, readers); err != nil {
			return err
		}
		r.say("%s: filling up the stock", s.name)
		// As much as all sides together can sell from one stock, and so the same everywhere.
		if err := s.fillUp(ctx, r.options.load().Seconds()*float64(len(r.sides)-len(homes(r.sides))+1)); err != nil {
			return err
		}
	}
	if err := r.flow.drain(ctx); err != nil {
		return err
	}
	_, _, err = r.settle(ctx)
	return err
}

func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.options.Out, "%6.1fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}
