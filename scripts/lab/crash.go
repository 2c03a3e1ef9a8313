package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"banyan/scripts/lab/crash"
	"banyan/scripts/lab/up"
)

type crashCommand struct {
	Only            string        `help:"One side only: monolith or services." enum:"monolith,services," default:""`
	Step            int           `help:"The step of the ladder at which the services' side is, 0 to 8." default:"8"`
	Checkouts       int           `help:"How many checkouts to make." default:"2000"`
	Customers       int           `help:"How many customers make them." default:"48"`
	Seed            uint64        `help:"Repeats the schedule of another run. Default: a new one, which is printed."`
	SweepAfter      time.Duration `help:"For how long an order may be pending before the shop's sweeper takes it." default:"2s"`
	SettleWithin    time.Duration `help:"How long the shop gets to come to rest afterwards." default:"60s"`
	ExpectViolation bool          `help:"Fail if nothing is found, to see that the judge can see. Without a sweeper (--sweep-after 24h) something is."`
}

// patience is for how long a customer asks what became of a checkout: longer than a key's lease.
const patience = 30 * time.Second

func (c *crashCommand) Help() string {
	return "On labs of its own, one after the other, with data of their own; a running lab is left alone. " +
		"If something is found, the lab's folder with its logs is kept."
}

func (c *crashCommand) Run(ctx context.Context, line *commands, to streams) error {
	if c.Customers < 1 || c.Customers > readers || c.Checkouts < c.Customers {
		return fmt.Errorf("a run needs 1 to %d customers, and a checkout for each", readers)
	}
	if _, err := up.FindStep(c.Step); err != nil {
		return err
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1_000_000) + 1
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	return onEachSide(c.Only, line, to, func(side string) (*crash.Report, error) {
		fmt.Fprintf(to.err, "%s, seed %d\n", up.SideName(side, c.Step), c.Seed)
		report, err := c.crash(ctx, side, to)
		if err != nil {
			return nil, fmt.Errorf("crash the %s: %w", side, err)
		}
		return report, nil
	}, c.verdict)
}

func (c *crashCommand) crash(ctx context.Context, side string, to streams) (*crash.Report, error) {
	return inFolder(ctx, to, func(dir string) (*crash.Report, error) {
		return crash.Run(ctx, crash.Options{
			Side: side, Step: c.Step, Checkouts: c.Checkouts, Customers: c.Customers, Seed: c.Seed,
			SweepAfter: c.SweepAfter, SettleWithin: c.SettleWithin, Patience: patience, Dir: dir, Out: to.err,
		})
	}, c.verdict)
}

// verdict is nil if the run went as expected.
func (c *crashCommand) verdict(report *crash.Report) error {
	switch {
	case c.ExpectViolation && report.Passed():
		return fmt.Errorf("nothing was found on the %s, and something was expected", report.Side)
	case !c.ExpectViolation && !report.Passed():
		return fmt.Errorf("the %s did not survive: %s", report.Side, report.Reason())
	}
	return nil
}
