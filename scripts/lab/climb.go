package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"banyan/scripts/lab/climb"
	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
)

type climbCommand struct {
	Quick    bool          `help:"Four areas: accounts and inventory leave, come back and leave again; notifications and catalog only leave."`
	Areas    []string      `help:"These areas, from the first one on, as in notifications,accounts. Default: all seven." placeholder:"AREA,…"`
	From     int           `help:"The step to start from, 1 to 7; the data climb there at rest." default:"1"`
	MaxP99   time.Duration `name:"max-p99" help:"Let the copier rest while customers wait longer, such as 50ms." default:"0s"`
	Rate     float64       `help:"Interactions a second, of all three mixes together." default:"60"`
	Browsers int           `help:"Emulated browsers, each with one connection." default:"48"`
	Seed     uint64        `help:"Repeats what customers do, and who is killed. Default: a new one, which is printed."`
	SeedSize string        `help:"How much data: small, medium, large or huge." enum:"small,medium,large,huge" default:"small"`
	Kill     bool          `help:"Kill the tool, the trunk, the service, the gateway and the broker at the boundaries of the moves, and see the lab converge."`
	Out      string        `help:"Write the report as JSON to this file as well." type:"path" placeholder:"FILE"`
}

func (c *climbCommand) Help() string {
	return "Starts at step 1 with customers of all three mixes at the gateway, takes every area out of the monolith, hands each " +
		"back once and over again, finalizes it, and judges: no request failed, what customers had before a switch is good after it, " +
		"invariants and contract hold at step 8. On a lab of its own."
}

func (c *climbCommand) Run(ctx context.Context, line *commands, to streams) error {
	areas, err := c.areas()
	if err != nil {
		return wrongUse(err)
	}
	if c.MaxP99 < 0 {
		return wrongUse(errors.New("--max-p99 is a time, and not negative"))
	}
	if c.Rate <= 0 || c.Browsers < 3 || c.Browsers > readers {
		return wrongUse(fmt.Errorf("a climb needs a rate above 0, and 3 to %d browsers", readers))
	}
	if _, err := seed.ParseSize(c.SeedSize); err != nil {
		return wrongUse(err)
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1_000_000) + 1
	}
	fmt.Fprintf(to.err, "seed %d\n", c.Seed)
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	report, err := inFolder(ctx, to, func(dir string) (*climb.Report, error) {
		return climb.Run(ctx, climb.Options{
			From: c.From, Areas: areas, Passing: c.passing(), MaxP99: c.MaxP99, Rate: c.Rate, Browsers: c.Browsers, Seed: c.Seed, SeedSize: c.SeedSize, Kill: c.Kill, Dir: dir, Out: to.err,
			Judge: func(ctx context.Context, state *up.State) error { return judgeClimbed(ctx, state, to) },
		})
	}, (*climb.Report).Err)
	if err != nil {
		return err
	}
	if err := c.show(report, line, to); err != nil {
		return err
	}
	return report.Err()
}

// areas are those that leave; each needs those before it.
func (c *climbCommand) areas() ([]string, error) {
	if c.From < 1 || c.From >= up.LastStep {
		return nil, fmt.Errorf("--from %d: a climb starts at step 1 to %d", c.From, up.LastStep-1)
	}
	var all []string
	for _, step := range up.Ladder {
		if step.Area != "" && step.Number > c.From {
			all = append(all, step.Area)
		}
	}
	switch {
	case c.Quick && len(c.Areas) > 0:
		return nil, errors.New("--quick names the areas itself: leave out --areas")
	case c.Quick && c.From > 1:
		return nil, errors.New("--quick starts at step 1: leave out --from")
	case c.Quick:
		return all[:4], nil
	case len(c.Areas) == 0:
		return all, nil
	}
	for i, area := range c.Areas {
		if i >= len(all) || area != all[i] {
			return nil, fmt.Errorf("--areas: areas leave in order, %v; %q can't be number %d", all, area, i+1)
		}
	}
	return c.Areas, nil
}

// passing are the areas that only make way.
func (c *climbCommand) passing() []string {
	if c.Quick {
		return []string{"notifications", "catalog"}
	}
	return nil
}

// judgeClimbed holds the shop to the contract and to the invariants.
func judgeClimbed(ctx context.Context, state *up.State, to streams) error {
	judge := verifyCommand{Only: up.Services}
	found, err := judge.judge(ctx, state, []string{up.Services}, to.err, to.err)
	if err != nil {
		return err
	}
	return found.err()
}

func (c *climbCommand) show(report *climb.Report, line *commands, to streams) error {
	if c.Out != "" {
		file, err := os.Create(c.Out)
		if err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		if err := errors.Join(encode(file, report), file.Close()); err != nil {
			return err
		}
	}
	if line.JSON {
		return encode(to.out, report)
	}
	return report.Print(to.out)
}

func encode(out io.Writer, value any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
