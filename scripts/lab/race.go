package main

import (
	"context"
	"errors"
	"fmt"

	"banyan/scripts/lab/race"
	"banyan/scripts/lab/up"
)

type raceCommand struct {
	Only   string `help:"On one side only: monolith or services."`
	Buyers int    `help:"Customers who want a copy each." default:"200"`
	Copies int    `help:"Copies that there are." default:"10"`
}

// readers are the customers of the small seed.
const readers = 1000

func (c *raceCommand) Help() string {
	return "On the running lab. Without one, on a lab that it starts for this, with data of its own, and stops again."
}

func (c *raceCommand) Run(ctx context.Context, line *commands, to streams) error {
	if c.Buyers < 1 || c.Buyers > readers || c.Copies < 1 {
		return fmt.Errorf("a race needs 1 to %d buyers and at least 1 copy", readers)
	}
	state, err := up.Running(line.Dir)
	if err == nil {
		return c.race(ctx, state, line, to)
	}
	if !errors.Is(err, up.ErrNotRunning) {
		return err
	}
	fmt.Fprintln(to.err, "No lab is running: starting one for this race.")
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	return up.Scratch(ctx, up.Options{Only: c.Only, Out: to.err}, func(ctx context.Context, lab *up.Lab) error {
		state := lab.State()
		return c.race(ctx, &state, line, to)
	})
}

func (c *raceCommand) race(ctx context.Context, state *up.State, line *commands, to streams) error {
	sides, err := sidesOf(state, c.Only)
	if err != nil {
		return err
	}
	return onSides(sides, line, to, func(side string) (*race.Report, error) {
		fmt.Fprintf(to.err, "%d customers of the %s are signing in and filling their carts …\n", c.Buyers, side)
		report, err := race.Run(ctx, race.Options{
			Side: side, URL: state.SideURL(side), OutsideURL: state.OutsideURL, Buyers: c.Buyers, Copies: c.Copies,
		})
		if err != nil {
			return nil, fmt.Errorf("race on the %s: %w", side, err)
		}
		return report, nil
	}, raceVerdict)
}

func raceVerdict(report *race.Report) error {
	if report.Passed() {
		return nil
	}
	return fmt.Errorf("the %s fails the race: %s", report.Side, report.Violations[0].Rule)
}
