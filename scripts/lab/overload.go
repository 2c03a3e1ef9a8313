package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"banyan/scripts/lab/overload"
)

type overloadCommand struct {
	Only   string        `help:"One side only: monolith or services." enum:"monolith,services," default:""`
	Rounds int           `help:"How often the best goodput and the overload are measured in turn." default:"3"`
	Phase  time.Duration `help:"For how long each time." default:"15s"`
	CPUs   float64       `name:"cpus" help:"Processors for the shop with its database and broker, such as 0.5, 1 or 2. A part of one needs root, for a control group." default:"0"`
}

func (c *overloadCommand) Help() string {
	return "On labs of its own, one after the other, with data of their own; a running lab is left alone. " +
		"The shop gets one half of the processors, or --cpus of them, and the customers the others. If something does not hold, the lab's folder with its logs is kept."
}

func (c *overloadCommand) Run(ctx context.Context, line *commands, to streams) error {
	if c.Rounds < 1 || c.Phase < 4*time.Second {
		return errors.New("a run needs at least one round, of phases of at least 4s")
	}
	if c.CPUs < 0 {
		return errors.New("--cpus is a number of processors: 0.5, 1 or 2")
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	return onEachSide(c.Only, line, to, func(side string) (*overload.Report, error) {
		report, err := inFolder(ctx, to, func(dir string) (*overload.Report, error) {
			return overload.Run(ctx, overload.Options{Side: side, Dir: dir, CPUs: c.CPUs, Rounds: c.Rounds, Phase: c.Phase, Out: to.err})
		}, overloadVerdict)
		if err != nil {
			return nil, fmt.Errorf("overload the %s: %w", side, err)
		}
		return report, nil
	}, overloadVerdict)
}

func overloadVerdict(report *overload.Report) error {
	if report.Passed() {
		return nil
	}
	return fmt.Errorf("the %s did not stand the overload: %s", report.Side, report.Violations[0])
}
