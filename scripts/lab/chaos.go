package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"banyan/scripts/lab/chaos"
	"banyan/scripts/lab/up"
)

type chaosCommand struct {
	Only      string `help:"One side only: monolith or services." enum:"monolith,services," default:""`
	Checkouts int    `help:"How many checkouts to make at least. Default: 10000, and 300 with --quick."`
	Customers int    `help:"How many customers make them. Default: 200, and 60 with --quick."`
	Seed      uint64 `help:"Repeats the schedule of another run. Default: a new one, which is printed."`
	Quick     bool   `help:"Fewer and shorter faults, in a minute and a half."`
}

func (c *chaosCommand) Help() string {
	return "On labs of its own, one after the other, with data of their own; a running lab is left alone. A full run takes about a " +
		"quarter of an hour for each side, most of it with the broker away. " +
		"If something is found, the lab's folder with its logs and the customers' history, history.jsonl, is kept."
}

func (c *chaosCommand) Run(ctx context.Context, line *commands, to streams) error {
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
	sides := []string{up.Monolith, up.Services}
	if c.Only != "" {
		sides = []string{c.Only}
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	var reports []*chaos.StormReport
	var failed error
	for _, side := range sides {
		fmt.Fprintf(to.err, "%s, seed %d\n", side, c.Seed)
		report, err := c.storm(ctx, side, to)
		if err != nil {
			return fmt.Errorf("chaos on the %s: %w", side, err)
		}
		reports = append(reports, report)
		if !report.Passed() {
			failed = errors.Join(failed, fmt.Errorf("the %s did not pass: %s", side, report.Reason()))
		}
		if !line.JSON {
			if err := report.Print(to.out); err != nil {
				return err
			}
		}
	}
	if line.JSON {
		if err := json.NewEncoder(to.out).Encode(reports); err != nil {
			return err
		}
	}
	return failed
}

func either(is bool, yes, no int) int {
	if is {
		return yes
	}
	return no
}

// storm is the run with all faults but those of the disks, which have a short one of their own.
func (c *chaosCommand) storm(ctx context.Context, side string, to streams) (*chaos.StormReport, error) {
	options := chaos.StormOptions{
		Side: side, Checkouts: c.Checkouts, Customers: c.Customers, Seed: c.Seed, Quick: c.Quick, Out: to.err,
	}
	report, err := c.inFolder(ctx, options, to)
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

// inFolder makes a run in a folder of its own, which is kept if the run has to be looked into.
func (c *chaosCommand) inFolder(ctx context.Context, options chaos.StormOptions, to streams) (*chaos.StormReport, error) {
	dir, err := labFolder()
	if err != nil {
		return nil, err
	}
	options.Dir = dir
	report, err := chaos.Storm(ctx, options)
	if ctx.Err() == nil && (err != nil || !report.Passed()) {
		fmt.Fprintf(to.err, "The lab's logs, data and history are kept in %s\n", dir)
		return report, err
	}
	return report, errors.Join(err, up.Wipe(dir), os.RemoveAll(dir))
}

// fillDisks makes a short run on small disks, and fills them. The second result says why there was none.
func (c *chaosCommand) fillDisks(ctx context.Context, options chaos.StormOptions, to streams) (report *chaos.StormReport, why string, err error) {
	const checkouts, customers = 300, 60
	dir, err := labFolder()
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, up.Wipe(dir), os.RemoveAll(dir)) }()
	disks, why, err := chaos.MountDisks(dir)
	if err != nil || disks == nil {
		return nil, why, err
	}
	defer func() { err = errors.Join(err, disks.Unmount()) }()
	options.Dir, options.Disks, options.Checkouts, options.Customers = dir, disks, checkouts, customers
	report, err = chaos.Storm(ctx, options)
	return report, "", err
}
