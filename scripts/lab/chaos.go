package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"banyan/scripts/lab/chaos"
	"banyan/scripts/lab/up"
)

type chaosCommand struct {
	Only      string `help:"One side only: monolith or services." enum:"monolith,services," default:""`
	Step      int    `help:"The step of the ladder at which the services' side is, 2 to 8: the steps with events." default:"8"`
	Checkouts int    `help:"How many checkouts to make at least. Default: 10000, and 300 with --quick."`
	Customers int    `help:"How many customers make them. Default: 200, and 60 with --quick."`
	Seed      uint64 `help:"Repeats the schedule of another run. Default: a new one, which is printed."`
	Quick     bool   `help:"Fewer and shorter faults, in some two minutes for each side."`
}

func (c *chaosCommand) Help() string {
	return "On labs of its own, one after the other, with data of their own; a running lab is left alone. A full run takes about a " +
		"quarter of an hour for each side, most of it with the broker away. " +
		"If something is found, the lab's folder with its logs and the customers' history, history.jsonl, is kept."
}

func (c *chaosCommand) Run(ctx context.Context, line *commands, to streams) error {
	if c.Step < 2 || c.Step > up.LastStep {
		return fmt.Errorf("chaos knows the steps with events, 2 to %d, and the monolith", up.LastStep)
	}
	if c.Checkouts == 0 {
		c.Checkouts = either(c.Quick, 300, 10_000)
	}
	if c.Customers == 0 {
		c.Customers = either(c.Quick, 60, 200)
	}
	if c.Customers < 1 || c.Customers > readers || c.Checkouts < c.Customers {
		return fmt.Errorf("a run needs 1 to %d customers, and a checkout for each", readers)
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1_000_000) + 1
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	return onEachSide(c.Only, line, to, func(side string) (*chaos.Report, error) {
		fmt.Fprintf(to.err, "%s, seed %d\n", up.SideName(side, c.Step), c.Seed)
		report, err := c.storm(ctx, side, to)
		if err != nil {
			return nil, fmt.Errorf("chaos on the %s: %w", side, err)
		}
		return report, nil
	}, chaosVerdict)
}

func chaosVerdict(report *chaos.Report) error {
	if report.Passed() {
		return nil
	}
	return fmt.Errorf("the %s did not pass: %s", report.Side, report.Reason())
}

func either(is bool, yes, no int) int {
	if is {
		return yes
	}
	return no
}

// storm is the run with all faults but those of the disks, which have a short one of their own.
func (c *chaosCommand) storm(ctx context.Context, side string, to streams) (*chaos.Report, error) {
	options := chaos.Options{
		Side: side, Step: c.Step, Checkouts: c.Checkouts, Customers: c.Customers, Seed: c.Seed, Quick: c.Quick, Out: to.err,
	}
	report, err := inFolder(ctx, to, func(dir string) (*chaos.Report, error) {
		options := options
		options.Dir = dir
		return chaos.Run(ctx, options)
	}, chaosVerdict)
	if err != nil {
		return nil, err
	}
	if c.Quick {
		report.Add(nil, "a quick run leaves it out")
		return report, nil
	}
	disks, why, err := c.fillDisks(ctx, options, to)
	if err != nil {
		return nil, fmt.Errorf("with a full disk: %w", err)
	}
	report.Add(disks, why)
	return report, nil
}

// fillDisks makes a short run on small disks, and fills them. The second result says why there was none.
func (c *chaosCommand) fillDisks(ctx context.Context, options chaos.Options, to streams) (report *chaos.Report, why string, err error) {
	const checkouts, customers = 300, 60
	err = up.Folder(ctx, nil, func(dir string) (err error) {
		disks, none, err := chaos.MountDisks(dir)
		if err != nil || disks == nil {
			why = none
			return err
		}
		defer func() { err = errors.Join(err, disks.Unmount()) }()
		options.Dir, options.Disks, options.Checkouts, options.Customers = dir, disks, checkouts, customers
		report, err = chaos.Run(ctx, options)
		return err
	})
	return report, why, err
}
