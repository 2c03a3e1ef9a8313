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
}

func (c *overloadCommand) Help() string {
	return "On labs of its own, one after the other, with data of their own; a running lab is left alone. " +
		"The shop gets one half of the processors and the customers the other. If something does not hold, the lab's folder with its logs is kept."
}

func (c *overloadCommand) Run(ctx context.Context, line *commands, to streams) error {
	if c.Rounds < 1 || c.Phase < 4*time.Second {
		return errors.New("a run needs at least one round, of phases of at least 4s")
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	return onEachSide(c.Only, line, to, func(side string) (*overload.Report, error) {
		report, err := inFolder(ctx, to, func(dir string) (*overload.Report, error) {
			return overload.Run(ctx, overload.Options{Side: side, Dir: dir, Rounds: c.Rounds, Phase: c.Phase, Out: to.err})
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
