package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"banyan/scripts/lab/move"
	"banyan/scripts/lab/up"
)

type statusCommand struct {
	Watch bool `help:"Show it again every second, until Ctrl-C."`
}

func (c *statusCommand) Help() string {
	return "Shows where each area stands: its owner, how far it is copied, how many changes wait, and what to do next."
}

func (c *statusCommand) Run(ctx context.Context, line *commands, to streams) error {
	for {
		state, err := up.Running(line.Dir)
		if err != nil {
			return err
		}
		if state.Databases[up.Services] == "" {
			return fmt.Errorf("this lab runs the monolith alone, with --only: no area can leave it")
		}
		all, err := move.ReadStatus(ctx, state)
		if err != nil {
			return err
		}
		if line.JSON {
			err = json.NewEncoder(to.out).Encode(all)
		} else {
			err = move.PrintStatus(to.out, all)
		}
		if err != nil || !c.Watch {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
			fmt.Fprintln(to.out)
		}
	}
}

type pauseCommand struct{ moving }

func (c *pauseCommand) Help() string {
	return "Has the copier of an area rest after its next range, until lab resume. Triggers go on noting what changes."
}

func (c *pauseCommand) Run(ctx context.Context, line *commands, to streams) error {
	if _, err := up.Running(line.Dir); err != nil {
		return err
	}
	if err := move.Pause(line.Dir, c.Area); err != nil {
		return moveError(err)
	}
	return c.tell(ctx, line, to)
}

type resumeCommand struct{ moving }

func (c *resumeCommand) Help() string { return "Lets the copier of an area go on after lab pause." }

func (c *resumeCommand) Run(ctx context.Context, line *commands, to streams) error {
	if _, err := up.Running(line.Dir); err != nil {
		return err
	}
	if err := move.Resume(line.Dir, c.Area); err != nil {
		return moveError(err)
	}
	return c.tell(ctx, line, to)
}

type reportCommand struct{ moving }

func (c *reportCommand) Help() string {
	return "Prints what an area's move did and what it cost customers, as Markdown or, with --json, as JSON: rows, checksums, " +
		"times, how long a switch held them, and their latency in each stage."
}

func (c *reportCommand) Run(line *commands, to streams) error {
	r, err := move.Recorded(line.Dir, c.Area)
	if err != nil {
		return moveError(err)
	}
	if line.JSON {
		return json.NewEncoder(to.out).Encode(r)
	}
	return r.Print(to.out)
}
