package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"banyan/scripts/lab/rolling"
	"banyan/scripts/lab/up"
)

type rollingCommand struct {
	Customers    int           `help:"How many customers use the shop meanwhile." default:"8"`
	Seed         uint64        `help:"Repeats what customers do, and the order of the restarts. Default: a new one, which is printed."`
	Quick        bool          `help:"In a minute: all services at the same time, though never two instances of one; nothing is killed, and nothing stands still."`
	SettleWithin time.Duration `help:"How long the shop gets to come to rest afterwards." default:"60s"`
}

func (c *rollingCommand) Help() string {
	return "Restarts every process of a fleet with two instances each, exchanges all keys, kills and stops an instance of " +
		"orders, and looks whether any customer notices. At the last step only: of a trunk there is one at a time, so its restart is " +
		"noticed. On a lab of its own; a running lab is left alone. If anybody does, the " +
		"lab's folder with its logs is kept."
}

func (c *rollingCommand) Run(ctx context.Context, line *commands, to streams) error {
	if c.Customers < 2 || c.Customers > readers {
		return fmt.Errorf("a run needs 2 to %d customers", readers)
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1_000_000) + 1
	}
	fmt.Fprintf(to.err, "seed %d\n", c.Seed)
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	return up.Folder(ctx, to.err, func(dir string) error {
		report, err := rolling.Run(ctx, rolling.Options{
			Customers: c.Customers, Seed: c.Seed, Quick: c.Quick, SettleWithin: c.SettleWithin, Dir: dir, Out: to.err,
		})
		if err != nil {
			return err
		}
		return errors.Join(report.Err(), c.show(report, line.JSON, to))
	})
}

func (c *rollingCommand) show(report *rolling.Report, asJSON bool, to streams) error {
	if asJSON {
		return json.NewEncoder(to.out).Encode(report)
	}
	return report.Print(to.out)
}
