package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"banyan/scripts/lab/overload"
	"banyan/scripts/lab/up"
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
	sides := []string{up.Monolith, up.Services}
	if c.Only != "" {
		sides = []string{c.Only}
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	var reports []*overload.Report
	var failed error
	for _, side := range sides {
		report, err := c.overload(ctx, side, to)
		if err != nil {
			return fmt.Errorf("overload the %s: %w", side, err)
		}
		reports = append(reports, report)
		if !report.Passed() {
			failed = errors.Join(failed, fmt.Errorf("the %s did not stand the overload: %s", side, report.Violations[0]))
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

// overload makes a run in a folder of its own, which is kept if the run has to be looked into.
func (c *overloadCommand) overload(ctx context.Context, side string, to streams) (*overload.Report, error) {
	dir, err := labFolder()
	if err != nil {
		return nil, err
	}
	report, err := overload.Run(ctx, overload.Options{Side: side, Dir: dir, Rounds: c.Rounds, Phase: c.Phase, Out: to.err})
	if ctx.Err() == nil && (err != nil || !report.Passed()) {
		fmt.Fprintf(to.err, "The lab's logs and data are kept in %s\n", dir)
		return report, err
	}
	return report, errors.Join(err, up.Wipe(dir), os.RemoveAll(dir))
}
